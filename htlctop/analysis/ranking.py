"""The rows of a ranked table: grouped and chosen by the filter, and sorted as a query asks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from htlctop.analysis.filters import Filter, NameTerm, Side
from htlctop.analysis.models import Row, Window
from htlctop.analysis.moment import Moment
from htlctop.analysis.order import Ranked, in_order
from htlctop.analysis.pairs import by_pair, by_source, picked
from htlctop.analysis.query import By, Query
from htlctop.analysis.sums import NOTHING, Figures, together

_OF_ROWS = (Side.ANY, Side.OUT, Side.CHANNEL, Side.PEER)


def ranked(moment: Moment, window: Window, query: Query, filtered: Filter) -> Ranked:
    """The rows that the filter lets through."""
    match query.by:
        case By.PAIR:
            return by_pair(moment, window, query, filtered)
        case By.SOURCE:
            return by_source(moment, window, query, filtered)
        case By.CHANNEL:
            return _channels(moment, window, query, filtered)
    return _peers(moment, window, query, filtered)


def _peers(moment: Moment, window: Window, query: Query, filtered: Filter) -> Ranked:
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

    rows = in_order(found, query, figures, make, book.peer_place, book.balance_of_peer)
    return Ranked(rows, len(rows), len(shown))


def _channels(moment: Moment, window: Window, query: Query, filtered: Filter) -> Ranked:
    book, naming = moment.book, moment.naming
    figures = _figures(moment, window, query, filtered)
    shown = book.open_channel_ids | figures.keys()
    found = _chosen(filtered, naming.channel_fits, figures, shown)

    def make(channel: int) -> Row:
        return book.channel_row(channel, figures.get(channel, NOTHING))

    rows = in_order(found, query, figures, make, book.channel_place, book.balance_of)
    return Ranked(rows, len(rows), len(shown))


def _figures(
    moment: Moment, window: Window, query: Query, filtered: Filter
) -> Mapping[int, Figures]:
    """What each channel adds up to, of what the filter counts in it."""
    if not filtered.of(Side.IN):
        return moment.figures(window, filtered.categories)
    return moment.picked_figures(window, picked(moment, filtered, query.by))


def _chosen(
    filtered: Filter, fits: Callable[[NameTerm, int], bool], figures: Iterable[int],
    shown: Iterable[int],
) -> list[int]:  # fmt: skip
    """Of the peers or channels shown those that fit; only those with figures where the filter
    leaves out part of what they add up to."""
    every = figures if filtered.restricts_cells else shown
    terms = filtered.of(*_OF_ROWS)
    if not terms:
        return list(every)
    return [id_ for id_ in every if all(fits(term, id_) != term.negated for term in terms)]
