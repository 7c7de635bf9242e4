"""What the screens show at one moment: the newest answers and what the user chose. Frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from htlctop.analysis.details import PeerDetail
from htlctop.analysis.models import HtlcLine, Overview, Query, StatusView
from htlctop.ui.reader import Answer, Part


@dataclass(frozen=True, slots=True)
class Board:
    """The newest of each part, kept while a later read fails.

    Attributes:
        title: what is looked at, before the node's name is known.
        query: what the user asked for; the answers tell what they are of.
        question, peer_question: what the overview and the detail are the answers to, so that a
            page that holds still knows a new one.
        log, peer_log: the newest HTLCs of the node, and of the peer drilled into.
        failures: which part could not be read, and why.
        collector: why the collector of this process ended, "" while it is well.
        frozen: whether the tables hold still.
    """

    title: str = ""
    query: Query = field(default_factory=Query)
    question: Query = field(default_factory=Query)
    peer_question: Query = field(default_factory=Query)
    status: StatusView | None = None
    overview: Overview | None = None
    detail: PeerDetail | None = None
    log: tuple[HtlcLine, ...] | None = None
    peer_log: tuple[HtlcLine, ...] | None = None
    failures: Mapping[Part, str] = field(default_factory=dict)
    collector: str = ""
    frozen: bool = False

    def answered(self, answer: Answer) -> "Board":
        """The board with what an answer brought."""
        failures = {part: why for part, why in self.failures.items() if part not in answer.tried}
        board = replace(
            self, status=answer.status or self.status, failures=failures | dict(answer.failures)
        )
        if answer.overview:
            board = replace(board, overview=answer.overview, question=answer.query)
        if answer.detail:
            board = replace(board, detail=answer.detail, peer_question=answer.query)
        if answer.log is None:
            return board
        if answer.peer is None:
            return replace(board, log=answer.log)
        return replace(board, peer_log=answer.log)

    def without_peer(self) -> "Board":
        """The board without what belongs to the peer that was drilled into."""
        return replace(self, detail=None, peer_log=None)
