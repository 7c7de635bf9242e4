"""Plays a source's stream to whoever is subscribed, at its own pace.

It starts with the first subscription to HTLC events. Without a subscriber it waits, or with
`lossy` time runs on and events are lost as LND loses them. Answers to other calls are those of
the moment that the stream has reached.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence

from htlctop.domain.types import NS
from htlctop.sim.source import SUBSCRIBED, End, Source
from htlctop.wire import decode
from htlctop.wire.gen import routerrpc_pb2 as router

_AHEAD = 64
"""How many messages the stream may run ahead of its fastest subscriber."""
_DRAIN_S = 1.0


TERMINATED = End("UNKNOWN", "htlc event subscription terminated")
"""How LND ends a subscription when it stops."""


class Subscriber:
    """One subscription's queue; the messages stay in it until they were `sent`."""

    def __init__(self) -> None:
        self.waiting: deque[bytes | End] = deque()
        self._news = asyncio.Event()
        self._taken = asyncio.Event()
        self._wanted = 0

    def give(self, item: bytes | End) -> None:
        """Add a message, or the end."""
        self.waiting.append(item)
        self._news.set()

    async def next(self) -> bytes | End:
        """The first message that was not sent yet."""
        while not self.waiting:
            self._news.clear()
            await self._news.wait()
        return self.waiting[0]

    def sent(self) -> None:
        """The first message is out."""
        self.waiting.popleft()
        if len(self.waiting) <= self._wanted:
            self._taken.set()

    def clear(self) -> None:
        """Give up what waits."""
        self.waiting.clear()
        self._taken.set()

    async def room(self, most: int) -> None:
        """If more messages wait than that, wait until half as many do."""
        if len(self.waiting) <= most:
            return
        self._wanted = most // 2  # not one by one: each wake-up has its price
        while len(self.waiting) > self._wanted:
            self._taken.clear()
            await self._taken.wait()


class Playback:
    """One run through a source: `run` plays it once, the rest may be called at any time."""

    def __init__(
        self,
        source: Source,
        *,
        speed: float | None = None,
        shifted: bool = False,
        lossy: bool = False,
        break_after: int | None = None,
        starts_now: bool = False,
        shift_ns: int | None = None,
    ) -> None:
        """Args:
        source: what to play.
        speed: how many times as fast as it was; None: as fast as it is taken.
        shifted: move all times by one constant, so that it plays now.
        lossy: time runs on while nobody is subscribed.
        break_after: end the stream after this HTLC message of the source, once; the
            recorded subscribed_events do not count.
        starts_now: times are fixed here and not by the first subscription.
        shift_ns: the constant, where it is given; times are then fixed by it.
        """
        self.answers = source.answers
        self.shape: Callable[[bytes], Sequence[bytes]] = lambda message: (message,)
        """What is sent in place of a message."""
        self.after: Callable[[], None] = lambda: None
        """Called when it was given to all who are subscribed."""
        self.started = asyncio.Event()
        self._hurry = 0
        self._speed, self._shifted, self._lossy = speed, shifted, lossy
        self._break_after = break_after
        self._source = source
        self._count = source.skipped
        self._subscribers: list[Subscriber] = []
        self.watchers: list[Subscriber] = []
        self._unsent: list[bytes] = []
        self._somebody = asyncio.Event()
        self._finished = False
        self._origin: tuple[float, int] | None = None
        if starts_now or shift_ns is not None:
            self._start_clock(shift_ns)

    @property
    def shift_ns(self) -> int:
        """What is added to every time; final once the playback started."""
        return self.answers.shift_ns

    @property
    def ended(self) -> bool:
        """Whether the last message was sent to all who are subscribed."""
        return self._finished and not any(s.waiting for s in self._subscribers)

    def subscribe(self) -> Subscriber:
        """Join the HTLC stream; a subscribed_event is the first message."""
        subscriber = Subscriber()
        for item in (SUBSCRIBED, *self._unsent):
            subscriber.give(item)
        self._unsent.clear()
        self._subscribers.append(subscriber)
        self._somebody.set()
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Leave; unless lossy, what the last one was not sent is kept for whoever comes next."""
        if subscriber in self._subscribers:
            self._remove(subscriber)
            if not self._subscribers and not self._lossy:
                waiting = (i for i in subscriber.waiting if isinstance(i, bytes))
                self._unsent += [item for item in waiting if item != SUBSCRIBED]
        subscriber.clear()

    def watch(self) -> Subscriber:
        """Join the channel events."""
        watcher = Subscriber()
        self.watchers.append(watcher)
        return watcher

    def unwatch(self, watcher: Subscriber) -> None:
        """Leave the channel events."""
        if watcher in self.watchers:
            self.watchers.remove(watcher)
        watcher.clear()

    def end_all(self, end: End) -> None:
        """End every stream that is open, as a node does that goes down."""
        self._end_htlc_streams(end)
        for watcher in self.watchers:
            watcher.give(end)
        self.watchers.clear()

    def tell(self, messages: Sequence[bytes]) -> None:
        """Send these to all who are subscribed, beside the recording."""
        for subscriber in self._subscribers:
            for message in messages:
                subscriber.give(message)

    def tell_the_next(self, messages: Sequence[bytes]) -> None:
        """Send these to whoever subscribes next."""
        self._unsent += messages

    def hurry(self, messages: int) -> None:
        """Play so many messages at once; what follows them comes at its time."""
        self._hurry += messages

    async def run(self) -> None:
        """Play from the first subscription to the last message."""
        await self._somebody.wait()
        self.started.set()
        if self._origin is None:
            self._start_clock()
        while (due_ns := self._source.next_ns()) is not None:
            await self._due(due_ns)
            await self._happen(self._source.take())
        self._finished = True

    async def _due(self, t_ns: int) -> None:
        """Wait for the moment, for somebody to play to, and for room."""
        assert self._origin is not None
        wall, start_ns = self._origin
        if self._speed is not None and not self._hurry:
            delay = wall + (t_ns - start_ns) / NS / self._speed - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
        if not self._subscribers and not self._lossy:
            paused = time.monotonic()
            await self._somebody.wait()
            self._origin = self._origin[0] + time.monotonic() - paused, start_ns
        if self._subscribers:
            await min(self._subscribers, key=lambda s: len(s.waiting)).room(_AHEAD)
        else:
            await asyncio.sleep(0)

    async def _happen(self, said: Sequence[bytes | End]) -> None:
        await self._tell_changes()
        for item in said:
            if isinstance(item, End):
                self.end_all(item)
            else:
                self._send(item)

    def _send(self, message: bytes) -> None:
        self._hurry = max(0, self._hurry - 1)
        self.tell(self.shape(_moved(message, self.shift_ns)))
        self.after()
        self._count += 1
        if self._count == self._break_after:
            self._end_htlc_streams(TERMINATED)

    async def _tell_changes(self) -> None:
        """Channel events are sent before the HTLC events that follow them."""
        changes = self._source.changes(wanted=bool(self.watchers))
        if not changes:
            return
        for watcher in self.watchers:
            for change in changes:
                watcher.give(change)
        for watcher in tuple(self.watchers):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watcher.room(0), _DRAIN_S)

    def _end_htlc_streams(self, end: End) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber.give(end)
            self._remove(subscriber)

    def _remove(self, subscriber: Subscriber) -> None:
        self._subscribers.remove(subscriber)
        if not self._subscribers:
            self._somebody.clear()

    def _start_clock(self, shift_ns: int | None = None) -> None:
        """What comes next is due now, or where the shift puts it."""
        due_ns, now_ns = self._source.next_ns() or 0, time.time_ns()
        self._origin = time.monotonic(), due_ns if shift_ns is None else now_ns - shift_ns
        if self._shifted:
            self.answers.shift_ns = now_ns - due_ns if shift_ns is None else shift_ns


def _moved(message: bytes, shift_ns: int) -> bytes:
    """The event at its new time; fields that we do not know stay with it."""
    event = decode.parse(router.HtlcEvent, message) if shift_ns else None
    if event is None or not event.timestamp_ns:
        return message
    event.timestamp_ns = min(max(event.timestamp_ns + shift_ns, 0), decode.MAX_TIME_NS)
    return event.SerializeToString()
