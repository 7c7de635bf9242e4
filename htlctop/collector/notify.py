"""Tells the service manager how we are: the protocol of sd_notify(3), over a datagram socket.

Without a manager, or with one that does not listen, it says nothing and raises nothing.
"""

import os
import socket
import time
from collections.abc import Mapping

_LONGEST_STATUS = 200


class Notifier:
    """`ready` once we listen or wait, `watchdog` from the loop that must not hang."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of Linux's abstract addresses.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._every_s = _watchdog_s(environ) / 3
        self._due_s = 0.0
        self._told = ""

    def ready(self, status: str) -> None:
        """The service has started: it listens, or waits and says for what."""
        self.status(status, "READY=1\n")

    def status(self, text: str, before: str = "") -> None:
        """One line that `systemctl status` shows; the same one is sent once."""
        line = before + "STATUS=" + " ".join(text.split())[:_LONGEST_STATUS]
        if line != self._told:
            self._told = line
            self._send(line)

    def watchdog(self) -> None:
        """Prove that the loop turns; may be called as often as it does."""
        now = time.monotonic()
        if self._every_s and now >= self._due_s:
            self._due_s = now + self._every_s
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """We are on our way out."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.setblocking(False)
                out.sendto(message.encode(), self._address)
        except OSError:
            pass  # nobody listens


def _watchdog_s(environ: Mapping[str, str]) -> float:
    """After how many seconds of silence the manager ends us, 0 where it does not."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    try:
        return max(0, int(environ.get("WATCHDOG_USEC", "0"))) / 1e6
    except ValueError:
        return 0.0
