"""Charts several rows high over absolute times: bars, an area, a time axis, marks of changes.

Columns lie on absolute times, so that the past stays as it was while the window moves on.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import groupby

from htlctop.analysis.details import Balance, Change, ChangeKind, InFlight
from htlctop.analysis.models import Series, Window
from htlctop.domain.types import NS
from htlctop.export.format import local, sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.chart import WATCHED, Measure
from htlctop.ui.text import Line, Piece, Role, right

GUTTER = 8
"""Cells of the scale at the left of a chart that has one."""
_WIDEST_BAR = 8
_LABEL = 11
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TICKS = (
    *(_MINUTE * n for n in (1, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 4, 6, 12)),
    *(_DAY * n for n in (1, 2, 4, 7, 14, 28, 91, 182, 364)),
)

NOTHING = -1.0
"""A column about which nothing is known."""

LETTERS = {
    ChangeKind.FEE: "F",
    ChangeKind.MAX_HTLC: "X",
    ChangeKind.REFILL: "R",
    ChangeKind.OPENED: "O",
    ChangeKind.CLOSED: "C",
    ChangeKind.MARK: "M",
}


@dataclass(frozen=True, slots=True)
class Grid:
    """The columns of a chart from `from_ns` on; `per_bar` of them share a bar of `step_ns`."""

    from_ns: int
    step_ns: int
    per_bar: int
    columns: int

    def at_ns(self, column: int) -> int:
        """When a column begins."""
        return self.from_ns + column * self.step_ns // self.per_bar

    def column(self, at_ns: int) -> int:
        """The column of a time; outside 0..columns-1 where the chart does not show it."""
        return (at_ns - self.from_ns) * self.per_bar // self.step_ns


@dataclass(frozen=True, slots=True)
class Bars:
    """Values on a grid, None where nobody watched; the highest with its time (None: all zero)."""

    grid: Grid
    values: tuple[float | None, ...]
    peak_msat: int
    peak_at_ns: int | None

    @property
    def has_gaps(self) -> bool:
        """Whether there is a column nobody watched."""
        return None in self.values


def grid(series: Series, width: int) -> Grid:
    """As many columns as fit into `width`: bars are widened, or neighbours added up."""
    slices = series.slices
    if not slices or width <= 0:
        return Grid(0, max(1, series.step_ns), 1, 0)
    first, until_ns = slices[0].start_ns, slices[-1].start_ns + series.step_ns
    if len(slices) <= width:
        per_bar = min(_WIDEST_BAR, width // len(slices))
        return Grid(first, series.step_ns, per_bar, len(slices) * per_bar)
    step_ns = series.step_ns * -(-len(slices) // max(1, width - 1))
    start = first // step_ns * step_ns
    columns = -(-(until_ns - start) // step_ns)
    cut = max(0, columns - width)
    return Grid(start + cut * step_ns, step_ns, 1, columns - cut)


def bars(series: Series, measure: Measure, width: int) -> Bars:
    """The series as columns, each bar's value in every column it takes."""
    lines = grid(series, width)
    values: list[float | None] = []
    peak, peak_at = 0, None
    for number, parts in groupby(
        series.slices, key=lambda part: (part.start_ns - lines.from_ns) // lines.step_ns
    ):
        if number < 0:
            continue
        bar = list(parts)
        total = sum(measure(part) for part in bar)
        watched = sum(part.covered for part in bar) / len(bar)
        value = None if total <= 0 and watched < WATCHED else float(total)
        values.extend([value] * lines.per_bar)
        if total > peak:
            peak, peak_at = total, bar[0].start_ns
    return Bars(lines, tuple(values), peak, peak_at)


def share_local(
    lines: Grid, balance: Sequence[Balance], window: Window
) -> tuple[float | None, ...]:
    """Our share of the capacity, 0..1, as it stood at the end of each column.

    None where nobody watched for more than half the column, NOTHING before it was known.
    """
    times = [one.at_ns for one in balance]

    def share(start_ns: int, end_ns: int) -> float:
        at = bisect_right(times, max(start_ns, end_ns)) - 1
        if at < 0:
            return NOTHING
        return balance[at].local_sat / max(1, balance[at].capacity_sat)

    return _columns(lines, share, window)


def most_in_flight(
    lines: Grid, points: Sequence[InFlight], window: Window
) -> tuple[float | None, ...]:
    """The most HTLCs that were on the channels at a time within each column.

    None where nobody watched for more than half the column, NOTHING before it was known.
    """
    times = [one.at_ns for one in points]

    def most(start_ns: int, end_ns: int) -> float:
        first = max(0, bisect_right(times, start_ns) - 1)
        held = points[first : bisect_right(times, max(start_ns, end_ns - 1))]
        return float(max((one.count for one in held), default=NOTHING))

    return _columns(lines, most, window)


def _columns(
    lines: Grid, value: Callable[[int, int], float], window: Window
) -> tuple[float | None, ...]:
    """A value for each column from its start and end, None where mostly nobody watched."""
    values: list[float | None] = []
    for column in range(lines.columns):
        # What lies before the window, in its first bar, is shown as its beginning.
        start = max(lines.at_ns(column), window.from_ns)
        end = min(max(lines.at_ns(column + 1), start + 1), window.until_ns)
        gaps = ((max(gap.from_ns, start), min(gap.until_ns, end)) for gap in window.gaps)
        missed = sum(max(0, until_ns - from_ns) for from_ns, until_ns in gaps)
        values.append(None if 2 * missed > end - start > 0 else value(start, end))
    return tuple(values)


def plot(
    values: Sequence[float | None], top: float, height: int, glyphs: Glyphs
) -> tuple[Line, ...]:
    """The values as bars `height` rows high up to `top`; a gap is hatched from top to bottom."""
    return tuple(_row(values, top, height, row, glyphs) for row in reversed(range(height)))


def _row(values: Sequence[float | None], top: float, height: int, row: int, glyphs: Glyphs) -> Line:
    pieces: list[Piece] = []
    for is_gap, run in groupby(values, key=lambda value: value is None):
        if is_gap:
            pieces.append((glyphs.gap * len(list(run)), Role.DIM))
            continue
        signs = (
            " " if value is None or value < 0 else glyphs.rising(_units(value, top, height), row)
            for value in run
        )
        pieces.append(("".join(signs), Role.BAR))
    return tuple(pieces)


def _units(value: float, top: float, height: int) -> float:
    return min(1.0, value / top) * height if top > 0 else 0.0


def scaled(rows: Sequence[Line], top: str, glyphs: Glyphs, bottom: str = "0") -> tuple[Line, ...]:
    """Rows of a chart with a scale at the left: its highest value above, its lowest below; one
    of the two where they are the same."""
    top = "" if top == bottom and len(rows) > 1 else top
    labels = [top, *([""] * (len(rows) - 2)), bottom] if len(rows) > 1 else [top]
    return tuple(
        ((right(label, GUTTER - 1), Role.DIM), (glyphs.side, Role.DIM), *row)
        for label, row in zip(labels, rows, strict=True)
    )


def axis(lines: Grid, glyphs: Glyphs, indent: int = 0, tz: tzinfo | None = None) -> Line:
    """The times under a chart: few, round ones, each with a stroke at its column."""
    if not lines.columns:
        return ()
    per_column = max(1, lines.step_ns // lines.per_bar)
    least_s = _LABEL * per_column // NS
    every_s = next((tick for tick in _TICKS if tick >= least_s), _TICKS[-1])
    text = ""
    before = _slot(lines.from_ns - 1, every_s, tz)
    for column in range(lines.columns):
        slot = _slot(lines.at_ns(column + 1) - 1, every_s, tz)
        label = glyphs.side + _label(slot * every_s, every_s)
        if slot != before and len(text) <= column and column + len(label) <= lines.columns:
            text = text.ljust(column) + label + " "
        before = slot
    return ((" " * indent + text.rstrip(), Role.DIM),)


def _slot(at_ns: int, every_s: int, tz: tzinfo | None) -> int:
    """Which round time was the last at a moment, counted in the zone's own wall clock."""
    offset = local(at_ns, tz).utcoffset()
    return (at_ns // NS + (int(offset.total_seconds()) if offset else 0)) // every_s


def _label(wall_s: int, every_s: int) -> str:
    at = local(wall_s * NS, UTC)
    if every_s >= _DAY or (at.hour == 0 and at.minute == 0):
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M}"


def marks(lines: Grid, changes: Iterable[Change], indent: int = 0) -> Line:
    """The letters of the changes at their columns, "+" for several in one; () without any."""
    signs: dict[int, str] = {}
    for change in changes:
        column = lines.column(change.at_ns)
        if 0 <= column < lines.columns:
            letter = LETTERS[change.kind]
            signs[column] = letter if signs.get(column, letter) == letter else "+"
    if not signs:
        return ()
    text = "".join(signs.get(column, " ") for column in range(max(signs) + 1))
    return ((" " * indent + text, Role.STRONG),)


def chart_rows(
    drawn: Bars,
    changes: Iterable[Change],
    height: int,
    glyphs: Glyphs,
    *,
    scale: bool,
) -> tuple[Line, ...]:
    """Bars with axis, and marks where there are any, in at most `height` rows."""
    indent = GUTTER if scale else 1
    below = [marks(drawn.grid, changes, indent), axis(drawn.grid, glyphs, indent)]
    below = [row for row in below if row][: max(0, height - 1)]
    rows = plot(drawn.values, drawn.peak_msat, height - len(below), glyphs)
    if scale:
        rows = scaled(rows, sat(drawn.peak_msat), glyphs)
    else:
        rows = tuple(((" ", Role.TEXT), *row) for row in rows)
    return (*rows, *below)
