"""Pairs and incoming peers as rows: who wanted to reach whom, from the sums by pair.

A large node has a hundred thousand pairs: they are ranked and picked where their sums are kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from htlctop.analysis.filters import Filter, Side
from htlctop.analysis.models import UNKNOWN_PEER, End, Matrix, PairRow, SourceRow, Window
from htlctop.analysis.moment import Moment
from htlctop.analysis.order import MEASURES, VALUES, Ranked, in_order
from htlctop.analysis.query import By, Query, SortKey
from htlctop.analysis.rows import Rows
from htlctop.analysis.sums import Figures, Priced, figures_apart, grouped
from htlctop.domain.readers import PairSums
from htlctop.domain.records import Ends, Measure, Pair, PairPick, Way, Worth

MOST_SOURCES, MOST_TARGETS = 50, 25
"""Rows and columns of the matrix: nobody scrolls through thousands, a filter brings them up."""
_IN, _OUT, _EITHER = (True, False), (False, True), (True, True)
_SIDES: dict[By, dict[Side, tuple[bool, bool]]] = {
    By.PEER: {Side.IN: _IN},
    By.CHANNEL: {Side.IN: _IN},
    By.PAIR: {
        Side.IN: _IN, Side.OUT: _OUT, Side.ANY: _EITHER, Side.CHANNEL: _EITHER, Side.PEER: _EITHER,
    },
    By.SOURCE: {
        Side.IN: _IN, Side.OUT: _OUT, Side.ANY: _IN, Side.CHANNEL: _IN, Side.PEER: _IN,
    },
}  # fmt: skip
"""Which end of a pair a term is about, by what a row is: (incoming, outgoing)."""


def by_pair(moment: Moment, window: Window, query: Query, filtered: Filter) -> Ranked:
    """Each pair a row, at most as many as the query asks for."""
    pairs, worth, place = moment.kept_pairs(window), moment.worth(window), _place_in(moment)
    pick = picked(moment, filtered, By.PAIR)
    if order := MEASURES.get(query.sort):
        found = pairs.ranked(order, pick, worth, most=query.most, reverse=query.reverse)
    else:  # names are not known where the pairs lie, and a pair has no balance
        turned = query.reverse and query.sort is SortKey.NAME
        found = sorted(pairs.ranked((), pick, worth), key=place, reverse=turned)[: query.most]
    count = pairs.count(Way.PAIR, pick)
    some = pick if len(found) == count else replace(pick, pairs=found)
    rows = _rows(moment, query, found, _figures(pairs, some, worth))
    return Ranked(rows, count, pairs.count(Way.PAIR, PairPick()) if query.filter else count)


def matrix(moment: Moment, window: Window, query: Query, filtered: Filter) -> Matrix:
    """What is between the peers with the most net demand, of the pairs that a query means."""
    pairs, pick = moment.kept_pairs(window), picked(moment, filtered, By.PAIR)
    sources, targets = pairs.nets(Way.SOURCE, pick), pairs.nets(Way.TARGET, pick)
    rows, columns = sources[:MOST_SOURCES], targets[:MOST_TARGETS]
    ins, outs = (frozenset(peer for peer, _ in ends) for ends in (rows, columns))
    among = (Ends(ins, frozenset()), Ends(frozenset(), outs))
    pick = replace(pick, ends=(*pick.ends, *among))
    between = _figures(pairs, pick, moment.worth(window))
    return Matrix(
        sources=_ends(moment, rows),
        targets=_ends(moment, columns),
        source_count=len(sources),
        target_count=len(targets),
        net_msat=sum(net for _, net in targets),
        between=_rows(moment, query, between, between),
    )


def _ends(moment: Moment, nets: Sequence[tuple[int, int]]) -> tuple[End, ...]:
    book = moment.book
    return tuple(End(peer, book.pubkey_of(peer), book.alias_of(peer), net) for peer, net in nets)


def by_source(moment: Moment, window: Window, query: Query, filtered: Filter) -> Ranked:
    """Each incoming peer a row."""
    book, pairs, worth = moment.book, moment.kept_pairs(window), moment.worth(window)
    found = figures_apart(pairs.sums(Way.SOURCE, picked(moment, filtered, By.SOURCE), worth))
    figures = {peer: of for (peer,), of in found.items()}

    def make(peer: int) -> SourceRow:
        of = figures[peer]
        return SourceRow(peer, book.pubkey_of(peer), book.alias_of(peer), of.sums, of.why)

    rows = in_order(figures, query, figures, make, book.peer_place)
    every = pairs.count(Way.SOURCE, PairPick()) if query.filter else len(rows)
    return Ranked(rows, len(rows), every)


def picked(moment: Moment, filtered: Filter, by: By) -> PairPick:
    """What the filter counts of the sums by pair. Where a row is a pair or an incoming peer, also
    which rows: what names one end of a pair there, means it."""
    sides = _SIDES[by]
    peers, fits = (*moment.book.peer_ids(), UNKNOWN_PEER), moment.naming.peer_fits
    ends = []
    for term in filtered.names:
        into, out = sides.get(term.side, (False, False))
        if into or out:
            found = frozenset(peer for peer in peers if fits(term, peer))
            nobody = frozenset[int]()
            ends.append(Ends(found if into else nobody, found if out else nobody, term.negated))
    return PairPick(tuple(ends), filtered.categories)


def every_pair(moment: Moment, window: Window) -> Rows[PairRow]:
    """Who wanted to reach whom, the largest net demand first, then the most refusals."""
    pairs, worth = moment.kept_pairs(window), moment.worth(window)
    return _by_demand(moment, _figures(pairs, PairPick(), worth))


def pair_rows(moment: Moment, priced: Iterable[Priced]) -> tuple[PairRow, ...]:
    """The same of some cells."""
    figures = grouped(priced, lambda item: (item.cell.in_peer, item.peer))
    return tuple(_by_demand(moment, figures))


def _by_demand(moment: Moment, figures: Mapping[Pair, Figures]) -> Rows[PairRow]:
    net, refused = VALUES[Measure.NET], VALUES[Measure.REFUSED]

    def rank(pair: Pair) -> tuple[int, int, Pair]:
        values = figures[pair].values
        return -net(values), -refused(values), pair

    ranked = sorted(figures, key=rank)
    return Rows(ranked, lambda at: _row(moment, ranked[at], figures[ranked[at]]))


def _figures(pairs: PairSums, pick: PairPick, worth: Worth) -> dict[Pair, Figures]:
    found = figures_apart(pairs.sums(Way.PAIR, pick, worth))
    return {(source, target): figures for (source, target), figures in found.items()}


def _rows(
    moment: Moment, query: Query, pairs: Iterable[Pair], figures: Mapping[Pair, Figures]
) -> Rows[PairRow]:
    return in_order(
        pairs, query, figures, lambda pair: _row(moment, pair, figures[pair]), _place_in(moment)
    )


def _place_in(moment: Moment) -> Callable[[Pair], int]:
    """Where a pair stands by its names."""
    place = moment.book.peer_place
    return lambda pair: place(pair[1]) << 32 | place(pair[0])


def _row(moment: Moment, pair: Pair, figures: Figures) -> PairRow:
    book, (source, target) = moment.book, pair
    return PairRow(
        source, book.pubkey_of(source), book.alias_of(source),
        target, book.pubkey_of(target), book.alias_of(target),
        figures.sums,
    )  # fmt: skip
