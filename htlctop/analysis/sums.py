"""Cells -> the sums of rows. expected is rounded once, per channel and category; all else adds."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from htlctop.analysis.formulas import Rate, share_out
from htlctop.analysis.models import CategoryRow, Sums
from htlctop.domain.codes import LOST, PRICED_OUT, Category
from htlctop.domain.records import Cell

_REFUSED = range(Category.LIQUIDITY, Category.DISABLED + 1)


class Priced(NamedTuple):
    """A cell with the peer its channel belongs to and what it would have earned."""

    cell: Cell
    peer: int
    expected_msat: int


def is_refused(category: int) -> bool:
    """Whether the category is one of our link failures."""
    return category in _REFUSED or category == Category.OTHER


def price(
    cells: Iterable[Cell],
    peer_of: Callable[[int], int],
    rates: Mapping[int, Rate],
    default: Rate,
) -> list[Priced]:
    """expected = net demand x the peer's settle rate, for the lost cells; 0 for the others."""
    priced = []
    for cell in cells:
        peer = peer_of(cell.channel)
        expected = 0
        if cell.category in LOST:
            rate = rates.get(peer, default)
            expected = rate.of_amount(cell.demand_msat - cell.recovered_msat)
        priced.append(Priced(cell, peer, expected))
    return priced


def add_up(priced: Iterable[Priced]) -> Sums:
    """The sums of some cells."""
    total = _Adder()
    for item in priced:
        total.add(item.cell, item.expected_msat)
    return total.sums()


def top_category(priced: Iterable[Priced]) -> Category | None:
    """The lost category with the most expected, then the most refusals; None where none is lost."""
    by_category: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for item in priced:
        if item.cell.category in LOST and item.cell.n:
            by_category[item.cell.category][0] += item.expected_msat
            by_category[item.cell.category][1] += item.cell.n
    if not by_category:
        return None
    return Category(max(by_category, key=lambda c: (*by_category[c], -c)))


def category_rows(priced: Iterable[Priced]) -> tuple[CategoryRow, ...]:
    """One row for each reason that occurred, the most expected first."""
    by_category: dict[int, list[Priced]] = defaultdict(list)
    for item in priced:
        if item.cell.category != Category.SETTLED:
            by_category[item.cell.category].append(item)
    rows = []
    for number, items in by_category.items():
        category, sums = Category(number), add_up(items)
        count = sum(item.cell.n for item in items)
        if count:
            rows.append(
                CategoryRow(
                    category=category,
                    count=count,
                    fee_unknown=sum(item.cell.fee_unknown for item in items),
                    asked_msat=sums.asked_msat,
                    demand_msat=sums.demand_msat,
                    net_demand_msat=sums.net_demand_msat,
                    expected_msat=sums.expected_msat,
                    offered_msat=sums.offered_msat,
                )
            )
    return tuple(
        sorted(
            rows,
            key=lambda r: (r.category.group, -r.expected_msat, -r.offered_msat, -r.count),
        )
    )


def share_among_sources(
    cells: Iterable[Cell],
    peer_of: Callable[[int], int],
    rates: Mapping[int, Rate],
    default: Rate,
) -> list[Priced]:
    """Cells by incoming peer, each with its part of what the channel's cell would have earned.

    It is shared out in proportion to net demand, to the msat, so that the pairs add up to the
    peers. All cells of a channel and category have to be there.
    """
    by_channel: dict[tuple[int, int], list[Cell]] = defaultdict(list)
    for cell in cells:
        by_channel[cell.channel, cell.category].append(cell)
    priced = []
    for (channel, category), sources in by_channel.items():
        peer = peer_of(channel)
        shares = [0] * len(sources)
        if category in LOST:
            nets = [cell.demand_msat - cell.recovered_msat for cell in sources]
            expected = rates.get(peer, default).of_amount(sum(nets))
            shares = share_out(expected, [max(0, net) for net in nets])
        priced += [Priced(cell, peer, share) for cell, share in zip(sources, shares, strict=True)]
    return priced


class _Adder:
    """Adds cells up, each into the sums its category's group counts in."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(Sums.__dataclass_fields__, 0)

    def add(self, cell: Cell, expected_msat: int) -> None:
        sums, category = self._sums, cell.category
        if is_refused(category):
            sums["refused"] += cell.n
        if category in LOST:
            sums["lost"] += cell.n
            sums["fee_unknown"] += cell.fee_unknown
            sums["asked_msat"] += cell.fee_msat
            sums["demand_msat"] += cell.demand_msat
            sums["recovered_msat"] += cell.recovered_msat
            sums["expected_msat"] += expected_msat
            sums["claims"] += cell.claims
            sums["repeats"] += cell.repeats
        elif category in PRICED_OUT:
            sums["offered_msat"] += cell.demand_msat
        elif category == Category.SETTLED:
            sums["settled"] += cell.n
            sums["earned_msat"] += cell.fee_msat
        elif category == Category.DOWNSTREAM:
            sums["downstream"] += cell.n

    def sums(self) -> Sums:
        return Sums(**self._sums)
