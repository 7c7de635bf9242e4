"""Where sat for a refill could come from: the peer that misses them least."""

from collections.abc import Callable

from htlctop.analysis.advice.ground import Ground
from htlctop.domain.codes import Category

_LEAST_LOCAL = 0.5
_KEEP = 0.25
_MOST = 8


class Sources:
    """The peers that have to spare: over half full and not short of liquidity themselves.

    Args:
        earns_ppm: what each sat that leaves by a peer earns.
    """

    def __init__(self, ground: Ground, earns_ppm: Callable[[int], float]) -> None:
        self._ground = ground
        self._earns_ppm = earns_ppm
        self._known: dict[int, float] = {}
        self._spare: list[tuple[int, int, int]] | None = None
        self._taken: dict[int, int] = {}
        self.used: dict[int, int] = {}
        """Source -> the peer it would refill, for those given out."""

    def offers(self, peer: int, amount_sat: int) -> list[tuple[int, int, float]]:
        """(source, what it can give of the amount, what its sat earn in ppm), the cheapest ones.

        Who has less than a quarter of it is no help.
        """
        spare = self._spare if self._spare is not None else self._find()
        left = [(sat - self._taken.get(source, 0), source) for _, sat, source in spare]
        fit = [item for item in left if item[1] != peer and 4 * item[0] >= amount_sat]
        return [(source, min(sat, amount_sat), self._cost(source)) for sat, source in fit[:_MOST]]

    def take(self, source: int, peer: int, amount_sat: int) -> None:
        """So much of a source's is promised to a peer, and not to be promised again."""
        self._taken[source] = self._taken.get(source, 0) + amount_sat
        self.used.setdefault(source, peer)

    def _cost(self, source: int) -> float:
        if source not in self._known:
            self._known[source] = self._earns_ppm(source)
        return self._known[source]

    def _find(self) -> list[tuple[int, int, int]]:
        """(rate asked, sat to spare in one channel, peer), the cheapest first."""
        ground, found = self._ground, []
        for peer in ground.book.peer_ids():
            channels = [c for c in ground.channels(peer) if c.is_active and c.capacity_sat]
            capacity = sum(c.capacity_sat or 0 for c in channels)
            local = sum(c.local_sat or 0 for c in channels)
            sums = ground.sums(peer)
            if not capacity or local < _LEAST_LOCAL * capacity:
                continue
            if sums.expected.get(Category.LIQUIDITY, 0) * 10 > max(0, sums.earned):
                continue
            spare = max(
                (c.spendable_sat or 0) - int(_KEEP * (c.capacity_sat or 0)) for c in channels
            )
            if spare > 0:
                found.append((min(c.rate_ppm or 0 for c in channels), spare, peer))
        self._spare = sorted(found, key=lambda item: (item[0], -item[1], item[2]))
        return self._spare
