"""The rows of a ranked table: grouped, chosen by the filter, and sorted as a query asks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from htlctop.analysis.filters import Filter, NameTerm, Side
from htlctop.analysis.models import (
    UNKNOWN_PEER,
    By,
    ChannelRow,
    PairRow,
    PeerRow,
    Query,
    Row,
    SortKey,
    SourceRow,
    Window,
)
from htlctop.analysis.moment import Moment
from htlctop.analysis.naming import Naming
from htlctop.analysis.sums import Priced, add_up, figures_of

R = TypeVar("R", bound=Row)

_SORTS: dict[SortKey, Callable[[Row], tuple[float, ...]]] = {
    SortKey.MISSED: lambda r: (r.sums.expected_msat, r.sums.net_demand_msat, r.sums.lost),
    SortKey.DEMAND: lambda r: (r.sums.net_demand_msat, r.sums.lost),
    SortKey.REFUSED: lambda r: (r.sums.refused,),
    SortKey.ASKED: lambda r: (r.sums.asked_msat,),
    SortKey.EARNED: lambda r: (r.sums.earned_msat,),
    SortKey.SETTLED: lambda r: (r.sums.settled,),
    SortKey.LOCAL: lambda r: (_local_share(r),),
}
_OF_ROWS = (Side.ANY, Side.OUT, Side.CHANNEL, Side.PEER)


def ranked(
    moment: Moment, window: Window, query: Query, filtered: Filter
) -> tuple[tuple[Row, ...], int]:
    """The rows that the filter lets through, ranked, and how many there are without it."""
    naming = moment.naming
    if query.by is By.PAIR or query.by is By.SOURCE:
        return _by_source(moment, window, query, filtered)
    if filtered.of(Side.IN):
        items: dict[int, list[Priced]] = defaultdict(list)
        for item in moment.priced_pairs(window):
            if _counts(item, filtered, naming, query.by):
                items[moment.book.main_of(item.cell.channel)].append(item)
        figures = {channel: figures_of(found) for channel, found in items.items()}
    else:
        figures = moment.figures(window, filtered.categories)
    peers = moment.book.rows_of(figures, *moment.rates(window))
    rows: Sequence[Row]
    if query.by is By.CHANNEL:
        channels = [channel for peer in peers for channel in peer.channels]
        rows = [
            row
            for row in channels
            if _fits(filtered, naming.channel_fits, row.channel)
            and (row.channel in figures or not filtered.restricts_cells)
        ]
        return _sorted(rows, query), len(channels)
    rows = [
        row
        for row in peers
        if _fits(filtered, naming.peer_fits, row.peer)
        and (not filtered.restricts_cells or any(c.channel in figures for c in row.channels))
    ]
    return _sorted(rows, query), len(peers)


def _by_source(
    moment: Moment, window: Window, query: Query, filtered: Filter
) -> tuple[tuple[Row, ...], int]:
    naming = moment.naming
    cells = moment.priced_pairs(window)
    counted = [item for item in cells if _counts(item, filtered, naming, query.by)]
    rows: Sequence[Row]
    if query.by is By.PAIR:
        every = {(item.cell.in_peer, item.peer) for item in cells}
        rows = [row for row in pair_rows(moment, counted) if _pair_fits(row, filtered, naming)]
        return _sorted(rows, query), len(every)
    sources = source_rows(moment, counted)
    rows = [row for row in sources if _fits(filtered, naming.peer_fits, row.peer, Side.OUT)]
    return _sorted(rows, query), len({item.cell.in_peer for item in cells})


def pair_rows(moment: Moment, priced: Iterable[Priced]) -> list[PairRow]:
    """Who wanted to reach whom, in no order."""
    book = moment.book
    pairs: dict[tuple[int, int], list[Priced]] = defaultdict(list)
    for item in priced:
        pairs[item.cell.in_peer, item.peer].append(item)
    return [
        PairRow(
            source, book.pubkey_of(source), book.alias_of(source),
            target, book.pubkey_of(target), book.alias_of(target),
            add_up(items),
        )
        for (source, target), items in pairs.items()
    ]  # fmt: skip


def source_rows(moment: Moment, priced: Iterable[Priced]) -> list[SourceRow]:
    """Whom HTLCs came in from, in no order."""
    book = moment.book
    sources: dict[int, list[Priced]] = defaultdict(list)
    for item in priced:
        sources[item.cell.in_peer].append(item)
    found = {peer: figures_of(items) for peer, items in sources.items()}
    return [
        SourceRow(peer, book.pubkey_of(peer), book.alias_of(peer), figures.sums, figures.why)
        for peer, figures in found.items()
    ]


def by_demand(rows: Iterable[PairRow]) -> tuple[PairRow, ...]:
    """Pairs, the largest net demand first, then the most refusals."""
    return tuple(
        sorted(
            rows,
            key=lambda r: (-r.sums.net_demand_msat, -r.sums.refused, r.in_peer, r.out_peer),
        )
    )


def _counts(item: Priced, filtered: Filter, naming: Naming, by: By) -> bool:
    """Whether a cell counts in the sums: its category, and whom it comes from (and, where the
    rows are sources, goes to)."""
    if filtered.categories is not None and item.cell.category not in filtered.categories:
        return False
    fits = naming.peer_fits
    sources = filtered.of(Side.IN)
    targets = filtered.of(Side.OUT) if by is By.SOURCE else ()
    return all(fits(term, item.cell.in_peer) != term.negated for term in sources) and all(
        fits(term, item.peer) != term.negated for term in targets
    )


def _fits(filtered: Filter, fits: Callable[[NameTerm, int], bool], id_: int, *but: Side) -> bool:
    if not filtered.names:
        return True
    terms = filtered.of(*(side for side in _OF_ROWS if side not in but))
    return all(fits(term, id_) != term.negated for term in terms)


def _pair_fits(row: PairRow, filtered: Filter, naming: Naming) -> bool:
    for term in filtered.of(*_OF_ROWS):
        fits = naming.peer_fits(term, row.out_peer)
        if term.side is not Side.OUT:
            fits = fits or naming.peer_fits(term, row.in_peer)
        if fits == term.negated:
            return False
    return True


def _sorted(rows: Sequence[R], query: Query) -> tuple[R, ...]:
    """As the query ranks them, largest first (names: a to z); ties by name, then id."""
    by_name = sorted(rows, key=_name_key)
    if query.sort is SortKey.NAME:
        return tuple(reversed(by_name)) if query.reverse else tuple(by_name)
    return tuple(sorted(by_name, key=_SORTS[query.sort], reverse=not query.reverse))


def _name_key(row: Row) -> tuple[bool, str, str, int, int]:
    match row:
        case PairRow():
            unknown = row.out_peer == UNKNOWN_PEER
            names = row.out_alias.casefold(), row.in_alias.casefold()
            return unknown, *names, row.out_peer, row.in_peer
        case ChannelRow():
            return row.peer == UNKNOWN_PEER, row.alias.casefold(), row.scid, row.channel, 0
    return row.peer == UNKNOWN_PEER, row.alias.casefold(), "", row.peer, 0


def _local_share(row: Row) -> float:
    if isinstance(row, PeerRow | ChannelRow) and row.capacity_sat:
        return (row.local_sat or 0) / row.capacity_sat
    return -1.0
