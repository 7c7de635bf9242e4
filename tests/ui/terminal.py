"""A real terminal for tests: a process on a pty, its bytes counted and its screen emulated."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pyte

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class Terminal:
    """A child process that believes it sits at a terminal of this size."""

    def __init__(self, argv: list[str], width: int = 80, height: int = 24, **env: str) -> None:
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = bytearray()
        self.status: int | None = None
        self._log = Path(argv[1]) / "log" if len(argv) > 1 else None
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONPATH": str(ROOT),
            **env,
        }
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, *argv], environ)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.attributes = termios.tcgetattr(self.fd)

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(self.screen.display)

    def read(self, seconds: float, until: str | None = None) -> bytes:
        """Read for so long, or until the screen shows some text; the bytes that came."""
        got = bytearray()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if until is not None and until in self.text:
                break
            if not select.select([self.fd], [], [], min(left, 0.05))[0]:
                if self.has_ended:
                    break
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            got += data
            # pyte does not know these private modes and would print their last letter
            self._stream.feed(data.replace(b"\x1b[>11u", b"").replace(b"\x1b[<u", b""))
        self.sent += got
        return bytes(got)

    def wait_for(self, text: str, seconds: float = 15) -> None:
        """Read until the screen shows the text; fails where it does not come."""
        self.read(seconds, until=text)
        assert text in self.text, self.text

    def type(self, keys: str) -> None:
        """Send keys."""
        os.write(self.fd, keys.encode())

    def log(self) -> str:
        """What went to fd 2 while the app was on the screen."""
        return self._log.read_text() if self._log and self._log.exists() else ""

    def kill(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone; `status` is its exit code then."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self, seconds: float = 15) -> int | None:
        """Read until the process has ended; its exit code, None where it does not end."""
        end = time.monotonic() + seconds
        while not self.has_ended and time.monotonic() < end:
            self.read(0.1)
        return self.status

    def close(self) -> None:
        """End the process, whatever it does."""
        if not self.has_ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
