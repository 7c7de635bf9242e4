"""A process on a real pty, its bytes counted and timed; nothing is emulated."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.children import ROOT, python

_LEAVING_S = 10


class Console:
    """A Python child that sits at a terminal of this size. `began_s`: when it was started."""

    def __init__(self, arguments: tuple[object, ...], home: Path, size: tuple[int, int]) -> None:
        self.began_s = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            width, height = size
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
            os.chdir(ROOT)
            command = python(*arguments)
            os.execve(command[0], command, _environ(home))

    def read(self, seconds: float, marker: bytes = b"") -> bytes:
        """What comes within so many seconds, or until the marker has come."""
        got = bytearray()
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._fd], [], [], left)[0]:
                break
            try:
                data = os.read(self._fd, 65_536)
            except OSError:
                break
            got += data
            if not data or (marker and marker in got):
                break
        return bytes(got)

    def send(self, data: bytes) -> None:
        """Type this."""
        os.write(self._fd, data)

    def first(self, seconds: float) -> bytes:
        """What comes first, as soon as it does; nothing after so many seconds."""
        return os.read(self._fd, 65_536) if select.select([self._fd], [], [], seconds)[0] else b""

    def close(self) -> None:
        """End it as a user's terminal would, and wait for it."""
        os.kill(self.pid, signal.SIGTERM)
        until = time.monotonic() + _LEAVING_S
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            self.read(0.1)
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
        os.close(self._fd)


@contextmanager
def console(*arguments: object, home: Path, size: tuple[int, int] = (80, 24)) -> Iterator[Console]:
    """A child on a pty; ended on leaving."""
    child = Console(arguments, home, size)
    try:
        yield child
    finally:
        child.close()


def _environ(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "COLORTERM") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
    }
