"""A chart over the window in one line of signs, times nobody watched hatched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from htlctop.analysis.models import Series, Slice
from htlctop.domain.types import NS
from htlctop.ui.glyphs import Glyphs

WATCHED = 0.5
"""Below this share of a bar watched, and with nothing seen in it, the bar is a gap."""

Measure = Callable[[Slice], int]


@dataclass(frozen=True, slots=True)
class Chart:
    """The signs, what one of them spans, and the highest value with its time (None: all zero)."""

    signs: str
    step_ns: int
    peak_msat: int
    peak_at_ns: int | None
    has_gaps: bool


def chart(series: Series, measure: Measure, width: int, glyphs: Glyphs) -> Chart:
    """The series in at most `width` signs; neighbours are added up where there are more."""
    slices = series.slices
    if not slices or width <= 0:
        return Chart("", series.step_ns, 0, None, False)
    # Bars lie on absolute times, so that the past stays as it was while the window moves on: the
    # first and the last may be cut, which takes one bar more.
    group = 1 if len(slices) <= width else -(-len(slices) // max(1, width - 1))
    bars = _grouped(slices, series.step_ns * group)
    values: list[float | None] = []
    peak, peak_at = 0, None
    for part in bars[-width:]:
        total = sum(measure(piece) for piece in part)
        watched = sum(piece.covered for piece in part) / len(part)
        values.append(None if total <= 0 and watched < WATCHED else total)
        if total > peak:
            peak, peak_at = total, part[0].start_ns
    return Chart(glyphs.spark(values), series.step_ns * group, peak, peak_at, None in values)


def _grouped(slices: Sequence[Slice], width_ns: int) -> list[list[Slice]]:
    return [list(part) for _, part in groupby(slices, key=lambda piece: piece.start_ns // width_ns)]


def per(step_ns: int) -> str:
    """The width of a bar as people say it: per minute, per hour, per 6 hours, per day."""
    minutes = max(1, step_ns // (60 * NS))
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            number = minutes // size
            return f"per {unit}" if number == 1 else f"per {number} {unit}s"
    raise AssertionError(minutes)
