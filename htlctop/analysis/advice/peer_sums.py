"""What peers add up to over a window. Of a thousand peers advice looks at few more closely, so that
what tells which ones lies ready, and is kept while nothing of a peer changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from htlctop.analysis.formulas import Rate
from htlctop.analysis.kept import KeptCells
from htlctop.analysis.models import UNKNOWN_PEER
from htlctop.analysis.sums import Figures
from htlctop.domain.codes import LOST, PRICED_OUT, Category

Cells = Mapping[int, Sequence[int]]
"""Category -> the seven sums of a Cell in order."""
Parts = Sequence[tuple[Cells, Figures]]
"""The sums of each channel, and what they add up to if all net demand would have been earned."""
# Plain numbers where every peer passes: an enum member costs a lookup each time it is named.
LIQUIDITY = int(Category.LIQUIDITY)
ROOM, OFFLINE = (LIQUIDITY, int(Category.MAX_HTLC)), (int(Category.OFFLINE),)
UNPRICED = (int(Category.ADD_FAILED), int(Category.EXPOSURE))
STRANGE = (*UNPRICED, int(Category.OTHER))
_LOST, _PRICED_OUT = (tuple(map(int, categories)) for categories in (LOST, PRICED_OUT))
_DOWNSTREAM = int(Category.DOWNSTREAM)
_N, _FEE_UNKNOWN, _, _DEMAND, _, _CLAIMS = range(6)


class PeerSums:
    """What a peer adds up to. Amounts msat.

    `earned` on forwards that settled, `offered` by payments that were priced out; how many HTLCs
    were `refused`, and how many of them for `strange` reasons; the net demand for want of `room`,
    while it was `offline` and for reasons that have no remedy (`odd`), more than which no settle
    rate makes of it.
    """

    __slots__ = ("earned", "odd", "offered", "offline", "parts", "refused", "room", "strange")

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.earned = self.offered = self.refused = self.strange = 0
        self.room = self.offline = self.odd = 0
        for _, figures in parts:
            self.earned += figures.earned_msat
            self.offered += figures.offered_msat
            self.refused += figures.refused
            for category, (net, n) in figures.unpriced.items():
                if category in ROOM:
                    self.room += max(0, net)
                elif category in OFFLINE:
                    self.offline += max(0, net)
                elif category in STRANGE:
                    self.strange += n
                    self.odd += max(0, net)

    def expected(self, rate: Rate, *categories: int) -> int:
        """What lost categories would have earned."""
        total = 0
        for _, figures in self.parts:
            for category in categories:
                if category in figures.unpriced:
                    total += rate.of_amount(figures.unpriced[category][0])
        return total

    def all_expected(self, rate: Rate) -> int:
        """Expected of every lost category."""
        return self.expected(rate, *_LOST)

    def count(self, *categories: int) -> int:
        """How many HTLCs."""
        return self._sum(_N, categories)

    def claims(self, *categories: int) -> int:
        """How many payments."""
        return self._sum(_CLAIMS, categories)

    def fee_unknown(self, *categories: int) -> int:
        """How many HTLCs of unknown fee."""
        return self._sum(_FEE_UNKNOWN, categories)

    def demand(self, *categories: int) -> int:
        """What payments offered."""
        return self._sum(_DEMAND, categories)

    @property
    def failed_share(self) -> float:
        """Failed by claim fee, lost and priced out, of failed and forwarded, 0..1."""
        failed = self.demand(*_LOST, *_PRICED_OUT)
        every = failed + self.earned + self.demand(_DOWNSTREAM)
        return max(0, failed) / every if every > 0 else 0.0

    def _sum(self, column: int, categories: Iterable[int]) -> int:
        return sum(
            sums[column]
            for cells, _ in self.parts
            for sums in map(cells.get, categories)
            if sums is not None
        )


NOTHING = PeerSums(())


def by_peer(
    kept: KeptCells, peer_of: Callable[[int], int], known: Mapping[int, PeerSums]
) -> dict[int, PeerSums]:
    """What every known peer adds up to; `known`: what they added up to before."""
    parts: dict[int, list[tuple[Cells, Figures]]] = {}
    for channel, cells in kept.channels.items():
        part = cells, kept.of_all(channel)
        parts.setdefault(peer_of(channel), []).append(part)
    parts.pop(UNKNOWN_PEER, None)
    found = {}
    for peer, now in parts.items():
        before = known.get(peer)
        found[peer] = before if before and before.parts == now else PeerSums(now)
    return found
