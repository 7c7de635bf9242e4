"""The stretch of the log that is loaded: follows the newest HTLCs, or stands still and grows at
either end as the view nears it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from htlctop.analysis.models import HtlcLine, LogPage
from htlctop.domain.codes import Outcome

PAGE_LINES = 200
MOST_PAGES = 8
NEAR_LINES = 100
"""So close to an end of what is loaded, the next page is wanted."""


_NEWEST = 2**63 - 1


@dataclass(slots=True)
class _Page:
    """HTLCs older than `before_seq`, newest first, all of them as far as `older_seq` (None: the
    oldest); no lines while they are let go."""

    before_seq: int
    lines: tuple[HtlcLine, ...] | None
    older_seq: int | None


class Reel:
    """Pages from the newest to the oldest, of which a few neighbours are loaded. Each begins where
    the one before it ends. Where few HTLCs fit a filter a read ends before it has filled a page;
    what the next one finds is added to it."""

    def __init__(self) -> None:
        self._pages: list[_Page] = []
        self._first = self._end = 0
        self._told_from = 0
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
        """Whether the store holds older ones than are loaded, as far as was looked."""
        return bool(self._pages) and (
            self._end < len(self._pages) or self._pages[-1].older_seq is not None
        )

    def follow(self, newest: LogPage) -> None:
        """From the newest; where those fill no page, with the older ones that were found before."""
        lines, older_seq = self._with_older(newest)
        self._told_from = newest.older_seq or 0
        self._pages = [_Page(lines[0].seq + 1 if lines else _NEWEST, lines, older_seq)]
        self._first, self._end, self.has_newer = 0, 1, False
        self._lines = None

    def _with_older(self, newest: LogPage) -> tuple[tuple[HtlcLine, ...], int | None]:
        room = PAGE_LINES - len(newest.lines)
        if newest.older_seq is None or room <= 0 or not self._pages or self._first:
            return newest.lines, newest.older_seq
        found_to = self._pages[self._end - 1].older_seq
        older = [line for line in self.lines if line.seq < newest.older_seq]
        if len(older) > room:
            older, found_to = older[:room], older[room - 1].seq
        if found_to is not None and found_to > newest.older_seq:
            found_to = newest.older_seq
        return (*newest.lines, *older), found_to

    def stand(self, newest: LogPage) -> None:
        """Newer ones came, and are not taken; what is loaded takes over how its own went on."""
        if not self.lines:
            self.follow(newest)
            return
        top = self._pages[0]
        self.has_newer = bool(newest.lines) and newest.lines[0].seq >= top.before_seq
        self._told_from = newest.older_seq or 0
        self._renew(top, newest.lines)

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
        return self._pages[-1].older_seq

    def add(self, before_seq: int, found: LogPage) -> bool:
        """Take a page over that was wanted, and let the farthest go; whether it was wanted."""
        page = _Page(before_seq, found.lines, found.older_seq)
        if self._first and self._pages[self._first - 1].before_seq == before_seq:
            self._first -= 1
            self._put(self._first, page)
            if self._end - self._first > MOST_PAGES:
                self._end -= 1
                self._pages[self._end].lines = None
        elif self._end < len(self._pages) and self._pages[self._end].before_seq == before_seq:
            self._put(self._end, page)
            self._grow()
        elif self._pages and self._pages[-1].older_seq == before_seq:
            last = self._pages[-1]
            if last.lines is not None and len(last.lines) + len(found.lines) <= PAGE_LINES:
                last.lines, last.older_seq = (*last.lines, *found.lines), found.older_seq
            else:
                self._pages.append(page)
                self._grow()
        else:
            return False
        self._lines = None
        return True

    def _put(self, at: int, page: _Page) -> None:
        """Load a page again. Where it ends sooner this time, what came after it is let go."""
        self._pages[at] = page
        if at + 1 < len(self._pages) and self._pages[at + 1].before_seq != page.older_seq:
            del self._pages[at + 1 :]
            self._end = min(self._end, len(self._pages))

    def _grow(self) -> None:
        self._end += 1
        if self._end - self._first > MOST_PAGES:
            self._pages[self._first].lines = None
            self._first += 1
