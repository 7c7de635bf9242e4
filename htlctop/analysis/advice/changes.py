"""What changed in a window, and what the peer missed per watched hour before and after it.

Noticed from policies, limits, balances and the channels listed; or marked by the operator.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from htlctop.analysis.advice.finding import whole
from htlctop.analysis.advice.ground import HOUR_NS, Ground
from htlctop.analysis.advice.models import Figure
from htlctop.analysis.details import Change, ChangeKind
from htlctop.analysis.models import UNKNOWN_PEER
from htlctop.analysis.windows import align, finest_ns
from htlctop.domain.evidence import BalancePoint
from htlctop.domain.readers import StatsReader
from htlctop.domain.records import ChannelRecord
from htlctop.domain.types import NS

MOST = 500
"""So many of the newest changes are told: a tool may set fees all day."""
_REFILL = 0.10
"""A balance that rose by this part of the capacity, more than came in, was refilled."""
_IN_FLIGHT_NS = 600 * NS
_SAMPLE = 2_000


@dataclass(frozen=True, slots=True)
class _Seen:
    """A change before its rates are known."""

    at_ns: int
    kind: ChangeKind
    peer: int
    channel: int = 0
    before: str = ""
    after: str = ""
    text: str = ""


def changes(ground: Ground, reader: StatsReader, peer: int | None = None) -> tuple[Change, ...]:
    """The newest changes of the window, oldest first; of one peer (and marks of the node) where
    named."""
    book = ground.book
    seen = _seen(ground, reader, peer)
    rates = _Rates(ground, reader, seen) if seen else None
    return tuple(
        Change(
            at_ns=item.at_ns,
            kind=item.kind,
            peer=item.peer,
            alias=book.alias_of(item.peer),
            scid=book.scid_of(item.channel),
            before=item.before,
            after=item.after,
            text=item.text,
            rate_before_msat=_per_hour(rates.before(item.peer, item.at_ns)) if rates else None,
            rate_after_msat=_per_hour(rates.after(item.peer, item.at_ns)) if rates else None,
        )
        for item in seen
    )


def change_figures(
    ground: Ground, reader: StatsReader, peer: int | None = None, channel: int | None = None
) -> Iterable[Figure]:
    """How what was missed per hour before and after each change comes about; of one peer, or one
    channel of it, where named."""
    seen = _seen(ground, reader, peer)
    if not seen:
        return
    rates = _Rates(ground, reader, seen)
    for number, item in enumerate(seen, 1):
        if channel is not None and item.channel not in (0, channel):
            continue
        place = ground.book.scid_of(item.channel) or ground.book.alias_of(item.peer) or "the node"
        name, told = f"{number}. {item.kind.value}, {place}", []
        for when, (msat, hours) in (
            ("before", rates.before(item.peer, item.at_ns)),
            ("after", rates.after(item.peer, item.at_ns)),
        ):
            rate = _per_hour((msat, hours))
            if rate is not None:
                told.append(rate)
                yield Figure(
                    f"{name}: per hour {when}", rate, "msat",
                    f"missed {whole(round(msat, 3))} ÷ watched hours {whole(round(hours, 6))}",
                    item.at_ns,
                )  # fmt: skip
        if len(told) == 2 and told[0]:
            before, after = told
            yield Figure(
                f"{name}: change", round((after - before) / before, 6), "",
                f"(after {after:,} − before {before:,}) ÷ {before:,}", item.at_ns,
            )  # fmt: skip


def _seen(ground: Ground, reader: StatsReader, peer: int | None) -> list[_Seen]:
    """The newest changes, oldest first."""
    book = ground.book
    peers = book.peer_ids() if peer is None else (peer,)
    channels = {c.id: c for p in peers for c in ground.channels(p)}
    seen = [
        *_policies(ground, reader, channels),
        *_limits(ground, reader, channels),
        *_refills(ground, reader, channels),
        *_spans(ground, reader),
        *_marks(ground, reader),
    ]
    if peer is not None:
        seen = [item for item in seen if item.peer in (peer, UNKNOWN_PEER)]
    seen.sort(key=lambda item: (item.at_ns, item.peer, item.channel, item.kind))
    return seen[-MOST:]


def _per_hour(missed: tuple[float, float]) -> int | None:
    """Of (msat, watched hours); None for less than an hour."""
    msat, hours = missed
    return round(msat / hours) if hours >= 1 else None


def _policies(
    ground: Ground, reader: StatsReader, channels: dict[int, ChannelRecord]
) -> Iterable[_Seen]:
    history = reader.policy_history(tuple(channels), ground.window.from_ns, ground.until_ns)
    by_channel: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for point in history:
        asked = _fee(point.base_msat, point.rate_ppm)
        if point.inbound_base_msat or point.inbound_rate_ppm:
            asked += f", inbound {_fee(point.inbound_base_msat, point.inbound_rate_ppm)}"
        by_channel[point.channel].append((point.at_ns, asked))
    yield from _steps(ground, channels, by_channel, ChangeKind.FEE)


def _limits(
    ground: Ground, reader: StatsReader, channels: dict[int, ChannelRecord]
) -> Iterable[_Seen]:
    history = reader.limits_history(tuple(channels), ground.window.from_ns, ground.until_ns)
    by_channel: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for point in history:
        by_channel[point.channel].append((point.at_ns, f"{point.max_htlc_msat // 1000:,} sat"))
    yield from _steps(ground, channels, by_channel, ChangeKind.MAX_HTLC)


def _steps(
    ground: Ground,
    channels: dict[int, ChannelRecord],
    by_channel: dict[int, list[tuple[int, str]]],
    kind: ChangeKind,
) -> Iterable[_Seen]:
    for channel, values in by_channel.items():
        for (_, before), (at_ns, after) in pairwise(values):
            if before != after and at_ns >= ground.window.from_ns:
                yield _Seen(at_ns, kind, channels[channel].peer, channel, before, after)


def _refills(
    ground: Ground, reader: StatsReader, channels: dict[int, ChannelRecord]
) -> Iterable[_Seen]:
    """Balances that rose fast at the peer's cost, and by more than the forwards that came in
    explain."""
    last: dict[int, BalancePoint] = {}
    for point in reader.balance_history(tuple(channels), ground.window.from_ns, ground.until_ns):
        before = last.get(point.channel)
        last[point.channel] = point
        channel = channels[point.channel]
        if before is None or point.at_ns < ground.window.from_ns or not channel.capacity_sat:
            continue
        rise = point.came_in_since(before)
        if rise < _REFILL * channel.capacity_sat:
            continue
        # What settled since the balance before may have begun somewhat earlier.
        since_ns = before.at_ns - _IN_FLIGHT_NS
        ids = ground.book.same_channel(channel.id)
        came_in = reader.settled(ids, since_ns, point.at_ns + 1, _SAMPLE, incoming=True)
        inflow = sum(item.amount_msat + item.fee_msat for item in came_in) // 1000
        if rise - inflow >= _REFILL * channel.capacity_sat:
            yield _Seen(
                point.at_ns, ChangeKind.REFILL, channel.peer, channel.id,
                f"{before.local_sat:,} sat", f"{point.local_sat:,} sat",
            )  # fmt: skip


def _spans(ground: Ground, reader: StatsReader) -> Iterable[_Seen]:
    """Channels that came and went; those of the first listing were there before."""
    spans = reader.channel_spans()
    first_ns = min((span.opened_ns for span in spans), default=0)
    for span in spans:
        peer = ground.book.peer_of(span.channel)
        if span.opened_ns > first_ns and _within(ground, span.opened_ns):
            yield _Seen(span.opened_ns, ChangeKind.OPENED, peer, span.channel)
        if span.closed_ns and span.opened_ns != span.closed_ns and _within(ground, span.closed_ns):
            yield _Seen(span.closed_ns, ChangeKind.CLOSED, peer, span.channel)


def _marks(ground: Ground, reader: StatsReader) -> Iterable[_Seen]:
    for mark in reader.marks(ground.window.from_ns, ground.until_ns):
        yield _Seen(mark.at_ns, ChangeKind.MARK, mark.peer, text=mark.text)


def _fee(base_msat: int, rate_ppm: int) -> str:
    return f"{base_msat:,} msat + {rate_ppm:,} ppm" if base_msat else f"{rate_ppm:,} ppm"


def _within(ground: Ground, at_ns: int) -> bool:
    return ground.window.from_ns <= at_ns < ground.until_ns


class _Rates:
    """Expected msat of a peer (0: the node) between its changes, and in how many watched hours.

    Counted in whole buckets: the one that a change lies in belongs to what was before.
    """

    def __init__(self, ground: Ground, reader: StatsReader, seen: Iterable[_Seen]) -> None:
        self._ground = ground
        newest_ns = ground.status.last_event_ns
        self._step = finest_ns(ground.window.from_ns, newest_ns)
        self._start = align(ground.window.from_ns // self._step * self._step, newest_ns)
        self._end = align(ground.until_ns, newest_ns, up=True)
        self._end_slot = self._slot(self._end - 1) + 1
        self._times: dict[int, list[int]] = defaultdict(list)
        for item in seen:
            self._times[item.peer].append(item.at_ns)
        self._net: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for first, end in pairwise(self._edges()):
            low, high = self._start + first * self._step, self._start + end * self._step
            high = min(high, self._end)
            for _, nets in reader.net_over_time(low, high, high):
                for channel, msat in nets.items():
                    peer = ground.book.peer_of(channel)
                    expected = msat * float(ground.rate(peer))
                    self._net[peer][first] += expected
                    self._net[UNKNOWN_PEER][first] += expected if peer != UNKNOWN_PEER else 0.0

    def _edges(self) -> list[int]:
        """The buckets that begin what lies between any two changes, and the end of the last."""
        times = {at_ns for times in self._times.values() for at_ns in times}
        return sorted({0, self._end_slot, *(self._slot(at_ns) + 1 for at_ns in times)})

    def before(self, peer: int, at_ns: int) -> tuple[float, float]:
        """Since the change before it."""
        earlier = [time for time in self._times[peer] if self._slot(time) < self._slot(at_ns)]
        start = self._slot(max(earlier)) + 1 if earlier else 0
        return self._between(peer, start, self._slot(at_ns) + 1)

    def after(self, peer: int, at_ns: int) -> tuple[float, float]:
        """Until the change after it."""
        later = [time for time in self._times[peer] if self._slot(time) > self._slot(at_ns)]
        end = self._slot(min(later)) + 1 if later else self._end_slot
        return self._between(peer, self._slot(at_ns) + 1, end)

    def _slot(self, at_ns: int) -> int:
        return (at_ns - self._start) // self._step

    def _between(self, peer: int, first: int, end: int) -> tuple[float, float]:
        low, high = self._start + first * self._step, self._start + end * self._step
        low, high = max(low, self._ground.window.from_ns), min(high, self._ground.until_ns)
        hours = self._ground.watched.between(low, high) / HOUR_NS
        net = self._net.get(peer, {})
        return sum(msat for slot, msat in net.items() if first <= slot < end), hours
