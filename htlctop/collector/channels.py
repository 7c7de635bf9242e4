"""Our channels as the node tells of them: which there are, their balances, policies and limits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from htlctop.collector.ledger import Arrived, Ledger
from htlctop.domain.codes import UNKNOWN_NEXT_PEER
from htlctop.domain.ports import ChannelInfoProvider, Clock, FailureStatsStore
from htlctop.domain.types import NS, Channel, ChannelLimits, ClosedChannel, FeePolicy

POLICIES_EVERY_S = 60
LIMITS_EVERY_S = 3_600
"""A tool may set max_htlc all day and leave the fee as it is, and nothing tells of that."""
OFFLINE_LISTS_S = 2
"""How often refusals that name an open channel as unknown may have the channels listed again."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a node says of its channels, and how long ListChannels took, ns; asked for when
    `after` listings had been taken over."""

    after: int
    took_ns: int
    channels: tuple[Channel, ...]
    closed: tuple[ClosedChannel, ...]
    policies: tuple[FeePolicy, ...] | None


class Channels:
    """What asks the node touches nothing of ours, and may take its time beside the batches; what
    takes its answer over comes between two of them.

    Raises NodeConnectionError or NodePermissionError where the node is asked, StoreError where its
    answer is taken over.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: FailureStatsStore,
        provider: ChannelInfoProvider,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._provider = provider
        self._clock = clock
        self._taken = 0
        self._listed_ns = 0
        self._list_took_ns = 0
        self._policies_read_ns = 0
        self._fees: dict[int, FeePolicy] = {}
        self._limits_read_ns: dict[int, int] = {}

    async def refresh(self) -> None:
        """Ask for the channels, open and closed, and for the policies where those are due, and
        take them over."""
        await self.take(await self.ask())

    async def ask(self) -> Listing:
        """What the node says of its channels now."""
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
        names = self._ledger.fold.channels
        names.update(channels, listing.closed)
        await self._ledger.commit()
        at_ns = self._ledger.now_ns()
        if not at_ns:
            return  # a recording has no time before its first event; it is asked again then
        self._ledger.fold.liquidity.listed(channels, at_ns)
        ids = self._ids(channels)
        await self._store.save_balances(channels, ids, at_ns)
        await self._store.save_pending(channels, ids, at_ns)
        if listing.policies is not None:
            await self._keep(listing.policies)
        self._listed_ns = self._clock.now_ns()
        self._list_took_ns = listing.took_ns + self._listed_ns - begun_ns

    @property
    def list_interval_ns(self) -> int:
        """How long to leave the node alone between two listings: 30 s, or 50 times its answer."""
        return max(30 * NS, 50 * self._list_took_ns)

    def needs_listing(self, batch: Sequence[Arrived]) -> bool:
        """Whether the batch names a scid we never saw, or an open channel as unknown.

        A listing younger than ten times what it costs is new enough: nobody can keep us, or the
        node, busy by making up channel ids or by trying a peer that is offline.
        """
        age_ns = self._clock.now_ns() - self._listed_ns
        if age_ns < 10 * self._list_took_ns:
            return False
        names = self._ledger.fold.channels
        scids = {event.incoming_scid for event, _ in batch}
        scids |= {event.outgoing_scid for event, _ in batch}
        if not all(map(names.knows, scids)):
            return True
        if age_ns < OFFLINE_LISTS_S * NS:
            return False
        refused = {e.outgoing_scid for e, _ in batch if e.wire_failure == UNKNOWN_NEXT_PEER}
        return any(map(names.is_open, refused))

    def closed(self, scid: int) -> None:
        """The node told that a channel is closed."""
        self._ledger.fold.channels.closed(scid)

    async def balances(self, channels: Iterable[Channel]) -> None:
        """Take over the balances of single channels, as the node tells them when they change."""
        names, at_ns = self._ledger.fold.channels, self._ledger.now_ns()
        known = [channel for channel in channels if names.knows(channel.scid)]
        for channel in known:
            self._ledger.fold.liquidity.changed(channel, at_ns)
        await self._store.save_balances(known, self._ids(known), at_ns)

    async def read_policies(self) -> None:
        """Ask what the channels ask, and keep what changed with its time."""
        await self._keep(await self._provider.fee_report())

    def limits_due(self) -> list[int]:
        """The scids whose limits were not read since their fees changed, or for an hour."""
        hour_ago_ns = self._clock.now_ns() - LIMITS_EVERY_S * NS
        return [scid for scid in self._fees if self._limits_read_ns.get(scid, 0) < hour_ago_ns]

    async def ask_limits(self, scid: int) -> ChannelLimits | None:
        """What besides fees we ask on a channel; None where nobody says."""
        return await self._provider.channel_limits(scid, self._ledger.pubkey)

    async def limits(self, read: Mapping[int, ChannelLimits | None]) -> None:
        """Take over the limits of single channels; None where the graph has none."""
        now_ns, names = self._clock.now_ns(), self._ledger.fold.channels
        known = [limits for limits in read.values() if limits and names.knows(limits.scid)]
        await self._store.save_limits(known, self._ids(known), self._ledger.now_ns())
        self._limits_read_ns.update(dict.fromkeys(read, now_ns))

    async def _keep(self, policies: Sequence[FeePolicy]) -> None:
        if not self._ledger.now_ns():
            return
        self._policies_read_ns = self._clock.now_ns()
        for policy in policies:
            if self._fees.get(policy.scid) != policy:
                self._limits_read_ns.pop(policy.scid, None)
        self._fees = {policy.scid: policy for policy in policies}
        await self._store.save_policies(policies, self._ids(policies), self._ledger.now_ns())

    def _ids(self, told: Iterable[Channel | ChannelLimits | FeePolicy]) -> dict[int, int]:
        """scid -> channel id, of what is told of channels that are known."""
        names = self._ledger.fold.channels
        return {each.scid: names.resolve(each.scid).id for each in told if names.knows(each.scid)}
