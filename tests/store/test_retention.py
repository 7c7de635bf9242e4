"""Old HTLCs go, a little at a time; what they added up to stays to the msat."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.models import Report
from htlctop.domain.codes import EventKind
from htlctop.domain.records import Progress
from htlctop.domain.types import NS, HtlcEvent
from htlctop.sim.recordings import TRAFFIC
from htlctop.store.writer import StoreWriter
from tests.stored import whole_report

DAY = 86_400 * NS


async def grow_old(store: Path, days: int, keep_days: int | None, checkpoints: int = 12) -> None:
    """As if the node had been silent for so long, but for one HTLC of unknown begin."""
    keep_ns = None if keep_days is None else keep_days * DAY
    async with StoreWriter(store, keep_ns=keep_ns) as writer:
        fold = writer.restore_fold()
        later_ns = fold.high_ns + days * DAY
        fold.apply(HtlcEvent(EventKind.FINAL, 0, later_ns, 1, 1), later_ns)
        await writer.commit(fold.take(), Progress(0, 0, later_ns, None))
        for _ in range(checkpoints):
            await writer.checkpoint()


def additive(found: Report) -> tuple[object, ...]:
    """All figures but expected, which follows the settle rates of the last 30 days."""
    totals = found.overview.totals
    ended = (totals.forwards, totals.in_flight + totals.unknown)
    pairs = [(p.in_peer, p.out_peer, replace(p.sums, expected_msat=0)) for p in found.pairs]
    return ended, replace(totals.sums, expected_msat=0), pairs


def count(store: Path, sql: str) -> int:
    with sqlite3.connect(store) as db:
        return db.execute(f"SELECT count(*) FROM {sql}").fetchone()[0]


@pytest.mark.parametrize("days", [3, 61, 91, 400])
async def test_totals_do_not_change_by_a_msat_as_the_store_grows_old(store_file, days):
    await service.ingest([TRAFFIC], store_file)
    before = whole_report(store_file)
    await grow_old(store_file, days, keep_days=90)
    after = whole_report(store_file)
    assert additive(after) == additive(before)
    if days > 90:
        assert count(store_file, "htlc") == 5, "what never ended is in no bucket, and stays"
        assert count(store_file, "claim WHERE is_open = 0") == 0


async def test_of_what_was_in_flight_the_most_of_each_hour_is_kept(store_file):
    await service.ingest([TRAFFIC], store_file)
    with sqlite3.connect(store_file) as db:
        (newest,) = db.execute("SELECT last_event FROM status").fetchone()
        hour = 3600 * NS
        first = (newest - 12 * hour) // hour * hour
        rows = [(first + minute * 60 * NS, minute % 50, 0) for minute in range(12 * 60)]
        db.execute("DELETE FROM pending_history")
        db.executemany("INSERT INTO pending_history VALUES (?, ?, ?)", rows)
    await grow_old(store_file, 1, keep_days=None)
    assert count(store_file, "pending_history") == 12 * 60, "a day later everything is there"
    await grow_old(store_file, 1, keep_days=None)
    with sqlite3.connect(store_file) as db:
        kept = db.execute("SELECT n FROM pending_history").fetchall()
    assert kept == [(49,)] * 12


async def test_without_a_limit_every_htlc_stays(store_file):
    await service.ingest([TRAFFIC], store_file)
    await grow_old(store_file, 400, keep_days=None)
    assert count(store_file, "htlc") == 2_537 + 1


async def test_fine_buckets_go_when_coarser_ones_do(store_file):
    await service.ingest([TRAFFIC], store_file)
    await grow_old(store_file, 3, None)
    assert count(store_file, "by_channel WHERE span = 0") == 0
    assert count(store_file, "by_channel WHERE span = 1") > 0
    await grow_old(store_file, 70, None)
    assert count(store_file, "by_channel WHERE span = 1") == 0
    assert count(store_file, "by_channel WHERE span = 2") > 0


async def test_the_disk_gets_its_room_back(store_file):
    await service.ingest([TRAFFIC], store_file)
    before = store_file.stat().st_size
    await grow_old(store_file, 100, 90)
    assert store_file.stat().st_size < before / 2


async def test_a_minute_that_is_gone_takes_no_late_change_and_the_hour_does(store_file):
    await service.ingest([TRAFFIC], store_file)
    await grow_old(store_file, 3, None)
    before = additive(whole_report(store_file))
    await service.ingest([TRAFFIC], store_file)
    assert additive(whole_report(store_file)) == before
    assert count(store_file, "by_channel WHERE span = 0") == 0
