"""What the screen asks for. The reader-backed analyst implements it; tests may fake it."""

from typing import Protocol

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
from htlctop.analysis.query import LogQuery, Query
from htlctop.analysis.status import StatusView


class Analyst(Protocol):
    """Reads the store and answers with view models.

    All methods are synchronous and belong to one thread, the reader thread; `interrupt` alone may
    be called from another one and makes a running read raise `errors.ReadInterrupted`.

    Raises:
        StoreError: the store cannot be read; the message says why.
    """

    def generation(self) -> int:
        """A counter of visible changes; unchanged means that nothing need be read again."""

    def status(self) -> StatusView:
        """The collector's state and the store's size."""

    def overview(self, query: Query) -> Overview:
        """The node over the window."""

    def flows(self, query: Query) -> Overview:
        """The node with its pairs by net demand, and their matrix."""

    def prepare(self, query: Query) -> bool:
        """Have at hand what views of pairs add up, a step at a time; whether it is."""

    def peer(self, peer: int, query: Query) -> PeerDetail:
        """One peer over the window. Raises UsageError when the store does not know it."""

    def channel(self, channel: int, query: Query) -> ChannelDetail:
        """One channel over the window. Raises UsageError when the store does not know it."""

    def pair(self, in_peer: int, out_peer: int, query: Query) -> PairDetail:
        """One pair over the window."""

    def htlc(self, seq: int) -> HtlcDetail:
        """One HTLC. Raises UsageError when the store does not hold it (any more)."""

    def node(self, query: Query) -> NodeDetail:
        """The node, its collector and its store."""

    def history(self, query: Query) -> History:
        """The chart over the window with what changed in it."""

    def advice(self, query: Query) -> Advice:
        """What to do about it. Costly: not for every tick."""

    def curve(self, peer: int, query: Query) -> Curve | None:
        """A peer's liquidity curve, None without liquidity claims. Costly: not for every tick."""

    def explain(
        self,
        query: Query,
        peer: int | None = None,
        channel: int | None = None,
        source: int | None = None,
    ) -> Explanation:
        """How every figure of a channel, a peer, what came to it from a source, or the node comes
        about. Costly: when asked for."""

    def explain_htlc(self, seq: int) -> Explanation:
        """How the figures of one HTLC come about."""

    def log(self, query: LogQuery) -> LogPage:
        """HTLCs newest first, and where to go on."""

    def smallest_window(self) -> str:
        """The smallest of 24h, 7d, 30d that holds 30 refusals, or as many as the largest does."""

    def interrupt(self) -> None:
        """Break off a read that is running in the reader thread."""

    def close(self) -> None:
        """Give the store back."""
