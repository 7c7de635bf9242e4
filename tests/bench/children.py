"""Child processes of a bench: started in order, ended by pid, their CPU time counted."""

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process used. cpu_s: user and system time of all its threads. peak: bytes."""

    code: int
    cpu_s: float
    peak: int
    output: str


def python(*arguments: object) -> list[str]:
    """The command line of a Python child."""
    return [sys.executable, *map(str, arguments)]


def wait(child: "subprocess.Popen[str]") -> Ended:
    """Wait for a child's end; its output is read here."""
    output = child.stdout.read() if child.stdout else ""
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Ended(child.returncode, _cpu_s(used), used.ru_maxrss * 1024, output)


def ready(child: "subprocess.Popen[str]") -> None:
    """Wait for the line by which a child says that it is at work. Raises RuntimeError where it
    ended instead."""
    if not (child.stdout and child.stdout.readline()):
        raise RuntimeError(f"{child.args} ended with {child.wait()}; see what it said above")


def is_running(child: "subprocess.Popen[str]") -> bool:
    """Whether a child has not ended; it still has to be waited for."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, child.pid, flags) is None


def run(*arguments: object, **environ: str) -> Ended:
    """Run a Python child to its end. Raises RuntimeError when it fails."""
    ended = wait(start(*arguments, **environ))
    if ended.code:
        raise RuntimeError(f"{arguments} ended with {ended.code}: {ended.output}")
    return ended


def start(*arguments: object, **environ: str) -> "subprocess.Popen[str]":
    """Start a Python child in the repository's root; it stops when our stdin to it closes,
    where it looks at that."""
    return subprocess.Popen(
        python(*arguments),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )


class Node:
    """The serving process: where it is, and when it began to send to its newest subscriber."""

    def __init__(self, folder: Path, events: int, channels: int, kind: str) -> None:
        self.folder = folder
        self.process = start("-m", "tests.bench.server", folder, events, channels, kind)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self._starts: list[float] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def began_s(self) -> float:
        """The monotonic time at which it began to send to the newest subscriber."""
        return self._starts[-1]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            word, _, value = line.partition(" ")
            if word == "start":
                self._starts.append(float(value))


@contextmanager
def serving(folder: Path, events: int, channels: int, kind: str) -> Iterator[Node]:
    """A node that sends these events to each subscriber; ended on leaving."""
    node = Node(folder, events, channels, kind)
    try:
        yield node
    finally:
        assert node.process.stdin is not None
        node.process.stdin.close()
        try:
            node.process.wait(10)
        except subprocess.TimeoutExpired:
            node.process.kill()
            node.process.wait()


def median(values: Sequence[float]) -> float:
    """The middle one; of an even number the mean of the two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _cpu_s(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime
