"""How much of the time we were looking: intervals in, covered time and gaps out. Times ns."""

from collections.abc import Iterable
from dataclasses import dataclass

from htlctop.domain.types import NS


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which the stream was open.

    `ended_by` says why it ended, None while it has not; `shed` counts events dropped in it.
    """

    start_ns: int
    until_ns: int
    ended_by: str | None
    shed: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody was watching, and why. `shed` counts events dropped in it."""

    from_ns: int
    until_ns: int
    reason: str
    shed: int = 0


NOT_RUNNING = "not running"
NOT_STARTED = "before the first start"
NOT_PROVEN = "not confirmed yet"
PROVEN_WITHIN_NS = 15 * NS
"""How long the next sign of life of a stream that is open may take."""


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals in order, overlapping ones joined into one that ends as the later does."""
    joined: list[Interval] = []
    for item in sorted(intervals, key=lambda i: (i.start_ns, i.until_ns)):
        if joined and item.start_ns <= joined[-1].until_ns:
            last = joined[-1]
            ends = item if item.until_ns >= last.until_ns else last
            joined[-1] = Interval(
                last.start_ns, ends.until_ns, ends.ended_by, last.shed + item.shed
            )
        else:
            joined.append(item)
    return joined


def covered_ns(intervals: Iterable[Interval], from_ns: int, until_ns: int) -> int:
    """How much of [from, until) was watched."""
    return sum(
        max(0, min(item.until_ns, until_ns) - max(item.start_ns, from_ns))
        for item in union(intervals)
    )


def gaps(intervals: Iterable[Interval], from_ns: int, until_ns: int) -> tuple[Gap, ...]:
    """The parts of [from, until) that were not watched, with the reason the watching had ended."""
    found: list[Gap] = []
    reason, shed, at_ns = NOT_STARTED, 0, from_ns
    for item in union(intervals):
        if item.start_ns >= until_ns:
            break
        if item.start_ns > at_ns:
            found.append(Gap(at_ns, item.start_ns, reason, shed))
        if item.until_ns > at_ns:
            at_ns = item.until_ns
        reason, shed = item.ended_by or NOT_RUNNING, item.shed
    if at_ns < until_ns:
        if reason is NOT_RUNNING and until_ns - at_ns <= PROVEN_WITHIN_NS:
            reason = NOT_PROVEN
        found.append(Gap(at_ns, until_ns, reason, shed))
    return tuple(found)


def last_break_ns(intervals: Iterable[Interval], until_ns: int, *, live_end: bool) -> int | None:
    """The end of the newest gap before `until`: what was in flight before it may have been missed.

    `live_end`: time since the last interval ended is a gap too, as it is for a live store but
    not for a playback. None where there was no gap.
    """
    joined = [item for item in union(intervals) if item.start_ns < until_ns]
    if not joined:
        return until_ns if live_end else None
    if live_end and joined[-1].until_ns < until_ns:
        return until_ns
    return joined[-1].start_ns if len(joined) > 1 else None
