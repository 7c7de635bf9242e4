"""The node over a window: totals, reasons, the rows of a ranked table, the chart; its flows."""

from dataclasses import replace

from htlctop.analysis.filters import parse
from htlctop.analysis.models import Overview, Sums, Totals, Window
from htlctop.analysis.moment import Moment, end_ns
from htlctop.analysis.pairs import matrix
from htlctop.analysis.query import By, Query, SortKey
from htlctop.analysis.ranking import ranked
from htlctop.analysis.series import series
from htlctop.analysis.sums import reasons, whole
from htlctop.domain.codes import Category


def overview(moment: Moment, query: Query) -> Overview:
    """The node over the window. Raises UsageError for the query's filter."""
    filtered = parse(query.filter)
    window = moment.window(query)
    kept = moment.kept_cells(window)
    every = whole(moment.figures(window).values(), kept.categories)
    own = totals(moment, window, every.sums)
    chart, status, first_ns = series(moment, window), moment.status, moment.first_event_ns
    # Last, because pairs take long to add up, and what is read of the store is read in a moment.
    found = ranked(moment, window, query, filtered)
    return Overview(
        node=moment.node,
        status=status,
        window=window,
        totals=own,
        categories=reasons(kept.categories, {c: worth for c, (worth, _) in every.refusals.items()}),
        rows=found.rows,
        count=found.count,
        unfiltered=found.unfiltered,
        series=chart,
        offline=moment.book.offline,
        dry=moment.book.dry,
        sends=kept.count(Category.SEND),
        receives=kept.count(Category.RECEIVE),
        first_event_ns=first_ns,
    )


def flows(moment: Moment, query: Query) -> Overview:
    """The same with its pairs by net demand, and their matrix."""
    query = replace(query, by=By.PAIR, sort=SortKey.DEMAND, reverse=False)
    view = overview(moment, query)
    return replace(view, matrix=matrix(moment, view.window, query, parse(query.filter)))


def totals(moment: Moment, window: Window, sums: Sums) -> Totals:
    """The node's line, of what all rows add up to."""
    break_ns = moment.break_ns(window.until_ns)
    in_flight, unseen, _ = moment.reader.unresolved(window.from_ns, end_ns(window), break_ns)
    forwards = sums.settled + sums.refused + sums.downstream + in_flight + unseen
    return Totals(forwards, unseen, in_flight, sums)
