"""The only door to gRPC: a connection that cannot call a method outside the allow-list.

The callables of the allowed methods are made here, once, and the channel behind them is not kept,
so there is nothing to build another call with.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

import grpc
from grpc.experimental import ChannelOptions

from htlctop.config import Connection
from htlctop.errors import ConfigError, NodePermissionError
from htlctop.wire.methods import STREAMS, UNARY, Method

T = TypeVar("T")

_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A line that is dead without a word is noticed in 25 s. LND hangs up on clients that ping more
    # often than every 5 s, or without an open call.
    ("grpc.keepalive_time_ms", 15_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    # A stream is read by the thread that asks for its next message, with no other thread in
    # between: with a server as fast as LND this was measured at a fifth of the CPU per event.
    (ChannelOptions.SingleThreadedUnaryStream, 1),
    # Without it a new connection waits out the back-off that an older one earned.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.primary_user_agent", "htlctop"),
)
_LOOPBACK = ("localhost:", "127.", "[::1]:", "unix:")

Metadata = Sequence[tuple[str, str]]


class Pending(Protocol):
    """A unary call under way: the part of `grpc.Future` and `grpc.Call` that we use."""

    def cancel(self) -> bool: ...
    def result(self) -> bytes: ...
    def add_done_callback(self, fn: object) -> None: ...
    def initial_metadata(self) -> Metadata | None: ...


class Stream(Protocol):
    """A server's stream under way; iterating blocks the thread and may raise `grpc.RpcError`."""

    def __iter__(self) -> Iterator[bytes]: ...
    def cancel(self) -> bool: ...


class ReadOnlyChannel:
    """Calls of the allow-list on one connection, with its macaroon.

    The macaroon is read for the first call that needs it: a node without a wallet has none yet,
    and can say so.

    Raises: ConfigError: the certificate cannot be read, or later the macaroon.
    """

    __slots__ = ("_close", "_connection", "_metadata", "_streams", "_unary")

    def __init__(self, connection: Connection) -> None:
        certificate = connection.read_tls_cert()
        self._connection = connection
        self._metadata: Metadata = ()
        channel = _open(connection.rpcserver, certificate)
        self._unary = {method.value: channel.unary_unary(method.value) for method in UNARY}
        self._streams = {method.value: channel.unary_stream(method.value) for method in STREAMS}
        self._close = channel.close

    def unary(self, method: str, request: bytes, timeout_s: float) -> Pending:
        """Start a unary call.

        Raises: NodePermissionError: it is not on the allow-list. ConfigError: no macaroon.
        """
        call = _allowed(self._unary, method)
        # GetState needs no macaroon, and a locked LND should not be shown one.
        metadata = () if method == Method.GET_STATE else self._credentials()
        pending: Pending = call.future(request, timeout=timeout_s, metadata=metadata)
        return pending

    def stream(self, method: str, request: bytes) -> Stream:
        """Start a stream. Raises as `unary` does."""
        call = _allowed(self._streams, method)
        started: Stream = call(request, metadata=self._credentials())
        return started

    def close(self) -> None:
        """Close the connection; calls under way end as cancelled."""
        self._close()

    def _credentials(self) -> Metadata:
        if not self._metadata:
            self._metadata = (("macaroon", self._connection.read_macaroon()),)
        return self._metadata


def _allowed(calls: dict[str, T], method: str) -> T:
    call = calls.get(method)
    if call is None:
        raise NodePermissionError(
            f"htlctop only reads: {method} is not one of the {len(Method)} methods it may call"
        )
    return call


def _open(target: str, certificate: bytes | None) -> grpc.Channel:
    options: list[tuple[str, object]] = list(_OPTIONS)
    if target.startswith("unix:"):
        # A socket has no name that a certificate could hold.
        options.append(("grpc.ssl_target_name_override", "localhost"))
    if target.startswith(_LOOPBACK):
        options.append(("grpc.enable_http_proxy", 0))
    try:
        credentials = grpc.ssl_channel_credentials(root_certificates=certificate)
        return grpc.secure_channel(target, credentials, options=options)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(f"no connection can be made to {target}: {error}") from None
