"""What the screens show at one moment: the newest answers and what the user chose. Frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from htlctop.analysis.advice.models import Advice, Curve, Explanation
from htlctop.analysis.details import (
    ChannelDetail,
    History,
    HtlcDetail,
    NodeDetail,
    PairDetail,
    PeerDetail,
)
from htlctop.analysis.filters import nameless
from htlctop.analysis.models import LogPage, Overview, Window
from htlctop.analysis.query import Query
from htlctop.analysis.status import NodeView, StatusView
from htlctop.domain.types import Access
from htlctop.export.redaction import CONCEALED
from htlctop.ui.layout import Form
from htlctop.ui.parts import Key, Part, Value
from htlctop.ui.reader import Answer, Found
from htlctop.ui.subject import Subject

T = TypeVar("T")
Logged = TypeVar("Logged", PeerDetail, ChannelDetail, PairDetail)


@dataclass(frozen=True, slots=True)
class Board:
    """The newest of each part, kept while a later read fails.

    Attributes:
        title: what is looked at, before the node's name is known.
        query: what the user asked for; the answers tell what they are of.
        found: the parts as read, by what they are about.
        node, window: of the newest answer that tells them.
        failures: which part could not be read, and why.
        collector: why the collector of this process ended, "" while it is well.
        frozen: whether the tables hold still.
        is_masked: whether codes stand in the place of names.
        form: the Overview's arrangement chosen by hand; None goes by the terminal's size.
        attached: whether somebody else's collector is looked at.
        access: what the macaroon permits, while this process is connected with it.
        templates: the user's own wording of commands, see export.handoff.
    """

    title: str = ""
    query: Query = field(default_factory=Query)
    found: Mapping[Key, Found] = field(default_factory=dict)
    node: NodeView | None = None
    window: Window | None = None
    failures: Mapping[Key, str] = field(default_factory=dict)
    collector: str = ""
    frozen: bool = False
    is_masked: bool = False
    form: Form | None = None
    attached: bool = False
    access: Access | None = None
    templates: Mapping[str, str] = field(default_factory=dict)

    def answered(self, answer: Answer) -> "Board":
        """The board with what an answer brought."""
        failures = {key: why for key, why in self.failures.items() if key not in answer.tried}
        node, window = self.node, self.window
        for part in answer.found:
            if isinstance(part.value, _WINDOWED):
                node, window = part.value.node, part.value.window
        return replace(
            self,
            found={**self.found, **{part.need.key: part for part in answer.found}},
            failures=failures | dict(answer.failures),
            node=node,
            window=window,
        )

    def keeping(self, keys: frozenset[Key]) -> "Board":
        """The board without what belongs to things that no page shows any more."""
        return replace(
            self,
            found={key: part for key, part in self.found.items() if not key[1] or key in keys},
            failures={key: why for key, why in self.failures.items() if not key[1] or key in keys},
        )

    @property
    def filter(self) -> str:
        """The filter as it may be seen, "" without one."""
        return self.seen(self.query)

    def seen(self, query: Query) -> str:
        """The filter of a query as it may be seen: the names in it may be parts of some."""
        return nameless(query.filter, CONCEALED) if self.is_masked else query.filter

    @property
    def is_past(self) -> bool:
        """Whether what is shown is of a past time."""
        return self.window is not None and not self.window.is_live

    @property
    def status(self) -> StatusView | None:
        """How the collector and the store are."""
        return self._get(Part.STATUS, StatusView)

    @property
    def overview(self) -> Overview | None:
        """The node over the window, ranked as asked."""
        return self.ranking(Part.OVERVIEW)

    def ranking(self, part: Part) -> Overview | None:
        """The same, also as FLOWS and CHANNELS have it: each pair or each channel a row."""
        return self._get(part, Overview)

    @property
    def log(self) -> LogPage | None:
        """The node's newest HTLCs."""
        return self.log_of(None)

    @property
    def page(self) -> Found | None:
        """An older stretch of the log, with the need that it answers."""
        return self.found.get((Part.PAGE, None))

    @property
    def node_detail(self) -> NodeDetail | None:
        """The node, its collector and its store."""
        return self._get(Part.NODE, NodeDetail)

    @property
    def history(self) -> History | None:
        """The chart of the window with what changed in it."""
        return self._get(Part.HISTORY, History)

    @property
    def advice(self) -> Advice | None:
        """What to do about it."""
        return self._get(Part.ADVICE, Advice)

    def peer(self, about: Subject) -> PeerDetail | None:
        """A peer's drill-down."""
        return self._logged(Part.PEER, PeerDetail, about)

    def channel(self, about: Subject) -> ChannelDetail | None:
        """A channel's drill-down."""
        return self._logged(Part.CHANNEL, ChannelDetail, about)

    def pair(self, about: Subject) -> PairDetail | None:
        """A pair's drill-down."""
        return self._logged(Part.PAIR, PairDetail, about)

    def htlc(self, about: Subject) -> HtlcDetail | None:
        """One HTLC."""
        return self._get(Part.HTLC, HtlcDetail, about)

    def curve(self, about: Subject) -> Curve | None:
        """A peer's liquidity curve."""
        return self._get(Part.CURVE, Curve, about)

    def explanation(self, about: Subject | None) -> Explanation | None:
        """How the figures of a peer, a channel or the node come about."""
        return self._get(Part.EXPLAIN, Explanation, about)

    def log_of(self, about: Subject | None) -> LogPage | None:
        """The newest HTLCs of one thing."""
        return self._get(Part.LOG, LogPage, about)

    def has(self, part: Part, about: Subject | None = None) -> bool:
        """Whether it was read, also where there was nothing to read."""
        return (part, about) in self.found

    def question(self, part: Part, about: Subject | None = None) -> Query | None:
        """What a part is the answer to, None before the first; a page that holds still knows by
        it that the user asked for another."""
        found = self.found.get((part, about))
        return found.query if found else None

    def failure(self, part: Part, about: Subject | None = None) -> str:
        """Why a part cannot be read, "" where it can."""
        return self.failures.get((part, about), "")

    def _logged(self, part: Part, kind: type[Logged], about: Subject) -> Logged | None:
        """A drill-down with its log, which is read by itself and more often."""
        detail, log = self._get(part, kind, about), self.log_of(about)
        return replace(detail, events=log.lines) if detail and log else detail

    def _get(self, part: Part, kind: type[T], about: Subject | None = None) -> T | None:
        found = self.found.get((part, about))
        value: Value = found.value if found else None
        return value if isinstance(value, kind) else None


_WINDOWED = (Overview, PeerDetail, ChannelDetail, PairDetail, NodeDetail, History)
"""Not Advice: it looks further back where the window is too short to advise from."""
