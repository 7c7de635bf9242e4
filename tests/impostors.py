"""What may listen where LND was expected, each in its own way of not being it."""

import asyncio
import socket
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager


def tls_without_http2(certificate: bytes, key: bytes) -> ssl.SSLContext:
    """TLS as LND's REST port speaks it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(certificate + key)
        file.flush()
        made.load_cert_chain(file.name)
    return made


@asynccontextmanager
async def listening(
    react: Callable[[asyncio.StreamWriter], None], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Something that listens and is no LND. Yields its address."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        react(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def reset(writer: asyncio.StreamWriter) -> None:
    """Hang up as LND's peer-to-peer port does."""
    line = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def impostors(
    certificate: bytes, key: bytes
) -> dict[str, tuple[AbstractAsyncContextManager[str], str]]:
    """Name -> what listens there, and what must be told of it."""
    return {
        "REST": (listening(lambda writer: None, tls_without_http2(certificate, key)), "REST port"),
        "peers": (listening(reset), "peer-to-peer|cannot be reached|was lost"),
        "plaintext": (
            listening(lambda writer: writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
            "not speak TLS",
        ),
    }
