"""Batches of events -> channel map -> fold -> one transaction; coverage beside it.

Live stream and recording go through the same intake; only the idea of "now" differs: a live
node's is the wall clock, a recording's its newest event.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from htlctop.domain.codes import UNKNOWN_NEXT_PEER, EventKind
from htlctop.domain.fold import Fold
from htlctop.domain.ports import ChannelInfoProvider, Clock, FailureStatsStore, OutcomeProvider
from htlctop.domain.records import Progress
from htlctop.domain.types import (
    DEFAULTS,
    NS,
    Channel,
    ChannelLimits,
    ClosedChannel,
    FeePolicy,
    Forward,
    HtlcEvent,
    NodeInfo,
    Settings,
)
from htlctop.errors import NodeConnectionError, NodePermissionError, StoreUnavailableError

_log = logging.getLogger(__name__)

BATCH_EVENTS = 5_000
RETRY_S = 1.0
"""How often a store that has no room, or is busy, is tried again."""
POLICIES_EVERY_S = 60
LIMITS_EVERY_S = 3_600
"""A tool may set max_htlc all day and leave the fee as it is, and nothing tells of that."""
OFFLINE_LISTS_S = 2
"""How often refusals that name an open channel as unknown may have the channels listed again."""
REPAIR_SLACK_S = 10
"""How far before a gap the node's history is read: the last events may not have reached us."""
SETTLE_DOWN_S = 0.1
MAX_LOOKUPS = 200
"""HTLCs whose resolution is asked for after a gap, the newest first."""
BELIEVED_NS = 24 * 3600 * NS
"""How far a node's clock may be off ours. One event from the far future would make everything that
is kept look old, so it is taken to have happened when it was received."""

Arrived = tuple[HtlcEvent, int]
"""An event and when it was received, ns."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a node says of its channels, and how long ListChannels took, ns; asked for when
    `after` listings had been taken over."""

    after: int
    took_ns: int
    channels: tuple[Channel, ...]
    closed: tuple[ClosedChannel, ...]
    policies: tuple[FeePolicy, ...] | None


class Intake:
    """Goes on where the store's last batch ended. `by_events`: a recording is being read.

    A batch that cannot be written for now is tried again until `give_up` is set: the disk may
    have room again. Raises from `write` StoreError when a batch cannot be written at all, or was
    given up; from the others NodeConnectionError or NodePermissionError too.
    """

    def __init__(
        self,
        store: FailureStatsStore,
        provider: ChannelInfoProvider,
        clock: Clock,
        settings: Settings = DEFAULTS,
        *,
        by_events: bool = False,
        give_up: asyncio.Event | None = None,
    ) -> None:
        self._store = store
        self._provider = provider
        self._clock = clock
        self._fold: Fold = store.restore_fold(settings)
        self._by_events = by_events
        self._give_up = give_up or asyncio.Event()
        self._watching = False
        self._listed_ns = 0
        self._taken = 0
        self._policies_read_ns = 0
        self._fees: dict[int, FeePolicy] = {}
        self._limits_read_ns: dict[int, int] = {}
        self.pubkey = ""
        self._list_took_ns = 0
        self._last_event_ns = self._fold.high_ns
        self._lag_ns = 0
        self._gap_shed = 0
        self._owed: list[Forward] = []
        self.queued = 0
        self.shed = 0
        self.proven_ns: int | None = None
        """Until when the node is known to have told us everything, ns; None: until now."""

    async def meet(self, info: NodeInfo) -> None:
        """Who we listen to. Raises StoreError when the store is another node's."""
        self._by_events = self._by_events or info.replay
        self.pubkey = info.pubkey
        await self._store.save_node(info)

    async def list_channels(self) -> None:
        """Ask for the channels, open and closed, and for the policies where those are due."""
        await self.take(await self.ask())

    async def ask(self) -> Listing:
        """What the node says of its channels now; may take long, and touches nothing of ours."""
        after, started_ns = self._taken, self._clock.now_ns()
        channels = await self._provider.list_channels()
        took_ns = self._clock.now_ns() - started_ns
        closed = await self._provider.closed_channels()
        policies = None
        if self._clock.now_ns() - self._policies_read_ns >= POLICIES_EVERY_S * NS:
            policies = await self._provider.fee_report()
        return Listing(after, took_ns, channels, closed, policies)

    async def take(self, listing: Listing) -> None:
        """Take a listing over, between two batches, unless a newer one was meanwhile."""
        if listing.after != self._taken:
            return
        self._taken += 1
        channels, begun_ns = listing.channels, self._clock.now_ns()
        names = self._fold.channels
        names.update(channels, listing.closed)
        await self._commit(0, 0)
        at_ns = self._now_ns()
        if not at_ns:
            return  # a recording has no time before its first event; it is asked again then
        self._fold.liquidity.listed(channels, at_ns)
        ids = {channel.scid: names.resolve(channel.scid).id for channel in channels}
        await self._store.save_balances(channels, ids, at_ns)
        await self._store.save_pending(channels, ids, at_ns)
        if listing.policies is not None:
            await self._keep(listing.policies)
        self._listed_ns = self._clock.now_ns()
        self._list_took_ns = listing.took_ns + self._listed_ns - begun_ns

    def closed(self, scid: int) -> None:
        """The node told that a channel is closed."""
        self._fold.channels.closed(scid)

    async def balances(self, channels: Iterable[Channel]) -> None:
        """Take over the balances of single channels, as the node tells them when they change."""
        names, at_ns = self._fold.channels, self._now_ns()
        known = [channel for channel in channels if names.knows(channel.scid)]
        for channel in known:
            self._fold.liquidity.changed(channel, at_ns)
        ids = {channel.scid: names.resolve(channel.scid).id for channel in known}
        await self._store.save_balances(known, ids, at_ns)

    async def read_policies(self) -> None:
        """Ask what the channels ask, and keep what changed with its time."""
        await self._keep(await self._provider.fee_report())

    def limits_due(self) -> list[int]:
        """The scids whose limits were not read since their fees changed, or for an hour."""
        hour_ago_ns = self._clock.now_ns() - LIMITS_EVERY_S * NS
        return [scid for scid in self._fees if self._limits_read_ns.get(scid, 0) < hour_ago_ns]

    async def ask_limits(self, scid: int) -> ChannelLimits | None:
        """What besides fees we ask on a channel; None where nobody says."""
        return await self._provider.channel_limits(scid, self.pubkey)

    async def limits(self, read: Mapping[int, ChannelLimits | None]) -> None:
        """Take over the limits of single channels; None where the graph has none."""
        now_ns, names = self._clock.now_ns(), self._fold.channels
        self._limits_read_ns.update(dict.fromkeys(read, now_ns))
        known = [limits for limits in read.values() if limits and names.knows(limits.scid)]
        ids = {limits.scid: names.resolve(limits.scid).id for limits in known}
        await self._store.save_limits(known, ids, self._now_ns())

    async def _keep(self, policies: Sequence[FeePolicy]) -> None:
        if not self._now_ns():
            return
        self._policies_read_ns = self._clock.now_ns()
        names = self._fold.channels
        for policy in policies:
            if self._fees.get(policy.scid) != policy:
                self._limits_read_ns.pop(policy.scid, None)
        self._fees = {policy.scid: policy for policy in policies}
        ids = {p.scid: names.resolve(p.scid).id for p in policies if names.knows(p.scid)}
        await self._store.save_policies(policies, ids, self._now_ns())

    @property
    def list_interval_ns(self) -> int:
        """How long to leave the node alone between two listings: 30 s, or 50 times its answer."""
        return max(30 * NS, 50 * self._list_took_ns)

    async def write(self, batch: Sequence[Arrived]) -> None:
        """Fold a batch and write it. Listing happens first where the batch needs it."""
        if self._needs_listing(batch):
            # A node that no longer answers must not cost us what it said before.
            with suppress(NodeConnectionError, NodePermissionError):
                await self.list_channels()
        await self._tell_the_time(batch)
        fold, ignored = self._fold, self._fold.ignored
        apply, subscribed, newest_ns = fold.apply, EventKind.SUBSCRIBED, self._last_event_ns
        start = 0
        for index, (event, received_ns) in enumerate(batch):
            if event.kind is subscribed:
                # What came before belongs to the interval before; this one opens the next.
                self._last_event_ns = newest_ns
                await self._commit(index - start, fold.ignored - ignored)
                start, ignored = index, fold.ignored
                await self._break("the stream was opened anew")
                if not self._by_events:
                    await self._start_interval(received_ns)
                continue
            if abs(event.timestamp_ns - received_ns) > BELIEVED_NS and not self._by_events:
                event = event._replace(timestamp_ns=0)
            if not self._watching and event.timestamp_ns:
                await self._start_interval(event.timestamp_ns if self._by_events else received_ns)
            apply(event, received_ns)
            if event.timestamp_ns > newest_ns:
                newest_ns = event.timestamp_ns
        self._last_event_ns = newest_ns
        if batch and not self._by_events:
            event, received_ns = batch[-1]
            self._lag_ns = max(0, received_ns - (event.timestamp_ns or received_ns))
        await self._commit(len(batch) - start, fold.ignored - ignored)
        if self._owed and not self.queued:
            owed, self._owed = self._owed, []
            await self.learn(owed)
        if self.shed > self._gap_shed and not self.queued:
            shed, self._gap_shed = self.shed - self._gap_shed, self.shed
            await self._break(f"{shed} events shed: they came faster than they were stored", shed)

    async def _tell_the_time(self, batch: Sequence[Arrived]) -> None:
        """A recording's clock starts with its first event; its balances are of that moment."""
        if self._now_ns():
            return
        self._last_event_ns = next((e.timestamp_ns for e, _ in batch if e.timestamp_ns), 0)
        if self._last_event_ns:
            await self.list_channels()

    async def half_told(self, node: OutcomeProvider) -> tuple[Forward, ...]:
        """What the node's history says of the forwards that were heard to settle but not to begin,
        as those do that were in flight when the stream was opened. Each is asked for once."""
        asked, self._fold.half_told = self._fold.half_told, {}
        if not asked:
            return ()
        from_s, until_s = min(asked.values()) // NS, max(asked.values()) // NS
        try:
            history = await node.forwarding_history(
                from_s - REPAIR_SLACK_S, until_s + REPAIR_SLACK_S
            )
        except (NodeConnectionError, NodePermissionError) as error:
            _log.warning("what some forwards earned is not known: %s", error)
            return ()
        return tuple(f for f in history if (f.incoming_scid, f.incoming_htlc_id) in asked)

    async def learn(self, forwards: Iterable[Forward]) -> None:
        """Take over what the node's history tells, between two batches."""
        self._fold.learn(forwards)
        await self._commit(0, 0)

    async def repair(
        self, node: OutcomeProvider, told_since: Callable[[], int | None] | None = None
    ) -> int:
        """Fill the time since anybody last watched from what the node itself remembers.

        Its history gives back the forwards that settled; single resolutions tell how others that
        we saw start have ended. Returns how many outcomes were news. What the node does not tell
        stays unknown. `told_since`: the time of the first event of the new stream that has
        arrived, None while none has; what settled since is the stream's to tell, and only where it
        did not tell the beginning the history does, once what waits has been written.
        """
        since_ns = self._store.covered_until_ns()
        if since_ns is None:
            return 0
        slack_ns = REPAIR_SLACK_S * NS
        learned = 0
        try:
            history = await node.forwarding_history(
                (since_ns - slack_ns) // NS, self._clock.now_ns() // NS + REPAIR_SLACK_S
            )
            if told_since is not None:
                # What the node wrote before its answer is on its way through our own threads.
                await asyncio.sleep(SETTLE_DOWN_S)
            until_ns = (told_since() if told_since else None) or 2**63
            learned = self._fold.learn(
                f for f in history if since_ns - slack_ns < f.timestamp_ns < until_ns
            )
            self._owed = [f for f in history if f.timestamp_ns >= until_ns]
            await self._commit(0, 0)
            at_ns = since_ns if self._by_events else self._clock.now_ns()
            for scid, htlc in self._store.waiting(self._clock.now_ns(), MAX_LOOKUPS):
                settled = await node.lookup_htlc(scid, htlc)
                if settled is not None:
                    final = HtlcEvent(EventKind.FINAL, 0, at_ns, scid, htlc, settled=settled)
                    self._fold.apply(final, at_ns)
                    learned += 1
        except (NodeConnectionError, NodePermissionError) as error:
            _log.warning("the gap could not be filled from the node's history: %s", error)
        await self._commit(0, 0)
        return learned

    async def alive(self) -> None:
        """Prove that we are still watching, though nothing arrived."""
        await self._store.alive(self._progress(0))

    async def pause(self, reason: str) -> None:
        """The stream is down: the interval ends here, for this reason."""
        await self._break(reason)

    async def _commit(self, events: int, ignored: int) -> None:
        changes = self._fold.take()
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

    async def _break(self, reason: str, shed: int = 0) -> None:
        if self._watching:
            self._watching = False
            await self._store.end_interval(reason, shed)

    def _needs_listing(self, batch: Sequence[Arrived]) -> bool:
        """Whether the batch names a scid we never saw, or an open channel as unknown.

        A listing younger than ten times what it costs is new enough: nobody can keep us, or the
        node, busy by making up channel ids or by trying a peer that is offline.
        """
        age_ns = self._clock.now_ns() - self._listed_ns
        if age_ns < 10 * self._list_took_ns:
            return False
        names = self._fold.channels
        scids = {event.incoming_scid for event, _ in batch}
        scids |= {event.outgoing_scid for event, _ in batch}
        if not all(map(names.knows, scids)):
            return True
        if age_ns < OFFLINE_LISTS_S * NS:
            return False
        refused = {e.outgoing_scid for e, _ in batch if e.wire_failure == UNKNOWN_NEXT_PEER}
        return any(map(names.is_open, refused))

    def _now_ns(self) -> int:
        return self._last_event_ns if self._by_events else self._clock.now_ns()

    def _covered_ns(self) -> int:
        return self.proven_ns if self.proven_ns and not self._by_events else self._now_ns()

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
            now_ns=self._now_ns(),
        )
