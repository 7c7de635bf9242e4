"""Cells -> the sums of rows. expected is rounded once, per channel and category; all else adds."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from htlctop.analysis.formulas import Rate, share_out
from htlctop.analysis.models import (
    UNKNOWN_PEER,
    CategoryRow,
    PairRow,
    PeerRow,
    Query,
    SortKey,
    Sums,
)
from htlctop.domain.codes import LOST, PRICED_OUT, Category
from htlctop.domain.records import Cell

_REFUSED = range(Category.LIQUIDITY, Category.DISABLED + 1)


@dataclass(frozen=True, slots=True)
class Priced:
    """A cell with the peer its channel belongs to and what it would have earned."""

    cell: Cell
    peer: int
    expected_msat: int


class Names(Protocol):
    """Who a channel and a peer are."""

    def peer_of(self, channel: int) -> int:
        """The peer of a channel id."""

    def pubkey_of(self, peer: int) -> str | None:
        """A peer's public key, None for the unknown one."""

    def alias_of(self, peer: int) -> str:
        """A peer's name."""


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


def pair_rows(cells: Iterable[Cell], priced: Iterable[Priced], names: Names) -> tuple[PairRow, ...]:
    """Sums by incoming and outgoing peer. What a channel expects is shared out over its sources
    in proportion to their net demand, to the msat, so that the pairs add up to the peers."""
    by_source: dict[tuple[int, int], list[Cell]] = defaultdict(list)
    for cell in cells:
        by_source[cell.channel, cell.category].append(cell)
    expected = {(p.cell.channel, p.cell.category): p.expected_msat for p in priced}
    totals: dict[tuple[int, int], _Adder] = defaultdict(_Adder)
    for (channel, category), sources in by_source.items():
        nets = [max(0, cell.demand_msat - cell.recovered_msat) for cell in sources]
        shares = share_out(expected.get((channel, category), 0), nets)
        for cell, share in zip(sources, shares, strict=True):
            totals[cell.in_peer, names.peer_of(channel)].add(cell, share)
    rows = [
        PairRow(
            in_peer, names.pubkey_of(in_peer), names.alias_of(in_peer),
            out_peer, names.pubkey_of(out_peer), names.alias_of(out_peer),
            adder.sums(),
        )
        for (in_peer, out_peer), adder in totals.items()
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda r: (-r.sums.net_demand_msat, -r.sums.refused)))


_SORTS: dict[SortKey, Callable[[PeerRow], tuple[float, ...]]] = {
    SortKey.MISSED: lambda r: (r.sums.expected_msat, r.sums.net_demand_msat, r.sums.lost),
    SortKey.DEMAND: lambda r: (r.sums.net_demand_msat, r.sums.lost),
    SortKey.REFUSED: lambda r: (r.sums.refused,),
    SortKey.ASKED: lambda r: (r.sums.asked_msat,),
    SortKey.EARNED: lambda r: (r.sums.earned_msat,),
    SortKey.SETTLED: lambda r: (r.sums.settled,),
    SortKey.LOCAL: lambda r: ((r.local_sat or 0) / r.capacity_sat if r.capacity_sat else -1.0,),
}


def sort_peers(rows: Sequence[PeerRow], query: Query) -> tuple[PeerRow, ...]:
    """The rows as the query ranks them, largest first (names: a to z); ties by name, then id."""
    by_name = sorted(rows, key=lambda r: (r.peer == UNKNOWN_PEER, r.alias.casefold(), r.peer))
    if query.sort is SortKey.NAME:
        return tuple(reversed(by_name)) if query.reverse else tuple(by_name)
    return tuple(sorted(by_name, key=_SORTS[query.sort], reverse=not query.reverse))


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
