"""What the service manager is told, over a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from htlctop.analysis.status import State
from htlctop.collector.notify import Notifier
from htlctop.domain.types import NodeState
from tests.played import MARKER, Play, Script, collecting, until
from tests.stored import look


@contextmanager
def manager(address: str) -> Iterator[list[str]]:
    """A socket that collects what it is sent; read with `drain`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind("\0" + address[1:] if address.startswith("@") else address)
        inbox.setblocking(False)
        yield _Inbox(inbox)


class _Inbox(list[str]):
    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def drain(self) -> "_Inbox":
        while True:
            try:
                self.append(self._line.recv(4096).decode())
            except BlockingIOError:
                return self


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_it_is_told_over_a_path_and_over_an_abstract_address(kind: str, tmp_path: Path) -> None:
    address = str(tmp_path / "notify") if kind == "path" else f"@htlctop-test-{os.getpid()}"
    with manager(address) as inbox:
        notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
        notifier.ready("waiting: for\nnothing")
        notifier.ready("waiting: for nothing")
        notifier.watchdog()
        notifier.watchdog()
        notifier.stopping()
        assert inbox.drain() == [
            "READY=1\nSTATUS=waiting: for nothing",
            "WATCHDOG=1",
            "STOPPING=1\nSTATUS=stopping",
        ]


def test_without_a_manager_or_with_a_dead_one_nothing_is_said_and_nothing_raised(
    tmp_path: Path,
) -> None:
    for environ in (
        {},
        {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "nonsense"},
        {"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"},
    ):
        notifier = Notifier(environ)
        notifier.ready("live")
        notifier.watchdog()
        notifier.stopping()


def test_a_watchdog_meant_for_another_process_is_not_fed(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with manager(address) as inbox:
        Notifier(
            {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
        ).watchdog()
        assert not inbox.drain()


async def test_a_collector_that_waits_is_ready_and_says_what_for_until_it_is_live(
    play: Play, tmp_path: Path, store_file: Path
) -> None:
    address = str(tmp_path / "notify")
    script = Script(NodeState.LOCKED)
    with manager(address) as inbox:
        notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "600000"})
        async with (
            play(script) as node,
            collecting(node.connection, store_file, notifier=notifier),
        ):
            await until(lambda: any("READY=1" in said for said in inbox.drain()))
            assert any("lncli unlock" in said for said in inbox)
            script.state = NodeState.SERVER_ACTIVE
            await until(lambda: (view := look(store_file)) and view.status.state is State.LIVE)
            await until(lambda: inbox.drain().count("WATCHDOG=1") >= 3)
        said = inbox.drain()
    assert any("STATUS=live: played, LND 0.21.2-beta" in line for line in said)
    assert said[-1].startswith("STOPPING=1")
    assert MARKER not in "".join(said)
