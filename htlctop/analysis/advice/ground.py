"""The ground that advice stands on: a window's sums by peer and cause, of one moment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from htlctop.analysis.advice.evidence import Evidence
from htlctop.analysis.advice.levels import Watched
from htlctop.analysis.book import ChannelBook
from htlctop.analysis.formulas import Rate
from htlctop.analysis.models import UNKNOWN_PEER, Window
from htlctop.analysis.status import NodeView, StatusView
from htlctop.analysis.sums import Priced
from htlctop.domain.codes import LOST, PRICED_OUT, REFUSED, Category
from htlctop.domain.coverage import Interval
from htlctop.domain.records import ChannelRecord
from htlctop.domain.types import NS

HOUR_NS = 3600 * NS
DAY_NS = 24 * HOUR_NS
MONTH_H = 720
Cells = Mapping[int, Sequence[int]]
"""Category -> the seven sums of a Cell in order."""
_N, _FEE_UNKNOWN, _FEE, _DEMAND, _RECOVERED, _CLAIMS = range(6)
# Plain numbers where every peer passes: an enum member costs a lookup each time it is named.
_LOST, _PRICED_OUT, _REFUSED = (
    tuple(map(int, categories)) for categories in (LOST, PRICED_OUT, REFUSED)
)
_SETTLED, _DOWNSTREAM = int(Category.SETTLED), int(Category.DOWNSTREAM)


class PeerSums:
    """What a peer adds up to over the window, added up when asked for. Amounts msat.

    Args:
        parts: the sums of each of its channels. rate: what of its net demand would have settled.
    """

    __slots__ = ("_parts", "_rate")

    def __init__(self, parts: Sequence[Cells], rate: Rate) -> None:
        self._parts, self._rate = parts, rate

    def count(self, *categories: int) -> int:
        """How many HTLCs."""
        return self._sum(_N, categories)

    def claims(self, *categories: int) -> int:
        """How many payments."""
        return self._sum(_CLAIMS, categories)

    def fee_unknown(self, *categories: int) -> int:
        """How many HTLCs of unknown fee."""
        return self._sum(_FEE_UNKNOWN, categories)

    def expected(self, *categories: int) -> int:
        """What lost categories would have earned."""
        total = 0
        for cells in self._parts:
            for category in categories:
                sums = cells.get(category)
                if sums is not None:
                    total += self._rate.of_amount(sums[_DEMAND] - sums[_RECOVERED])
        return total

    @property
    def all_expected(self) -> int:
        """Expected of every lost category."""
        return self.expected(*_LOST)

    @property
    def offered(self) -> int:
        """By payments that were priced out."""
        return self._sum(_DEMAND, _PRICED_OUT)

    @property
    def earned(self) -> int:
        """On forwards that settled."""
        return self._sum(_FEE, (_SETTLED,))

    @property
    def refused(self) -> int:
        """How many HTLCs we refused for whatever reason."""
        return self._sum(_N, _REFUSED)

    @property
    def failed_share(self) -> float:
        """Failed by claim fee, lost and priced out, of failed and forwarded, 0..1."""
        failed = self._sum(_DEMAND, (*_LOST, *_PRICED_OUT))
        every = failed + self.earned + self._sum(_DEMAND, (_DOWNSTREAM,))
        return max(0, failed) / every if every > 0 else 0.0

    def _sum(self, column: int, categories: Iterable[int]) -> int:
        total = 0
        for cells in self._parts:
            for category in categories:
                sums = cells.get(category)
                if sums is not None:
                    total += sums[column]
        return total


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
        return self.peers.get(peer) or PeerSums((), self.rate(peer))

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


def by_peer(
    channels: Mapping[int, Cells],
    peer_of: Callable[[int], int],
    rates: tuple[Mapping[int, Rate], Rate],
) -> dict[int, PeerSums]:
    """What every known peer adds up to, of the sums of channels."""
    parts: dict[int, list[Cells]] = {}
    for channel, cells in channels.items():
        parts.setdefault(peer_of(channel), []).append(cells)
    parts.pop(UNKNOWN_PEER, None)
    of_peer, usual = rates
    return {peer: PeerSums(found, of_peer.get(peer, usual)) for peer, found in parts.items()}
