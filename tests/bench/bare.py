"""The client that anybody would write: decode and drop. bare.py KIND FOLDER ADDRESS EVENTS.

KIND: aio (grpc.aio, the yardstick), sync (the blocking API), own (our ReadOnlyChannel). Prints
the monotonic time of the last event, s.
"""

import asyncio
import sys
import time
from pathlib import Path

import grpc

from htlctop.config import Connection
from htlctop.wire.channel import ReadOnlyChannel
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method

_parse = router.HtlcEvent.FromString
_OPTIONS = (("grpc.max_receive_message_length", 64 * 1024 * 1024),)


async def drop_aio(folder: Path, address: str, events: int) -> None:
    """`async for` over grpc.aio's stream."""
    credentials = grpc.ssl_channel_credentials((folder / "tls.cert").read_bytes())
    async with grpc.aio.secure_channel(address, credentials, options=_OPTIONS) as channel:
        subscribe = channel.unary_stream(
            Method.HTLC_EVENTS.value,
            request_serializer=router.SubscribeHtlcEventsRequest.SerializeToString,
            response_deserializer=_parse,
        )
        call = subscribe(router.SubscribeHtlcEventsRequest(), metadata=(("macaroon", "00"),))
        async for _event in call:
            events -= 1
            if events < 0:  # the first one is subscribed_event
                break
        call.cancel()


def drop_sync(folder: Path, address: str, events: int) -> None:
    """`for` over the blocking API's stream."""
    credentials = grpc.ssl_channel_credentials((folder / "tls.cert").read_bytes())
    with grpc.secure_channel(address, credentials, options=_OPTIONS) as channel:
        subscribe = channel.unary_stream(
            Method.HTLC_EVENTS.value,
            request_serializer=router.SubscribeHtlcEventsRequest.SerializeToString,
            response_deserializer=_parse,
        )
        call = subscribe(router.SubscribeHtlcEventsRequest(), metadata=(("macaroon", "00"),))
        for _event in call:
            events -= 1
            if events < 0:
                break
        call.cancel()


def drop_own(folder: Path, address: str, events: int) -> None:
    """`for` over the stream of our channel, which hands out bytes."""
    channel = ReadOnlyChannel(
        Connection(
            address, "simnet", tls_cert_path=folder / "tls.cert",
            macaroon_path=folder / "readonly.macaroon",
        )
    )  # fmt: skip
    stream = channel.stream(Method.HTLC_EVENTS, b"")
    for data in stream:
        _parse(data)
        events -= 1
        if events < 0:
            break
    stream.cancel()
    channel.close()


if __name__ == "__main__":
    kind, where, target, count = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    if kind == "aio":
        asyncio.run(drop_aio(where, target, count))
    else:
        {"sync": drop_sync, "own": drop_own}[kind](where, target, count)
    print(time.monotonic(), flush=True)
