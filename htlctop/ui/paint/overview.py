"""The Overview's head, chart line and empty states."""

from htlctop.analysis.advice.models import Advice
from htlctop.analysis.models import Overview, Series, Sums
from htlctop.analysis.status import State, StatusView
from htlctop.export.advice import BEFORE_COSTS, sentence, worth
from htlctop.export.format import ago, ascii_only, count, moment, percent, sat, short_sat
from htlctop.ui import watched
from htlctop.ui.board import Board
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.keys import key_of
from htlctop.ui.paint.advice import is_fresh, lead
from htlctop.ui.paint.chart import Chart, chart, per
from htlctop.ui.paint.records import EXPIRY_ALARM_BLOCKS
from htlctop.ui.paint.status import nearest_expiry, shed, status
from htlctop.ui.text import BLANK, Line, Part, Role, indent, line, width_of

_MANY_TIMES = 10
_GAPS = 6
"""Cells between three parts of a line, and at its ends."""


def head(
    board: Board, width: int, height: int, glyphs: Glyphs, advice: int, badge: str
) -> tuple[Line, ...]:
    """Status, totals, where there is room what is wrong right now, and (`advice` lines) what to
    do about it."""
    view = board.overview
    lines = [status(board, width, glyphs, badge)]
    if view and height > 1:
        lines.append(totals(view, width, glyphs))
    if view and height - advice > 2:
        lines.append(facts(board, view, width))
    if view and advice:
        lines.append(to_do(board.advice, width, glyphs))
    return tuple(lines[:height])


def to_do(advice: Advice | None, width: int, glyphs: Glyphs) -> Line:
    """The best thing to do, and how many there are; why there is none where there is none, and
    that it is too early in the first hour."""
    if advice is None:
        return BLANK
    if not advice.opportunities:
        text = advice.too_early or advice.why_none
        return indent(width, [Part(text, Role.DIM, 0, text.partition(";")[0])])
    best, number = advice.opportunities[0], len(advice.opportunities)
    key = key_of("opportunities", glyphs.ascii)
    if is_fresh(advice):
        so_far = Part(f"({key} for the {number} so far)", Role.DIM, 1)
        why = advice.too_early
        short = f"Do: {why.partition(';')[0]}"
        return indent(width, [Part(f"Do: {why}", Role.DIM, 0, short)], [so_far])
    plain = ascii_only if glyphs.ascii else str
    what = f"{lead(advice)}: {plain(sentence(best).removesuffix(worth(best)))}"
    whole = plain(worth(best).removeprefix(", "))
    brings = whole.removesuffix(BEFORE_COSTS)
    others = f"({key} for all {number})" if number > 1 else ""
    if width_of(line(what + whole + others)) + _GAPS > width:
        whole = brings
    return indent(
        width,
        [
            Part(what, Role.GOOD),
            Part(whole, Role.GOOD, 1, brings.replace(" sat a month", "/month")),
        ],
        [Part(others, Role.DIM, 2)],
    )


def totals(view: Overview, width: int, glyphs: Glyphs) -> Line:
    """What was missed, beside what was earned and what was asked of us."""
    sums, forwards = view.totals.sums, view.totals.forwards
    if not forwards and (view.sends or view.receives):
        own = f"{count(view.sends)} sends and {count(view.receives)} receives of its own"
        return indent(width, [Part("No forwards", Role.STRONG), Part(own, Role.TEXT, 1)])
    missed, earned = sat(sums.expected_msat), sat(sums.earned_msat)
    if width < 60:
        return indent(
            width,
            [
                Part(f"missed {missed} sat", Role.STRONG, 0, f"missed {missed}"),
                Part(f"earned {earned}", Role.TEXT, 1),
            ],
        )
    rounded = short_sat((sums.earned_msat + 500) // 1000)
    refused = f"{count(sums.refused)} of {count(forwards)}"
    return indent(
        width,
        [
            Part(f"Missed {glyphs.approx} {missed} sat", Role.STRONG),
            Part(_share(sums, earned, glyphs), Role.TEXT, 1, _share(sums, rounded, glyphs)),
            Part(f"demand {sat(sums.net_demand_msat)}", Role.TEXT, 2),
            Part(f"every try {sat(sums.asked_msat)}", Role.DIM, 4),
            Part(f"{refused} forwards refused here", Role.TEXT, 3, f"{refused} refused"),
        ],
    )


def _share(sums: Sums, earned: str, glyphs: Glyphs) -> str:
    """What was missed as a part, or many times, of what was earned."""
    if sums.earned_msat <= 0:
        return "(nothing earned)"
    times = sums.expected_msat / sums.earned_msat
    if times >= _MANY_TIMES:
        return f"({count(round(times))}{glyphs.times} the {earned} earned)"
    return f"({percent(sums.expected_msat, sums.earned_msat)} of {earned} earned)"


def facts(board: Board, view: Overview, width: int) -> Line:
    """Peers away, channels dry, what hangs in flight; at a past time, what is known of it."""
    parts = shed(board.status)
    if view.offline:
        parts.append(Part(_many(view.offline, "peer", "offline"), Role.BAD, 2))
    if view.dry:
        parts.append(Part(_many(view.dry, "channel", "dry"), Role.WARN, 2))
    if view.window.is_live:
        parts.extend(_in_flight(board, board.status or view.status))
    elif view.totals.in_flight:
        parts.append(Part(f"in flight {count(view.totals.in_flight)}", Role.TEXT, 3))
    if view.totals.unknown:
        parts.append(Part(f"{count(view.totals.unknown)} with unknown outcome", Role.DIM, 5))
    if view.window.covered_ns and not view.offline and not view.dry:
        parts.append(Part("every peer online, no channel dry", Role.DIM, 6))
    now = board.status or view.status
    if now.state is State.LIVE and now.synced and view.window.is_live:
        parts.append(Part("synced", Role.DIM, 7))
    return indent(width, parts, gap=3)


def _in_flight(board: Board, now: StatusView) -> list[Part]:
    parts = []
    if now.in_flight:
        text = f"in flight {count(now.in_flight)}"
        if now.oldest_in_flight_ns is not None:
            text += f", oldest {ago(now.oldest_in_flight_ns, now.now_ns)}"
        parts.append(Part(text, Role.TEXT, 3))
    if (nearest := nearest_expiry(board)) is not None:
        role = Role.BAD if nearest < EXPIRY_ALARM_BLOCKS else Role.TEXT
        parts.append(Part(f"nearest expiry {_many(nearest, 'block', '').rstrip()}", role, 4))
    return parts


def _many(number: int, thing: str, state: str) -> str:
    return f"{count(number)} {thing}{'' if number == 1 else 's'} {state}"


def missed(view: Overview, width: int, glyphs: Glyphs) -> Line:
    """The chart of what was missed, over the whole window."""
    return chart_line(
        view.series,
        chart(view.series, lambda bar: bar.expected_msat, chart_width(width), glyphs),
        "missed",
        view.status.now_ns,
        width,
        glyphs,
    )


def chart_width(width: int) -> int:
    """How many signs a chart line has room for beside its legend."""
    return max(1, width - 2) if width < 60 else max(20, width - 46)


def chart_line(
    series: Series, drawn: Chart, what: str, now_ns: int, width: int, glyphs: Glyphs
) -> Line:
    """A chart with its legend: what it shows, per how long, and its peak."""
    if not series.slices:
        return indent(width, [Part("no time watched yet", Role.DIM)])
    legend = f"{what} {per(drawn.step_ns)}"
    if drawn.has_gaps:
        legend += f", {glyphs.gap} = not watching"
    at = moment(drawn.peak_at_ns, now_ns) if drawn.peak_at_ns is not None else ""
    peak = f"peak {sat(drawn.peak_msat)} sat at {at}" if at else "nothing missed"
    return indent(
        width,
        [Part(drawn.signs, Role.BAR), Part(legend, Role.DIM, 2, f"{what} {per(drawn.step_ns)}")],
        [Part(peak, Role.TEXT, 1, f"peak {sat(drawn.peak_msat)}" if at else "")],
    )


def expectation(view: Overview) -> tuple[str, ...]:
    """What an empty table says: since when we watch, and what will turn up here."""
    since = watched_since(view)
    if since is None:
        if view.status.state is State.NEVER:
            return ("Nothing collected yet.", "Run htlctop collect to start watching.")
        return ("Not watching yet; refused forwards will be listed here.",)
    start = f"Watching since {moment(since, view.status.now_ns)}; "
    if view.totals.forwards:
        return (f"{start}{count(view.totals.forwards)} forwards, nothing refused yet.",)
    if view.sends or view.receives:
        return (
            f"{start}this node forwarded nothing.",
            f"It made {count(view.sends)} payments and received {count(view.receives)}.",
            "A node with one peer, or private channels only, has no forwards to miss.",
        )
    return (f"{start}nothing refused yet.", "Refused forwards are listed under their peers.")


def watched_since(view: Overview) -> int | None:
    """The start of the latest unbroken watch in the window, None while nobody watches."""
    window = view.window
    if window.covered_ns <= 0:
        return None
    since = max((gap.until_ns for gap in watched.gaps(window.gaps)), default=window.from_ns)
    return since if since < window.until_ns else None
