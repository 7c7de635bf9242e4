"""The frozen view models that screens, reports and metrics are painted from.

Amounts are integer msat (`_msat`), times ns since the epoch UTC (`_ns`), rates parts per million
(`_ppm`). Nothing here knows SQL, protobuf or a terminal.
"""

from dataclasses import dataclass

from htlctop.analysis.rows import Rows
from htlctop.analysis.status import NodeView, StatusView
from htlctop.domain.codes import Category, EventType, Outcome
from htlctop.domain.coverage import Gap as Gap

UNKNOWN_PEER = 0
"""The peer id of HTLCs whose peer is unknown: one row without a key."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time looked at: [from_ns, until_ns), the edges actually used; a live one includes now.

    `label` is what was asked for ("24h", "all"); `covered_ns` the part that was watched;
    `is_live` is False when `until_ns` was set by hand (a past time).
    """

    label: str
    from_ns: int
    until_ns: int
    covered_ns: int
    gaps: tuple[Gap, ...]
    is_live: bool = True

    @property
    def coverage(self) -> float:
        """The watched part of the window, 0..1."""
        span = self.until_ns - self.from_ns
        return min(1.0, self.covered_ns / span) if span > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Sums:
    """What one row (a peer, a channel, a pair, the node) adds up to over the window.

    refused counts every link failure, lost those that cost us; fee_unknown those among the lost
    whose amounts LND did not tell. asked_msat counts every try, demand_msat each payment once,
    recovered_msat what came back by itself; expected_msat is what we would have earned.
    offered_msat is what priced-out payments offered. claims are payments lost, repeats the
    hammering that adds nothing.
    """

    settled: int = 0
    refused: int = 0
    lost: int = 0
    downstream: int = 0
    fee_unknown: int = 0
    asked_msat: int = 0
    demand_msat: int = 0
    recovered_msat: int = 0
    expected_msat: int = 0
    offered_msat: int = 0
    earned_msat: int = 0
    claims: int = 0
    repeats: int = 0

    @property
    def net_demand_msat(self) -> int:
        """Demand less what came back."""
        return self.demand_msat - self.recovered_msat


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One reason and what it adds up to. Priced-out rows carry offered_msat and 0 elsewhere."""

    category: Category
    count: int
    fee_unknown: int
    asked_msat: int
    demand_msat: int
    net_demand_msat: int
    expected_msat: int
    offered_msat: int


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One of our channels with its sums as the outgoing channel that senders named.

    `scid` is text (block x tx x output), `channel_id` LND's integer as text; both "" for HTLCs
    that named no channel. Balances and `is_active` are as of the last poll, None where unknown;
    `is_open` False once it is closed.
    """

    channel: int
    channel_id: str
    scid: str
    peer: int
    pubkey: str | None
    alias: str
    sums: Sums
    why: Category | None
    is_open: bool
    is_active: bool | None
    capacity_sat: int | None
    local_sat: int | None
    remote_sat: int | None
    fee_base_msat: int | None
    fee_rate_ppm: int | None

    @property
    def id(self) -> int:
        """The channel."""
        return self.channel


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A peer with its channels. `peer` is the store's id, UNKNOWN_PEER with pubkey None.

    `why` is the lost category with the most expected (then the most refusals), where none was lost
    the refused one with the most; settle_rate is the peer's own, smoothed. Balances sum the open
    channels; `online` is False when none is active, None where that is not known.
    """

    peer: int
    pubkey: str | None
    alias: str
    channels: tuple[ChannelRow, ...]
    sums: Sums
    settle_rate: float
    why: Category | None
    online: bool | None
    capacity_sat: int | None
    local_sat: int | None

    @property
    def id(self) -> int:
        """The peer."""
        return self.peer


@dataclass(frozen=True, slots=True)
class PairRow:
    """Who wanted to reach whom: in-peer to out-peer, ids and names, with the pair's sums."""

    in_peer: int
    in_pubkey: str | None
    in_alias: str
    out_peer: int
    out_pubkey: str | None
    out_alias: str
    sums: Sums

    @property
    def id(self) -> tuple[int, int]:
        """The pair."""
        return self.in_peer, self.out_peer


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A peer as the one that HTLCs came in from, with the sums of what it sent us."""

    peer: int
    pubkey: str | None
    alias: str
    sums: Sums
    why: Category | None

    @property
    def id(self) -> int:
        """The peer."""
        return self.peer


@dataclass(frozen=True, slots=True)
class Slice:
    """One bar of the chart: net demand and expected in [start_ns, start_ns + step).

    `covered` is the part of it that was watched, 0..1.
    """

    start_ns: int
    net_demand_msat: int
    expected_msat: int
    covered: float


@dataclass(frozen=True, slots=True)
class Series:
    """The chart over the window, oldest first; `step_ns` is one bar's width."""

    step_ns: int
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True)
class HtlcLine:
    """One HTLC as the live log shows it.

    Attributes:
        seq: its arrival number, the identity of the line.
        at_ns: its first event; ended_ns: its outcome, None while in flight.
        amount_msat: what was to be sent on, None where LND told no amount.
        fee_msat: offered or earned, None where unknown.
        category: None while in flight; wire_failure/failure_detail are LND's numbers.
        short_msat: amount less the best usable channel's balance, None where unknown.
        retry_of_ns: first event of the payment's first try, when this is a later one.
        repeat: one more of a hammering rebalancer.
    """

    seq: int
    at_ns: int
    ended_ns: int | None
    event_type: EventType
    outcome: Outcome
    category: Category | None
    in_peer: int
    in_alias: str
    in_scid: str
    out_peer: int
    out_alias: str
    out_scid: str
    amount_msat: int | None
    fee_msat: int | None
    wire_failure: int
    failure_detail: int
    short_msat: int | None = None
    retry_of_ns: int | None = None
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines newest first, and the `before_seq` to go on with; None where there is nothing older.

    It may hold fewer lines than were asked for, or none, though there are older ones: what is rare
    in a large store is looked for in steps.
    """

    lines: tuple[HtlcLine, ...]
    older_seq: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """The node's own line. forwards = settled + refused + downstream + unknown + in_flight."""

    forwards: int
    unknown: int
    in_flight: int
    sums: Sums


Row = PeerRow | ChannelRow | PairRow | SourceRow
"""A row of a ranked table, by `Query.by`."""


@dataclass(frozen=True, slots=True)
class End:
    """A peer at one side of the flows, with the net demand of all its pairs there, msat."""

    peer: int
    pubkey: str | None
    alias: str
    net_msat: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """What was lost between whom: `sources` and `targets`, the incoming and outgoing peers with
    the most net demand, are the first of `source_count` and `target_count`; `between` are their
    pairs, by net demand, which is their worth. `net_msat` is the net demand of all pairs.
    """

    sources: tuple[End, ...]
    targets: tuple[End, ...]
    source_count: int
    target_count: int
    net_msat: int
    between: Rows[PairRow]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the Overview and a report show, from one read.

    `rows` are ranked, grouped and filtered as the query asks, the first of `count`; `unfiltered`
    counts those before the filter; totals and categories are the whole node's. `dry` counts open
    channels with less than 10% on our side, `offline` peers with no active channel. `sends`,
    `receives` count our own HTLCs. `first_event_ns` is the oldest HTLC stored, None in an empty
    store. `matrix` is there where flows were asked for.
    """

    node: NodeView
    status: StatusView
    window: Window
    totals: Totals
    categories: tuple[CategoryRow, ...]
    rows: Rows[Row]
    count: int
    unfiltered: int
    series: Series
    offline: int
    dry: int
    sends: int
    receives: int
    first_event_ns: int | None
    matrix: Matrix | None = None

    @property
    def peers(self) -> tuple[PeerRow, ...]:
        """The rows that are peers: all of them where the query groups by peer."""
        return tuple(row for row in self.rows if isinstance(row, PeerRow))


@dataclass(frozen=True, slots=True)
class Report:
    """The whole node: the Overview and every pair, of one moment."""

    overview: Overview
    pairs: Rows[PairRow]
