"""Demand and our side of the balance over the window, side by side on one grid of times."""

from collections.abc import Sequence

from htlctop.analysis.details import Balance, Change
from htlctop.analysis.models import Series, Window
from htlctop.export.format import moment, percent, sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.chart import chart, per
from htlctop.ui.paint.overview import chart_line, chart_width
from htlctop.ui.paint.parts import SIDE_BY_SIDE, beside, widths
from htlctop.ui.paint.plot import (
    GUTTER,
    Bars,
    axis,
    bars,
    chart_rows,
    plot,
    scaled,
    share_local,
)
from htlctop.ui.text import Line, Part, Role, indent, line

_SCALED_FROM = 44
"""A chart of this many cells has a scale."""


def rows_for(height: int) -> int:
    """How many rows a chart on a page of this height takes, its axis with it; 1: a line alone."""
    return 1 if height < 20 else 4 if height < 40 else 6


def over_time(
    series: Series,
    balance: Sequence[Balance],
    window: Window,
    changes: Sequence[Change],
    width: int,
    height: int,
    glyphs: Glyphs,
) -> tuple[Line, ...]:
    """What the page's height has room for: lines of signs, or charts several rows high."""
    rows = rows_for(height)
    if rows == 1 or width < SIDE_BY_SIDE:
        return _lines(series, balance, window, width, glyphs)
    if not balance:
        return tuple(_demand(series, changes, window, width, rows, glyphs))
    wide = widths(width, 2)
    left = _demand(series, changes, window, wide[0], rows, glyphs)
    right = _local(series, balance, window, wide[1], rows, glyphs)
    return beside((left, right), wide, glyphs)


def when(window: Window) -> str:
    """What the end of a window is called."""
    return "now" if window.is_live else "then"


def _lines(
    series: Series, balance: Sequence[Balance], window: Window, width: int, glyphs: Glyphs
) -> tuple[Line, ...]:
    drawn = chart(series, lambda bar: bar.net_demand_msat, chart_width(width), glyphs)
    first = chart_line(series, drawn, "demand", window.until_ns, width, glyphs)
    if not balance or not series.slices:
        return (first,)
    columns = bars(series, lambda bar: bar.net_demand_msat, len(drawn.signs))
    shares = share_local(columns.grid, balance, window)
    signs = plot(shares[-len(drawn.signs) :], 1.0, 1, glyphs)[0]
    now = percent(balance[-1].local_sat, balance[-1].capacity_sat)
    text = "".join(piece for piece, _ in signs)
    parts = [Part(text, Role.BAR), Part("local balance", Role.DIM, 2)]
    return first, indent(width, parts, [Part(f"{now} {when(window)}", Role.TEXT, 1)])


def _demand(
    series: Series,
    changes: Sequence[Change],
    window: Window,
    width: int,
    rows: int,
    glyphs: Glyphs,
) -> list[Line]:
    scale = width >= _SCALED_FROM
    drawn = bars(series, lambda bar: bar.net_demand_msat, width - (GUTTER if scale else 2))
    title = indent(
        width,
        [
            Part(f"demand {per(drawn.grid.step_ns)}", Role.TITLE),
            Part(f"{glyphs.gap} not watched" if drawn.has_gaps else "", Role.DIM, 3),
        ],
        [Part(peak(drawn, window.until_ns), Role.TEXT, 1, f"peak {sat(drawn.peak_msat)}")],
    )
    if not series.slices:
        return [title, line(" no time watched yet", Role.DIM)]
    return [title, *chart_rows(drawn, changes, rows, glyphs, scale=scale)]


def _local(
    series: Series,
    balance: Sequence[Balance],
    window: Window,
    width: int,
    rows: int,
    glyphs: Glyphs,
) -> list[Line]:
    scale = width >= _SCALED_FROM
    drawn = bars(series, lambda bar: bar.net_demand_msat, width - (GUTTER if scale else 2))
    shares = share_local(drawn.grid, balance, window)
    last = balance[-1]
    title = indent(
        width,
        [Part("local balance", Role.TITLE)],
        [Part(f"{percent(last.local_sat, last.capacity_sat)} {when(window)}", Role.TEXT, 1)],
    )
    signs = plot(shares, 1.0, max(1, rows - 1), glyphs)
    edge = scaled(signs, "100%", glyphs) if scale else [((" ", Role.TEXT), *row) for row in signs]
    return [title, *edge, axis(drawn.grid, glyphs, GUTTER if scale else 1)]


def peak(drawn: Bars, now_ns: int) -> str:
    """The highest bar with its time."""
    if drawn.peak_at_ns is None:
        return "nothing missed"
    return f"peak {sat(drawn.peak_msat)} sat at {moment(drawn.peak_at_ns, now_ns)}"
