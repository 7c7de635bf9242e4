"""A node that answers as it is told to: real gRPC, TLS, and the refusals that were recorded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

from htlctop import service
from htlctop.config import Connection
from htlctop.domain.types import NodeState
from htlctop.sim.certificate import self_signed
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method
from tests.macaroons import READING, baked

MARKER = baked(*READING).hex()
"""A macaroon, in hex, that must be seen nowhere."""
SUBSCRIBED = router.HtlcEvent(subscribed_event=router.SubscribedEvent()).SerializeToString()
Refused = tuple[str, str]


@dataclass
class Script:
    """What the node does. `refused`: method -> (code, details); `hangs`: methods never answered."""

    state: NodeState = NodeState.SERVER_ACTIVE
    refused: dict[str, Refused] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    confirms: bool = True
    version: str = "0.21.2-beta commit=v0.21.2-beta"
    wanted: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """(method, macaroon) of every call so far."""

    def count(self, method: Method) -> int:
        return sum(path == method for path, _ in self.calls)


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, script: Script) -> None:
        self.script = script

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = call.method
        if method in (Method.HTLC_EVENTS, Method.CHANNEL_EVENTS):

            async def stream(_request: bytes, context: grpc.aio.ServicerContext) -> None:
                await self._admit(method, context)
                if method == Method.HTLC_EVENTS and self.script.confirms:
                    await context.write(SUBSCRIBED)
                await asyncio.Event().wait()

            return grpc.unary_stream_rpc_method_handler(stream)

        async def answer(_request: bytes, context: grpc.aio.ServicerContext) -> bytes:
            await self._admit(method, context)
            return self._answer(method)

        return grpc.unary_unary_rpc_method_handler(answer)

    async def _admit(self, method: str, context: grpc.aio.ServicerContext) -> None:
        script = self.script
        sent = str(dict(context.invocation_metadata()).get("macaroon", ""))
        script.calls.append((method, sent))
        if method in script.hangs:
            await asyncio.Event().wait()
        refused = script.refused.get(method) or script.refused.get("*")
        if script.wanted and sent != script.wanted and method != Method.GET_STATE:
            refused = ("UNKNOWN", "verification failed: signature mismatch after caveat")
        if refused and method != Method.GET_STATE:
            await context.abort(getattr(grpc.StatusCode, refused[0]), refused[1])

    def _answer(self, method: str) -> bytes:
        if method == Method.GET_STATE:
            return ln.GetStateResponse(state=int(self.script.state)).SerializeToString()
        if method == Method.GET_INFO:
            return ln.GetInfoResponse(
                identity_pubkey="02" + "ab" * 32, alias=b"played", version=self.script.version,
                synced_to_chain=True, block_height=900_000,
                chains=[ln.Chain(network="mainnet")],
            ).SerializeToString()  # fmt: skip
        return b""


@dataclass
class Node:
    """A running one."""

    script: Script
    connection: Connection
    macaroon: Path
    server: grpc.aio.Server

    async def go_away(self) -> None:
        """Stop listening, and hang up."""
        await self.server.stop(0)


Play = Callable[..., AbstractAsyncContextManager[Node]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A context manager that plays a script at an address, by default a free port."""

    @asynccontextmanager
    async def run(script: Script, address: str = "127.0.0.1:0") -> AsyncIterator[Node]:
        certificate, key = self_signed()
        server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        server.add_generic_rpc_handlers((_Handlers(script),))
        port = server.add_secure_port(address, grpc.ssl_server_credentials([(key, certificate)]))
        (tmp_path / "tls.cert").write_bytes(certificate)
        macaroon = tmp_path / "my.macaroon"
        if not macaroon.exists():
            macaroon.write_bytes(bytes.fromhex(MARKER))
            macaroon.chmod(0o600)
        await server.start()
        if not address.startswith("unix:"):
            address = f"{address.rpartition(':')[0]}:{port}"
        try:
            yield Node(
                script,
                Connection(address, tls_cert_path=tmp_path / "tls.cert", macaroon_path=macaroon),
                macaroon,
                server,
            )
        finally:
            await server.stop(0)

    return run


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until it holds; the time is a guard against hanging."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def collecting(
    connection: Connection, store: Path, **options: object
) -> AsyncIterator[asyncio.Event]:
    """A collector at work; yields its stop event and stops it at the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(service.collect(connection, store, stop, **options))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await task
