"""Windows: what "24h" or "all" means at a moment, with the edges that buckets really have."""

from dataclasses import replace
from datetime import UTC, datetime

from htlctop.analysis.models import Window
from htlctop.analysis.query import Query
from htlctop.domain.coverage import Interval, covered_ns, gaps
from htlctop.domain.records import DAY, HOUR, KEPT_NS, MINUTE, SPANS
from htlctop.domain.types import NS
from htlctop.errors import UsageError

_UNITS = {"s": NS, "m": 60 * NS, "h": 3600 * NS, "d": 86_400 * NS}
ALL = "all"
WINDOWS = ("1h", "6h", "24h", "7d", "30d", ALL)
"""Those that the screen goes through."""
SINCE = "since"
"""The label of a window whose start was given as a time."""
LONGEST_NS = 100 * 365 * 86_400 * NS

_MINUTE, _HOUR, _DAY = SPANS[MINUTE], SPANS[HOUR], SPANS[DAY]
_WEEK = 7 * _DAY
_STEPS = (
    (_HOUR, _MINUTE),
    (6 * _HOUR, 5 * _MINUTE),
    (48 * _HOUR, _HOUR),
    (8 * _DAY, 6 * _HOUR),
    (90 * _DAY, _DAY),
)


def duration_ns(text: str) -> int:
    """ "30s", "5m", "48h" or "30d" in ns. Raises UsageError for anything else, or for nothing."""
    number, unit = text[:-1], text[-1:]
    is_number = number.isascii() and number.isdigit() and number.strip("0")
    if unit not in _UNITS or not is_number:
        raise UsageError(f"{text!r} is not a duration; write 30s, 5m, 48h or 30d")
    if len(number) > 9 or int(number) * _UNITS[unit] > LONGEST_NS:
        raise UsageError(f"{text} is longer than anything that was ever seen; write 30d, or all")
    return int(number) * _UNITS[unit]


def finest_ns(at_ns: int, newest_ns: int) -> int:
    """The width of the finest buckets that are kept of a time, ns."""
    for width, kept_ns in zip(SPANS, KEPT_NS, strict=True):
        if kept_ns is None or at_ns >= newest_ns - kept_ns + width:
            return width
    return _DAY


def align(at_ns: int, newest_ns: int, *, up: bool = False) -> int:
    """The nearest edge at or before (up: at or after) a time that the kept buckets have."""
    width = finest_ns(at_ns, newest_ns)
    if up:  # what leads up to an end begins where a wider bucket does, and has to be kept too
        wider = _HOUR if width == _MINUTE else _DAY
        width = finest_ns(at_ns // wider * wider, newest_ns)
    return (-(-at_ns // width) if up else at_ns // width) * width


def is_kept(from_ns: int, until_ns: int, newest_ns: int) -> bool:
    """Whether [from, until) is made up of buckets of one width that are kept."""
    width = finest_ns(from_ns, newest_ns)
    return from_ns % width == until_ns % width == 0


def resolve(
    query: Query, now_ns: int, newest_ns: int, first_ns: int | None, intervals: list[Interval]
) -> Window:
    """The window a query means; all but "all" begin on an edge of a bucket that is kept.

    Args:
        now_ns: node time. newest_ns: the newest event stored, which decides what is kept.
        first_ns: the first event stored; with the first interval it is where "all" begins.

    Raises UsageError for a start after now.
    """
    is_live = query.until_ns is None or query.until_ns > now_ns
    end_ns = now_ns if query.until_ns is None else min(query.until_ns, now_ns)
    starts = [item.start_ns for item in intervals[:1]] + ([first_ns] if first_ns else [])
    if query.since_ns is not None:
        if is_live and query.since_ns > now_ns:
            now = datetime.fromtimestamp(now_ns // NS, UTC)
            raise UsageError(
                f"nothing can be seen yet from that start on: it is {now:%Y-%m-%dT%H:%MZ} there"
            )
        from_ns = align(query.since_ns, newest_ns)
    elif query.window == ALL:
        # It begins when the watching did: nothing that could be counted lies before.
        from_ns = min(starts, default=end_ns)
    else:
        from_ns = align(end_ns - duration_ns(query.window), newest_ns)
    until_ns = max(end_ns if is_live else align(end_ns, newest_ns, up=True), from_ns)
    return Window(
        label=query.window if query.since_ns is None else SINCE,
        from_ns=from_ns,
        until_ns=until_ns,
        covered_ns=covered_ns(intervals, from_ns, until_ns),
        gaps=gaps(intervals, from_ns, until_ns),
        is_live=is_live,
    )


def widened(query: Query) -> Query:
    """The query over seven days at least, unless it says where to start: advice rests on that."""
    if query.since_ns is not None or query.window == ALL:
        return query
    return query if duration_ns(query.window) >= _WEEK else replace(query, window="7d")


def step_ns(window: Window, newest_ns: int) -> int:
    """The width of one bar of the chart over a window, ns; no less than what is kept of it."""
    length = window.until_ns - window.from_ns
    finest = finest_ns(window.from_ns, newest_ns)
    for longest, step in _STEPS:
        if length <= longest + step:
            return max(step, finest)
    return max(1, length // (60 * _DAY)) * _DAY
