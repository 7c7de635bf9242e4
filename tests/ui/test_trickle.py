"""The live pane lets a few new lines in at a time and counts the others."""

from dataclasses import replace

from bigfoot import line
from hypothesis import given
from hypothesis import strategies as st

from htlctop.analysis.models import HtlcLine
from htlctop.domain.codes import Category, Outcome
from htlctop.ui.trickle import MOST_NEW, Trickle


def lines(newest: int, number: int = 67) -> tuple[HtlcLine, ...]:
    return tuple(line(seq, 0, Category.FEE) for seq in range(newest, max(0, newest - number), -1))


def read(entries: tuple[object, ...]) -> list[object]:
    return [entry.seq if isinstance(entry, HtlcLine) else entry for entry in entries]


def test_a_few_new_lines_come_in_and_push_the_others_down() -> None:
    pane = Trickle()
    assert read(pane.take(lines(100), "q", 4)) == [100, 99, 98, 97]
    assert read(pane.take(lines(102), "q", 4)) == [102, 101, 100, 99]


def test_of_many_the_newest_five_are_shown_and_the_others_counted() -> None:
    pane = Trickle()
    pane.take(lines(100), "q", 8)
    shown = read(pane.take(lines(112), "q", 8))
    assert shown == [112, 111, 110, 109, 108, "+7 more", 100, 99]
    assert read(pane.take(lines(113), "q", 8))[:7] == [113, 112, 111, 110, 109, 108, "+7 more"]
    assert "+62 or more" in read(pane.take(lines(900), "q", 8))


def test_what_was_in_flight_goes_once_nobody_tells_how_it_ended() -> None:
    pane = Trickle()
    hanging = replace(line(100, 0, Category.SETTLED), outcome=Outcome.NONE)
    pane.take((hanging, *lines(99)), "q", 8)
    assert read(pane.take((*lines(112, 12), hanging, *lines(99)), "q", 8))[5:7] == ["+7 more", 100]
    shown = read(pane.take(lines(900), "q", 16))
    assert shown[5:8] == ["+62 or more", 112, 111] and shown[11:14] == ["+7 more", 99, 98]


def test_another_filter_or_time_begins_anew() -> None:
    pane = Trickle()
    pane.take(lines(100), "q", 8)
    assert read(pane.take(lines(900), "other", 3)) == [900, 899, 898]


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(0, 12))
def test_never_more_than_a_few_are_new_and_the_order_is_that_of_the_log(
    steps: list[int], room: int
) -> None:
    pane, newest = Trickle(), 200
    before = set(read(pane.take(lines(newest), "q", room)))
    for step in steps:
        newest += step
        entries = pane.take(lines(newest), "q", room)
        seqs = [entry.seq for entry in entries if isinstance(entry, HtlcLine)]
        assert len(entries) <= room and seqs == sorted(seqs, reverse=True)
        assert sum(seq > newest - step for seq in seqs) <= MOST_NEW
        assert not step or not room or seqs[0] == newest
        before = set(read(entries))
    assert len(before) <= room
