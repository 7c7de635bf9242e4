"""How much was watched, as people are told of it: the last seconds of a stream that is open, which
its next sign of life will cover, are no gap."""

from collections.abc import Iterable

from htlctop.analysis.models import Gap, Window
from htlctop.domain.coverage import NOT_PROVEN


def gaps(found: Iterable[Gap]) -> tuple[Gap, ...]:
    """Those that are gaps for sure."""
    return tuple(gap for gap in found if gap.reason != NOT_PROVEN)


def watched_ns(window: Window) -> int:
    """How long of the window was watched."""
    open_still = (gap for gap in window.gaps if gap.reason == NOT_PROVEN)
    return window.covered_ns + sum(gap.until_ns - gap.from_ns for gap in open_still)


def share(window: Window) -> float:
    """The watched part of the window, 0..1."""
    length = window.until_ns - window.from_ns
    return min(1.0, watched_ns(window) / length) if length > 0 else 0.0
