"""The simulated node's gRPC server: TLS on the loopback, opened and closed on one port."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import grpc

from htlctop.errors import UsageError
from htlctop.sim.certificate import self_signed
from htlctop.sim.source import End

_STOP_S = 1.0


class Context(Protocol):
    """The part of `grpc.aio.ServicerContext` that we use."""

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]]: ...
    async def send_initial_metadata(self, metadata: Sequence[tuple[str, str]]) -> None: ...
    async def write(self, message: bytes) -> None: ...
    async def abort(self, code: grpc.StatusCode, details: str) -> None: ...


Stream = Callable[[bytes, Context], Awaitable[None]]
Unary = Callable[[str, bytes, Context], Awaitable[bytes]]


class Listener:
    """A server that knows one unary handler for any path, and the streams named to it.

    `certificate` is the one it shows, PEM; it is made anew when asked.
    """

    def __init__(self, port: int, unary: Unary, streams: Mapping[str, Stream]) -> None:
        self._port = port
        self._handlers = _Handlers(unary, streams)
        self._key = b""
        self.certificate = b""
        self._server: Any = None

    @property
    def address(self) -> str:
        """host:port, the same over restarts."""
        return f"127.0.0.1:{self._port}"

    async def open(self, *, new_certificate: bool = False) -> None:
        """Listen. Raises: UsageError: the port is taken."""
        if new_certificate or not self.certificate:
            self.certificate, self._key = self_signed()
        credentials = grpc.ssl_server_credentials([(self._key, self.certificate)])
        # Else two of us could share one port.
        self._server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        self._server.add_generic_rpc_handlers((self._handlers,))
        try:
            self._port = self._server.add_secure_port(self.address, credentials)
        except RuntimeError:
            await self._server.start()  # only one that was started can be ended
            await self.close(abrupt=True)
            raise UsageError(f"port {self._port} is taken: choose another, or 0") from None
        await self._server.start()

    async def close(self, *, abrupt: bool = False) -> None:
        """Stop listening; calls under way get a moment to end, unless abrupt."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(None if abrupt else _STOP_S)


async def abort(context: Context, end: End) -> None:
    """End a call with a status; does not return."""
    status = getattr(grpc.StatusCode, end.code, grpc.StatusCode.UNKNOWN)
    await context.abort(status, end.details)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Any path reaches the node, which knows what it can answer."""

    def __init__(self, unary: Unary, streams: Mapping[str, Stream]) -> None:
        self._unary, self._streams = unary, streams

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """The handler for a path; messages stay bytes."""
        method = call.method
        stream = self._streams.get(method)
        if stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream)

        async def answer(request: bytes, context: Context) -> bytes:
            return await self._unary(method, request, context)

        return grpc.unary_unary_rpc_method_handler(answer)
