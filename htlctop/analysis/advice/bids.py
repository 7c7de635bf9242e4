"""What those who would not pay our fee did offer: fees out of date, next to nothing, real bids.

Senders who find the price too high never come, so the bids are a lower bound.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from htlctop.domain.evidence import LostClaim, PolicyPoint
from htlctop.domain.fees import MILLION, fee_asked, ppm
from htlctop.domain.types import NS

STALE_NS = 14 * 86_400 * NS
ZERO_PPM = 5
_STALE, _ZERO, _BID = range(3)


@dataclass(frozen=True, slots=True)
class Bid:
    """A payment whose fee was too low by the policy then. `asked_msat` is None where unknown."""

    at_ns: int
    in_peer: int
    amount_msat: int
    fee_msat: int
    asked_msat: int | None

    @property
    def rate_ppm(self) -> float:
        """The fee offered, in parts per million of the amount."""
        return ppm(self.fee_msat, self.amount_msat)


@dataclass(frozen=True, slots=True)
class Bids:
    """Payments priced out, apart: offers by a policy of ours that is out of date (or without its
    inbound part), offers of next to nothing, and bids."""

    stale: tuple[Bid, ...]
    zero: tuple[Bid, ...]
    bids: tuple[Bid, ...]


class Policies:
    """What was asked on a channel at any time."""

    def __init__(self, history: Iterable[PolicyPoint] = ()) -> None:
        self._times: dict[int, list[int]] = {}
        self._points: dict[int, list[PolicyPoint]] = {}
        self.add((), history)

    @property
    def channels(self) -> Set[int]:
        """Those that it was told of."""
        return self._points.keys()

    def add(self, channels: Iterable[int], history: Iterable[PolicyPoint]) -> None:
        """All that was asked on some more channels."""
        for channel in channels:
            self._times[channel], self._points[channel] = [], []
        for point in sorted(history, key=lambda item: item.at_ns):
            self._times.setdefault(point.channel, []).append(point.at_ns)
            self._points.setdefault(point.channel, []).append(point)

    def at(self, channel: int, at_ns: int) -> PolicyPoint | None:
        """The policy in force; before the first known one that one."""
        points = self._points.get(channel)
        if not points:
            return None
        return points[max(0, bisect_right(self._times[channel], at_ns) - 1)]

    def within(self, channel: int, from_ns: int, until_ns: int) -> Sequence[PolicyPoint]:
        """The policies in force at some time in [from, until]."""
        points = self._points.get(channel)
        if not points:
            return ()
        times = self._times[channel]
        return points[max(0, bisect_right(times, from_ns) - 1) : bisect_right(times, until_ns)]

    def asked_msat(
        self, out_channel: int, in_channel: int, amount_msat: int, at_ns: int
    ) -> int | None:
        """The fee asked for a forward then, None where no policy is known."""
        out = self.at(out_channel, at_ns)
        if out is None:
            return None
        return _asked(amount_msat, out, self.at(in_channel, at_ns))


def judge(claim: LostClaim, policies: Policies) -> tuple[int, Bid]:
    """A payment that was priced out, and what it was: the place in `Bids`."""
    asked = policies.asked_msat(claim.out_channel, claim.in_channel, claim.amount_msat, claim.at_ns)
    bid = Bid(claim.at_ns, claim.in_peer, claim.amount_msat, claim.fee_msat, asked)
    if _is_stale(claim, policies):
        return _STALE, bid
    is_next_to_nothing = claim.fee_msat * MILLION < ZERO_PPM * claim.amount_msat
    return (_ZERO if is_next_to_nothing else _BID), bid


def sort_bids(judged: Iterable[tuple[int, Bid]]) -> Bids:
    """Payments that were priced out, each as what it was."""
    parts: tuple[list[Bid], ...] = ([], [], [])
    for place, bid in judged:
        parts[place].append(bid)
    return Bids(*map(tuple, parts))


def _is_stale(claim: LostClaim, policies: Policies) -> bool:
    """Whether the offer is the fee of a policy of the last 14 days, or today's less its inbound
    part."""
    since_ns, at_ns = claim.at_ns - STALE_NS, claim.at_ns
    outs = policies.within(claim.out_channel, since_ns, at_ns)
    ins: Sequence[PolicyPoint | None] = policies.within(claim.in_channel, since_ns, at_ns)
    if not outs:
        return False
    fees = {_asked(claim.amount_msat, out, into) for out in outs for into in ins or (None,)}
    fees.add(_asked(claim.amount_msat, outs[-1], None))
    return any(abs(claim.fee_msat - fee) * 1000 <= max(1000, fee) for fee in fees)


def _asked(amount_msat: int, out: PolicyPoint, into: PolicyPoint | None) -> int:
    inbound = (into.inbound_base_msat, into.inbound_rate_ppm) if into else (0, 0)
    return fee_asked(amount_msat, out.base_msat, out.rate_ppm, *inbound)
