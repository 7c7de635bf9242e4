"""The loaded stretch of the log: whatever is scrolled, it is one piece of the log without a gap."""

from dataclasses import replace

from bigfoot import line
from hypothesis import given, settings
from hypothesis import strategies as st

from htlctop.analysis.models import LogPage
from htlctop.domain.codes import Category
from htlctop.ui.reel import MOST_PAGES, NEAR_LINES, PAGE_LINES, Reel

ONE = line(0, 0, Category.LIQUIDITY)


class Store:
    """A log of so many HTLCs that fit; every third number is one that does not. With `step` one
    read looks at so many numbers and no more."""

    def __init__(self, length: int, step: int | None = None) -> None:
        self.seqs = [n for n in range(length * 2) if n % 3][:length]
        self._step = step

    def read(self, before_seq: int | None = None) -> LogPage:
        high = self.seqs[-1] + 1 if self.seqs else 0
        high = high if before_seq is None else min(high, before_seq)
        low = 0 if self._step is None else max(0, high - self._step)
        found = [n for n in self.seqs if low <= n < high][: -PAGE_LINES - 1 : -1]
        if len(found) == PAGE_LINES:
            low = found[-1]
        return LogPage(tuple(replace(ONE, seq=n) for n in found), low or None)


def seqs(reel: Reel) -> list[int]:
    return [line.seq for line in reel.lines]


def scroll(reel: Reel, store: Store, top: int, height: int = 20) -> None:
    """Look at the lines from `top` on, and load what that wants."""
    while (wanted := reel.wanted(top, top + height - 1)) is not None:
        before = seqs(reel)
        assert reel.add(wanted, store.read(wanted))
        if before and before[0] != seqs(reel)[0]:
            top += seqs(reel).index(before[0]) if before[0] in seqs(reel) else -PAGE_LINES


def test_scrolling_down_loads_page_after_page_to_the_oldest_in_bounded_memory() -> None:
    store, reel = Store(PAGE_LINES * 12 + 7), Reel()
    reel.follow(store.read())
    for _ in range(40):
        scroll(reel, store, len(reel.lines) - 20)
        assert len(reel.lines) <= MOST_PAGES * PAGE_LINES
    assert seqs(reel)[-1] == store.seqs[0] and not reel.has_more
    assert reel.wanted(len(reel.lines) - 20, len(reel.lines) - 1) is None


def test_scrolling_up_again_loads_what_was_let_go_to_the_line_where_it_began() -> None:
    store, reel = Store(PAGE_LINES * 12), Reel()
    reel.follow(store.read())
    for _ in range(40):
        scroll(reel, store, len(reel.lines) - 20)
    assert seqs(reel)[0] < store.seqs[-1]
    for _ in range(40):
        scroll(reel, store, 0)
    assert seqs(reel)[0] == store.seqs[-1]


def test_a_log_whose_length_is_whole_pages_ends_with_an_empty_page() -> None:
    store, reel = Store(PAGE_LINES * 2), Reel()
    reel.follow(store.read())
    assert reel.has_more
    scroll(reel, store, PAGE_LINES - 1)
    assert len(reel.lines) == PAGE_LINES * 2
    scroll(reel, store, len(reel.lines) - 1)
    assert len(reel.lines) == PAGE_LINES * 2 and not reel.has_more


def test_while_it_stands_newer_lines_are_told_of_and_outcomes_taken_over() -> None:
    store, reel = Store(30), Reel()
    reel.follow(store.read())
    before = seqs(reel)
    newest = replace(ONE, seq=1000)
    ended = replace(reel.lines[0], ended_ns=5, category=Category.SETTLED)
    reel.stand(LogPage((newest, ended, *reel.lines[1:]), None))
    assert seqs(reel) == before and reel.has_newer
    assert reel.lines[0] == ended


def test_a_page_that_nobody_wants_any_more_is_not_taken() -> None:
    store, reel = Store(1000), Reel()
    reel.follow(store.read())
    before = seqs(reel)
    assert not reel.add(store.seqs[3], store.read(store.seqs[3]))
    assert seqs(reel) == before


def test_what_is_rare_is_looked_for_until_the_view_is_full_or_the_log_is_over() -> None:
    store, reel = Store(100, step=7), Reel()
    reel.follow(store.read())
    assert len(reel.lines) < 7 and reel.has_more
    scroll(reel, store, 0)
    assert seqs(reel) == store.seqs[::-1] and not reel.has_more


def test_what_was_found_further_back_stays_while_the_newest_are_followed() -> None:
    store, reel = Store(100, step=7), Reel()
    reel.follow(store.read())
    reel.add(reel.wanted(0, 20) or 0, store.read(reel.wanted(0, 20)))
    found, wanted = seqs(reel), reel.wanted(0, 20)
    store.seqs.append(store.seqs[-1] + 1)
    reel.follow(store.read())
    assert seqs(reel) == [store.seqs[-1], *found] and reel.wanted(0, 20) == wanted
    scroll(reel, store, 0)
    assert seqs(reel) == store.seqs[::-1]


def test_nothing_found_yet_is_not_the_end() -> None:
    reel = Reel()
    reel.follow(LogPage((), 500))
    assert reel.has_more and reel.wanted(0, 20) == 500
    assert reel.add(500, LogPage((), 300)) and reel.wanted(0, 20) == 300
    reel.follow(LogPage((), 490))
    assert reel.wanted(0, 20) == 300
    assert reel.add(300, LogPage((replace(ONE, seq=7),), None))
    assert seqs(reel) == [7] and not reel.has_more


def test_an_empty_log_wants_nothing() -> None:
    reel = Reel()
    reel.follow(LogPage((), None))
    assert reel.lines == () and reel.wanted(0, 20) is None and not reel.has_more


@given(
    st.integers(0, PAGE_LINES * 11),
    st.lists(st.floats(0, 1), max_size=25),
    st.integers(1, 60),
    st.sampled_from([None, 150, 500]),
)
@settings(max_examples=40)
def test_wherever_the_view_goes_the_lines_are_the_logs_own_without_a_gap(
    length: int, places: list[float], height: int, step: int | None
) -> None:
    store, reel = Store(length, step), Reel()
    reel.follow(store.read())
    newest_first = store.seqs[::-1]
    for place in places:
        scroll(reel, store, int(place * max(0, len(reel.lines) - height)), height)
        loaded = seqs(reel)
        if loaded:
            at = newest_first.index(loaded[0])
            assert loaded == newest_first[at : at + len(loaded)]
            assert reel.has_more or loaded[-1] == store.seqs[0]
    assert NEAR_LINES < PAGE_LINES
