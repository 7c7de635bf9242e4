"""One cause, one exit code, whichever command meets it."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from htlctop.config import Connection
from tests.collector.test_command import HTLCTOP, environment
from tests.nodes import simulated
from tests.synthetic import lived

COMMANDS = {
    "collect": ("--fail-fast", "--store"),
    "collect for a while": ("--duration", "3s", "--store"),
    "monitor": ("--duration", "3s", "--store"),
    "record": ("--duration", "3s"),
    "doctor": ("--store",),
}


@dataclass
class Node:
    """How to reach a simulated node; a test may spoil a copy of it."""

    address: str
    certificate: Path
    macaroon: Path

    def options(self) -> list[str]:
        return [
            "--network", "simnet", "--rpcserver", self.address, "--tlscertpath",
            str(self.certificate), "--macaroonpath", str(self.macaroon),
        ]  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with simulated(tmp_path_factory.mktemp("node") / "sim") as node:
        yield node


@pytest.fixture(scope="module")
def made_up_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made-up") / "store.db"
    asyncio.run(lived(1, 1.0, path))
    return path


@pytest.fixture
def node(running: Connection) -> Node:
    assert running.tls_cert_path and running.macaroon_path
    return Node(running.rpcserver, running.tls_cert_path, running.macaroon_path)


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [*HTLCTOP, *arguments], capture_output=True, text=True, env=environment(), timeout=30
    )
    assert "Traceback" not in done.stderr
    return done


def code(command: str, node: Node, folder: Path) -> int:
    """What a command exits with; all that it makes is made in the folder."""
    options = [*COMMANDS[command], str(folder / command)]
    return run(command.split()[0], *options, *node.options()).returncode


def cut_off(path: Path, folder: Path) -> Path:
    """A copy that is not whole."""
    data = path.read_bytes()
    (folder / path.name).write_bytes(data[: len(data) // 2])
    return folder / path.name


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_missing_or_unreadable_is_3(command, node, tmp_path):
    for path in (tmp_path / "none", tmp_path, cut_off(node.certificate, tmp_path)):
        assert code(command, Node(node.address, path, node.macaroon), tmp_path) == 3
    assert code(command, Node(node.address, node.certificate, tmp_path / "none"), tmp_path) == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_a_node_that_is_not_there_is_4(command, node, tmp_path):
    node.address = "127.0.0.1:1"
    assert code(command, node, tmp_path) == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_a_node_that_does_not_take_the_macaroon_is_5(command, node, tmp_path):
    node.macaroon = cut_off(node.macaroon, tmp_path)
    assert code(command, node, tmp_path) == 5


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "record"])
def test_a_file_that_is_no_store_is_6(command, node, tmp_path):
    (tmp_path / command).write_text("a shopping list")
    assert code(command, node, tmp_path) == 6


@pytest.mark.parametrize("command", ["collect", "monitor", "record"])
def test_what_is_no_time_is_2(command, node, tmp_path):
    arguments = [command, *([str(tmp_path / "r")] if command == "record" else [])]
    done = run(*arguments, "--duration", "soon", *node.options())
    assert done.returncode == 2 and "soon" in done.stderr


@pytest.mark.parametrize("command", [("store", "check"), ("doctor",), ("report",), ("--help",)])
def test_a_full_disk_behind_the_output_is_6_and_a_closed_pipe_is_no_error(
    command, made_up_store, monkeypatch
):
    monkeypatch.setenv("HTLCTOP_STORE", str(made_up_store))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*HTLCTOP, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30
        )
    assert (done.returncode, done.stderr) == (
        6, "htlctop: cannot write: No space left on device\n",
    )  # fmt: skip
    gone, pipe = os.pipe()
    os.close(gone)
    done = subprocess.run([*HTLCTOP, *command], stdout=pipe, stderr=subprocess.PIPE, timeout=30)
    os.close(pipe)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_is_broken_off_by_hand_is_130_without_a_traceback(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with (
        subprocess.Popen(
            [*HTLCTOP, "report", str(pipe)], stderr=subprocess.PIPE, text=True, env=environment()
        ) as process,
        pipe.open("w"),
    ):  # it is open at both ends now, and waited for
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said.strip()) == (130, "")


@pytest.mark.parametrize("command", ["collect", "monitor"])
def test_a_wish_to_end_that_arrives_twice_ends_it_in_order(command, node, tmp_path):
    options = ["--store", str(tmp_path / "store.db"), *node.options()]
    with subprocess.Popen(
        [*HTLCTOP, command, *options], env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        process.stderr.readline()  # it listens
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert ("refused  " in out) is (command == "monitor")
