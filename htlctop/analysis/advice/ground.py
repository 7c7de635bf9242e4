"""The ground that advice stands on: a window's sums by peer and cause, of one moment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from htlctop.analysis.advice.levels import Watched
from htlctop.analysis.book import ChannelBook
from htlctop.analysis.formulas import Rate
from htlctop.analysis.models import UNKNOWN_PEER, NodeView, StatusView, Window
from htlctop.analysis.sums import Priced, is_refused
from htlctop.domain.codes import LOST, PRICED_OUT, Category
from htlctop.domain.coverage import Interval
from htlctop.domain.records import ChannelRecord
from htlctop.domain.types import NS

HOUR_NS = 3600 * NS
DAY_NS = 24 * HOUR_NS
MONTH_H = 720


@dataclass(slots=True)
class PeerSums:
    """What a peer adds up to over the window, by category where it matters. Amounts msat."""

    expected: dict[int, int] = field(default_factory=partial(defaultdict, int))
    claims: dict[int, int] = field(default_factory=partial(defaultdict, int))
    count: dict[int, int] = field(default_factory=partial(defaultdict, int))
    fee_unknown: dict[int, int] = field(default_factory=partial(defaultdict, int))
    demand: int = 0
    offered: int = 0
    earned: int = 0
    forwarded: int = 0
    refused: int = 0

    @property
    def all_expected(self) -> int:
        """Expected of every lost category."""
        return sum(self.expected.values())

    @property
    def failed_share(self) -> float:
        """Failed by claim fee, lost and priced out, of failed and forwarded, 0..1."""
        failed = self.demand + self.offered
        every = failed + self.forwarded
        return max(0, failed) / every if every > 0 else 0.0


class Ground:
    """One read's view of a window, with what advice asks of it again and again."""

    def __init__(
        self,
        node: NodeView,
        status: StatusView,
        window: Window,
        intervals: Sequence[Interval],
        book: ChannelBook,
        priced: Sequence[Priced],
        rates: tuple[Mapping[int, Rate], Rate],
    ) -> None:
        self.node, self.status, self.window, self.book = node, status, window, book
        self.priced = priced
        self._rates, self.usual_rate = rates
        self._channels: dict[int, tuple[ChannelRecord, ...]] = {}
        self.watched = Watched(intervals)
        self.covered_ns = window.covered_ns
        self.covered_h = window.covered_ns / HOUR_NS
        self.until_ns = window.until_ns + window.is_live
        self.peers = _by_peer(priced)
        self.earned_msat = sum(peer.earned for peer in self.peers.values())

    def rate(self, peer: int) -> Rate:
        """A peer's settle rate."""
        return self._rates.get(peer, self.usual_rate)

    def sums(self, peer: int) -> PeerSums:
        """What a peer adds up to; nothing for one that did nothing."""
        return self.peers.get(peer) or PeerSums()

    def channels(self, peer: int) -> tuple[ChannelRecord, ...]:
        """A peer's open channels, each once."""
        if peer not in self._channels:
            self._channels[peer] = self.book.open_channels(peer)
        return self._channels[peer]

    def per_30d(self, amount_msat: float) -> float:
        """An amount of the window, in 30 days of watching; 0 where nothing was watched."""
        return amount_msat / self.covered_h * MONTH_H if self.covered_h else 0.0

    @property
    def covered_days(self) -> float:
        """The watched time in days."""
        return self.covered_ns / DAY_NS


def _by_peer(priced: Sequence[Priced]) -> dict[int, PeerSums]:
    peers: dict[int, PeerSums] = {}
    for item in priced:
        if item.peer == UNKNOWN_PEER:
            continue
        sums = peers.get(item.peer)
        if sums is None:
            sums = peers[item.peer] = PeerSums()
        cell = item.cell
        category = cell.category
        if category == Category.SETTLED:
            sums.earned += cell.fee_msat
            sums.forwarded += cell.fee_msat
            sums.count[category] += cell.n
        elif category in LOST:
            sums.expected[category] += item.expected_msat
            sums.claims[category] += cell.claims
            sums.count[category] += cell.n
            sums.fee_unknown[category] += cell.fee_unknown
            sums.demand += cell.demand_msat
        elif category in PRICED_OUT:
            sums.offered += cell.demand_msat
            sums.claims[category] += cell.claims
            sums.count[category] += cell.n
        elif category == Category.DOWNSTREAM:
            sums.forwarded += cell.demand_msat
            sums.count[category] += cell.n
        elif category == Category.OTHER:
            sums.count[category] += cell.n
        if is_refused(category):
            sums.refused += cell.n
    return peers
