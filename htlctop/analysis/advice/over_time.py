"""What the bars of the charts are made of: a line for each, and the highest one by its peers.

A screen with fewer columns than there are bars adds neighbours up; each tells when it begins.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from htlctop.analysis.advice.arithmetic import plus
from htlctop.analysis.advice.finding import whole
from htlctop.analysis.advice.ground import HOUR_NS, Ground
from htlctop.analysis.advice.models import Figure, Section
from htlctop.analysis.details import Balance, InFlight
from htlctop.analysis.models import Series, Slice, Window
from htlctop.domain.types import NS

_MOST_TERMS = 8
"""So many parts of what was missed in a bar are written out, the largest."""
_MOST_COUNTS = 12
_WATCHED = 0.5
"""Of a bar of which less was watched, what was before it tells nothing."""

Net = Mapping[int, int]
"""Net demand, msat, by peer or channel."""


def over_time(
    ground: Ground, series: Series, nets: Mapping[int, Net], place: Callable[[int], int]
) -> Section:
    """Net demand and what was missed, bar by bar. `nets`: of channels, by slice; `place`: what
    they are added up by."""
    bars = [bar for bar in series.slices if bar.net_demand_msat]
    if not bars:
        return Section("", ())
    peak = highest(series)
    figures = [Figure("a bar", series.step_ns / NS, "s")]
    for bar in bars:
        net = nets[bar.start_ns // series.step_ns]
        name = ", the peak" if bar is peak else ""
        figures += [
            Figure(
                f"net demand{name}", bar.net_demand_msat, "msat",
                plus(list(_added(net, place).values())), bar.start_ns,
            ),
            Figure(
                f"missed{name}", bar.expected_msat, "msat", _missed(ground, net), bar.start_ns
            ),
        ]  # fmt: skip
    return Section("Missed over time", (*figures, *_together(ground, bars)))


def highest(series: Series) -> Slice | None:
    """The bar in which most was missed, None where nothing was."""
    best = max(series.slices, key=lambda bar: bar.expected_msat, default=None)
    return best if best and best.expected_msat else None


def peak(ground: Ground, series: Series, nets: Mapping[int, Net]) -> Section:
    """The highest bar, by the peers that it was missed at."""
    bar = highest(series)
    if bar is None:
        return Section("", ())
    missed = []
    found = _added(nets[bar.start_ns // series.step_ns], ground.book.peer_of)
    for peer, net in sorted(found.items(), key=lambda item: -item[1]):
        rate, name = ground.rate(peer), ground.book.alias_of(peer) or "unknown peer"
        formula = f"net demand {net:,} × settle rate {rate.part:,} ÷ {rate.of:,}"
        missed.append(Figure(name, rate.of_amount(net), "msat", formula))
    parts = [int(figure.value or 0) for figure in missed]
    whole_bar = Figure("missed", bar.expected_msat, "msat", plus(parts), bar.start_ns)
    return Section("Missed over time: the peak, by peers", (*missed, whole_bar))


def _added(net: Net, place: Callable[[int], int]) -> dict[int, int]:
    """What is not 0, by what it is added up by."""
    found: dict[int, int] = defaultdict(int)
    for channel, msat in net.items():
        found[place(channel)] += msat
    return {key: msat for key, msat in sorted(found.items()) if msat}


def _missed(ground: Ground, net: Net) -> str:
    """By settle rate, the most first; what is not written out is added up."""
    by_rate: dict[tuple[int, int], int] = defaultdict(int)
    for channel, msat in net.items():
        rate = ground.rate(ground.book.peer_of(channel))
        by_rate[rate.part, rate.of] += msat
    found = [(msat * part / of, msat, part, of) for (part, of), msat in by_rate.items() if msat]
    found.sort(reverse=True)
    terms = [
        f"net demand {msat:,} × settle rate {part:,} ÷ {of:,}"
        for _, msat, part, of in found[:_MOST_TERMS]
    ]
    if rest := found[_MOST_TERMS:]:
        terms.append(f"{whole(round(sum(item[0] for item in rest), 3))} of {len(rest):,} others")
    return " + ".join(terms)


def _together(ground: Ground, bars: Sequence[Slice]) -> Iterable[Figure]:
    """All bars added up, and in an hour of those watched."""
    nets, missed = [bar.net_demand_msat for bar in bars], [bar.expected_msat for bar in bars]
    yield Figure("net demand, all bars", sum(nets), "msat", plus(nets))
    yield Figure("missed, all bars", sum(missed), "msat", plus(missed))
    if ground.covered_ns >= HOUR_NS:
        hours = whole(round(ground.covered_ns / HOUR_NS, 6))
        yield Figure(
            "missed per hour watched", sum(missed) * HOUR_NS // ground.covered_ns, "msat",
            f"missed {sum(missed):,} ÷ watched hours {hours}",
        )  # fmt: skip


def our_side(balance: Sequence[Balance], series: Series) -> Section:
    """Our share as it stood at the end of each bar in which it was another, and at the end."""
    last = {point.at_ns // series.step_ns: point for point in balance}
    figures = (
        Figure(
            "our share", round(point.local_sat / point.capacity_sat, 6), "",
            f"our side {point.local_sat:,} ÷ capacity {point.capacity_sat:,}", point.at_ns,
        )
        for point in last.values()
        if point.capacity_sat
    )  # fmt: skip
    return Section("Our side over time", tuple(figures))


def in_flight(points: Sequence[InFlight], series: Series, window: Window) -> Section:
    """The most HTLCs that were on the channels at a time, bar by bar."""
    times = [point.at_ns for point in points]
    figures, tops = [], []
    for bar in series.slices:
        # Until the first of a bar the last one before it held, as far as somebody watched.
        held = bar.covered >= _WATCHED
        first = max(0, bisect_left(times, bar.start_ns) - held)
        end = bisect_left(times, bar.start_ns + series.step_ns)
        counts = [point.count for point in points[first:end]]
        if any(counts):
            tops.append(max(counts))
            figures.append(Figure("at most", tops[-1], "", _largest(counts), bar.start_ns))
    if tops:
        figures.append(Figure("at most, in all bars", max(tops), "", _largest(tops)))
    if points and window.is_live:
        figures.append(Figure("now", points[-1].count, ""))
    return Section("HTLCs on the channels over time", tuple(figures))


def _largest(counts: Sequence[int]) -> str:
    """Which of several it is; "" where there is but one."""
    distinct = sorted({count for count in counts if count}, reverse=True)[:_MOST_COUNTS]
    return f"max({', '.join(map(whole, distinct))})" if len(distinct) > 1 else ""
