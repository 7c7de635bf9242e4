"""A node in a process of its own that sends bytes made beforehand, over TLS and real gRPC, as fast
as they are taken: server.py FOLDER EVENTS CHANNELS KIND.

KIND: `grpcio` (gRPC's own Python server) or `fast` (ours, as fast as one in Go).

Prints its address when it is ready, and `start SECONDS` (of the monotonic clock) when it begins
to send to a subscriber; each gets all of it. Ends when its stdin closes.
"""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc

from htlctop.domain.codes import EventKind
from htlctop.domain.types import NS, HtlcEvent
from htlctop.sim.certificate import self_signed
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method
from tests.bench import http2
from tests.bench.workload import NODE, SCID, Load, Traffic, channels

EVENTS_PER_S = 10_000
"""How fast the node's own clock says that they came."""
# What LND adds, in fields that our .proto leaves out: a preimage, a text, a dump of an update.
_PREIMAGE = b"\x0a\x20" + b"\x55" * 32
_TEXTS = {6: b"insufficient bandwidth to route htlc", 1: b"FeeInsufficient(" + b"x" * 1560}


def serialise(event: HtlcEvent) -> bytes:
    """An event as LND sends it, in content and in size."""
    message = router.HtlcEvent(
        incoming_channel_id=event.incoming_scid,
        outgoing_channel_id=event.outgoing_scid,
        incoming_htlc_id=event.incoming_htlc_id,
        outgoing_htlc_id=event.outgoing_htlc_id,
        timestamp_ns=event.timestamp_ns,
        event_type=event.event_type,
    )
    amounts = router.HtlcInfo(
        incoming_amt_msat=event.incoming_amt_msat, outgoing_amt_msat=event.outgoing_amt_msat
    )
    if event.kind is EventKind.FORWARD:
        message.forward_event.info.CopyFrom(amounts)
    elif event.kind is EventKind.LINK_FAIL:
        failure = message.link_fail_event
        failure.info.CopyFrom(amounts)
        failure.wire_failure, failure.failure_detail = event.wire_failure, event.failure_detail
        failure.MergeFromString(_text(event))
    elif event.kind is EventKind.SETTLE:
        message.settle_event.MergeFromString(_PREIMAGE)
    elif event.kind is EventKind.FORWARD_FAIL:
        message.forward_fail_event.SetInParent()
    else:
        message.final_htlc_event.settled = event.settled
    return message.SerializeToString()


def _text(event: HtlcEvent) -> bytes:
    text = _TEXTS.get(event.failure_detail, b"") if event.wire_failure != 18 else b""
    if not text:
        return b""
    size = len(text)
    head = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return b"\x22" + head + text


def load_of(events: int, count: int) -> Load:
    """This many events over this many channels, half as many peers, as they come just now."""
    span_ns = events * NS // EVENTS_PER_S
    start_ns = time.time_ns() - span_ns
    return Load(events, count, max(1, count // 2), span_ns=span_ns, start_ns=start_ns)


def answers(load: Load) -> dict[str, bytes]:
    """What the node says when asked."""
    listed = [
        ln.Channel(
            active=True, remote_pubkey=c.peer, chan_id=c.scid, capacity=c.capacity_sat,
            local_balance=c.local_sat, remote_balance=c.remote_sat,
            peer_alias=c.peer_alias.encode(), channel_point=f"{c.scid:064x}:0",
        )
        for c in channels(load)
    ]  # fmt: skip
    fees = [
        ln.ChannelFeeReport(chan_id=SCID + k, base_fee_msat=1000, fee_per_mil=250)
        for k in range(load.channels)
    ]
    given = {
        Method.GET_STATE: ln.GetStateResponse(state=4),
        Method.GET_INFO: ln.GetInfoResponse(
            identity_pubkey=NODE.pubkey, alias=b"bench", version=NODE.version,
            chains=[ln.Chain(network="simnet")], synced_to_chain=True,
        ),
        Method.LIST_CHANNELS: ln.ListChannelsResponse(channels=listed),
        Method.CLOSED_CHANNELS: ln.ClosedChannelsResponse(),
        Method.PENDING_CHANNELS: ln.PendingChannelsResponse(),
        Method.FEE_REPORT: ln.FeeReportResponse(channel_fees=fees),
    }  # fmt: skip
    return {method.value: answer.SerializeToString() for method, answer in given.items()}


class Handlers(grpc.GenericRpcHandler):
    """Answers and the stream, as bytes."""

    def __init__(self, answers: dict[str, bytes], messages: list[bytes]) -> None:
        self._answers, self._messages = answers, messages

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler of a path, None where there is none."""
        if call.method == Method.HTLC_EVENTS:
            return grpc.unary_stream_rpc_method_handler(self._stream)
        answer = self._answers.get(call.method)
        if answer is None:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer)

    def _stream(self, _request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        ended = threading.Event()
        context.add_callback(ended.set)
        say_began()
        yield from self._messages
        ended.wait()


def say_began() -> None:
    """Tell that the stream begins."""
    print(f"start {time.monotonic()}", flush=True)


def serve_grpcio(folder: Path, answers: dict[str, bytes], messages: list[bytes]) -> None:
    """Start gRPC's server; prints the address."""
    server = grpc.server(ThreadPoolExecutor(4), options=(("grpc.so_reuseport", 0),))
    server.add_generic_rpc_handlers((Handlers(answers, messages),))
    pair = ((folder / "tls.key").read_bytes(), (folder / "tls.cert").read_bytes())
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None)


def serve_fast(folder: Path, answers: dict[str, bytes], messages: list[bytes]) -> None:
    """Start our own; prints the address."""
    listener, context = http2.listen(folder / "tls.cert", folder / "tls.key")

    def meet(connection: socket.socket) -> None:
        with suppress(OSError):
            secured = context.wrap_socket(connection, server_side=True)
            http2.Peer(secured, answers, Method.HTLC_EVENTS.value, messages, say_began).serve()

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=meet, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
    sys.stdin.read()


def main(folder: Path, events: int, count: int, kind: str) -> None:
    """Serve until stdin closes."""
    load = load_of(events, count)
    subscribed = router.HtlcEvent(subscribed_event=router.SubscribedEvent())
    messages = [subscribed.SerializeToString(), *map(serialise, Traffic(load))]
    certificate, key = self_signed()
    (folder / "tls.cert").write_bytes(certificate)
    (folder / "tls.key").write_bytes(key)
    (folder / "readonly.macaroon").write_bytes(b"not looked at")
    {"grpcio": serve_grpcio, "fast": serve_fast}[kind](folder, answers(load), messages)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
