"""Cells -> the sums of rows. expected is rounded once for each cell; all else adds."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import add
from typing import NamedTuple, TypeVar

from htlctop.analysis.formulas import ALWAYS, Rate
from htlctop.analysis.models import CategoryRow, Sums
from htlctop.domain.codes import LOST, PRICED_OUT, REFUSED, Category
from htlctop.domain.records import Cell, PairSum

Group = TypeVar("Group", bound=Hashable)
# Plain numbers where every cell passes: an enum member costs a lookup each time it is named.
_LOST, _PRICED_OUT, _REFUSED = (
    frozenset(map(int, categories)) for categories in (LOST, PRICED_OUT, REFUSED)
)
_SETTLED, _DOWNSTREAM = int(Category.SETTLED), int(Category.DOWNSTREAM)
_PLACES = tuple(Sums.__dataclass_fields__)
_EXPECTED, _REFUSALS, _EARNED, _OFFERED = map(
    _PLACES.index, ("expected_msat", "refused", "earned_msat", "offered_msat")
)


class Priced(NamedTuple):
    """A cell with the peer its channel belongs to and what it would have earned."""

    cell: Cell
    peer: int
    expected_msat: int


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
        if cell.category in _LOST:
            rate = rates.get(peer, default)
            expected = rate.of_amount(cell.demand_msat - cell.recovered_msat)
        priced.append(Priced(cell, peer, expected))
    return priced


class Figures(NamedTuple):
    """What some cells add up to: `values` in the order of Sums' fields, and `unpriced`: category ->
    (what it would have earned, had it settled at `rate`, refusals), of all that were refused."""

    values: tuple[int, ...]
    unpriced: Mapping[int, tuple[int, int]]
    rate: Rate = ALWAYS

    def priced(self, rate: Rate) -> "Figures":
        """The same at a settle rate, of figures in which all that was lost would have settled."""
        expected = sum([rate.of_amount(net) for net, _ in self.unpriced.values()])
        before, after = self.values[:_EXPECTED], self.values[_EXPECTED + 1 :]
        return Figures((*before, expected, *after), self.unpriced, rate)

    @property
    def refusals(self) -> Mapping[int, tuple[int, int]]:
        """Category of what was refused -> (what it would have earned, refusals)."""
        rate = self.rate
        return {c: (rate.of_amount(worth), n) for c, (worth, n) in self.unpriced.items()}

    @property
    def refused(self) -> int:
        """How many HTLCs we refused for whatever reason."""
        return self.values[_REFUSALS]

    @property
    def earned_msat(self) -> int:
        """On forwards that settled."""
        return self.values[_EARNED]

    @property
    def offered_msat(self) -> int:
        """By payments that were priced out."""
        return self.values[_OFFERED]

    @property
    def sums(self) -> Sums:
        """The values by their names."""
        return Sums(*self.values)

    @property
    def why(self) -> Category | None:
        """The lost category with the most expected, then the most refusals; where none was lost
        the one with the most refusals, None without any."""
        occurred = [
            (c in _LOST, expected, n, -c) for c, (expected, n) in self.refusals.items() if n
        ]
        return Category(-max(occurred)[3]) if occurred else None


NOTHING = Figures((0,) * len(_PLACES), {})


def figures(cells: Iterable[tuple[int, Sequence[int], int]]) -> Figures:
    """What cells add up to, each into the sums that its category's group counts in.

    Args: cells: (category, the seven sums of a Cell in order, what it would have earned).
    """
    settled = refused = lost = downstream = fee_unknown = asked = demand = recovered = expected = 0
    offered = earned = claims = repeats = 0
    by_category: dict[int, tuple[int, int]] = {}
    for category, (n, unknown, fee, wanted, back, paid, again), worth in cells:
        if category in _LOST:
            refused += n
            lost += n
            fee_unknown += unknown
            asked += fee
            demand += wanted
            recovered += back
            claims += paid
            repeats += again
            expected += worth
            before = by_category.get(category, (0, 0))
            by_category[category] = before[0] + worth, before[1] + n
        elif category == _SETTLED:
            settled += n
            earned += fee
        elif category == _DOWNSTREAM:
            downstream += n
        elif category in _REFUSED:
            refused += n
            by_category[category] = 0, by_category.get(category, (0, 0))[1] + n
            if category in _PRICED_OUT:
                offered += wanted
    values = (
        settled, refused, lost, downstream, fee_unknown, asked, demand, recovered, expected,
        offered, earned, claims, repeats,
    )  # fmt: skip
    return Figures(values, by_category)


def together(parts: Sequence[Figures]) -> Figures:
    """The figures of several parts as one."""
    if len(parts) == 1:
        return parts[0]
    values = NOTHING.values
    expected, refused = defaultdict[int, int](int), defaultdict[int, int](int)
    for part, unpriced, rate in parts:
        values = tuple(map(add, values, part))
        for category, (worth, n) in unpriced.items():
            expected[category] += rate.of_amount(worth)
            refused[category] += n
    found = {category: (expected[category], n) for category, n in refused.items()}
    return Figures(values, found)


def whole(parts: Iterable[Figures], sums: Mapping[int, Sequence[int]]) -> Figures:
    """The same of all parts that `sums` (category -> the seven sums of a Cell) is of."""
    expected = defaultdict[int, int](int)
    for _, unpriced, rate in parts:
        for category, (worth, _) in unpriced.items():
            expected[category] += rate.of_amount(worth)
    return figures((category, cell, expected[category]) for category, cell in sums.items())


def figures_of(priced: Iterable[Priced]) -> Figures:
    """What priced cells add up to."""
    return figures([(cell.category, cell[3:], expected) for cell, _, expected in priced])


def apart(priced: Iterable[Priced], of: Callable[[Priced], Group]) -> dict[Group, list[Priced]]:
    """Priced cells by what each belongs to."""
    groups: dict[Group, list[Priced]] = defaultdict(list)
    for item in priced:
        groups[of(item)].append(item)
    return groups


def grouped(priced: Iterable[Priced], of: Callable[[Priced], Group]) -> dict[Group, Figures]:
    """What priced cells add up to, by what each belongs to."""
    return {group: figures_of(items) for group, items in apart(priced, of).items()}


def figures_apart(sums: Iterable[PairSum]) -> dict[tuple[int, ...], Figures]:
    """What sums by pair, peer or channel add up to, by what they are of."""
    found: dict[tuple[int, ...], list[tuple[int, Sequence[int], int]]] = defaultdict(list)
    for of, category, parts, expected in sums:
        found[of].append((category, parts, expected))
    return {of: figures(cells) for of, cells in found.items()}


def add_up(priced: Iterable[Priced]) -> Sums:
    """The sums of some cells."""
    return figures_of(priced).sums


def category_rows(priced: Iterable[Priced]) -> tuple[CategoryRow, ...]:
    """One row for each reason that occurred, the most expected first."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0] * 7)
    expected: dict[int, int] = defaultdict(int)
    for item in priced:
        category = item.cell.category
        sums[category] = [a + b for a, b in zip(sums[category], item.cell[3:], strict=True)]
        expected[category] += item.expected_msat
    return reasons(sums, expected)


def reasons(
    sums: Mapping[int, Sequence[int]], expected: Mapping[int, int]
) -> tuple[CategoryRow, ...]:
    """The same from category -> the seven sums of a Cell in order, and what it would have
    earned."""
    rows = []
    for category, (n, unknown, *_) in ((Category(c), s) for c, s in sums.items()):
        if category is Category.SETTLED or not n:
            continue
        worth = expected.get(category, 0)
        total = figures([(category, sums[category], worth)]).sums
        rows.append(
            CategoryRow(
                category=category,
                count=n,
                fee_unknown=unknown,
                asked_msat=total.asked_msat,
                demand_msat=total.demand_msat,
                net_demand_msat=total.net_demand_msat,
                expected_msat=total.expected_msat,
                offered_msat=total.offered_msat,
            )
        )
    return tuple(
        sorted(
            rows,
            key=lambda r: (r.category.group, -r.expected_msat, -r.offered_msat, -r.count),
        )
    )


def over_sources(priced: Iterable[Priced]) -> list[Priced]:
    """Cells by incoming peer as cells of a channel and category."""
    found: dict[tuple[int, int, int], list[int]] = {}
    for cell, peer, expected in priced:
        key = cell.channel, cell.category, peer
        known = found.get(key)
        sums = [*cell[3:], expected]
        found[key] = sums if known is None else [a + b for a, b in zip(known, sums, strict=True)]
    return [
        Priced(Cell(channel, 0, category, *sums), peer, expected)
        for (channel, category, peer), (*sums, expected) in found.items()
    ]
