"""Writes `htlctop-recording/1`: one line at a time, each handed to the system whole, so that the
file is a recording whenever the process ends; at worst its last line is cut off.

A preimage or an error's text is never written.
"""

import json
import os
import time
from binascii import b2a_base64
from pathlib import Path
from typing import Self

from htlctop.errors import StoreError, UsageError
from htlctop.wire import decode
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method
from htlctop.wire.recording import FORMAT, Kind
from htlctop.wire.redaction import Redaction
from htlctop.wire.refusals import harmless

UNREADABLE = b"\xff"
"""Stands for a message that cannot be decoded, and cannot be either: what is in it is unknown."""


class Tape:
    """A new recording, the user's alone; nothing is written before its `header`.

    Raises from every method: StoreError when the file cannot be written.
    """

    def __init__(self, path: Path, redaction: Redaction | None = None) -> None:
        """Make the file. Raises: UsageError: it is there already, or cannot be made."""
        self.path = path
        self.events = 0
        self.begun = False
        self._redaction = redaction
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags, 0o600)
        except FileExistsError:
            raise UsageError(f"{path} is there already: name a new file") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def header(self, lnd: str) -> None:
        """The first line, once. `lnd`: the node's version."""
        self.begun = True
        self._write(Kind.HEADER, format=FORMAT, lnd=lnd)

    def message(self, t_ns: int, method: Method, message: bytes) -> None:
        """One message of a stream, received at `t_ns`."""
        message = without_secrets(message) if method is Method.HTLC_EVENTS else message
        if self._redaction is not None:
            message = self._redaction.message(method, message)
        self.events += method is Method.HTLC_EVENTS
        self._write(Kind.STREAM, t_ns, method=method, message=_text(message))

    def stream_end(self, method: Method, code: str, details: str) -> None:
        """A stream ended, just now."""
        self._write(Kind.STREAM_END, method=method, code=code, details=self._details(details))

    def unary(self, method: Method, request: bytes, response: bytes) -> None:
        """An answer that came just now."""
        if self._redaction is not None:
            request = self._redaction.request(method, request)
            response = self._redaction.message(method, response)
        self._write(Kind.UNARY, method=method, request=_text(request), response=_text(response))

    def unary_error(self, method: Method, code: str, details: str) -> None:
        """A call that failed just now."""
        self._write(Kind.UNARY_ERROR, method=method, code=code, details=self._details(details))

    def close(self) -> None:
        """Give the file back; one that nothing was written to is taken away again."""
        os.close(self._file)
        if not self.begun:
            self.path.unlink(missing_ok=True)

    def _details(self, details: str) -> str:
        return self._redaction.details(details) if self._redaction else harmless(details)

    def _write(self, kind: Kind, t_ns: int | None = None, **fields: str) -> None:
        if not self.begun:
            return
        line: dict[str, int | str] = {"t_ns": t_ns or time.time_ns(), "kind": kind, **fields}
        data = json.dumps(line).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error


def without_secrets(message: bytes) -> bytes:
    """An HtlcEvent without preimage and failure_string; other fields stay, unknown ones too."""
    event = decode.parse(router.HtlcEvent, message)
    if event is None:
        return UNREADABLE
    if event.HasField("settle_event"):
        event.settle_event.DiscardUnknownFields()
    elif event.HasField("link_fail_event"):
        failure = event.link_fail_event
        info = failure.info.SerializeToString() if failure.HasField("info") else None
        failure.DiscardUnknownFields()
        if info is not None:
            failure.info.ParseFromString(info)  # with its timelocks, which we do not declare
    # Written anew in any case: of two outcomes in one message only the last is left so.
    return event.SerializeToString()


def _text(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")
