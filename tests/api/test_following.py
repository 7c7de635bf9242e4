"""What is new since somebody last looked is told once when it begins and once when it ends."""

from collections import Counter

import pytest

from htlctop import service
from htlctop.analysis import following
from htlctop.analysis.models import HtlcLine
from htlctop.analysis.query import LogQuery
from htlctop.domain.codes import EventType, Outcome
from htlctop.sim.recordings import TRAFFIC

OPEN = (Outcome.NONE, Outcome.UNSEEN)


@pytest.fixture
async def halves(store_file) -> tuple[dict[int, HtlcLine], dict[int, HtlcLine], list[HtlcLine]]:
    """What a store held after half of the traffic and at its end, and what was told between."""
    await service.ingest([TRAFFIC], store_file, until_fraction=0.5)
    analyst = service.open_analyst(store_file)
    try:
        before = {line.seq: line for line in analyst.log(LogQuery(10_000)).lines}
        cursor, lines = analyst.follow(None)
        assert lines == ()
        assert analyst.follow(cursor) == (cursor, ())
        await service.ingest([TRAFFIC], store_file)
        told: list[HtlcLine] = []
        while True:
            cursor, lines = analyst.follow(cursor)
            told += lines
            if not cursor.is_behind:
                break
        assert analyst.follow(cursor) == (cursor, ())
        return before, {line.seq: line for line in analyst.log(LogQuery(10_000)).lines}, told
    finally:
        analyst.close()


async def test_everything_that_is_new_or_has_ended_is_told_once(halves):
    before, after, told = halves
    times = Counter(line.seq for line in told)
    ended = [seq for seq, line in before.items() if line.outcome in OPEN]
    wanted = {seq for seq in after if seq not in before}
    wanted |= {seq for seq in ended if after[seq].outcome not in OPEN}
    assert ended, "something was in flight at the half"
    assert set(times) == wanted
    assert set(times.values()) == {1}, "in one step each of them had ended already"
    assert all(line == after[line.seq] for line in told)


async def test_it_is_told_in_the_order_in_which_it_happened(halves):
    _, _, told = halves
    moments = [line.ended_ns or line.at_ns for line in told]
    assert moments == sorted(moments)


async def test_a_store_that_runs_ahead_is_read_in_steps(store_file, monkeypatch):
    await service.ingest([TRAFFIC], store_file, until_fraction=0.1)
    analyst = service.open_analyst(store_file)
    cursor, _ = analyst.follow(None)
    begin = cursor.seq
    await service.ingest([TRAFFIC], store_file, until_fraction=0.3)
    monkeypatch.setattr(following, "AT_ONCE", 100)
    steps = 0
    seqs: set[int] = set()
    while True:
        cursor, lines = analyst.follow(cursor)
        seqs |= {line.seq for line in lines}
        steps += 1
        if not cursor.is_behind:
            break
    stored = {line.seq for line in analyst.log(LogQuery(10_000)).lines}
    analyst.close()
    assert steps > 4
    assert {seq for seq in stored if seq > begin} <= seqs


async def test_what_waits_for_an_outcome_is_bounded(store_file, monkeypatch):
    monkeypatch.setattr(following, "MOST_WAITING", 3)
    await service.ingest([TRAFFIC], store_file, until_fraction=0.3)
    analyst = service.open_analyst(store_file)
    cursor, _ = analyst.follow(None)
    assert len(cursor.waiting) <= 3
    newest, lines = analyst.follow(following.Cursor(0, ()))
    analyst.close()
    assert len(newest.waiting) <= 3
    assert sum(line.event_type is EventType.FORWARD for line in lines) > 300
