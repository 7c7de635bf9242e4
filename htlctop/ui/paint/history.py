"""The view History: the chart of a window with what changed in it, and when nobody watched."""

from htlctop.analysis.details import History
from htlctop.domain.types import NS
from htlctop.export.format import count, moment, percent, sat, span
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.keys import key_of
from htlctop.ui.paint import records
from htlctop.ui.paint.chart import per
from htlctop.ui.paint.over_time import peak
from htlctop.ui.paint.parts import paragraph, rule
from htlctop.ui.paint.plot import GUTTER, Bars, Grid, bars, chart_rows, most_in_flight, plot, scaled
from htlctop.ui.text import BLANK, Line, Part, Role, indent, line
from htlctop.ui.watched import share, watched_ns

_SCALED_FROM = 60
_HOUR_NS = 3600 * NS


def page(view: History, width: int, height: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """The whole page, as long as it gets; whoever shows it scrolls."""
    now_ns = view.window.until_ns
    lines: list[Line] = [_sums(view, width)]
    if not view.series.slices or not view.window.covered_ns:
        longer, back = key_of("window_next", glyphs.ascii), key_of("earlier", glyphs.ascii)
        text = (
            f"Nobody watched in this window. {longer} chooses a longer one, {back} goes back in "
            "time."
        )
        lines.extend([BLANK, *paragraph(text, width, Role.DIM)])
    else:
        scale = width >= _SCALED_FROM
        drawn = bars(view.series, lambda bar: bar.expected_msat, width - (GUTTER if scale else 2))
        lines.append(_title(drawn, now_ns, width, glyphs))
        flying = _flying_rows(height) if view.in_flight else 0
        rows = _rows(height) - flying
        lines.extend(chart_rows(drawn, view.changes, max(3, rows), glyphs, scale=scale))
        if flying:
            lines.extend(_in_flight(view, drawn.grid, width, flying, glyphs))
    lines.append(rule(f"What changed{_legend(width)}", width, glyphs))
    lines.extend(records.changes(view.changes, now_ns, width, glyphs) or records.no_changes(width))
    lines.append(rule("Not watched", width, glyphs))
    lines.extend(
        records.gaps(view.window.gaps, now_ns, width, glyphs)
        or [line(" nothing was missed: somebody watched the whole window", Role.DIM)]
    )
    return tuple(lines)


def _rows(height: int) -> int:
    """The chart takes about half the page, never less than three rows."""
    return max(3, min(20, height // 2 - 1))


def _flying_rows(height: int) -> int:
    """The chart of what was in flight is the smaller one."""
    return 1 if height < 20 else 3 if height < 40 else 5


def _in_flight(
    view: History, lines: Grid, width: int, rows: int, glyphs: Glyphs
) -> tuple[Line, ...]:
    """The HTLCs on the channels, on the grid of the chart above."""
    window = view.window
    values = most_in_flight(lines, view.in_flight, window)
    most = max((value for value in values if value is not None), default=0.0)
    now = f"{count(view.in_flight[-1].count)} now" if window.is_live else ""
    top = f"at most {count(int(max(0.0, most)))}"
    title = indent(
        width,
        [Part("in flight on the channels", Role.TITLE)],
        [Part(now, Role.TEXT, 1), Part(top, Role.TEXT, 2)],
    )
    signs = plot(values, most, rows, glyphs)
    if width >= _SCALED_FROM:
        return title, *scaled(signs, count(int(max(0.0, most))), glyphs)
    return title, *(((" ", Role.TEXT), *row) for row in signs)


def _sums(view: History, width: int) -> Line:
    expected = sum(one.expected_msat for one in view.series.slices)
    net = sum(one.net_demand_msat for one in view.series.slices)
    covered = view.window.covered_ns
    parts = [
        Part(f"Missed {sat(expected)} sat", Role.STRONG),
        Part(f"of net demand {sat(net)}", Role.TEXT, 2),
    ]
    if covered >= _HOUR_NS:
        rate = expected * _HOUR_NS // covered
        parts.append(Part(f"{sat(rate)} sat per hour watched", Role.TEXT, 1))
    from_to = f"{moment(view.window.from_ns, 0)} to {moment(view.window.until_ns, 0)}"
    told = f"watched {span(watched_ns(view.window))} = {percent(share(view.window), 1)}"
    parts.append(Part(told, Role.DIM, 3))
    return indent(width, parts, [Part(from_to, Role.DIM, 4)])


def _title(drawn: Bars, now_ns: int, width: int, glyphs: Glyphs) -> Line:
    return indent(
        width,
        [
            Part(f"missed {per(drawn.grid.step_ns)}", Role.TITLE),
            Part(f"{glyphs.gap} = not watching" if drawn.has_gaps else "", Role.DIM, 2),
        ],
        [Part(peak(drawn, now_ns), Role.TEXT, 1, f"peak {sat(drawn.peak_msat)}")],
    )


def _legend(width: int) -> str:
    if width < 96:
        return ""
    return ": F fee, X max_htlc, R refill, O opened, C closed, M mark, + several"
