"""The rows of a ranked table: grouped, chosen by the filter, and sorted as a query asks.

All of it is done on ids and plain numbers; the rows themselves are made where they are looked at.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from htlctop.analysis.filters import Filter, NameTerm, Side
from htlctop.analysis.models import By, PairRow, Query, Row, SortKey, SourceRow, Sums, Window
from htlctop.analysis.moment import Moment
from htlctop.analysis.naming import Naming
from htlctop.analysis.rows import RowId, Rows
from htlctop.analysis.sums import NOTHING, Figures, Priced, grouped, together

Id = TypeVar("Id", bound=RowId)
Pair = tuple[int, int]

_EXPECTED, _DEMAND, _RECOVERED, _LOST, _REFUSED, _ASKED, _EARNED, _SETTLED = map(
    tuple(Sums.__dataclass_fields__).index,
    (
        "expected_msat", "demand_msat", "recovered_msat", "lost", "refused", "asked_msat",
        "earned_msat", "settled",
    ),
)  # fmt: skip
_WORTH: dict[SortKey, Callable[[Sequence[int]], tuple[int, ...]]] = {
    SortKey.MISSED: lambda v: (v[_EXPECTED], v[_DEMAND] - v[_RECOVERED], v[_LOST]),
    SortKey.DEMAND: lambda v: (v[_DEMAND] - v[_RECOVERED], v[_LOST]),
    SortKey.REFUSED: lambda v: (v[_REFUSED],),
    SortKey.ASKED: lambda v: (v[_ASKED],),
    SortKey.EARNED: lambda v: (v[_EARNED],),
    SortKey.SETTLED: lambda v: (v[_SETTLED],),
}
_OF_ROWS = (Side.ANY, Side.OUT, Side.CHANNEL, Side.PEER)


def ranked(moment: Moment, window: Window, query: Query, filtered: Filter) -> tuple[Rows[Row], int]:
    """The rows that the filter lets through, ranked, and how many there are without it."""
    match query.by:
        case By.PAIR:
            return _pairs(moment, window, query, filtered)
        case By.SOURCE:
            return _sources(moment, window, query, filtered)
        case By.CHANNEL:
            return _channels(moment, window, query, filtered)
    return _peers(moment, window, query, filtered)


def _peers(moment: Moment, window: Window, query: Query, filtered: Filter) -> tuple[Rows[Row], int]:
    book, naming = moment.book, moment.naming
    by_peer: dict[int, dict[int, Figures]] = defaultdict(dict)
    for channel, part in _figures(moment, window, query, filtered).items():
        by_peer[book.peer_of(channel)][channel] = part
    figures = {peer: together(list(parts.values())) for peer, parts in by_peer.items()}
    shown = book.open_peers | figures.keys()
    found = _chosen(filtered, naming.peer_fits, figures, shown)
    rates, default = moment.rates(window)

    def make(peer: int) -> Row:
        return book.peer_row(peer, by_peer.get(peer, {}), rates.get(peer, default))

    rows = _sorted(found, query, figures, make, book.peer_place, book.balance_of_peer)
    return rows, len(shown)


def _channels(
    moment: Moment, window: Window, query: Query, filtered: Filter
) -> tuple[Rows[Row], int]:
    book, naming = moment.book, moment.naming
    figures = _figures(moment, window, query, filtered)
    shown = book.open_channel_ids | figures.keys()
    found = _chosen(filtered, naming.channel_fits, figures, shown)

    def make(channel: int) -> Row:
        return book.channel_row(channel, figures.get(channel, NOTHING))

    rows = _sorted(found, query, figures, make, book.channel_place, book.balance_of)
    return rows, len(shown)


def _pairs(moment: Moment, window: Window, query: Query, filtered: Filter) -> tuple[Rows[Row], int]:
    book, naming = moment.book, moment.naming
    cells = moment.priced_pairs(window)
    figures = grouped(_counted(cells, filtered, naming, query.by), _pair_of)
    unfiltered = len({_pair_of(item) for item in cells}) if query.filter else len(figures)
    terms = filtered.of(*_OF_ROWS)
    found = [pair for pair in figures if not terms or _pair_fits(pair, terms, naming)]

    def make(pair: Pair) -> Row:
        return _pair_row(moment, pair, figures[pair])

    def place(pair: Pair) -> int:
        return book.peer_place(pair[1]) << 32 | book.peer_place(pair[0])

    return _sorted(found, query, figures, make, place), unfiltered


def _sources(
    moment: Moment, window: Window, query: Query, filtered: Filter
) -> tuple[Rows[Row], int]:
    book, naming = moment.book, moment.naming
    cells = moment.priced_pairs(window)
    figures = grouped(_counted(cells, filtered, naming, query.by), _source_of)
    unfiltered = len({_source_of(item) for item in cells}) if query.filter else len(figures)
    found = [peer for peer in figures if _fits(filtered, naming.peer_fits, peer, Side.OUT)]

    def make(peer: int) -> Row:
        of = figures[peer]
        return SourceRow(peer, book.pubkey_of(peer), book.alias_of(peer), of.sums, of.why)

    return _sorted(found, query, figures, make, book.peer_place), unfiltered


def pair_rows(moment: Moment, priced: Iterable[Priced]) -> tuple[PairRow, ...]:
    """Who wanted to reach whom, the largest net demand first, then the most refusals."""
    figures = grouped(priced, _pair_of)
    rows = [_pair_row(moment, pair, of) for pair, of in figures.items()]
    return tuple(sorted(rows, key=lambda r: (-r.sums.net_demand_msat, -r.sums.refused, r.id)))


def _pair_row(moment: Moment, pair: Pair, figures: Figures) -> PairRow:
    book, (source, target) = moment.book, pair
    return PairRow(
        source, book.pubkey_of(source), book.alias_of(source),
        target, book.pubkey_of(target), book.alias_of(target),
        figures.sums,
    )  # fmt: skip


def _figures(
    moment: Moment, window: Window, query: Query, filtered: Filter
) -> Mapping[int, Figures]:
    """What each channel adds up to, of what the filter counts in it."""
    if not filtered.of(Side.IN):
        return moment.figures(window, filtered.categories)
    cells = _counted(moment.priced_pairs(window), filtered, moment.naming, query.by)
    return grouped(cells, lambda item: moment.book.main_of(item.cell.channel))


def _pair_of(item: Priced) -> Pair:
    return item.cell.in_peer, item.peer


def _source_of(item: Priced) -> int:
    return item.cell.in_peer


def _counted(cells: Iterable[Priced], filtered: Filter, naming: Naming, by: By) -> Iterable[Priced]:
    """The cells that count in the sums: by category, and by whom they come from (and, where the
    rows are sources, go to)."""
    if not filtered.restricts_cells and by is not By.SOURCE:
        return cells
    fits = naming.peer_fits
    sources = filtered.of(Side.IN)
    targets = filtered.of(Side.OUT) if by is By.SOURCE else ()
    return (
        item
        for item in cells
        if (filtered.categories is None or item.cell.category in filtered.categories)
        and all(fits(term, item.cell.in_peer) != term.negated for term in sources)
        and all(fits(term, item.peer) != term.negated for term in targets)
    )


def _fits(filtered: Filter, fits: Callable[[NameTerm, int], bool], id_: int, *but: Side) -> bool:
    if not filtered.names:
        return True
    terms = filtered.of(*(side for side in _OF_ROWS if side not in but))
    return all(fits(term, id_) != term.negated for term in terms)


def _chosen(
    filtered: Filter, fits: Callable[[NameTerm, int], bool], figures: Iterable[int],
    shown: Iterable[int],
) -> list[int]:  # fmt: skip
    """Of the peers or channels shown those that fit; only those with figures where the filter
    leaves out part of what they add up to."""
    every = figures if filtered.restricts_cells else shown
    return [id_ for id_ in every if _fits(filtered, fits, id_)]


def _pair_fits(pair: Pair, terms: Sequence[NameTerm], naming: Naming) -> bool:
    in_peer, out_peer = pair
    for term in terms:
        fits = naming.peer_fits(term, out_peer)
        if term.side is not Side.OUT:
            fits = fits or naming.peer_fits(term, in_peer)
        if fits == term.negated:
            return False
    return True


def _sorted(
    ids: Iterable[Id],
    query: Query,
    figures: Mapping[Id, Figures],
    make: Callable[[Id], Row],
    place: Callable[[Id], int],
    balance: Callable[[Id], tuple[int, int]] | None = None,
) -> Rows[Row]:
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
        of = _WORTH[query.sort]
        weights = {i: of(figures.get(i, NOTHING).values) for i in by_name}
        ranked = sorted(by_name, key=weights.__getitem__, reverse=not query.reverse)
        worth = [weights[i][0] for i in ranked]
    return Rows(ranked, lambda at: make(ranked[at]), worth)


def _share_of(balance: Callable[[Id], tuple[int, int]] | None) -> Callable[[Id], float]:
    """The part of a capacity that is ours, less than nothing where there is none."""

    def share(of: Id) -> float:
        local_sat, capacity_sat = balance(of) if balance else (0, 0)
        return local_sat / capacity_sat if capacity_sat else -1.0

    return share
