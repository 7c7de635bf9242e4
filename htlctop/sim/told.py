"""A log of what the simulated node really told, to whom and when, and of what it did wrong.

JSON lines, each with `t_ns` (this machine's clock) and `what`: `subscribed` and `unsubscribed` (id)
· `told` (id, base64 message; it was handed to gRPC) · `fault` · `down`, `up` (the listener).
"""

import json
import time
from binascii import b2a_base64
from pathlib import Path

from htlctop.errors import UsageError


class ToldLog:
    """Writes the log, or nothing where no file is wanted."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises: UsageError: the file cannot be made."""
        self._subscriptions = 0
        self._file = None
        if path is not None:
            try:
                self._file = path.open("x", encoding="ascii", buffering=1)
            except OSError as error:
                raise UsageError(f"{path} cannot be made: {error.strerror}") from None

    def subscribed(self) -> int:
        """Somebody joined the HTLC stream; returns the subscription's number."""
        self._subscriptions += 1
        self._write("subscribed", id=self._subscriptions)
        return self._subscriptions

    def unsubscribed(self, number: int) -> None:
        """A subscription is over."""
        self._write("unsubscribed", id=number)

    def told(self, number: int, message: bytes) -> None:
        """A message is out."""
        if self._file is not None:
            text = b2a_base64(message, newline=False).decode("ascii")
            self._write("told", id=number, message=text)

    def fault(self, kind: str, **parameters: object) -> None:
        """Something goes wrong now."""
        self._write("fault", fault=kind, **parameters)

    def listening(self, *, up: bool) -> None:
        """The listener opened or closed."""
        self._write("up" if up else "down")

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, what: str, **more: object) -> None:
        if self._file is not None:
            line = {"t_ns": time.time_ns(), "what": what, **more}
            self._file.write(json.dumps(line) + "\n")
