"""A stream under way: batches to the loop, and what becomes of it when nobody takes them."""

import asyncio
import queue
from collections.abc import Iterator

from htlctop.wire.streaming import StreamReader


class HandFed:
    """A stream that says what it is given; None ends it."""

    def __init__(self) -> None:
        self.messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.cancelled = False

    def __iter__(self) -> Iterator[bytes]:
        while (message := self.messages.get()) is not None:
            yield message

    def cancel(self) -> bool:
        self.cancelled = True
        return True


async def test_messages_come_in_batches_until_the_stream_ends():
    stream = HandFed()
    reader = StreamReader(stream)
    for message in (b"1", b"2", b"3", None):
        stream.messages.put(message)
    found = [message async for batch in reader.batches() for message in batch]
    assert found == [b"1", b"2", b"3"] and reader.backlog == 0


async def test_a_stream_that_nobody_takes_any_more_waits_for_its_connection_to_end():
    stream = HandFed()
    reader = StreamReader(stream)
    stream.messages.put(b"1")
    batches = reader.batches()
    assert await anext(batches) == [b"1"]
    await batches.aclose()
    # gRPC never lets go of a connection whose stream was cancelled by itself.
    assert not stream.cancelled
    for message in (b"2", b"3", None):
        stream.messages.put(message)
    await asyncio.to_thread(reader._thread.join, 5)
    assert reader.backlog == 0 and not reader._thread.is_alive()
