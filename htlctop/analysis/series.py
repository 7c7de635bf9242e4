"""The chart of a window: what was missed slice by slice, and how much of each was watched."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from htlctop.analysis.models import Series, Slice, Window
from htlctop.analysis.moment import SILENT_NS, Moment
from htlctop.analysis.windows import step_ns
from htlctop.domain.coverage import covered_ns


def series(
    moment: Moment, window: Window, channels: Sequence[int] = (), *, in_peer: int | None = None
) -> Series:
    """Of everything, or of some channels or one incoming peer. It adds up to the window."""
    step = step_ns(window, moment.record.last_event_ns)
    from_ns, until_ns = moment.edges_ns(window)
    found = moment.reader.net_over_time(from_ns, until_ns, step, channels, in_peer=in_peer)
    return drawn(moment, window, step, found)


def drawn(
    moment: Moment, window: Window, step: int, found: Iterable[tuple[int, int, int]]
) -> Series:
    """The slices of (number, channel, net demand msat); slice k begins at k·step."""
    rates, default = moment.rates(window)
    peer_of = moment.book.peer_of
    net: dict[int, int] = defaultdict(int)
    expected: dict[int, float] = defaultdict(float)
    for slot, channel, msat in found:
        net[slot] += msat
        expected[slot] += msat * float(rates.get(peer_of(channel), default))
    first = window.from_ns // step
    count = max(1, -(-window.until_ns // step) - first)
    intervals = moment.intervals
    proven_ns = max((item.until_ns for item in intervals), default=0)
    slices = []
    for slot in range(first, first + count):
        # What lies before the window is not in its sums, and not in the chart.
        begins = max(slot * step, window.from_ns)
        ends = min((slot + 1) * step, max(window.until_ns, begins + 1))
        if window.is_live and proven_ns > window.until_ns - SILENT_NS:
            # The last seconds are not proven yet; that is no time unwatched.
            ends = max(begins + 1, min(ends, proven_ns))
        watched = covered_ns(intervals, begins, ends) / (ends - begins)
        slices.append(Slice(slot * step, net[slot], round(expected[slot]), min(1.0, watched)))
    return Series(step, tuple(slices))
