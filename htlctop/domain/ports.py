"""The Protocols that rooms meet at: whoever needs a node, a clock or a store asks for one."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Protocol

from htlctop.domain.fold import Changes, Fold
from htlctop.domain.records import Progress
from htlctop.domain.types import (
    DEFAULTS,
    Channel,
    ChannelEvent,
    ChannelLimits,
    ClosedChannel,
    FeePolicy,
    Forward,
    HtlcEvent,
    NodeInfo,
    NodeState,
    Settings,
)


class Clock(Protocol):
    """Where "now" comes from."""

    def now_ns(self) -> int:
        """Wall-clock time, ns since the epoch, UTC."""


class ChannelInfoProvider(Protocol):
    """What is known of our channels, from the node itself or from somebody who watches it.

    Raises:
        NodeConnectionError: it cannot be reached or is not ready.
        NodePermissionError: it refuses us.
    """

    async def list_channels(self) -> tuple[Channel, ...]:
        """The open channels, with balances."""

    async def closed_channels(self) -> tuple[ClosedChannel, ...]:
        """The channels that are closed or closing."""

    async def fee_report(self) -> tuple[FeePolicy, ...]:
        """What we ask on each channel."""

    async def channel_limits(self, scid: int, pubkey: str) -> ChannelLimits | None:
        """What else the node `pubkey` asks on a channel; None where the graph does not say."""


class OutcomeProvider(Protocol):
    """What a node remembers of HTLCs that its stream told while nobody listened.

    Raises as `ChannelInfoProvider` does.
    """

    async def forwarding_history(self, from_s: int, until_s: int) -> tuple[Forward, ...]:
        """The forwards that settled in [from_s, until_s], seconds since the epoch."""

    async def lookup_htlc(self, incoming_scid: int, incoming_htlc_id: int) -> bool | None:
        """Whether an incoming HTLC was settled in the end; None where the node does not know."""


class LightningNode(ChannelInfoProvider, OutcomeProvider, Protocol):
    """A node, read-only. Every method raises as `ChannelInfoProvider` says."""

    async def get_state(self) -> NodeState:
        """How far the node has come up; needs no macaroon."""

    async def get_info(self) -> NodeInfo:
        """Who the node is."""

    def htlc_event_batches(self) -> AsyncIterator[list[HtlcEvent]]:
        """The live stream as it arrives, SUBSCRIBED first; ends or raises when the node ends it."""

    def channel_events(self) -> AsyncIterator[ChannelEvent]:
        """Changes of our channels, live."""

    async def close(self) -> None:
        """Give the connection back."""


class FailureStatsStore(Protocol):
    """Where a collector writes. Every call is all or nothing.

    Raises:
        StoreUnavailableError: it cannot be written for now; it is as it was before the call.
        StoreError: it cannot be written at all.
    """

    def restore_fold(self, settings: Settings = DEFAULTS) -> Fold:
        """The fold as it was when the last batch was written."""

    def covered_until_ns(self) -> int | None:
        """Until when anybody has watched, ns; None where nobody has."""

    def waiting(self, before_ns: int, limit: int) -> list[tuple[int, int]]:
        """(incoming scid, HTLC id) of forwards first seen before then and without an outcome,
        the newest first."""

    async def save_node(self, info: NodeInfo) -> None:
        """Remember whose store this is; StoreError when it is another node's."""

    async def commit(self, changes: Changes, progress: Progress) -> None:
        """Write a batch: rows, claims, buckets, coverage and how far we are."""

    async def alive(self, progress: Progress) -> None:
        """Prove that we are still listening, though nothing arrived."""

    async def start_interval(self, start_ns: int) -> None:
        """The stream opened: from here on we are watching."""

    async def end_interval(self, reason: str, shed: int = 0) -> None:
        """The stream broke, or events were shed, for a reason that a person can read."""

    async def set_state(
        self, state: str, reason: str = "", *, attempt: int = 0, next_try_ns: int = 0
    ) -> None:
        """What the collector is doing, for everybody who looks."""

    async def save_balances(
        self, channels: Iterable[Channel], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The balances as just listed; `ids` maps scids to channel ids."""

    async def save_pending(
        self, channels: Iterable[Channel], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The HTLCs that are on all open channels, as just listed."""

    async def save_policies(
        self, policies: Iterable[FeePolicy], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """What we ask on each channel, as just reported."""

    async def save_limits(
        self, limits: Iterable[ChannelLimits], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The smallest and largest HTLC we take on a channel, and what else it must keep to."""

    async def checkpoint(self) -> None:
        """Keep the files small."""
