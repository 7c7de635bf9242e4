"""Several htlctops on one store: one collects, the others read, and one takes over."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from htlctop.config import Connection
from htlctop.service import LocalSession
from tests.nodes import simulated
from tests.test_recordings import TRAFFIC
from tests.test_spine import look, stored, until

SLOWLY = ("--recording", str(TRAFFIC), "--speed", "5")


@contextmanager
def sitting(store: Path, node: Connection) -> Iterator[LocalSession]:
    """A viewer's session, with its collector thread as the app runs it."""
    session, stop = LocalSession(store, node), threading.Event()
    thread = threading.Thread(target=session.run_collector, args=(stop,))
    thread.start()
    try:
        yield session
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


async def until_true(condition, seconds: float = 20) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, "it did not come to that"
        await asyncio.sleep(0.1)


async def test_of_two_viewers_one_collects_and_when_it_leaves_the_other_does(tmp_path, store_file):
    with simulated(tmp_path / "node", *SLOWLY, "--lossy") as node:
        with sitting(store_file, node) as first:
            await until_true(lambda: stored(store_file) > 100)
            with sitting(store_file, node) as second:
                await asyncio.sleep(2)
                assert first.owns_collector and not second.owns_collector
        with sitting(store_file, node) as second:
            before = stored(store_file)
            await until_true(lambda: second.owns_collector)
            await until_true(lambda: stored(store_file) > before + 100)
    view = look(store_file)
    assert view is not None
    assert "stopped" in [gap.reason for gap in view.window.gaps], view.window


async def test_a_collector_that_is_killed_is_replaced_and_the_time_between_is_a_gap(
    tmp_path, store_file
):
    with simulated(tmp_path / "node", *SLOWLY) as node:
        command = [
            sys.executable, "-m", "htlctop", "collect", "--store", str(store_file),
            "--rpcserver", node.rpcserver, "--tlscertpath", str(node.tls_cert_path),
            "--macaroonpath", str(node.macaroon_path),
        ]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as owner:  # noqa: ASYNC220  (starts at once)
            await until_true(lambda: stored(store_file) > 100)
            with sitting(store_file, node) as viewer:
                await asyncio.sleep(1.5)
                assert not viewer.owns_collector
                before = stored(store_file)
                owner.send_signal(signal.SIGKILL)
                owner.wait()
                await until_true(lambda: viewer.owns_collector)
                await until(store_file, lambda view: view.status.events > before + 100)
    view = look(store_file)
    assert view is not None
    assert "not running" in [gap.reason for gap in view.window.gaps]


async def test_viewers_come_and_go_without_disturbing_the_collector(tmp_path, store_file):
    with simulated(tmp_path / "node", *SLOWLY) as node, sitting(store_file, node) as owner:
        await until_true(lambda: stored(store_file) > 50)
        for _ in range(20):
            view = look(store_file)
            assert view is not None and view.totals.forwards > 0
        assert owner.owns_collector
        before = stored(store_file)
        await until_true(lambda: stored(store_file) > before)
