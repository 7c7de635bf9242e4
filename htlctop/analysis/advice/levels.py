"""How full a peer's channels were over the time that was watched, and how long it was away."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from htlctop.domain.coverage import Interval, union
from htlctop.domain.evidence import ActivityPoint, BalancePoint
from htlctop.domain.records import DAY, SPANS, ChannelRecord


class Watched:
    """The watched part of any stretch of time, ns; asked often."""

    def __init__(self, intervals: Iterable[Interval]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._sums = [0]
        for item in union(intervals):
            self._starts.append(item.start_ns)
            self._ends.append(item.until_ns)
            self._sums.append(self._sums[-1] + item.until_ns - item.start_ns)

    def between(self, from_ns: int, until_ns: int) -> int:
        """How much of [from, until) was watched."""
        return max(0, self._before(until_ns) - self._before(from_ns))

    def days(self, from_ns: int, until_ns: int) -> int:
        """On how many days (UTC) something of [from, until) was watched."""
        days: set[int] = set()
        for start, end in zip(self._starts, self._ends, strict=True):
            low, high = max(start, from_ns), min(end, until_ns)
            if low < high:
                days.update(range(low // SPANS[DAY], (high - 1) // SPANS[DAY] + 1))
        return len(days)

    def _before(self, at_ns: int) -> int:
        index = bisect_right(self._starts, at_ns)
        if not index:
            return 0
        return self._sums[index] - max(0, self._ends[index - 1] - at_ns)


@dataclass(frozen=True, slots=True)
class Level:
    """From `from_ns` to `until_ns` a peer's open channels held this share of their capacity:
    our balance, and what of it could be sent."""

    from_ns: int
    until_ns: int
    local: float
    spendable: float


class Levels:
    """A peer's liquidity over a window, as far as it was watched."""

    def __init__(
        self,
        channels: Sequence[ChannelRecord],
        history: Iterable[BalancePoint],
        watched: Watched,
        from_ns: int,
        until_ns: int,
    ) -> None:
        self._watched = watched
        self._pieces = _pieces(channels, history, from_ns, until_ns)

    def time_where(self, fits: Callable[[Level], bool]) -> float:
        """The share of the watched time in which a level was so, 0..1; 0 where none is known."""
        every = chosen = 0
        for piece in self._pieces:
            length = self._watched.between(piece.from_ns, piece.until_ns)
            every += length
            chosen += length if fits(piece) else 0
        return chosen / every if every else 0.0

    def dry_days(self, dry: float, full: float) -> int:
        """On how many days (UTC) it ran dry after it had been over `full`."""
        days: set[int] = set()
        was_full = False
        for piece in self._pieces:
            if piece.local > full:
                was_full = True
            elif was_full and piece.spendable < dry:
                days.add(piece.from_ns // SPANS[DAY])
                was_full = False
        return len(days)

    def since_ns(self, fits: Callable[[Level], bool]) -> int | None:
        """Since when it has been so without a break; None where it is not so at the end."""
        since = None
        for piece in reversed(self._pieces):
            if not fits(piece):
                break
            since = piece.from_ns
        return since


def can_send_sat(channel: ChannelRecord) -> int:
    """What a channel can send; of a past time only its balance is known, of which 1% of the
    capacity is a reserve."""
    if channel.spendable_sat is not None:
        return channel.spendable_sat
    return max(0, (channel.local_sat or 0) - (channel.capacity_sat or 0) // 100)


def away_ns(
    channels: Sequence[ChannelRecord],
    history: Iterable[ActivityPoint],
    watched: Watched,
    from_ns: int,
    until_ns: int,
) -> tuple[int, int]:
    """(watched ns in which none of the channels could be used, how many times that began)."""
    active = {channel.id: True for channel in channels}
    away_since, total, times = None, 0, 0
    for point in sorted(history, key=lambda item: item.at_ns):
        if point.channel not in active:
            continue
        active[point.channel] = bool(point.is_active)
        at_ns = max(point.at_ns, from_ns)
        if any(active.values()):
            if away_since is not None:
                total += watched.between(away_since, at_ns)
                away_since = None
        elif away_since is None:
            away_since, times = at_ns, times + 1
    if away_since is not None:
        total += watched.between(away_since, until_ns)
    return total, times


def _pieces(
    channels: Sequence[ChannelRecord], history: Iterable[BalancePoint], from_ns: int, until_ns: int
) -> list[Level]:
    """Stretches between two known balances."""
    known: dict[int, int] = {}
    capacity = {c.id: c.capacity_sat for c in channels if c.capacity_sat}
    held_back = {c.id: _held_back(c) for c in channels}
    points = sorted((max(from_ns, p.at_ns), p.channel, p.local_sat) for p in history)
    pieces: list[Level] = []
    for index, (at_ns, channel, local) in enumerate(points):
        if channel not in capacity:
            continue
        known[channel] = local
        ends = points[index + 1][0] if index + 1 < len(points) else until_ns
        if ends <= at_ns:
            continue
        whole = sum(capacity[c] for c in known)
        spendable = sum(max(0, sat - held_back[c]) for c, sat in known.items())
        pieces.append(Level(at_ns, ends, sum(known.values()) / whole, spendable / whole))
    return pieces


def _held_back(channel: ChannelRecord) -> int:
    """What of our side cannot be sent, reserve and fee buffer; it hardly changes."""
    if channel.spendable_sat and channel.local_sat:
        return max(0, channel.local_sat - channel.spendable_sat)
    return (channel.capacity_sat or 0) // 100
