"""The view models of the drill-downs: one peer, channel, pair or HTLC, the node's own state.

Units as in `models`. Everything is as of the query's time.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from htlctop.analysis.models import (
    CategoryRow,
    ChannelRow,
    Gap,
    HtlcLine,
    PairRow,
    PeerRow,
    Series,
    Window,
)
from htlctop.analysis.status import NodeView, StatusView


@dataclass(frozen=True, slots=True)
class Balance:
    """Our side at a moment: local of capacity, sat. Between two of them it held."""

    at_ns: int
    local_sat: int
    capacity_sat: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What we asked on a channel from `at_ns` on; the limits are None where not known then."""

    at_ns: int
    scid: str
    base_msat: int
    rate_ppm: int
    inbound_base_msat: int
    inbound_rate_ppm: int
    min_htlc_msat: int | None
    max_htlc_msat: int | None
    time_lock_delta: int | None
    is_disabled: bool | None


class ChangeKind(StrEnum):
    """What changed at a channel or peer, or that somebody marked the time."""

    FEE = "fee"
    MAX_HTLC = "max_htlc"
    REFILL = "refill"
    OPENED = "opened"
    CLOSED = "closed"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed, and what the peer missed per covered hour before and after it.

    `before`, `after`: the values in words of digits ("250 ppm", "40,000 sat"), "" where there are
    none; `text` the mark's own. The rates are expected msat per covered hour, None where less
    than an hour was watched; peer 0 for a mark of the whole node.
    """

    at_ns: int
    kind: ChangeKind
    peer: int
    alias: str
    scid: str
    before: str
    after: str
    text: str
    rate_before_msat: int | None
    rate_after_msat: int | None


@dataclass(frozen=True, slots=True)
class Pending:
    """An HTLC that is on a channel now, from ListChannels. `blocks_left` until it expires, None
    where the height is unknown."""

    scid: str
    peer: int
    alias: str
    incoming: bool
    amount_msat: int
    expiry_height: int
    blocks_left: int | None


EXPIRY_BANDS = (20, 40, 72, 144, 288, 1008)
"""Blocks left at which the stretches end that HTLCs on the channels are told apart by."""


def by_expiry(pending: Iterable[Pending]) -> list[tuple[str, list[Pending]]]:
    """Those whose expiry is known by how many blocks are left, in words, from the nearest stretch
    to the last one that holds any."""
    bands: list[list[Pending]] = [[] for _ in range(len(EXPIRY_BANDS) + 1)]
    for item in pending:
        if item.blocks_left is not None:
            bands[bisect_right(EXPIRY_BANDS, item.blocks_left)].append(item)
    while bands and not bands[-1]:
        del bands[-1]
    ends = EXPIRY_BANDS
    names = [
        f"under {ends[0]}",
        *(f"{low}-{high - 1}" for low, high in pairwise(ends)),
        f"{ends[-1]} and over",
    ]
    return list(zip(names, bands, strict=False))


@dataclass(frozen=True, slots=True)
class OutDetail:
    """What the drill-down of a peer and of a channel tells alike: why, from whom, demand, balance
    and policies over time, what is under way, the log.

    `sources` are the pairs that lead there, largest net demand first. `balance` sums the channels.
    """

    node: NodeView
    status: StatusView
    window: Window
    categories: tuple[CategoryRow, ...]
    sources: tuple[PairRow, ...]
    series: Series
    balance: tuple[Balance, ...]
    policies: tuple[Policy, ...]
    pending: tuple[Pending, ...]
    events: tuple[HtlcLine, ...]


@dataclass(frozen=True, slots=True)
class PeerDetail(OutDetail):
    """One peer's drill-down. The row's expected_msat is net demand times settle_rate, rounded per
    cell. `online`: in what share (0..1) of the time watched one of its open channels could be
    used, None where nobody watched or it has none.
    """

    row: PeerRow
    online: float | None


@dataclass(frozen=True, slots=True)
class ChannelDetail(OutDetail):
    """One channel's drill-down; `peer_row` is the peer it belongs to, None for a stranger's."""

    row: ChannelRow
    peer_row: PeerRow | None


@dataclass(frozen=True, slots=True)
class PairDetail:
    """One pair's drill-down: who wanted to reach whom, why it failed, and when."""

    node: NodeView
    status: StatusView
    window: Window
    row: PairRow
    categories: tuple[CategoryRow, ...]
    series: Series
    events: tuple[HtlcLine, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for a forward by the policies in force then, the incoming channel's 0 where
    none is known: the fee, floored at 0, and what it is made of."""

    base_msat: int
    rate_ppm: int
    inbound_base_msat: int
    inbound_rate_ppm: int
    fee_msat: int


@dataclass(frozen=True, slots=True)
class HtlcDetail:
    """One HTLC with all that is known of it.

    `attempts` are the HTLCs of the payment it belongs to, oldest first, itself among them; ()
    outside of claims. `asked` is None where no policy is known of then. `best`,
    `total`: what was usable toward the peer, known since `known_ns`. `from_history`: LND's history
    alone tells of it.
    """

    node: NodeView
    status: StatusView
    line: HtlcLine
    in_channel_id: str
    in_htlc: int
    out_channel_id: str
    out_htlc: int
    in_msat: int | None
    out_msat: int | None
    asked: Asked | None
    best_msat: int | None
    total_msat: int | None
    known_ns: int | None
    from_history: bool
    attempts: tuple[HtlcLine, ...]

    @property
    def fee_asked_msat(self) -> int | None:
        """The fee that was asked, None where it is not known."""
        return self.asked.fee_msat if self.asked else None


@dataclass(frozen=True, slots=True)
class NodeDetail:
    """The node and its collector: coverage and gaps, stream, store, versions, what is pending.

    `pending` is sorted by expiry, nearest first. `rows` counts HTLCs stored, `oldest_ns` the first
    event of the oldest. `cannot_tell`: what this LND version leaves out, one line each.
    """

    node: NodeView
    status: StatusView
    window: Window
    rows: int
    oldest_ns: int | None
    wal_bytes: int
    block_height: int | None
    channels_open: int
    channels_active: int
    capacity_sat: int
    local_sat: int
    pending: tuple[Pending, ...]
    gaps: tuple[Gap, ...]
    cannot_tell: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InFlight:
    """How many HTLCs were on all channels, in and out, from then on, and how much together."""

    at_ns: int
    count: int
    amount_msat: int


@dataclass(frozen=True, slots=True)
class History:
    """The charts of a window with what changed in it. `in_flight` is as the channels were listed,
    each time that it was another; the first may be from before the window."""

    node: NodeView
    status: StatusView
    window: Window
    series: Series
    changes: tuple[Change, ...]
    in_flight: tuple[InFlight, ...]
