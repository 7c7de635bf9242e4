"""The node's own view: coverage and gaps, stream, store, what is pending, what cannot be told."""

from htlctop.analysis.details import NodeDetail
from htlctop.analysis.drilldown import pending
from htlctop.analysis.moment import Moment
from htlctop.analysis.query import Query
from htlctop.domain.versions import parse, shortcomings


def node(moment: Moment, query: Query) -> NodeDetail:
    """The node, its collector and its store."""
    window = moment.window(query)
    channels = moment.book.all_open
    balances = [moment.book.balance_of(c.id) for c in channels]
    version = parse(moment.node.version)
    return NodeDetail(
        node=moment.node,
        status=moment.status,
        window=window,
        rows=moment.reader.count_rows(),
        oldest_ns=moment.first_event_ns,
        wal_bytes=moment.reader.wal_bytes(),
        block_height=moment.block_height,
        channels_open=len(channels),
        channels_active=sum(1 for c in channels if c.is_active),
        capacity_sat=sum(capacity for _, capacity in balances),
        local_sat=sum(local for local, _ in balances),
        pending=pending(moment),
        gaps=window.gaps,
        cannot_tell=shortcomings(version) if version else (),
    )
