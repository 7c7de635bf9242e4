"""The stretch of the log that is loaded: follows the newest HTLCs, or stands still and grows at
either end as the view nears it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from htlctop.analysis.models import HtlcLine
from htlctop.domain.codes import Outcome

PAGE_LINES = 200
MOST_PAGES = 8
NEAR_LINES = 100
"""So close to an end of what is loaded, the next page is wanted."""


@dataclass(slots=True)
class _Page:
    """HTLCs older than `before_seq`, newest first; None while they are let go."""

    before_seq: int
    lines: tuple[HtlcLine, ...] | None


def _oldest(newest: Sequence[HtlcLine]) -> int:
    """From which HTLC on the newest tell all there is."""
    return newest[-1].seq if len(newest) >= PAGE_LINES else 0


class Reel:
    """Pages from the newest to the oldest, of which a few neighbours are loaded."""

    def __init__(self) -> None:
        self._pages: list[_Page] = []
        self._first = self._end = 0
        self._told_from = 0
        self.has_older = False
        self.has_newer = False
        self._lines: tuple[HtlcLine, ...] | None = None

    @property
    def lines(self) -> tuple[HtlcLine, ...]:
        """What is loaded, newest first."""
        if self._lines is None:
            pages = self._pages[self._first : self._end]
            self._lines = tuple(line for page in pages for line in page.lines or ())
        return self._lines

    @property
    def has_more(self) -> bool:
        """Whether the store holds older ones than are loaded."""
        return self.has_older or self._end < len(self._pages)

    def begin(self, newest: Sequence[HtlcLine]) -> None:
        """Anew, from the newest."""
        lines = tuple(newest)
        self._told_from = _oldest(newest)
        self._pages = [_Page(lines[0].seq + 1, lines)] if lines else []
        self._first, self._end = 0, len(self._pages)
        self.has_older, self.has_newer = len(lines) >= PAGE_LINES, False
        self._lines = None

    def stand(self, newest: Sequence[HtlcLine]) -> None:
        """Newer ones came, and are not taken; what is loaded takes over how its own went on."""
        if not self._pages or not newest:
            self.begin(newest)
            return
        top = self._pages[0]
        self.has_newer = newest[0].seq >= top.before_seq
        self._told_from = _oldest(newest)
        self._renew(top, newest)

    def hanging(self, first: int, last: int) -> int | None:
        """The page with one of the lines first..last that was in flight and is too old for the
        newest to tell how it went on, by what the page is older than; None where none is."""
        for page in self._pages[self._first : self._end]:
            lines = page.lines or ()
            seen = lines[max(0, first) : max(0, last + 1)]
            if any(line.outcome is Outcome.NONE and line.seq < self._told_from for line in seen):
                return page.before_seq
            first, last = first - len(lines), last - len(lines)
        return None

    def renew(self, before_seq: int, lines: Sequence[HtlcLine]) -> None:
        """Take over how the HTLCs of a page went on, if it is loaded."""
        for page in self._pages[self._first : self._end]:
            if page.before_seq == before_seq:
                self._renew(page, lines)

    def _renew(self, page: _Page, lines: Sequence[HtlcLine]) -> None:
        fresh = {line.seq: line for line in lines}
        if page.lines and any(fresh.get(line.seq, line) != line for line in page.lines):
            page.lines = tuple(fresh.get(line.seq, line) for line in page.lines)
            self._lines = None

    def wanted(self, first: int, last: int) -> int | None:
        """The page to read while lines first..last are in view, by what it is older than."""
        if not self._pages:
            return None
        if self._first and first < NEAR_LINES:
            return self._pages[self._first - 1].before_seq
        if last < len(self.lines) - NEAR_LINES:
            return None
        if self._end < len(self._pages):
            return self._pages[self._end].before_seq
        return self.lines[-1].seq if self.has_older and self.lines else None

    def add(self, before_seq: int, lines: Sequence[HtlcLine]) -> bool:
        """Take a page over that was wanted, and let the farthest go; whether it was wanted."""
        page = _Page(before_seq, tuple(lines))
        if self._first and self._pages[self._first - 1].before_seq == before_seq:
            self._first -= 1
            self._pages[self._first] = page
            if self._end - self._first > MOST_PAGES:
                self._end -= 1
                self._pages[self._end].lines = None
        elif self._end < len(self._pages) and self._pages[self._end].before_seq == before_seq:
            self._pages[self._end] = page
            self._grow()
        elif self.has_older and self.lines and self.lines[-1].seq == before_seq:
            self.has_older = len(page.lines or ()) >= PAGE_LINES
            if page.lines:
                self._pages.append(page)
                self._grow()
        else:
            return False
        self._lines = None
        return True

    def _grow(self) -> None:
        self._end += 1
        if self._end - self._first > MOST_PAGES:
            self._pages[self._first].lines = None
            self._first += 1
