"""The reader asks what changed, reads only that, and a failure harms only its own part."""

from dataclasses import replace

import pytest
from fake import FakeAnalyst

from htlctop.analysis.models import Query
from htlctop.analysis.ports import Interrupted
from htlctop.errors import StoreError
from htlctop.ui.reader import Part, Reader, Want

WANT = Want(query=Query(window=""), minute=1, lines=5)


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

    def read(self, want: Want = WANT, after: float = 0.0) -> set[Part]:
        self.now += after
        self.answer = self.reader.read(want)
        return set(self.answer.tried) - {Part.STORE}


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
    for _ in range(10):
        assert bench.read(after=0.25) == set()
    assert set(bench.analyst.calls) == {"generation"}


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


def test_a_new_minute_brings_everything(bench: Bench) -> None:
    assert bench.read(replace(WANT, minute=2)) == {Part.LOG, Part.STATUS, Part.OVERVIEW}


def test_a_question_of_the_user_is_answered_at_once(bench: Bench) -> None:
    want = replace(WANT, serial=1, query=Query(window="7d"))
    assert Part.OVERVIEW in bench.read(want)
    assert bench.answer.serial == 1 and bench.answer.overview is not None
    assert bench.answer.overview.window.label == "7d"


def test_in_a_drill_down_the_peer_is_read_in_place_of_the_overview(bench: Bench) -> None:
    assert bench.read(replace(WANT, serial=1, peer=2)) == {Part.LOG, Part.STATUS, Part.PEER}


def test_a_part_that_fails_is_named_and_the_others_are_read(bench: Bench) -> None:
    bench.analyst.fail["overview"] = StoreError("the index is broken")
    bench.read(replace(WANT, serial=1))
    assert bench.answer.failures == {Part.OVERVIEW: "the index is broken"}
    assert bench.answer.log is not None and bench.answer.status is not None


def test_a_part_that_failed_is_tried_again_though_nothing_changed(bench: Bench) -> None:
    bench.analyst.fail["overview"] = StoreError("busy")
    bench.read(replace(WANT, serial=1))
    bench.analyst.fail.clear()
    assert bench.read(replace(WANT, serial=1), after=2) == {Part.OVERVIEW}


def test_a_read_broken_off_leaves_the_question_unanswered(bench: Bench) -> None:
    bench.analyst.fail["overview"] = Interrupted()
    want = replace(WANT, serial=3)
    bench.read(want)
    assert bench.answer.interrupted and bench.answer.serial != 3
    bench.analyst.fail.clear()
    assert bench.read(want) == {Part.LOG, Part.STATUS, Part.OVERVIEW}


def test_a_store_that_cannot_be_opened_is_tried_again_every_two_seconds() -> None:
    made = Bench()
    made.analyst.fail["open"] = StoreError("no such store")
    made.read()
    assert made.answer.failures == {Part.STORE: "no such store"}
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
