"""HTLCs as they become visible in the store: as an async iterator, and to callbacks.

Nobody who listens can hold anything up: each has a queue of its own, and what does not fit is
dropped, the oldest first, and counted.
"""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from weakref import WeakSet

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.following import Cursor
from htlctop.analysis.models import HtlcLine
from htlctop.analysis.reading import ReadingThread
from htlctop.errors import HtlctopError, UsageError

_log = logging.getLogger(__name__)

LOOK_S = 0.25
"""How often the store is asked whether anything has changed."""
RETRY_S = 1.0
QUEUE = 10_000
"""HTLCs that wait for one listener."""
LAST_CALLS_S = 1.0
"""How long callbacks may take, at the end, over what had come before it."""

Callback = Callable[[HtlcLine], Awaitable[object] | object]


class EventStream:
    """An async iterator of HTLCs, from the moment it was made until the service is closed.

    Attributes:
        dropped: how many were left out, because they came faster than they were taken.
    """

    def __init__(self, limit: int = QUEUE) -> None:
        self.dropped = 0
        self._lines: deque[HtlcLine] = deque()
        self._limit = limit
        self._news = asyncio.Event()
        self._ended = False
        self._failure: Exception | None = None

    @property
    def is_closed(self) -> bool:
        """Whether no more will come."""
        return self._ended

    @property
    def waiting(self) -> int:
        """How many have come and can be taken without waiting."""
        return len(self._lines)

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> HtlcLine:
        while not self._lines:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._lines.popleft()

    def put(self, line: HtlcLine) -> bool:
        """One more; returns whether there was room. Not for whoever iterates."""
        if self._ended:
            return True
        room = len(self._lines) < self._limit
        if not room:
            self._lines.popleft()
            self.dropped += 1
        self._lines.append(line)
        self._news.set()
        return room

    def close(self, failure: Exception | None = None) -> None:
        """No more will come; what has come can still be taken, and then a failure is raised."""
        self._ended, self._failure = True, failure
        self._news.set()


class Follower:
    """Looks at the store while anybody listens, and hands out what is new.

    Attributes:
        dropped: HTLCs that some listener was too slow for.
        callback_errors: how often a callback raised; `last_callback_error` is what it last raised.
        store_error: why the store cannot be read at the moment, None while it can.
    """

    def __init__(self, reading: ReadingThread) -> None:
        self.dropped = 0
        self.callback_errors = 0
        self.last_callback_error: BaseException | None = None
        self.store_error: HtlctopError | None = None
        self._reading = reading
        self._streams: WeakSet[EventStream] = WeakSet()
        self._following: asyncio.Task[None] | None = None
        self._calling: set[asyncio.Task[None]] = set()

    def stream(self, limit: int = QUEUE, since: Cursor | None = None) -> EventStream:
        """A new listener, told what happens from now on, or since a cursor.

        Raises UsageError for a cursor while others listen already: all share one.
        """
        stream = EventStream(limit)
        if self._following is None or self._following.done():
            # Asked for now, so that nothing which is stored after this call can be missed.
            def start(analyst: StoreAnalyst) -> Cursor:
                return since or analyst.follow(None)[0]

            started = self._reading.ask(start)
            self._following = asyncio.create_task(self._follow(started, start))
        elif since is not None:
            raise UsageError("ask for the events since the opening before any others")
        self._streams.add(stream)
        return stream

    def call(self, callback: Callback, limit: int = QUEUE) -> Callable[[], None]:
        """Call back with each line, one after another; returns what ends it."""
        stream = self.stream(limit)
        task = asyncio.create_task(self._deliver(stream, callback))
        self._calling.add(task)
        task.add_done_callback(self._calling.discard)
        return stream.close

    async def close(self) -> None:
        """End every stream. Callbacks are given a moment for what they have not seen yet."""
        for stream in list(self._streams):
            stream.close()
        if self._following is not None:
            self._following.cancel()
        if self._calling:
            await asyncio.wait(self._calling, timeout=LAST_CALLS_S)
        left = [*self._calling, *([self._following] if self._following else [])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _follow(
        self, started: "Future[Cursor]", start: Callable[[StoreAnalyst], Cursor]
    ) -> None:
        try:
            await self._follow_on(started, start)
        except Exception as error:
            # A fault of ours: whoever listens is told, instead of waiting for ever.
            for stream in list(self._streams):
                stream.close(error)

    async def _follow_on(
        self, started: "Future[Cursor]", start: Callable[[StoreAnalyst], Cursor]
    ) -> None:
        cursor: Cursor | None = None
        generation = -1
        while not all(stream.is_closed for stream in self._streams):
            try:
                if cursor is None:
                    cursor = await asyncio.wrap_future(started)
                look = _look(cursor, generation)
                news = await asyncio.wrap_future(self._reading.ask(look))
                self.store_error = None
            except HtlctopError as error:
                if self.store_error is None:
                    _log.warning("nothing new can be read: %s", error)
                self.store_error = error
                if cursor is None:
                    started = self._reading.ask(start)
                await asyncio.sleep(RETRY_S)
                continue
            generation, cursor = news.generation, news.cursor
            self._hand_out(news.lines)
            if not cursor.is_behind:
                await asyncio.sleep(LOOK_S)

    def _hand_out(self, lines: Sequence[HtlcLine]) -> None:
        for stream in list(self._streams):
            self.dropped += sum(not stream.put(line) for line in lines)

    async def _deliver(self, stream: EventStream, callback: Callback) -> None:
        try:
            await self._call_back(stream, callback)
        except Exception as error:
            self._count(error)  # what ended the stream, not one of the callback's own

    async def _call_back(self, stream: EventStream, callback: Callback) -> None:
        async for line in stream:
            try:
                answer = callback(line)
                if inspect.isawaitable(answer):
                    await answer
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                self._count(error)
            except Exception as error:
                self._count(error)

    def _count(self, error: BaseException) -> None:
        if not self.callback_errors:
            _log.warning("a callback failed, it is called again for the next HTLC: %r", error)
        self.callback_errors += 1
        self.last_callback_error = error


@dataclass(frozen=True, slots=True)
class _News:
    generation: int
    cursor: Cursor
    lines: tuple[HtlcLine, ...]


def _look(cursor: Cursor, generation: int) -> Callable[[StoreAnalyst], _News]:
    """A question to the store: what is new, if anything has changed at all."""

    def look(analyst: StoreAnalyst) -> _News:
        now = analyst.generation()
        if now == generation and not cursor.is_behind:
            return _News(now, cursor, ())
        return _News(now, *analyst.follow(cursor))

    return look
