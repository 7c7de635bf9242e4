"""What LND's history of settled forwards adds to what the stream told."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.domain.coverage import Interval, last_break_ns
from htlctop.domain.fold import Fold
from htlctop.domain.records import Progress
from htlctop.domain.types import NS, Forward
from htlctop.store.check import check
from htlctop.store.writer import StoreWriter
from tests.support import ANN, CHANNELS, DAN, T0, Stream

PROGRESS = Progress(events=0, ignored=0, last_event_ns=T0, covered_until_ns=None)


def settled(at: float, htlc: int | None, amount: int = 50_000_000, fee: int = 500) -> Forward:
    return Forward(T0 + round(at * NS), ANN, DAN, amount + fee, amount, htlc, htlc)


async def learn(path: Path, stream: Stream, *histories: list[Forward]) -> list[int]:
    """Store the stream's events, then each history; returns how many were news each time."""
    news = []
    async with StoreWriter(path) as writer:
        fold: Fold = writer.restore_fold()
        fold.channels.update(CHANNELS, ())
        for event in stream.events:
            fold.apply(event, T0)
        await writer.commit(fold.take(), PROGRESS)
        for history in histories:
            news.append(fold.learn(history))
            await writer.commit(fold.take(), PROGRESS)
    return news


def rows(path: Path) -> list[tuple[int, int | None]]:
    with sqlite3.connect(path) as db:
        return db.execute("SELECT outcome, source FROM htlc ORDER BY seq").fetchall()


def bucket(path: Path) -> tuple[int, int, int]:
    with sqlite3.connect(path) as db:
        return db.execute(
            "SELECT sum(n), sum(fee), sum(claims) FROM by_channel WHERE span = 0 AND category = 1"
        ).fetchone()


@pytest.mark.parametrize("with_ids", [True, False])
async def test_of_two_in_flight_at_the_break_the_one_in_history_settled(store_file, with_ids):
    s = Stream()
    first = s.forward(0, 50_000_000, 500)
    s.forward(0.1, 70_000_000, 700)
    history = [settled(3, first if with_ids else None)]
    assert await learn(store_file, s, history) == [1]
    assert [outcome for outcome, _ in rows(store_file)] == [1, 0]
    # One settled, and the other unknown since the stream was down in between: none failed.
    down = [Interval(T0, T0 + NS, "lost"), Interval(T0 + 6 * NS, T0 + 9 * NS, None)]
    break_ns = last_break_ns(down, T0 + 9 * NS, live_end=False)
    assert break_ns is not None and break_ns > T0 + 0.1 * NS


@pytest.mark.parametrize("with_ids", [True, False])
async def test_a_forward_only_history_knows_is_booked_once_and_claims_nothing(store_file, with_ids):
    history = [settled(3, 7 if with_ids else None)]
    assert await learn(store_file, Stream(), history, history) == [1, 0]
    assert rows(store_file) == [(1, 1 if with_ids else 2)]
    assert bucket(store_file) == (1, 500, 0)


@pytest.mark.parametrize("with_ids", [True, False])
async def test_what_the_stream_told_is_not_told_again_by_history(store_file, with_ids):
    s = Stream()
    htlc = s.forward(0, 50_000_000, 500)
    s.settle(1, htlc)
    assert await learn(store_file, s, [settled(1.01, htlc if with_ids else None)]) == [0]
    assert bucket(store_file)[:2] == (1, 500)


@pytest.mark.parametrize("with_ids", [True, False])
async def test_history_adds_the_amounts_of_one_that_was_only_heard_to_settle(store_file, with_ids):
    s = Stream()
    htlc = s.forward(0, 50_000_000, 500)
    s.settle(1, htlc)
    del s.events[0]
    history = [settled(1.01, htlc if with_ids else None)]
    assert await learn(store_file, s, history, history) == [1, 0]
    assert rows(store_file) == [(1, None)]
    assert bucket(store_file) == (1, 500, 1), "it was watched settling, and so counts as a payment"
    assert check(store_file) == []


async def test_two_alike_in_an_old_nodes_history_are_two(store_file):
    alike = [settled(3, None), settled(3.2, None)]
    assert await learn(store_file, Stream(), alike, alike) == [2, 0]
    assert bucket(store_file)[:2] == (2, 1000)


async def test_a_replay_of_what_history_told_changes_nothing(store_file):
    s = Stream()
    await learn(store_file, s, [settled(3, 1)])
    htlc = s.forward(0, 50_000_000, 500)
    s.settle(3, htlc)
    await learn(store_file, s)
    assert rows(store_file) == [(1, 1)]
    assert bucket(store_file)[:2] == (1, 500)


async def test_history_of_an_unknown_channel_is_kept_too(store_file):
    stranger = replace(settled(3, 5), incoming_scid=999)
    assert await learn(store_file, Stream(), [stranger]) == [1]


async def test_a_channel_came_and_went_when_it_was_listed_not_when_it_last_forwarded(store_file):
    first, *others = CHANNELS
    async with StoreWriter(store_file) as writer:
        fold: Fold = writer.restore_fold()
        for at, listed in ((100, [first]), (200, CHANNELS), (300, others)):
            fold.channels.update(listed, ())
            await writer.commit(fold.take(), replace(PROGRESS, now_ns=T0 + at * NS))
    with sqlite3.connect(store_file) as db:
        spans = db.execute(
            "SELECT scid, opened, closed FROM channel WHERE alias_of IS NULL ORDER BY id"
        ).fetchall()
    assert spans[0] == (str(first.scid), 0, T0 + 300 * NS)
    assert {span[1:] for span in spans[1:]} == {(T0 + 200 * NS, None)}
