"""Where sat for a refill could come from: the peer that misses them least."""

from collections.abc import Callable
from functools import cached_property

from htlctop.analysis.advice.ground import Ground
from htlctop.analysis.advice.levels import can_send_sat
from htlctop.analysis.advice.peer_sums import LIQUIDITY

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
        self._taken: dict[int, int] = {}
        self.used: dict[int, int] = {}
        """Source -> the peer it would refill, for those given out."""

    def offers(self, peer: int, amount_sat: int) -> list[tuple[int, int, float]]:
        """(source, what it can give of the amount, what its sat earn in ppm), the cheapest ones.

        Who has less than a quarter of it is no help.
        """
        found: list[tuple[int, int, float]] = []
        for _, spare, source in self._spare:
            sat = spare - self._taken.get(source, 0)
            if 4 * sat >= amount_sat and source != peer:
                found.append((source, min(sat, amount_sat), self._cost(source)))
                if len(found) == _MOST:
                    break
        return found

    def take(self, source: int, peer: int, amount_sat: int) -> None:
        """So much of a source's is promised to a peer, and not to be promised again."""
        self._taken[source] = self._taken.get(source, 0) + amount_sat
        self.used.setdefault(source, peer)

    def _cost(self, source: int) -> float:
        if source not in self._known:
            self._known[source] = self._earns_ppm(source)
        return self._known[source]

    @cached_property
    def _spare(self) -> list[tuple[int, int, int]]:
        """(rate asked, sat to spare in one channel, peer), the cheapest first."""
        evidence, found = self._ground.evidence, []
        if evidence.spare is None:
            every = filter(None, map(self._spare_of, self._ground.book.peer_ids()))
            evidence.spare = sorted(every, key=lambda item: (item[0], -item[1], item[2]))
        for item in evidence.spare:
            sums = self._ground.sums(item[2])
            little = max(0, sums.earned) // 10
            # No settle rate makes more of it than there was.
            if sums.room <= little or self._ground.expected(item[2], LIQUIDITY) <= little:
                found.append(item)
        return found

    def _spare_of(self, peer: int) -> tuple[int, int, int] | None:
        """What the balances say of a peer: the same, where it has enough on our side."""
        channels = [c for c in self._ground.channels(peer) if c.is_active and c.capacity_sat]
        capacity = sum(c.capacity_sat or 0 for c in channels)
        local = sum(c.local_sat or 0 for c in channels)
        if not capacity or local < _LEAST_LOCAL * capacity:
            return None
        spare = max(can_send_sat(c) - int(_KEEP * (c.capacity_sat or 0)) for c in channels)
        return (min(c.rate_ppm or 0 for c in channels), spare, peer) if spare > 0 else None
