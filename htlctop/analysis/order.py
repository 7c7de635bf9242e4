"""The order of a ranked table's rows: on ids and plain numbers; they are made where looked at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from htlctop.analysis.models import Row, Sums
from htlctop.analysis.query import Query, SortKey
from htlctop.analysis.rows import RowId, Rows
from htlctop.analysis.sums import NOTHING, Figures
from htlctop.domain.records import Measure

Id = TypeVar("Id", bound=RowId)
R = TypeVar("R", bound=Row)

_EXPECTED, _DEMAND, _RECOVERED, _LOST, _REFUSED, _ASKED, _EARNED, _SETTLED = map(
    tuple(Sums.__dataclass_fields__).index,
    (
        "expected_msat", "demand_msat", "recovered_msat", "lost", "refused", "asked_msat",
        "earned_msat", "settled",
    ),
)  # fmt: skip
VALUES: dict[Measure, Callable[[Sequence[int]], int]] = {
    Measure.EXPECTED: lambda v: v[_EXPECTED],
    Measure.NET: lambda v: v[_DEMAND] - v[_RECOVERED],
    Measure.LOST: lambda v: v[_LOST],
    Measure.REFUSED: lambda v: v[_REFUSED],
    Measure.ASKED: lambda v: v[_ASKED],
    Measure.EARNED: lambda v: v[_EARNED],
    Measure.SETTLED: lambda v: v[_SETTLED],
}
"""The measure of what cells add up to."""
MEASURES: dict[SortKey, tuple[Measure, ...]] = {
    SortKey.MISSED: (Measure.EXPECTED, Measure.NET, Measure.LOST),
    SortKey.DEMAND: (Measure.NET, Measure.LOST),
    SortKey.REFUSED: (Measure.REFUSED,),
    SortKey.ASKED: (Measure.ASKED,),
    SortKey.EARNED: (Measure.EARNED,),
    SortKey.SETTLED: (Measure.SETTLED,),
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows in order, the first of `count` that the filter lets through, and how many there are
    without it."""

    rows: Rows[Row]
    count: int
    unfiltered: int


def in_order(
    ids: Iterable[Id],
    query: Query,
    figures: Mapping[Id, Figures],
    make: Callable[[Id], R],
    place: Callable[[Id], int],
    balance: Callable[[Id], tuple[int, int]] | None = None,
) -> Rows[R]:
    """As the query ranks them, largest first (names: a to z); ties by name.

    `make` gives the row of an id; `place` is where it stands by name; `balance` what a channel or
    peer holds, and of how much.
    """
    by_name = sorted(ids, key=place)
    ranked, worth = by_name, list[int]()
    if query.sort is SortKey.NAME:
        ranked = by_name[::-1] if query.reverse else by_name
    elif query.sort is SortKey.LOCAL:
        ranked = sorted(by_name, key=_share_of(balance), reverse=not query.reverse)
    else:
        of = [VALUES[measure] for measure in MEASURES[query.sort]]
        weights = {}
        for i in by_name:
            values = figures.get(i, NOTHING).values
            weights[i] = [value(values) for value in of]
        ranked = sorted(by_name, key=weights.__getitem__, reverse=not query.reverse)
        worth = [weights[i][0] for i in ranked]
    return Rows(ranked, lambda at: make(ranked[at]), worth)


def _share_of(balance: Callable[[Id], tuple[int, int]] | None) -> Callable[[Id], float]:
    """The part of a capacity that is ours, less than nothing where there is none."""

    def share(of: Id) -> float:
        local_sat, capacity_sat = balance(of) if balance else (0, 0)
        return local_sat / capacity_sat if capacity_sat else -1.0

    return share
