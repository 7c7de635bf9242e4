"""One subscription from its opening to its end: drained at once, written in batches, proven alive.

What is covered is what is proven: everything the node told before an event that arrived has arrived
too, and so has everything that it told a silent stream before it answered on the same connection.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType

from htlctop.collector.channels import Listing
from htlctop.collector.intake import Intake
from htlctop.collector.ledger import BATCH_EVENTS, Arrived
from htlctop.domain.ports import Clock, FailureStatsStore, LightningNode
from htlctop.domain.types import (
    NS,
    Channel,
    ChannelEventKind,
    ChannelLimits,
    Forward,
    HtlcEvent,
    NodeInfo,
)
from htlctop.errors import HtlctopError, NodeConnectionError, StoreError, StoreUnavailableError

_log = logging.getLogger(__name__)

BATCH_S = 0.25
ALIVE_S = 5.0
CHECKPOINT_S = 30.0
WRITE_S = 0.5
"""What one batch should take at most."""
LEAST_EVENTS = 50
PROOF_S = 5.0
"""A stream that was silent for so long is proven alive by a call; it is answered within 15 s."""
RELIST_S = 5.0
"""How often channels that come, go or flap may have them all listed again."""
LAST_PROOF_S = 0.3
"""How long the node may take, on our way out, to prove that we have heard everything."""
SETTLE_S = 0.05
"""What the node told before an answer is then through our own threads, and in the queue."""
LOOK_UP_S = 0.2
"""Between two GetChanInfo."""
TALKS_S = 1.0
"""A stream that told something so lately is not silent."""
LATE_NS = 10 * NS
"""How late an event may be and its own time still be believed; else the node's clock is off."""
FLUSH_S = 1.0
"""How long the way out may take to write what has arrived."""
MAX_QUEUE = 100_000
"""Events held while the store is busy; what does not fit is shed, counted and shown as a gap."""


class Listening:
    """Use as `async with Listening(…) as listening`, then `turn` after `turn`.

    Once the stream has ended the node is closed, so that nothing else waits for it, and `turn`
    raises what ended it (NodeConnectionError, NodePermissionError) when all is written.

    Attributes:
        is_confirmed: the node has said that it sends us events; before that nothing is covered.
        active_s: when something last arrived or was written, by the monotonic clock.
        alive_s: when the store was last told that we are alive, likewise.
    """

    def __init__(
        self,
        node: LightningNode,
        intake: Intake,
        store: FailureStatsStore,
        clock: Clock,
        give_up: asyncio.Event,
        *,
        replay: bool = False,
        ended_by_us: Callable[[], str] = str,
    ) -> None:
        """Args:
        give_up: set on the way out, when there is no time left to write everything.
        replay: the node is a playback.
        ended_by_us: why we have closed the node ourselves, "" if we have not.
        """
        self.is_confirmed = False
        self.active_s = self.alive_s = time.monotonic()
        self._node, self._intake, self._store, self._clock = node, intake, store, clock
        self._ledger, self._channels = intake.ledger, intake.channels
        self._history = intake.history
        self._give_up = give_up
        self._replay = replay
        self._ended_by_us = ended_by_us
        self._queue: deque[Arrived] = deque()
        self._most = BATCH_EVENTS
        self._news = asyncio.Event()
        self._failure: HtlctopError | None = None
        self._heard_ns = 0
        self._arrived_s = float("-inf")
        self._info: NodeInfo | None = None
        self._listing: Listing | None = None
        self._half_told: tuple[Forward, ...] = ()
        self._relist = asyncio.Event()
        self._balances: dict[int, Channel] = {}
        self._limits: dict[int, ChannelLimits | None] = {}
        self._checkpoint_at = time.monotonic() + CHECKPOINT_S
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Listening":
        tasks = (self._drain(), self._prove(), self._poll(), self._watch(), self._look_up())
        self._tasks = [asyncio.create_task(self._until_it_ends(task)) for task in tasks]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ended_by_us() and self.is_confirmed:
            await self._prove_once_more()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None and isinstance(error, NodeConnectionError):
            error = self._failure  # the rest only followed from it
        reason = self._ended_by_us() or str(error)
        if not isinstance(error, StoreError):
            reason += await self._flush()
        with suppress(StoreError):
            await self._tell_alive()
            await self._ledger.pause(reason)
        if error is self._failure and error is not None:
            raise error from None

    def told_since(self) -> int | None:
        """The time of the first event that waits to be written, node time; None where none does."""
        return next((event.timestamp_ns for event, _ in self._queue if event.timestamp_ns), None)

    @property
    def queued(self) -> int:
        """Events that have arrived and are not written."""
        return len(self._queue)

    @property
    def shed(self) -> int:
        """Events that there was no room for."""
        return self._ledger.shed

    async def turn(self) -> None:
        """Wait for news, at most 250 ms, write what has come, and do what is due.

        Raises: what ended the stream; StoreError.
        """
        if len(self._queue) < self._most:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), BATCH_S)
            self._news.clear()
        if self._queue:
            await self._write_some()
        elif self._failure is not None:
            raise self._failure
        await self._do_what_is_due()

    async def _do_what_is_due(self) -> None:
        now = time.monotonic()
        if now - self.alive_s >= ALIVE_S:
            with suppress(StoreUnavailableError):
                await self._tell_alive()
        try:
            if self._info is not None:
                info, self._info = self._info, None
                await self._ledger.meet(info)
            if self._listing is not None:
                listing, self._listing = self._listing, None
                await self._channels.take(listing)
            if self._half_told:
                forwards, self._half_told = self._half_told, ()
                await self._history.learn(forwards)
            if self._balances:
                balances, self._balances = self._balances, {}
                await self._channels.balances(balances.values())
            if self._limits:
                limits, self._limits = self._limits, {}
                await self._channels.limits(limits)
        except StoreUnavailableError:
            if self._give_up.is_set():
                raise
        if now >= self._checkpoint_at:
            self._checkpoint_at = now + CHECKPOINT_S
            with suppress(StoreUnavailableError):
                await self._store.checkpoint()

    async def _tell_alive(self) -> None:
        self.alive_s = time.monotonic()
        if not self._queue:
            self._ledger.proven_ns = self._heard_ns
        await self._ledger.alive()

    async def _write_some(self) -> None:
        queue, ledger = self._queue, self._ledger
        batch = [queue.popleft() for _ in range(min(len(queue), self._most))]
        ledger.queued = len(queue)
        proven_ns = ledger.proven_ns
        told_ns = _told_ns(*batch[-1])
        ledger.proven_ns = told_ns if queue else max(told_ns, self._heard_ns)
        begun_s = time.monotonic()
        try:
            await self._intake.write(batch)
        except BaseException:
            # What could not be stored counts as not watched, whatever is written afterwards.
            ledger.proven_ns = proven_ns or batch[0][1]
            queue.extendleft(reversed(batch))
            raise
        self.alive_s = self.active_s = time.monotonic()
        # The loop has other duties: where folding is slow, fewer at a time.
        pace = WRITE_S / max(self.alive_s - begun_s, 1e-6)
        self._most = max(LEAST_EVENTS, min(BATCH_EVENTS, int(self._most * min(2.0, pace))))

    async def _flush(self) -> str:
        """Write what has arrived; on the way out, what can be written in a second.

        Returns what to add to the reason of the gap.
        """
        begun = time.monotonic()
        while left := len(self._queue):
            late = self._give_up.is_set() and time.monotonic() - begun >= FLUSH_S
            try:
                if not late:
                    await self._write_some()
                    continue
            except StoreError as error:
                _log.error("%s", error)
            _log.warning("%d events had arrived and could not be written any more", left)
            return f"; {left} events that had arrived were not written"
        return ""

    async def _drain(self) -> None:
        """Take everything off the stream at once: LND queues without bound for a slow reader."""
        queue, ledger = self._queue, self._ledger
        async for events in self._node.htlc_event_batches():
            now_ns = self._clock.now_ns()
            room = MAX_QUEUE - len(queue)
            queue.extend([(event, now_ns) for event in events[:room]])
            ledger.shed += max(0, len(events) - room)
            if len(queue) >= BATCH_EVENTS or not self.is_confirmed:
                self._news.set()
            self.is_confirmed = True
            self.active_s = self._arrived_s = time.monotonic()
            self._heard_ns = max(self._heard_ns, _told_ns(events[-1], now_ns))
        raise NodeConnectionError("the node ended the stream")

    async def _prove(self) -> None:
        """Ask something cheap whenever the stream is silent; a node that does not answer is lost.

        The answer also tells a new name or version, and whether a playback is over; one that
        plays faster than life is asked that, silent or not.
        """
        while True:
            await asyncio.sleep(PROOF_S)
            if self._replay or time.monotonic() - self.active_s >= PROOF_S:
                asked_ns = self._clock.now_ns()
                self._info = await self._node.get_info()
                await asyncio.sleep(SETTLE_S)
                self._heard_ns = max(self._heard_ns, asked_ns)
                self.alive_s = 0.0  # worth telling

    async def _prove_once_more(self) -> None:
        asked_ns = self._clock.now_ns()
        if time.monotonic() - self._arrived_s < TALKS_S:
            return  # a stream that talks proves itself, and may be behind the answer to a call
        with suppress(HtlctopError, TimeoutError):
            await asyncio.wait_for(self._node.get_state(), LAST_PROOF_S)
            await asyncio.sleep(SETTLE_S)
            self._heard_ns = max(self._heard_ns, asked_ns)

    async def _poll(self) -> None:
        """Ask for channels and policies when it is time, or something about them has changed;
        writing goes on meanwhile, however long that takes."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._relist.wait(), self._channels.list_interval_ns / 1e9)
            self._relist.clear()
            self._info = await self._node.get_info()  # the height that expiries are told by
            self._listing = await self._channels.ask()
            self._half_told += await self._history.half_told(self._node)
            await asyncio.sleep(RELIST_S)

    async def _look_up(self) -> None:
        """What single channels take at most and at least: one at a time, no faster than LND
        likes."""
        while True:
            for scid in self._channels.limits_due():
                self._limits[scid] = await self._channels.ask_limits(scid)
                await asyncio.sleep(LOOK_UP_S)
            await asyncio.sleep(RELIST_S)

    async def _watch(self) -> None:
        """Balances and channels as they change; a node that does not tell is only polled."""
        try:
            async for event in self._node.channel_events():
                if event.kind is ChannelEventKind.UPDATE and event.channel is not None:
                    self._balances[event.channel.scid] = event.channel
                elif event.kind is not ChannelEventKind.OTHER:
                    if event.closed is not None:
                        self._channels.closed(event.closed.scid)
                    self._relist.set()
        except HtlctopError as error:
            _log.debug("no live balances, they are polled: %s", error)

    async def _until_it_ends(self, task: Coroutine[None, None, None]) -> None:
        """What ends one of them ends the subscription: nothing else waits for this node."""
        try:
            await task
        except HtlctopError as error:
            self._failure = self._failure or error
            self._news.set()
            await self._node.close()


def _told_ns(event: HtlcEvent, received_ns: int) -> int:
    """When the node told an event: on a busy machine it arrives later, and what was told in between
    may still be on its way."""
    late_ns = received_ns - event.timestamp_ns
    return event.timestamp_ns if 0 < late_ns < LATE_NS else received_ns
