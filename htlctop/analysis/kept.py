"""Sums kept from one read to the next and advanced by what was written meanwhile.

A cache that may be dropped at any time: each is, to the msat, what reading it anew would give.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import add, sub
from typing import TypeVar

from htlctop.analysis.book import ChannelBook
from htlctop.analysis.sums import Figures, figures
from htlctop.analysis.windows import align, is_kept
from htlctop.domain.codes import LOST, Category
from htlctop.domain.readers import PairSums, StatsReader
from htlctop.domain.records import (
    HOUR,
    MINUTE,
    QUARTER,
    SPANS,
    WEEK,
    Delta,
    PairsHeld,
    StatusRecord,
)

_MINUTE_NS = SPANS[MINUTE]
MOST_WINDOWS = 3
K = TypeVar("K", bound="Kept")
_FORWARDED = (int(Category.SETTLED), int(Category.DOWNSTREAM))


class Kept:
    """Sums over [from, until). Subclasses say how a part of it is read, and a delta added."""

    def __init__(self) -> None:
        self._generation = -1
        self._from_ns = self._until_ns = 0

    def advance(
        self, reader: StatsReader, record: StatusRecord, from_ns: int, until_ns: int
    ) -> None:
        """Make it the sums over [from, until), edges of buckets that are kept, of this moment.

        Args: record: the store's generation, and the newest event, which decides what is kept.
        """
        news = self._news(reader, record, from_ns, until_ns)
        self._bring(reader, record.generation, from_ns, until_ns, news)

    def _news(
        self, reader: StatsReader, record: StatusRecord, from_ns: int, until_ns: int
    ) -> list[Delta] | None:
        """What was written meanwhile, None where there is no going on from what is kept."""
        if not self._can_go_on(from_ns, until_ns, record.last_event_ns):
            return None
        return [] if record.generation == self._generation else reader.news(self._generation)

    def _bring(
        self, reader: StatsReader, generation: int, from_ns: int, until_ns: int,
        news: list[Delta] | None,
    ) -> None:  # fmt: skip
        if news is None:
            self._generation = -1  # a read that is broken off leaves nothing to go on from
            self._clear()
            self._read(reader, from_ns, until_ns, 1)
        else:
            self._generation = -1
            first, end = self._from_ns // _MINUTE_NS, self._until_ns // _MINUTE_NS
            self._take([delta for delta in news if first <= delta.minute < end])
            if from_ns < self._from_ns:
                self._read(reader, from_ns, self._from_ns, 1)
            elif self._from_ns < from_ns:
                self._read(reader, self._from_ns, from_ns, -1)
            if self._until_ns < until_ns:
                self._read(reader, self._until_ns, until_ns, 1)
        self._generation, self._from_ns, self._until_ns = generation, from_ns, until_ns

    def _can_go_on(self, from_ns: int, until_ns: int, newest_ns: int) -> bool:
        """Whether what lies between the edges and those before can still be told apart."""
        if self._generation < 0 or not from_ns < self._until_ns <= until_ns:
            return False
        moved = ((self._from_ns, from_ns), (self._until_ns, until_ns))
        return all(is_kept(min(ends), max(ends), newest_ns) for ends in moved)

    def _clear(self) -> None:
        raise NotImplementedError

    def _read(self, reader: StatsReader, from_ns: int, until_ns: int, sign: int) -> None:
        raise NotImplementedError

    def _take(self, news: Iterable[Delta]) -> None:
        raise NotImplementedError


class KeptCells(Kept):
    """A window's sums: `channels` by channel and category, `categories` of all channels; each is
    the seven sums of a Cell in order."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: dict[int, dict[int, list[int]]] = {}
        self.categories: dict[int, list[int]] = {}
        self._unpriced: dict[int, Figures] = {}

    def of_some(self, channel: int, categories: frozenset[int]) -> Figures | None:
        """What some categories of a channel add up to if all net demand would have been earned,
        None where there is nothing of them."""
        every = self.channels[channel]
        cells = {category: sums for category, sums in every.items() if category in categories}
        return _unpriced(cells) if cells else None

    def of_all(self, channel: int) -> Figures:
        """The same of all its categories."""
        found = self._unpriced.get(channel)
        if found is None:
            found = self._unpriced[channel] = _unpriced(self.channels[channel])
        return found

    def count(self, category: int) -> int:
        """How many HTLCs of a category."""
        return self.categories.get(category, (0,))[0]

    def _clear(self) -> None:
        self.channels, self.categories, self._unpriced = {}, {}, {}

    def _read(self, reader: StatsReader, from_ns: int, until_ns: int, sign: int) -> None:
        cells = reader.cells(from_ns, until_ns)
        if self.channels:
            for cell in cells:
                self._add(cell.channel, cell.category, cell[3:], sign)
            return
        by_category: dict[int, list[list[int]]] = defaultdict(list)
        for channel, _, category, *sums in cells:
            if any(sums):
                known = self.channels.get(channel)
                if known is None:
                    known = self.channels[channel] = {}
                known[category] = sums
                by_category[category].append(sums)
        self.categories = {
            category: [sum(column) for column in zip(*found, strict=True)]
            for category, found in by_category.items()
        }

    def _take(self, news: Iterable[Delta]) -> None:
        for delta in news:
            self._add(delta.channel, delta.category, delta[4:], 1)

    def _add(self, channel: int, category: int, sums: tuple[int, ...], sign: int) -> None:
        self._unpriced.pop(channel, None)
        by_category = self.channels.get(channel)
        if by_category is None:
            by_category = self.channels[channel] = {}
        for cells in (by_category, self.categories):
            known = cells.setdefault(category, [0] * len(sums))
            known[:] = map(add if sign > 0 else sub, known, sums)
            if not any(known):
                del cells[category]
        if not by_category:
            del self.channels[channel]


def _unpriced(cells: Mapping[int, Sequence[int]]) -> Figures:
    return figures((category, sums, sums[3] - sums[4]) for category, sums in cells.items())


class KeptClaims(Kept):
    """Payments forwarded by channel: how many settled, and how many failed further on."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: dict[int, list[int]] = {}

    def _clear(self) -> None:
        self.channels = {}

    def _read(self, reader: StatsReader, from_ns: int, until_ns: int, sign: int) -> None:
        for channel, category, claims in reader.forwarded_claims(from_ns, until_ns):
            self._add(channel, category, sign * claims)

    def _take(self, news: Iterable[Delta]) -> None:
        for delta in news:
            if delta.category in _FORWARDED:
                self._add(delta.channel, delta.category, delta.claims)

    def _add(self, channel: int, category: int, claims: int) -> None:
        known = self.channels.setdefault(channel, [0, 0])
        known[category == Category.DOWNSTREAM] += claims


class KeptChart(Kept):
    """Net demand by slice, msat, of the channels in their order; slice k begins at k·step. A slice
    may be shorter than `channels`: nothing is missing of the others."""

    def __init__(self, step_ns: int) -> None:
        super().__init__()
        self.step_ns = step_ns
        self.channels: dict[int, int] = {}
        self.slices: dict[int, array[int]] = {}

    def _clear(self) -> None:
        self.channels, self.slices = {}, {}

    def _read(self, reader: StatsReader, from_ns: int, until_ns: int, sign: int) -> None:
        places, slices = self.channels, self.slices
        for slot, nets in reader.net_over_time(from_ns, until_ns, self.step_ns):
            if slot in slices:
                for channel, msat in nets.items():
                    self._add(slot, channel, sign * msat)
            elif sign > 0:
                for channel in nets.keys() - places.keys():
                    places[channel] = len(places)
                slices[slot] = array("q", map(nets.get, places, repeat(0)))
        if sign < 0:
            first = until_ns // self.step_ns
            self.slices = {slot: one for slot, one in slices.items() if slot >= first}

    def _take(self, news: Iterable[Delta]) -> None:
        for delta in news:
            if delta.category in LOST:
                slot = delta.minute * _MINUTE_NS // self.step_ns
                self._add(slot, delta.channel, delta.demand_msat - delta.recovered_msat)

    def _add(self, slot: int, channel: int, msat: int) -> None:
        place = self.channels.setdefault(channel, len(self.channels))
        one = self.slices.setdefault(slot, array("q"))
        if place >= len(one):
            one.extend(repeat(0, len(self.channels) - len(one)))
        one[place] += msat


class KeptPairs(Kept):
    """The sums by pair of the window that goes by `key`; they lie with the reader, and what they
    are the sums of beside them: a read that is broken off takes both back."""

    def __init__(self, pairs: PairSums, key: str) -> None:
        super().__init__()
        self.pairs = pairs
        self._key = key
        held = pairs.held()
        if held.key == key:
            self._generation, self._from_ns, self._until_ns = held[1:]

    def prepare(
        self, reader: StatsReader, record: StatusRecord, from_ns: int, until_ns: int
    ) -> bool:
        """Bring it a step nearer to what `advance` would make of it; whether it is there."""
        newest_ns = record.last_event_ns
        start_ns = _step_back(from_ns, self._from_ns, newest_ns)
        news = self._news(reader, record, start_ns, until_ns)
        if news is None:
            start_ns = _step_back(from_ns, until_ns, newest_ns)
        self._bring(reader, record.generation, start_ns, until_ns, news)
        return start_ns == from_ns

    def _bring(
        self, reader: StatsReader, generation: int, from_ns: int, until_ns: int,
        news: list[Delta] | None,
    ) -> None:  # fmt: skip
        before = self._generation, self._from_ns, self._until_ns
        super()._bring(reader, generation, from_ns, until_ns, news)
        if before != (generation, from_ns, until_ns):
            self.pairs.hold(PairsHeld(self._key, generation, from_ns, until_ns))

    def _clear(self) -> None:
        self.pairs.clear()

    def _read(self, reader: StatsReader, from_ns: int, until_ns: int, sign: int) -> None:
        self.pairs.add(from_ns, until_ns, sign)

    def _take(self, news: Iterable[Delta]) -> None:
        self.pairs.take(news)


def _step_back(from_ns: int, at_ns: int, newest_ns: int) -> int:
    """An edge of buckets that are kept before a time, at `from_ns` at the least: as far before it
    as is read in a moment."""
    step_ns = SPANS[HOUR] if at_ns > newest_ns - SPANS[WEEK] else SPANS[QUARTER]
    return max(from_ns, align((at_ns - 1) // step_ns * step_ns, newest_ns))


class Shelf:
    """What an analyst keeps: the sums of the windows that were looked at last, and their charts.

    A window is known by what was asked for, not by its edges: those move with the time.
    """

    def __init__(self) -> None:
        self._cells: dict[object, KeptCells] = {}
        self._claims: dict[object, KeptClaims] = {}
        self._charts: dict[object, KeptChart] = {}
        self._book: tuple[int, ChannelBook] | None = None

    def cells(self, window: object) -> KeptCells:
        """The sums of a window."""
        return _newest(self._cells, window, KeptCells)

    def claims(self, window: object) -> KeptClaims:
        """The payments forwarded in the time before a window's end."""
        return _newest(self._claims, window, KeptClaims)

    def book(self, generation: int, make: Callable[[], ChannelBook]) -> ChannelBook:
        """Who is who, as it last changed at a generation."""
        if self._book is None or self._book[0] != generation:
            self._book = generation, make()
        return self._book[1]

    def chart(self, window: object, step_ns: int) -> KeptChart:
        """The chart of a window."""
        return _newest(self._charts, (window, step_ns), lambda: KeptChart(step_ns))


def _newest(shelf: dict[object, K], key: object, make: Callable[[], K]) -> K:
    """What is kept under a key, which is then the last to be dropped."""
    found = shelf.pop(key, None) or make()
    shelf[key] = found
    while len(shelf) > MOST_WINDOWS:
        del shelf[next(iter(shelf))]
    return found
