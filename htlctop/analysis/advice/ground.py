"""The ground that advice stands on: a window's sums by peer and cause, of one moment."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from htlctop.analysis.advice.evidence import Evidence
from htlctop.analysis.advice.levels import Watched
from htlctop.analysis.advice.peer_sums import NOTHING, PeerSums
from htlctop.analysis.book import ChannelBook
from htlctop.analysis.formulas import Rate
from htlctop.analysis.models import Window
from htlctop.analysis.status import NodeView, StatusView
from htlctop.analysis.sums import Priced
from htlctop.domain.coverage import Interval
from htlctop.domain.records import ChannelRecord
from htlctop.domain.types import NS

HOUR_NS = 3600 * NS
DAY_NS = 24 * HOUR_NS
MONTH_H = 720


class Ground:
    """One read's view of a window, with what advice asks of it again and again.

    `peers`: what each adds up to, for advice; `priced`: the window's cells, for explanations.
    """

    def __init__(
        self,
        node: NodeView,
        status: StatusView,
        window: Window,
        intervals: Sequence[Interval],
        book: ChannelBook,
        rates: tuple[Mapping[int, Rate], Rate],
        evidence: Evidence,
        *,
        peers: Mapping[int, PeerSums] | None = None,
        priced: Sequence[Priced] = (),
    ) -> None:
        self.node, self.status, self.window, self.book = node, status, window, book
        self.evidence, self.peers, self.priced = evidence, peers or {}, priced
        self._rates, self.usual_rate = rates
        self.watched = Watched(intervals)
        self.covered_ns = window.covered_ns
        self.covered_h = window.covered_ns / HOUR_NS
        self.until_ns = window.until_ns + window.is_live
        self.earned_msat = sum(peer.earned for peer in self.peers.values())

    def rate(self, peer: int) -> Rate:
        """A peer's settle rate."""
        return self._rates.get(peer, self.usual_rate)

    def sums(self, peer: int) -> PeerSums:
        """What a peer adds up to; nothing for one that did nothing."""
        return self.peers.get(peer, NOTHING)

    def expected(self, peer: int, *categories: int) -> int:
        """What lost categories of a peer would have earned, msat."""
        return self.sums(peer).expected(self.rate(peer), *categories)

    def channels(self, peer: int) -> tuple[ChannelRecord, ...]:
        """A peer's open channels, each once."""
        return self.book.open_channels(peer)

    def per_30d(self, amount_msat: float) -> float:
        """An amount of the window, in 30 days of watching; 0 where nothing was watched."""
        return amount_msat / self.covered_h * MONTH_H if self.covered_h else 0.0

    @cached_property
    def days(self) -> int:
        """On how many days (UTC) something was watched."""
        return self.watched.days(self.window.from_ns, self.until_ns)

    @property
    def covered_days(self) -> float:
        """The watched time in days."""
        return self.covered_ns / DAY_NS
