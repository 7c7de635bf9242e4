"""Advice, curves and explanations as values, with the figures they came from. Text is made at the
edge.

Amounts integer msat or sat as named, rates ppm of the amount sent on.
"""

from dataclasses import dataclass
from enum import StrEnum

from htlctop.analysis.models import Window
from htlctop.analysis.status import NodeView, StatusView
from htlctop.domain.fees import MILLION

CAME, SPARE = "on our side since the last refusal", "the source has to spare"
"""The figures for which less is to be brought than the knee of a curve."""


class Kind(StrEnum):
    """What can be done."""

    REBALANCE_OUTBOUND = "rebalance_outbound"
    RAISE_FEES = "raise_fees"
    LOWER_FEES = "lower_fees"
    INCREASE_CAPACITY = "increase_capacity"
    REBALANCE_INBOUND = "rebalance_inbound"
    RAISE_MAX_HTLC = "raise_max_htlc"
    ALIGN_CHANNELS = "align_channels"
    RECONNECT_PEER = "reconnect_peer"
    INVESTIGATE = "investigate"


class Confidence(StrEnum):
    """How much was seen: claims and covered hours."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that advice rests on, or that `explain` shows: its name, value and unit, and
    where it is computed the formula with its inputs written out ("4,902 x 24%"). `at_ns`: when it
    was so or, of a bar of a chart, when that begins; None of what is of the whole window."""

    name: str
    value: int | float | str | None
    unit: str = ""
    formula: str = ""
    at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Urgency:
    """A badge from 0 to 100 and its parts: revenue 0..40, frequency 0..30, rate 0..30."""

    total: int
    revenue: int
    frequency: int
    rate: int


@dataclass(frozen=True, slots=True)
class ChannelSetting:
    """What is in force on a channel that advice is about, so that a command can leave it as it
    is; None where unknown. `channel_id` is LND's integer, text."""

    channel_id: str
    base_msat: int | None
    rate_ppm: int | None
    time_lock_delta: int | None
    max_htlc_msat: int | None


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One thing worth doing about one peer and cause.

    Attributes:
        worth_msat: expected over the window that this is about; what opportunities are ranked by.
        per_30d_msat: (low, high), None while it is too early to say.
        amount_msat: what to move, or the value to set for a max_htlc; None where there is none.
        break_even_ppm, ceiling_ppm: what moving may cost at most, and half of that; for fees the
            rate asked now and the one suggested; None where there is none.
        source: for a rebalance, the peer id to take it from, None where none is fit.
        channels: the channel ids it concerns, text, LND's integer.
        evidence: the figures it came from, the other kinds that hold among them.
        count: how many payments (or forwards) it rests on.
        source_channels: the source's channel ids that can send; settings: what is in force now on
            `channels`.
    """

    kind: Kind
    peer: int
    pubkey: str
    alias: str
    channels: tuple[str, ...]
    worth_msat: int
    per_30d_msat: tuple[int, int] | None
    urgency: Urgency
    confidence: Confidence
    amount_msat: int | None
    break_even_ppm: int | None
    ceiling_ppm: int | None
    evidence: tuple[Figure, ...]
    source: int | None = None
    source_pubkey: str | None = None
    source_alias: str = ""
    count: int = 0
    source_channels: tuple[str, ...] = ()
    settings: tuple[ChannelSetting, ...] = ()

    @property
    def costs_at_most_sat(self) -> int | None:
        """The most that following it may cost in fees, sat; None where there is no such limit."""
        if self.kind is not Kind.REBALANCE_OUTBOUND or not self.amount_msat:
            return None
        if self.ceiling_ppm is None:
            return None
        return self.amount_msat // 1000 * self.ceiling_ppm // MILLION

    @property
    def came_sat(self) -> int:
        """What came to our side since the last refusal, by which less is to be moved, sat."""
        return self._sat_of(CAME)

    @property
    def spare_sat(self) -> int:
        """What the source has to spare, where that is less than what the peer lacks, sat; else
        0."""
        return self._sat_of(SPARE)

    def _sat_of(self, name: str) -> int:
        return next((int(f.value) for f in self.evidence if f.name == name and f.value), 0)


@dataclass(frozen=True, slots=True)
class NotAdvised:
    """Why nothing is advised about a peer with which enough was missed that it would count.

    Attributes:
        because: in words, of the cause that is worth most.
        worth_msat: what that is expected to have earned over the window; what it offered, of what
            was priced out.
        evidence: the figures behind it.
    """

    peer: int
    pubkey: str
    alias: str
    because: str
    worth_msat: int
    evidence: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """Every opportunity shown, ranked, and why there are not more.

    `hidden` counts those below the threshold; `too_early` says so in words while there is too
    little to go by, "" else; `why_none` why there is none at all, "" where there are;
    `not_advised` why none is about a peer, the one that misses most first. What could be done about
    other peers is worth less than `least_msat` in 30 days.
    """

    node: NodeView
    status: StatusView
    window: Window
    opportunities: tuple[Opportunity, ...]
    hidden: int
    too_early: str
    why_none: str
    not_advised: tuple[NotAdvised, ...] = ()
    least_msat: int = 0


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """With `more_sat` once more on our side: the expected fee served, its share of what the most
    would serve (0..1), and for how long it lasts, ns (None: longer than was seen)."""

    more_sat: int
    served_msat: int
    share: float
    lasts_ns: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    """A peer's liquidity curve: points by rising amount, the index of the knee, None without."""

    points: tuple[CurvePoint, ...]
    knee: int | None
    claims: int


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together, in the order they are computed."""

    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How every figure of a peer, a channel, a pair or the node comes about, or (without a window)
    of one HTLC. `about` names it."""

    node: NodeView
    status: StatusView
    window: Window | None
    about: str
    sections: tuple[Section, ...]
