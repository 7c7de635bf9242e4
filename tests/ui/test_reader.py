"""The reader asks what changed, reads only that, and a failure harms only its own part."""

from dataclasses import replace

import pytest
from bigfoot import NODE
from fake import FakeAnalyst

from htlctop.analysis.models import Overview
from htlctop.analysis.query import Query, SortKey
from htlctop.errors import ReadInterrupted, StoreError
from htlctop.ui.parts import Need, Part
from htlctop.ui.reader import Reader, Want
from htlctop.ui.subject import peer

NEEDS = (Need(Part.STATUS), Need(Part.LOG, lines=5), Need(Part.OVERVIEW))
WANT = Want(query=Query(window=""), minute=1, needs=NEEDS)


class Bench:
    """A reader with a hand-moved clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.analyst = FakeAnalyst()
        self.reader = Reader(self.open, lambda: self.now)

    def open(self) -> FakeAnalyst:
        if error := self.analyst.fail.get("open"):
            raise error
        return self.analyst

    def take(self, seconds: float) -> None:
        self.now += seconds

    def read(self, want: Want = WANT, after: float = 0.0) -> set[Part]:
        self.now += after
        self.answer = self.reader.read(want)
        return {part for part, _ in self.answer.tried} - {Part.STORE}


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.read()
    made.analyst.calls.clear()
    return made


def test_the_first_read_brings_everything_in_the_window_the_store_suggests() -> None:
    made = Bench()
    assert made.read() == {Part.LOG, Part.STATUS, Part.OVERVIEW}
    assert made.answer.query.window == "24h"


def test_while_nothing_changes_only_the_generation_is_asked(bench: Bench) -> None:
    bench.read(after=0.25)
    bench.analyst.calls.clear()
    for _ in range(10):
        assert bench.read(after=0.25) == set()
    assert set(bench.analyst.calls) == {"generation"}


def test_what_takes_long_is_prepared_a_step_at_a_time_while_nothing_is_read(bench: Bench) -> None:
    bench.analyst.steps = 3
    for _ in range(6):
        bench.read(after=0.25)
    assert bench.analyst.calls.count("prepare") == 3
    for _ in range(40):
        bench.analyst.bump()
        bench.read(after=0.2)
    assert bench.analyst.calls.count("prepare") == 5, "kept up every four seconds"
    other = replace(WANT, query=Query(window="7d"), serial=1)
    bench.read(other)
    bench.read(other, after=4)
    bench.read(other, after=0.1)
    assert bench.analyst.calls.count("prepare") == 6


def test_what_is_prepared_slowly_rests_and_what_cannot_be_waits_for_news(bench: Bench) -> None:
    bench.analyst.steps = 99
    bench.analyst.meanwhile = lambda name: bench.take(0.05 if name == "prepare" else 0)
    for _ in range(8):
        bench.read(after=0.25)
    assert bench.analyst.calls.count("prepare") == 2
    bench.analyst.fail["prepare"] = StoreError("gone")
    for _ in range(8):
        assert bench.read(after=0.5) - {Part.STATUS} == set()
    assert bench.analyst.calls.count("prepare") == 3


def test_a_preparation_that_was_broken_off_is_an_interrupted_read(bench: Bench) -> None:
    bench.analyst.fail["prepare"] = ReadInterrupted("by a key")
    bench.read(after=0.25)
    assert bench.answer.interrupted


def test_the_status_is_asked_every_five_seconds_for_a_collector_may_fall_silent(
    bench: Bench,
) -> None:
    assert bench.read(after=4) == set()
    assert bench.read(after=1) == {Part.STATUS}


def test_a_change_brings_log_and_status_at_once_and_the_tables_within_two_seconds(
    bench: Bench,
) -> None:
    bench.analyst.bump()
    assert bench.read(after=0.5) == {Part.LOG, Part.STATUS}
    assert bench.read(after=1.25) == set()
    assert bench.read(after=0.25) == {Part.OVERVIEW}


def test_however_often_it_changes_the_log_comes_twice_and_the_tables_half_a_time_a_second(
    bench: Bench,
) -> None:
    read: list[Part] = []
    for _ in range(80):
        bench.analyst.bump()
        read += bench.read(after=0.25)
    assert read.count(Part.LOG) == 40
    assert read.count(Part.OVERVIEW) == 10


def test_what_takes_long_to_read_is_left_alone_ten_times_as_long(bench, monkeypatch) -> None:
    read = bench.analyst.overview

    def slow(query: Query) -> Overview:
        bench.now += 0.8
        return read(query)

    monkeypatch.setattr(bench.analyst, "overview", slow)
    bench.analyst.bump()
    assert Part.OVERVIEW in bench.read(after=2)
    seen = []
    for _ in range(36):
        bench.analyst.bump()
        seen.append(Part.OVERVIEW in bench.read(after=0.25))
    assert seen.count(True) == 1 and seen.index(True) in (27, 28, 29)
    assert Part.OVERVIEW in bench.read(replace(WANT, serial=1))


def test_a_new_minute_brings_everything(bench: Bench) -> None:
    assert bench.read(replace(WANT, minute=2)) == {Part.LOG, Part.STATUS, Part.OVERVIEW}


def test_a_question_of_the_user_is_answered_at_once(bench: Bench) -> None:
    want = replace(WANT, serial=1, query=Query(window="7d"))
    assert bench.read(want) == {Part.OVERVIEW}, "what has no window is not read again"
    (found,) = bench.answer.found
    assert bench.answer.serial == 1 and found.query.window == "7d"
    assert isinstance(found.value, Overview) and found.value.window.label == "7d"


def test_another_order_or_filter_reads_what_goes_by_it_and_nothing_else(bench: Bench) -> None:
    wide = (*NEEDS, Need(Part.PEER, peer(2)), Need(Part.ADVICE), Need(Part.CURVE, peer(1)))
    want = replace(WANT, needs=wide)
    while bench.read(want):
        pass
    sorted_by = replace(want, serial=1, query=Query(window="24h", sort=SortKey.NAME))
    assert bench.read(sorted_by) == {Part.OVERVIEW}
    filtered = replace(want, serial=2, query=replace(sorted_by.query, filter="kraken"))
    assert bench.read(filtered) == {Part.OVERVIEW, Part.LOG}


def test_the_log_of_one_thing_does_not_go_by_the_filter(bench: Bench) -> None:
    query = Query(window="24h", filter="no such name")
    bench.read(replace(WANT, query=query, needs=(Need(Part.LOG, peer(4), lines=5),)))
    assert len(bench.answer.found[0].value.lines) == 5


def test_costly_parts_are_read_alone_after_all_others_one_at_a_time(bench: Bench) -> None:
    wide = (Need(Part.ADVICE), Need(Part.HISTORY), Need(Part.PEER, peer(2)), *NEEDS)
    want = replace(WANT, needs=wide, serial=1)
    assert bench.read(want) == {Part.PEER}
    assert bench.answer.is_partial
    assert bench.read(want) == {Part.ADVICE}
    assert bench.answer.is_partial
    assert bench.read(want) == {Part.HISTORY}
    assert not bench.answer.is_partial
    bench.analyst.bump()
    assert bench.read(want, after=2) == {Part.LOG, Part.STATUS, Part.OVERVIEW, Part.PEER}
    assert bench.read(want, after=4) == set(), "nothing changed, and costly parts wait"
    bench.analyst.bump()
    read = [bench.read(want, after=4), bench.read(want), bench.read(want)]
    assert read[0] == {Part.LOG, Part.STATUS, Part.OVERVIEW, Part.PEER}
    assert read[1:] == [{Part.ADVICE}, {Part.HISTORY}]


def test_a_page_that_comes_back_is_read_anew(bench: Bench) -> None:
    other = replace(WANT, needs=(Need(Part.STATUS), Need(Part.PEER, peer(2))))
    assert bench.read(other) == {Part.PEER}
    assert bench.read(WANT) == {Part.LOG, Part.OVERVIEW}


def test_a_part_that_fails_is_named_and_the_others_are_read(bench: Bench) -> None:
    bench.analyst.fail["overview"] = StoreError("the index is broken")
    bench.analyst.bump()
    bench.read(replace(WANT, serial=1))
    assert bench.answer.failures == {(Part.OVERVIEW, None): "the index is broken"}
    assert {found.need.part for found in bench.answer.found} == {Part.LOG, Part.STATUS}


def test_a_part_that_failed_is_tried_again_though_nothing_changed(bench: Bench) -> None:
    bench.analyst.fail["overview"] = StoreError("busy")
    bench.analyst.bump()
    bench.read(replace(WANT, serial=1))
    bench.analyst.fail.clear()
    assert bench.read(replace(WANT, serial=1), after=2) == {Part.OVERVIEW}


def test_a_read_broken_off_leaves_the_question_unanswered(bench: Bench) -> None:
    bench.analyst.fail["overview"] = ReadInterrupted()
    bench.analyst.bump()
    want = replace(WANT, serial=3)
    assert bench.read(want) == {Part.LOG, Part.STATUS}, "what was read before is kept"
    assert bench.answer.interrupted and bench.answer.serial != 3
    bench.analyst.fail.clear()
    assert bench.read(want) == {Part.OVERVIEW}
    assert bench.answer.serial == 3


def test_a_store_that_cannot_be_opened_is_tried_again_every_two_seconds() -> None:
    made = Bench()
    made.analyst.fail["open"] = StoreError("no such store")
    made.read()
    assert made.answer.failures == {(Part.STORE, None): "no such store"}
    made.analyst.fail.clear()
    assert made.read(after=1) == set()
    assert made.read(after=1) == {Part.LOG, Part.STATUS, Part.OVERVIEW}
    assert made.answer.failures == {}


def test_a_store_that_fails_later_is_closed_and_opened_anew(bench: Bench) -> None:
    bench.analyst.fail["generation"] = StoreError("gone")
    bench.read(after=1)
    assert bench.analyst.closed
    bench.analyst.fail.clear()
    assert bench.read(after=2) == {Part.LOG, Part.STATUS, Part.OVERVIEW}


def test_a_node_that_is_not_known_yet_is_asked_for_again_with_the_tables() -> None:
    made = Bench()
    want = replace(WANT, needs=(Need(Part.NODE),))
    made.analyst.identity = replace(NODE, pubkey="", alias="")
    assert made.read(want) == {Part.NODE}
    made.analyst.identity = NODE
    made.analyst.bump()
    assert made.read(want, after=1) == set()
    assert made.read(want, after=1) == {Part.NODE}
    made.analyst.bump()
    assert made.read(want, after=2) == set(), "once it is known, as seldom as before"
