"""`LndClient`: a live LND (or our sim) behind `domain.ports.LightningNode`."""

import asyncio
import contextlib
import ctypes
from collections.abc import AsyncGenerator
from functools import cache
from typing import Self

import grpc

from htlctop.config import Connection
from htlctop.domain.types import ChannelEvent, HtlcEvent
from htlctop.wire import decode
from htlctop.wire.channel import Pending, ReadOnlyChannel
from htlctop.wire.methods import ENDED_KEY, REPLAY_KEY, Method
from htlctop.wire.node import Answer, ReadOnlyNode
from htlctop.wire.refusals import Refusal
from htlctop.wire.streaming import StreamReader, refusal_of

_TIMEOUT_S = 60.0
"""For answers that a large node takes long to put together."""
_SHORT_TIMEOUT_S = 15.0
_SHORT = frozenset({Method.GET_STATE, Method.GET_INFO})
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_KEPT_FREE = 128 * 1024


class LndClient(ReadOnlyNode):
    """One connection to one node, used from one event loop; an async context manager.

    `malformed` counts stream messages that were left out because they could not be decoded.
    Every method raises as `domain.ports.LightningNode` says.
    """

    def __init__(self, connection: Connection) -> None:
        """Reads the certificate; nothing is sent yet. Raises: ConfigError.

        The macaroon is read by the first call that needs it, which may raise ConfigError too.
        """
        _keep_little_free()
        super().__init__(connection.rpcserver, connection.network)
        self.malformed = 0
        self._channel = ReadOnlyChannel(connection)
        self._events: StreamReader | None = None
        self._readers: list[StreamReader] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def backlog(self) -> int:
        """HTLC events received that nobody took from the stream yet."""
        return self._events.backlog if self._events else 0

    async def ask(self, method: Method, request: bytes) -> Answer:
        """One unary call. Raises: Refusal; NodePermissionError off the allow-list."""
        timeout = _SHORT_TIMEOUT_S if method in _SHORT else _TIMEOUT_S
        try:
            pending = self._channel.unary(method, request, timeout)
            data = await _result(pending)
        except grpc.RpcError as error:
            raise refusal_of(error) from None
        except (grpc.FutureCancelledError, ValueError):
            raise Refusal("CANCELLED", "the connection was closed") from None
        told = dict(pending.initial_metadata() or ())
        return Answer(data, replay=told.get(REPLAY_KEY) == "1", ended=told.get(ENDED_KEY) == "1")

    async def messages(self, method: Method) -> AsyncGenerator[list[bytes], None]:
        """A stream's messages as bytes, in batches of 1 to 1,000; ends when the node ends it.

        Raises:
            Refusal: the stream broke. NodePermissionError: it is not on the allow-list.
        """
        try:
            reader = StreamReader(self._channel.stream(method, b""))
        except ValueError:
            raise Refusal("CANCELLED", "the connection was closed") from None
        self._readers.append(reader)
        if method is Method.HTLC_EVENTS:
            self._events = reader
        batches = reader.batches()
        try:
            async for batch in batches:
                yield batch
        finally:
            await batches.aclose()

    async def htlc_event_batches(self) -> AsyncGenerator[list[HtlcEvent], None]:
        """The live stream in batches of 1 to 1,000, SUBSCRIBED first; never waits to fill one."""
        event = decode.htlc_event
        batches = self.messages(Method.HTLC_EVENTS)
        try:
            async for batch in batches:
                events = [decoded for data in batch if (decoded := event(data)) is not None]
                self.malformed += len(batch) - len(events)
                if events:
                    yield events
        except Refusal as refusal:
            raise self.explained(refusal, Method.HTLC_EVENTS) from None
        finally:
            await batches.aclose()

    async def channel_events(self) -> AsyncGenerator[ChannelEvent, None]:
        """Changes of our channels, live."""
        batches = self.messages(Method.CHANNEL_EVENTS)
        try:
            async for batch in batches:
                for data in batch:
                    event = decode.channel_event(data)
                    if event is None:
                        self.malformed += 1
                    else:
                        yield event
        except Refusal as refusal:
            raise self.explained(refusal, Method.CHANNEL_EVENTS) from None
        finally:
            await batches.aclose()

    async def close(self) -> None:
        """Close the connection; what is under way ends with an error."""
        # Closing waits for gRPC's threads and ours, which the loop must not.
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._channel.close()
        for reader in self._readers:
            reader.join()


async def _result(pending: Pending) -> bytes:
    """Wait for a call without blocking the loop; cancels it when the waiting is cancelled."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell(_call: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, nobody waits any more
            loop.call_soon_threadsafe(done.set)

    pending.add_done_callback(tell)
    try:
        await done.wait()
    except asyncio.CancelledError:
        pending.cancel()
        raise
    return pending.result()


@cache
def _keep_little_free() -> None:
    """Have memory given back to the system that large answers took.

    Left to itself glibc keeps, for each of gRPC's threads, twice as much as the largest piece ever
    freed: an answer of 60 MB made the process as large for good. It is told the bounds it begins
    with, which then stay.
    """
    with contextlib.suppress(OSError, AttributeError):  # another libc
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_FREE)
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_FREE)
