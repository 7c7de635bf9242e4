"""Just enough of an HTTP/2 server to send a gRPC stream as fast as a Go server would.

gRPC's Python server needs more CPU for a message than any client, so that it and not the client
is what gets measured. This one writes one DATA frame for each message, many frames at once, and
keeps to the client's flow control. It reads what gRPC's C core writes (no Huffman codes).
"""

import select
import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY, _WINDOW, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 1, 1, 4, 8, 32
_RESPONSE = b"\x88\x0f\x10\x10application/grpc"
_TRAILERS = b"\x00\x0bgrpc-status\x010"
_UNIMPLEMENTED = b"\x00\x0bgrpc-status\x0212"
_STATIC = 61
_PATH = 4
_WRITE = 32 * 1024
"""As much as Go's gRPC server gathers before it writes."""


def listen(certificate: Path, key: Path) -> tuple[socket.socket, ssl.SSLContext]:
    """A listening socket on the loopback, and how to speak TLS on it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    return socket.create_server(("127.0.0.1", 0)), context


class Peer:
    """One client's connection; `serve` runs until it is gone.

    answers: method -> message. stream: the method that gets `messages`; `began` is called first.
    """

    def __init__(
        self,
        connection: ssl.SSLSocket,
        answers: Mapping[str, bytes],
        stream: str,
        messages: Sequence[bytes],
        began: "object",
    ) -> None:
        self._socket = connection
        self._answers = answers
        self._stream, self._messages, self._began = stream, messages, began
        self._paths: list[str] = []
        self._received = bytearray()
        self._room = self._first_room = 65_535
        self._stream_room: dict[int, int] = {}
        self._sending = 0
        self._next = 0

    def serve(self) -> None:
        """Answer until the client hangs up."""
        try:
            self._take(len(_PREFACE))
            self._send(_SETTINGS, 0, 0, b"")
            while True:
                busy = self._sending and self._send_some()
                while not busy or self._readable():
                    self._handle(*self._frame())
                    busy = self._sending and self._may_send()
        except (OSError, EOFError, ssl.SSLError):
            pass
        finally:
            self._socket.close()

    def _readable(self) -> bool:
        if self._received or self._socket.pending():
            return True
        return bool(select.select([self._socket], [], [], 0)[0])

    def _take(self, size: int) -> bytes:
        while len(self._received) < size:
            data = self._socket.recv(65_536)
            if not data:
                raise EOFError
            self._received += data
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def _frame(self) -> tuple[int, int, int, bytes]:
        head = self._take(9)
        size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        return kind, flags, int.from_bytes(head[5:], "big") & 0x7FFFFFFF, self._take(size)

    def _send(self, kind: int, flags: int, stream: int, data: bytes) -> None:
        self._socket.sendall(_head(len(data), kind, flags, stream) + data)

    def _handle(self, kind: int, flags: int, stream: int, data: bytes) -> None:
        if kind == _SETTINGS and not flags & _ACK:
            self._settings(data)
            self._send(_SETTINGS, _ACK, 0, b"")
        elif kind == _PING and not flags & _ACK:
            self._send(_PING, _ACK, 0, data)
        elif kind == _WINDOW:
            more = int.from_bytes(data, "big") & 0x7FFFFFFF
            if stream:
                room = self._stream_room.get(stream, self._first_room)
                self._stream_room[stream] = room + more
            else:
                self._room += more
        elif kind == _HEADERS:
            self._call(stream, flags, data)
        elif kind == _RST and stream == self._sending:
            self._sending = 0
        elif kind == _GOAWAY:
            raise EOFError

    def _settings(self, data: bytes) -> None:
        for at in range(0, len(data), 6):
            name, value = struct.unpack_from(">HI", data, at)
            if name == 4:
                for stream in self._stream_room:
                    self._stream_room[stream] += value - self._first_room
                self._first_room = value

    def _call(self, stream: int, flags: int, data: bytes) -> None:
        assert flags & _END_HEADERS, "headers in several frames are not read here"
        if flags & _PADDED:
            data = data[1 : len(data) - data[0]]
        path = self._path(data[5:] if flags & _PRIORITY else data)
        answer = self._answers.get(path)
        self._stream_room.setdefault(stream, self._first_room)
        if path == self._stream:
            self._began()
            self._send(_HEADERS, _END_HEADERS, stream, _RESPONSE)
            self._sending, self._next = stream, 0
        elif answer is None:
            self._send(_HEADERS, _END_HEADERS | _END_STREAM, stream, _RESPONSE + _UNIMPLEMENTED)
        else:
            self._send(_HEADERS, _END_HEADERS, stream, _RESPONSE)
            body = _message(answer)
            for at in range(0, len(body), 16_384):
                part = body[at : at + 16_384]
                while len(part) > min(self._room, self._stream_room[stream]):
                    self._handle(*self._frame())
                self._send(_DATA, 0, stream, part)
                self._room -= len(part)
                self._stream_room[stream] -= len(part)
            self._send(_HEADERS, _END_HEADERS | _END_STREAM, stream, _TRAILERS)

    def _may_send(self) -> bool:
        """Whether the next message fits into what the client has room for."""
        if self._next == len(self._messages):
            return False
        room = min(self._room, self._stream_room[self._sending])
        return len(self._messages[self._next]) + 5 <= room

    def _send_some(self) -> bool:
        """Send what fits, up to one write; returns whether there was anything."""
        stream, messages, at = self._sending, self._messages, self._next
        room = min(self._room, self._stream_room[stream], _WRITE)
        parts, used = [], 0
        while at < len(messages):
            size = len(messages[at]) + 5
            if used + size > room:
                break
            parts.append(_head(size, _DATA, 0, stream) + _message(messages[at]))
            used += size
            at += 1
        if parts:
            self._socket.sendall(b"".join(parts))
        self._next = at
        self._room -= used
        self._stream_room[stream] -= used
        return bool(parts)

    def _path(self, block: bytes) -> str:
        """`:path` of a header block. Every block is read: later ones refer to earlier ones."""
        at, path = 0, ""
        while at < len(block):
            first = block[at]
            if first & 0x80:
                index, at = _number(block, at, 7)
                found = self._entry(index)
            elif first & 0xE0 == 0x20:
                _, at = _number(block, at, 5)
                continue
            else:
                kept = first & 0xC0 == 0x40
                index, at = _number(block, at, 6 if kept else 4)
                is_path = index == _PATH or bool(self._entry(index))
                if not index:
                    name, at = _text(block, at)
                    is_path = name == ":path"
                value, at = _text(block, at)
                found = value if is_path else ""
                if kept:
                    self._paths.insert(0, found)
            path = found or path
        return path

    def _entry(self, index: int) -> str:
        """The path that an index means, "" for other headers."""
        at = index - _STATIC - 1
        return self._paths[at] if 0 <= at < len(self._paths) else ""


def _head(size: int, kind: int, flags: int, stream: int) -> bytes:
    return struct.pack(">IBI", size << 8 | kind, flags, stream)


def _message(data: bytes) -> bytes:
    return struct.pack(">BI", 0, len(data)) + data


def _number(block: bytes, at: int, bits: int) -> tuple[int, int]:
    most = (1 << bits) - 1
    value = block[at] & most
    at += 1
    if value < most:
        return value, at
    shift = 0
    while True:
        value += (block[at] & 127) << shift
        shift += 7
        at += 1
        if not block[at - 1] & 128:
            return value, at


def _text(block: bytes, at: int) -> tuple[str, int]:
    assert not block[at] & 0x80, "Huffman codes are not read here"
    size, at = _number(block, at, 7)
    return block[at : at + size].decode("latin-1"), at + size
