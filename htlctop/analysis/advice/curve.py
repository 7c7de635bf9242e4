"""A peer's liquidity curve: what its refused payments would have earned with so much more, once.

The payments are replayed in order. One is served if it lacks no more than what is left; what is
left falls by the amount times the settle rate, since some of it would have come back unsettled.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from htlctop.analysis.advice.models import Curve, CurvePoint
from htlctop.analysis.formulas import Rate

ENOUGH = 0.8
"""The knee serves this part of what the most would serve."""
_SHOWN = (10, 20, 50)


Want = tuple[int, int, int, int]
"""A refused payment: its time ns, amount, net fee, and by how much the best channel fell short,
msat. Plain, because thousands are made at every tick."""


@dataclass(frozen=True, slots=True)
class Served:
    """What `more_sat` would have served: the expected fee and the expected amount sent on, msat;
    for how long it lasts, None where it outlasted what was seen."""

    more_sat: int
    fee_msat: int
    amount_msat: int
    lasts_ns: int | None


class Replay:
    """Payments refused for want of liquidity, oldest first, to be replayed with more of it.

    Args:
        inflow: (time, msat) that came in from the peer meanwhile; it only makes good what a
            served payment took beyond what was moved, since the shortfalls hold the rest already.
    """

    def __init__(
        self, wants: Sequence[Want], rate: Rate, inflow: Sequence[tuple[int, int]] = ()
    ) -> None:
        self._rate = rate
        self._first_ns = wants[0][0] if wants else 0
        self._shorts = [short for _, _, _, short in wants]
        used = rate.of_amounts(amount for _, amount, _, _ in wants)
        items = [
            (at_ns, short, msat, fee)
            for (at_ns, _, fee, short), msat in zip(wants, used, strict=True)
        ]
        items += [(at_ns, -1, msat, 0) for at_ns, msat in inflow]
        self._items = sorted(items)
        self._served: dict[int, Served] = {}

    @property
    def count(self) -> int:
        """How many payments there are."""
        return len(self._shorts)

    def least_sat(self) -> int:
        """The smallest amount that could serve anything."""
        return -(-min(self._shorts) // 1000)

    def all_sat(self) -> int:
        """An amount that is enough for everything."""
        used = sum(used for _, short, used, _ in self._items if short >= 0)
        return (used + max(self._shorts)) // 1000 + 1

    def serve(self, more_sat: int) -> Served:
        """What would have been served with so much more."""
        if more_sat not in self._served:
            self._served[more_sat] = self._serve(more_sat)
        return self._served[more_sat]

    def _serve(self, more_sat: int) -> Served:
        left = more = more_sat * 1000
        fee = amount = 0
        ended_ns = None
        for at_ns, short, used, worth in self._items:
            if short < 0:
                left = min(0, left + used) if left < 0 else left
            elif short <= left:
                left -= used
                fee += worth
                amount += used
            elif ended_ns is None and short <= more:
                ended_ns = at_ns
        lasts = None if ended_ns is None else ended_ns - self._first_ns
        return Served(more_sat, self._rate.of_amount(fee), amount, lasts)

    def serve_beyond(self, there_sat: int, more_sat: int) -> Served:
        """What `more_sat` would have served beyond what is there already."""
        there, whole = self.serve(there_sat), self.serve(there_sat + more_sat)
        return Served(
            more_sat,
            whole.fee_msat - there.fee_msat,
            whole.amount_msat - there.amount_msat,
            whole.lasts_ns,
        )

    def knee(self, most_sat: int) -> Served | None:
        """The smallest amount that serves enough of what the most would; None where it serves
        nothing."""
        most = self.serve(most_sat)
        if most.fee_msat <= 0:
            return None
        sizes = round_amounts(self.least_sat(), most_sat)
        goal = ENOUGH * most.fee_msat
        at = bisect_left(
            range(len(sizes)), True, key=lambda i: self.serve(sizes[i]).fee_msat >= goal
        )
        return self.serve(sizes[min(at, len(sizes) - 1)])


def liquidity_curve(replay: Replay, feasible_sat: int) -> Curve:
    """The curve up to what is feasible, with a few points on either side of its knee."""
    if not replay.count:
        return Curve((), None, 0)
    most_sat = min(feasible_sat, round_up(replay.all_sat()))
    knee = replay.knee(most_sat) if most_sat >= replay.least_sat() else None
    if knee is None:
        return Curve((), None, replay.count)
    most = replay.serve(most_sat)
    sizes = {
        size for size in round_amounts(replay.least_sat(), most_sat) if _leading(size) in _SHOWN
    }
    points = [knee]
    for size in sorted(sizes | {most_sat}):
        served = replay.serve(size)
        if served.fee_msat and all(served.more_sat != point.more_sat for point in points):
            points.append(served)
    points.sort(key=lambda point: point.more_sat)
    points = _thin(points, knee)
    return Curve(
        tuple(
            CurvePoint(p.more_sat, p.fee_msat, min(1.0, p.fee_msat / most.fee_msat), p.lasts_ns)
            for p in points
        ),
        points.index(knee),
        replay.count,
    )


def round_amounts(least_sat: int, most_sat: int) -> list[int]:
    """The amounts of two leading digits between two, each end included as it is asked for."""
    sizes = []
    size = round_up(max(1, least_sat))
    step = _unit(size)
    while size < most_sat:
        sizes.append(size)
        size += step
        if size == 100 * step:
            step *= 10
    return [*sizes, most_sat]


def round_up(amount: int) -> int:
    """The amount, up to two leading digits: 1,234,567 -> 1,300,000."""
    unit = _unit(amount)
    return -(-amount // unit) * unit


def round_down(amount: int) -> int:
    """The amount, down to two leading digits: 1,234,567 -> 1,200,000."""
    unit = _unit(amount)
    return amount // unit * unit


def _unit(amount: int) -> int:
    """What the second of its leading digits counts."""
    unit: int = 10 ** max(0, len(str(amount)) - 2)
    return unit


def _leading(amount: int) -> int:
    return int(str(amount)[:2].ljust(2, "0"))


def _thin(points: list[Served], knee: Served, most: int = 8) -> list[Served]:
    """Few enough points to look at, those around the knee and the last one among them."""
    while len(points) > most:
        gains = [
            (after.fee_msat - before.fee_msat, index)
            for index, (before, after) in enumerate(pairwise(points))
            if points[index] is not knee
        ]
        del points[min(gains)[1]]
    return points
