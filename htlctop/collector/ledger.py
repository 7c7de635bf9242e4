"""The fold, and the store it is written to: batches -> fold -> one transaction; coverage beside it.

Live stream and recording go through the same ledger; only the idea of "now" differs: a live
node's is the wall clock, a recording's its newest event.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from htlctop.domain.codes import EventKind
from htlctop.domain.fold import Fold
from htlctop.domain.ports import Clock, FailureStatsStore
from htlctop.domain.records import Progress
from htlctop.domain.types import DEFAULTS, NS, HtlcEvent, NodeInfo, Settings
from htlctop.errors import StoreUnavailableError

_log = logging.getLogger(__name__)

BATCH_EVENTS = 5_000
RETRY_S = 1.0
"""How often a store that has no room, or is busy, is tried again."""
BELIEVED_NS = 24 * 3600 * NS
"""How far a node's clock may be off ours. One event from the far future would make everything that
is kept look old, so it is taken to have happened when it was received."""

Arrived = tuple[HtlcEvent, int]
"""An event and when it was received, ns."""


class Ledger:
    """Goes on where the store's last batch ended. `by_events`: a recording is being read.

    A batch that cannot be written for now is tried again until `give_up` is set: the disk may
    have room again. Every method raises StoreError when the store cannot be written at all, or was
    given up.

    Attributes:
        fold: who applies or learns something commits it.
        pubkey: the node that we listen to.
        queued, shed: events that wait to be entered, and that there was no room for.
        proven_ns: until when the node is known to have told us everything; None: until now.
    """

    def __init__(
        self,
        store: FailureStatsStore,
        clock: Clock,
        settings: Settings = DEFAULTS,
        *,
        by_events: bool = False,
        give_up: asyncio.Event | None = None,
    ) -> None:
        self.fold: Fold = store.restore_fold(settings)
        self.by_events = by_events
        self.pubkey = ""
        self.queued = 0
        self.shed = 0
        self.proven_ns: int | None = None
        self._store = store
        self._clock = clock
        self._give_up = give_up or asyncio.Event()
        self._watching = False
        self._last_event_ns = self.fold.high_ns
        self._lag_ns = 0
        self._gap_shed = 0

    async def meet(self, info: NodeInfo) -> None:
        """Who we listen to. Raises StoreError when the store is another node's."""
        self.by_events = self.by_events or info.replay
        self.pubkey = info.pubkey
        await self._store.save_node(info)

    def now_ns(self) -> int:
        """What time it is for the node; 0 before the first event of a recording."""
        return self._last_event_ns if self.by_events else self._clock.now_ns()

    def start_clock(self, batch: Sequence[Arrived]) -> bool:
        """Whether the clock of a recording starts with this batch; it does with its first event."""
        if self.now_ns():
            return False
        self._last_event_ns = next((e.timestamp_ns for e, _ in batch if e.timestamp_ns), 0)
        return bool(self._last_event_ns)

    async def enter(self, batch: Sequence[Arrived]) -> None:
        """Fold a batch and commit it; the channels that it names are known."""
        fold, ignored = self.fold, self.fold.ignored
        apply, subscribed, newest_ns = fold.apply, EventKind.SUBSCRIBED, self._last_event_ns
        start = 0
        for index, (event, received_ns) in enumerate(batch):
            if event.kind is subscribed:
                # What came before belongs to the interval before; this one opens the next.
                self._last_event_ns = newest_ns
                await self._commit(index - start, fold.ignored - ignored)
                start, ignored = index, fold.ignored
                await self.pause("the stream was opened anew")
                if not self.by_events:
                    await self._start_interval(received_ns)
                continue
            if abs(event.timestamp_ns - received_ns) > BELIEVED_NS and not self.by_events:
                event = event._replace(timestamp_ns=0)
            if not self._watching and event.timestamp_ns:
                await self._start_interval(event.timestamp_ns if self.by_events else received_ns)
            apply(event, received_ns)
            if event.timestamp_ns > newest_ns:
                newest_ns = event.timestamp_ns
        self._last_event_ns = newest_ns
        if batch and not self.by_events:
            event, received_ns = batch[-1]
            self._lag_ns = max(0, received_ns - (event.timestamp_ns or received_ns))
        await self._commit(len(batch) - start, fold.ignored - ignored)
        if self.shed > self._gap_shed and not self.queued:
            shed, self._gap_shed = self.shed - self._gap_shed, self.shed
            await self.pause(f"{shed} events shed: they came faster than they were stored", shed)

    async def commit(self) -> None:
        """Write what the fold took over besides events."""
        await self._commit(0, 0)

    async def alive(self) -> None:
        """Prove that we are still watching, though nothing arrived."""
        await self._store.alive(self._progress(0))

    async def pause(self, reason: str, shed: int = 0) -> None:
        """The stream is down, or events were shed: the interval ends here, for this reason."""
        if self._watching:
            self._watching = False
            await self._store.end_interval(reason, shed)

    async def _commit(self, events: int, ignored: int) -> None:
        changes = self.fold.take()
        failed_before = False
        while True:
            try:
                await self._store.commit(changes, self._progress(events, ignored))
                if failed_before:
                    _log.info("the store can be written again")
                return
            except StoreUnavailableError as error:
                if self._give_up.is_set():
                    raise
                if not failed_before:
                    _log.error("%s; what arrives is held until it can be written", error)
                    failed_before = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self._give_up.wait(), RETRY_S)

    async def _start_interval(self, start_ns: int) -> None:
        await self._store.start_interval(start_ns)
        self._watching = True

    def _covered_ns(self) -> int:
        return self.proven_ns if self.proven_ns and not self.by_events else self.now_ns()

    def _progress(self, events: int, ignored: int = 0) -> Progress:
        return Progress(
            events=events,
            ignored=ignored,
            last_event_ns=self._last_event_ns,
            covered_until_ns=self._covered_ns() if self._watching else None,
            lag_ns=self._lag_ns,
            queued=self.queued,
            shed=self.shed,
            alive_ns=self._clock.now_ns(),
            now_ns=self.now_ns(),
        )
