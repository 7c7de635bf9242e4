"""The chart of a window: what was missed slice by slice, and how much of each was watched."""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from operator import mul

from htlctop.analysis.details import InFlight
from htlctop.analysis.models import Series, Slice, Window
from htlctop.analysis.moment import SILENT_NS, Moment, end_ns
from htlctop.domain.coverage import covered_ns


def series(
    moment: Moment, window: Window, channels: Sequence[int] = (), *, in_peer: int | None = None
) -> Series:
    """Of everything, or of some channels or one incoming peer. It adds up to the window."""
    step = moment.step_ns(window)
    if not channels and in_peer is None:
        chart = moment.kept_chart(window)
        return _drawn(moment, window, step, chart.channels, chart.slices)
    found = moment.nets(window, channels, in_peer=in_peer)
    seen = set[int]().union(*found.values())
    slices = {slot: [net.get(channel, 0) for channel in seen] for slot, net in found.items()}
    return _drawn(moment, window, step, seen, slices)


def in_flight(moment: Moment, window: Window) -> tuple[InFlight, ...]:
    """How many HTLCs were on the channels over a window."""
    found = moment.reader.pending_history(window.from_ns, end_ns(window))
    return tuple(InFlight(*point) for point in found)


def _drawn(
    moment: Moment, window: Window, step: int, channels: Iterable[int],
    slices: Mapping[int, Sequence[int]],
) -> Series:  # fmt: skip
    """The slices of net demand of some channels, in their order, msat; slice k begins at k·step."""
    rates, default = moment.rates(window)
    peer_of = moment.book.peer_of
    by_place = [float(rates.get(peer_of(channel), default)) for channel in channels]
    # fsum does not depend on the order, which is not the same for sums that were kept.
    expected = {slot: fsum(map(mul, nets, by_place)) for slot, nets in slices.items()}
    net = {slot: sum(nets) for slot, nets in slices.items()}
    first = window.from_ns // step
    count = max(1, -(-window.until_ns // step) - first)
    intervals = moment.intervals
    proven_ns = max((item.until_ns for item in intervals), default=0)
    bars = []
    for slot in range(first, first + count):
        # What lies before the window is not in its sums, and not in the chart.
        begins = max(slot * step, window.from_ns)
        ends = min((slot + 1) * step, max(window.until_ns, begins + 1))
        if window.is_live and proven_ns > window.until_ns - SILENT_NS:
            # The last seconds are not proven yet; that is no time unwatched.
            ends = max(begins + 1, min(ends, proven_ns))
        watched = covered_ns(intervals, begins, ends) / (ends - begins)
        bars.append(
            Slice(slot * step, net.get(slot, 0), round(expected.get(slot, 0)), min(1.0, watched))
        )
    return Series(step, tuple(bars))
