"""Reads `htlctop-recording/1`: what a real LND said, one JSON object a line, plain or gzipped.

The whole file is checked when it is opened; its records are then read again as they are needed,
so a long recording costs no memory. A last line that was cut off is left out and told.
"""

import gzip
import json
import zlib
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from htlctop.errors import UsageError
from htlctop.wire.methods import Method

FORMAT = "htlctop-recording/1"
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_TIME_NS = 2**63 - 1


class Kind(StrEnum):
    """What a line records."""

    HEADER = "header"
    MARK = "mark"
    STREAM = "stream"
    STREAM_END = "stream_end"
    UNARY = "unary"
    UNARY_ERROR = "unary_error"
    OTHER = "other"
    """A kind this version does not know; nothing reads it."""


_KINDS = {str(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Record:
    """One line. `t_ns` is when it was received; the other fields are empty where they do not apply.

    Attributes:
        message: of a stream. request, response: of a unary call.
        code, details: of an error or a stream's end: gRPC's status name and its text.
        text: of a mark.
    """

    t_ns: int
    kind: Kind
    method: str = ""
    message: bytes = b""
    request: bytes = b""
    response: bytes = b""
    code: str = ""
    details: str = ""
    text: str = ""

    @property
    def is_htlc_event(self) -> bool:
        """Whether it is a message of SubscribeHtlcEvents."""
        return self.kind is Kind.STREAM and self.method == Method.HTLC_EVENTS

    @property
    def is_htlc_end(self) -> bool:
        """Whether SubscribeHtlcEvents ended here."""
        return self.kind is Kind.STREAM_END and self.method == Method.HTLC_EVENTS


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that was checked.

    Attributes:
        lnd: the version of the LND that was recorded.
        events: how many messages of SubscribeHtlcEvents it holds.
        cut_off_line: the number of a last line that was cut off, None if the file is whole.
    """

    path: Path
    lnd: str
    events: int
    first_ns: int
    last_ns: int
    cut_off_line: int | None = None

    def records(self) -> Iterator[Record]:
        """All records in file order, the header first; each call reads the file anew."""
        for _number, record in _lines(self.path):
            if record is not None:
                yield record

    def event_at(self, fraction: float) -> int:
        """The index of the HTLC message at that fraction (0 to 1) of all of them."""
        return min(max(round(self.events * fraction), 0), self.events)

    def time_at(self, fraction: float) -> int:
        """When the message at that fraction was received, ns; the end of the file beyond it."""
        wanted = self.event_at(fraction)
        times = (record.t_ns for record in self.records() if record.is_htlc_event)
        return next((t for index, t in enumerate(times) if index == wanted), self.last_ns)


def read_recording(path: Path | str) -> Recording:
    """Open and check a recording.

    Raises:
        UsageError: it cannot be read or is not a recording; names the line.
    """
    path = Path(path)
    lnd: str | None = None
    events = first_ns = last_ns = 0
    cut_off: int | None = None
    for number, record in _lines(path):
        if record is None:
            cut_off = number
        elif lnd is None:
            if record.kind is not Kind.HEADER:
                raise UsageError(f"{path}, line {number}: a recording starts with its header")
            lnd, first_ns, last_ns = record.text, record.t_ns, record.t_ns
        else:
            last_ns = max(last_ns, record.t_ns)
            events += record.is_htlc_event
    if lnd is None:
        raise UsageError(f"{path} holds no recording of the format {FORMAT}")
    return Recording(path, lnd, events, first_ns, last_ns, cut_off)


def _lines(path: Path) -> Iterator[tuple[int, Record | None]]:
    """Each line's number and record; None for a last line that was cut off."""
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    record = _record(line)
                except ValueError as error:
                    if not line.endswith(b"\n"):
                        yield number, None
                        return
                    raise UsageError(f"{path}, line {number}: {error}") from None
                yield number, record
    except EOFError:
        yield number + 1, None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(
            f"{path}, after line {number}: not gzip as it should be: {error}"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")


def _record(line: bytes) -> Record:
    """One line; ValueError says what is wrong with it."""
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("not JSON that we read: nested too deeply") from None
    except ValueError:
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    time = value.get("t_ns")
    if not isinstance(time, int) or not 0 <= time <= _MAX_TIME_NS:
        raise ValueError("t_ns is not a time in nanoseconds")
    kind = _KINDS.get(_string(value, "kind"), Kind.OTHER)
    if kind is Kind.STREAM:
        return Record(time, kind, _string(value, "method"), _bytes(value, "message"))
    if kind is Kind.UNARY:
        return Record(
            time,
            kind,
            _string(value, "method"),
            request=_bytes(value, "request"),
            response=_bytes(value, "response"),
        )
    if kind in (Kind.UNARY_ERROR, Kind.STREAM_END):
        return Record(
            time,
            kind,
            _string(value, "method"),
            code=_string(value, "code"),
            details=_string(value, "details"),
        )
    if kind is Kind.MARK:
        return Record(time, kind, text=_string(value, "text"))
    if kind is Kind.HEADER:
        if value.get("format") != FORMAT:
            raise ValueError(f"not the format {FORMAT}")
        return Record(time, kind, text=_string(value, "lnd"))
    return Record(time, kind)


def _string(value: dict[str, object], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise ValueError(f"{key} is missing or not text")
    return text


def _bytes(value: dict[str, object], key: str) -> bytes:
    try:
        return a2b_base64(_string(value, key), strict_mode=True)
    except Base64Error:
        raise ValueError(f"{key} is not base64") from None
