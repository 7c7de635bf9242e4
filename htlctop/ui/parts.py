"""What can be read by itself: how often, in answer to which question, and how it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from htlctop.analysis.advice.models import Advice, Curve, Explanation
from htlctop.analysis.details import (
    ChannelDetail,
    History,
    HtlcDetail,
    NodeDetail,
    PairDetail,
    PeerDetail,
)
from htlctop.analysis.models import LogPage, Overview
from htlctop.analysis.ports import Analyst
from htlctop.analysis.query import By, LogQuery, Query, SortKey
from htlctop.analysis.status import StatusView
from htlctop.ui.subject import Of, Subject

LIVE_EVERY_S = 0.5
TABLES_EVERY_S = 2.0
COSTLY_EVERY_S = 10.0
MOST_PAIRS = 500
"""Pairs in a table, of the hundred thousand that a large node may have; a filter finds the rest."""

Value = (
    StatusView
    | Overview
    | PeerDetail
    | ChannelDetail
    | PairDetail
    | HtlcDetail
    | NodeDetail
    | History
    | Advice
    | Curve
    | Explanation
    | LogPage
    | None
)


class Part(Enum):
    """What can be read, and can fail, by itself, the most urgent first. STORE is the store as a
    whole; PAGE an older stretch of the log; CHANNELS and FLOWS the overview with a row for each
    channel or pair, whatever the tables are grouped by."""

    STORE = "store"
    LOG = "log"
    STATUS = "status"
    PAGE = "page"
    OVERVIEW = "overview"
    FLOWS = "flows"
    CHANNELS = "channels"
    PEER = "peer"
    CHANNEL = "channel"
    PAIR = "pair"
    HTLC = "htlc"
    NODE = "node"
    HISTORY = "history"
    ADVICE = "advice"
    CURVE = "curve"
    EXPLAIN = "explain"

    @property
    def every_s(self) -> float:
        """How long a changed part may be old at most while nobody asks."""
        if self in (Part.LOG, Part.STATUS):
            return LIVE_EVERY_S
        return COSTLY_EVERY_S if self.is_costly else TABLES_EVERY_S

    @property
    def is_costly(self) -> bool:
        """Whether it is read alone, when nothing else is due."""
        return self in _COSTLY


_COSTLY = frozenset({Part.NODE, Part.HISTORY, Part.ADVICE, Part.CURVE, Part.EXPLAIN})

Key = tuple[Part, Subject | None]
"""Where a part is kept: one value for each part and what it is about."""


@dataclass(frozen=True, slots=True)
class Need:
    """A part that a page shows. `about`: whose, None for the node's.

    `lines` and `before_seq` are for LOG and PAGE: how many HTLCs, and older than which.
    """

    part: Part
    about: Subject | None = None
    lines: int = 0
    before_seq: int | None = None

    @property
    def key(self) -> Key:
        """Where it is kept."""
        return self.part, self.about

    def question(self, query: Query) -> tuple["Need", Query]:
        """What it answers: two equal ones have the same answer while the store is the same."""
        return self, _RELEVANT.get(self.part, _in_time)(query)


def _nothing(query: Query) -> Query:
    return Query()


def _in_time(query: Query) -> Query:
    """Figures without a ranking: neither order nor filter matters."""
    return replace(query, sort=SortKey.MISSED, reverse=False, by=By.PEER, filter="")


def _of_log(query: Query) -> Query:
    return Query(until_ns=query.until_ns, filter=query.filter)


def _pairs(query: Query) -> Query:
    return replace(_shown(query), sort=SortKey.DEMAND, reverse=False, by=By.PAIR)


def _by_channel(query: Query) -> Query:
    return replace(query, by=By.CHANNEL)


def _shown(query: Query) -> Query:
    return replace(query, most=MOST_PAIRS)


_RELEVANT: Mapping[Part, Callable[[Query], Query]] = {
    Part.STATUS: _nothing,
    Part.HTLC: _nothing,
    Part.LOG: _of_log,
    Part.PAGE: _of_log,
    Part.OVERVIEW: _shown,
    Part.FLOWS: _pairs,
    Part.CHANNELS: _by_channel,
}


def read(analyst: Analyst, need: Need, query: Query) -> Value:
    """Have the analyst read it."""
    return _READ[need.part](analyst, need, query)


def _log(analyst: Analyst, need: Need, query: Query) -> Value:
    """The node's log goes by the filter; that of one thing is all there is of it."""
    about = need.about
    asked = LogQuery(
        limit=need.lines,
        before_seq=need.before_seq,
        until_ns=query.until_ns,
        filter="" if about else query.filter,
    )
    if about and about.of is Of.PEER:
        asked = replace(asked, peer=about.ids[0])
    elif about and about.of is Of.CHANNEL:
        asked = replace(asked, channel=about.ids[0])
    elif about and about.of is Of.PAIR:
        asked = replace(asked, pair=(about.ids[0], about.ids[1]))
    return analyst.log(asked)


def _explanation(analyst: Analyst, need: Need, query: Query) -> Value:
    about = need.about
    if about is None:
        return analyst.explain(query)
    if about.of is Of.HTLC:
        return analyst.explain_htlc(about.ids[0])
    if about.of is Of.CHANNEL:
        return analyst.explain(query, channel=about.ids[0])
    if about.of is Of.PAIR:
        return analyst.explain(query, peer=about.ids[1], source=about.ids[0])
    return analyst.explain(query, peer=about.ids[0])


def _ids(need: Need) -> tuple[int, ...]:
    assert need.about is not None
    return need.about.ids


_READ: Mapping[Part, Callable[[Analyst, Need, Query], Value]] = {
    Part.LOG: _log,
    Part.PAGE: _log,
    Part.STATUS: lambda analyst, need, query: analyst.status(),
    Part.OVERVIEW: lambda analyst, need, query: analyst.overview(_shown(query)),
    Part.FLOWS: lambda analyst, need, query: analyst.flows(_shown(query)),
    Part.CHANNELS: lambda analyst, need, query: analyst.overview(_by_channel(query)),
    Part.PEER: lambda analyst, need, query: analyst.peer(_ids(need)[0], query),
    Part.CHANNEL: lambda analyst, need, query: analyst.channel(_ids(need)[0], query),
    Part.PAIR: lambda analyst, need, query: analyst.pair(_ids(need)[0], _ids(need)[1], query),
    Part.HTLC: lambda analyst, need, query: analyst.htlc(_ids(need)[0]),
    Part.NODE: lambda analyst, need, query: analyst.node(query),
    Part.HISTORY: lambda analyst, need, query: analyst.history(query),
    Part.ADVICE: lambda analyst, need, query: analyst.advice(query),
    Part.CURVE: lambda analyst, need, query: analyst.curve(_ids(need)[0], query),
    Part.EXPLAIN: _explanation,
}
