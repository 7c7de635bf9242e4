"""What is written to a store and read back from it, as values. Times ns, amounts msat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

MINUTE, HOUR, DAY, QUARTER, WEEK = range(5)
SPANS: tuple[int, ...] = (
    60_000_000_000,
    3_600_000_000_000,
    86_400_000_000_000,
    21_600_000_000_000,
    604_800_000_000_000,
)
"""Bucket widths, ns, by `span`: minute, hour, day, a quarter of a day, a week of days that begins
where the epoch did. A bucket's `start` counts widths."""
KEPT_NS: tuple[int | None, ...] = (48 * SPANS[HOUR], 60 * SPANS[DAY], None, 60 * SPANS[DAY], None)
"""How long each width is kept, ns."""
NARROW_TO_WIDE = (MINUTE, HOUR, QUARTER, DAY, WEEK)
"""Each width is a multiple of the one before it."""
PAIR_SPANS = (MINUTE, HOUR, DAY)
"""The widths that are kept by incoming peer too."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the collector is when it writes a batch. Times ns; lag is receive less node time.

    `now_ns` is the node's clock, at which channels that are new or gone came and went.
    """

    events: int
    ignored: int
    last_event_ns: int
    covered_until_ns: int | None
    lag_ns: int = 0
    queued: int = 0
    shed: int = 0
    alive_ns: int = 0
    now_ns: int = 0


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """A channel with its peer (0: none), and its last known balance and policy (None: unknown)."""

    id: int
    scid: int
    peer: int
    alias_of: int | None
    is_open: bool
    capacity_sat: int | None
    local_sat: int | None
    remote_sat: int | None
    spendable_sat: int | None
    is_active: bool | None
    base_msat: int | None
    rate_ppm: int | None


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """The status row. `books`: the generation at which a channel, peer, balance or policy last
    changed."""

    state: str
    reason: str
    attempt: int
    next_try_ns: int
    pid: int
    alive_ns: int
    queued: int
    shed: int
    events: int
    ignored: int
    last_event_ns: int
    lag_ns: int
    generation: int
    books: int


class Unresolved(NamedTuple):
    """Forwards without an outcome: how many are in flight, how many may have ended unseen, and the
    first event of the oldest in flight, ns."""

    in_flight: int
    unseen: int
    oldest_ns: int | None


class Delta(NamedTuple):
    """What was added to the sums of a minute, a channel, an incoming peer and a category."""

    minute: int
    channel: int
    in_peer: int
    category: int
    n: int
    fee_unknown: int
    fee_msat: int
    demand_msat: int
    recovered_msat: int
    claims: int
    repeats: int


class Cell(NamedTuple):
    """Sums of a channel, an incoming peer (0 where not asked for) and a category.

    A tuple, because a window has tens of thousands.
    """

    channel: int
    in_peer: int
    category: int
    n: int
    fee_unknown: int
    fee_msat: int
    demand_msat: int
    recovered_msat: int
    claims: int
    repeats: int


class Measure(Enum):
    """What sums can be ranked by: what they would have earned, net demand, lost and refused HTLCs,
    the fees asked for what was lost, the fees earned, and settled HTLCs."""

    EXPECTED = "expected"
    NET = "net"
    LOST = "lost"
    REFUSED = "refused"
    ASKED = "asked"
    EARNED = "earned"
    SETTLED = "settled"


Pair = tuple[int, int]
"""Incoming and outgoing peer."""


Worth = Callable[[int, int], int]
"""(outgoing peer, net demand msat) -> what that would have earned, msat."""


class Way(Enum):
    """What the sums of pairs are told apart by: pair, incoming peer, outgoing peer, channel."""

    PAIR = "pair"
    SOURCE = "source"
    TARGET = "target"
    CHANNEL = "channel"


class PairsHeld(NamedTuple):
    """What kept sums by pair are of: a window by its key, the generation, and the edges, ns."""

    key: str
    generation: int
    from_ns: int
    until_ns: int


class PairSum(NamedTuple):
    """Sums of a category; `of`: the pair, peer or channel. `sums` are the seven of a Cell."""

    of: tuple[int, ...]
    category: int
    sums: tuple[int, ...]
    expected_msat: int


@dataclass(frozen=True, slots=True)
class HtlcRecord:
    """One HTLC; claim_seq is the opener of the payment it belongs to, None outside of claims."""

    seq: int
    in_channel: int
    out_channel: int
    at_ns: int
    event_type: int
    outcome: int
    category: int
    wire: int | None
    detail: int | None
    in_msat: int
    out_msat: int
    ended_ns: int | None
    best_msat: int | None
    claim_seq: int | None


@dataclass(frozen=True, slots=True)
class HtlcFacts:
    """All that is stored of one HTLC. `usable_*`: what could be sent toward the peer when it was
    lost, known since `known_ns`; `source` as `circuits.Source`."""

    record: HtlcRecord
    in_htlc: int
    out_htlc: int
    usable_msat: int | None
    known_ns: int | None
    source: int


@dataclass(frozen=True, slots=True)
class Ends:
    """What comes in by one of some channels (of pairs: peers), or goes out by one of others; the
    rest, where `negated`. 0 stands for none."""

    ins: frozenset[int]
    outs: frozenset[int]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """Amounts in msat, ends included, None for no bound; the others, where `negated`.

    `of_fee`: it is about the fee, else about what was to be sent on. What is unknown is neither.
    """

    of_fee: bool
    low_msat: int | None
    high_msat: int | None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """Which HTLCs; all that is given must hold.

    `categories` (0: none yet), `event_types` and `fates` are sets of numbers; a fate is an
    outcome, but NONE before `break_ns` counts as UNSEEN: nobody was there to see it. `until_ns`:
    first seen before that.
    """

    ends: tuple[Ends, ...] = ()
    bounds: tuple[Bounds, ...] = ()
    categories: frozenset[int] | None = None
    event_types: frozenset[int] | None = None
    fates: frozenset[int] | None = None
    break_ns: int = 0
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class PairPick:
    """Which sums of pairs; all that is given must hold."""

    ends: tuple[Ends, ...] = ()
    categories: frozenset[int] | None = None
    pairs: Sequence[Pair] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """HTLCs newest first; the search goes on below `older_seq`, None where there is no more."""

    records: tuple[HtlcRecord, ...]
    older_seq: int | None


@dataclass(frozen=True, slots=True)
class PendingRecord:
    """An HTLC that was on a channel when the channels were last listed."""

    channel: int
    is_incoming: bool
    amount_msat: int
    expiry_height: int


@dataclass(frozen=True, slots=True)
class ClaimOpener:
    """The HTLC that opened a payment: its seq, its first event, whether the claim is a repeat."""

    seq: int
    at_ns: int
    is_repeat: bool
