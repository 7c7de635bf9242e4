"""What we could send toward a peer is known as the node tells it, and kept with what was lost."""

import asyncio
import sqlite3

from htlctop import service
from htlctop.collector.collector import Limits
from tests.nodes import simulated
from tests.test_recordings import TRAFFIC


async def test_a_lost_htlc_keeps_what_was_usable_toward_its_peer(store_file):
    await service.ingest([TRAFFIC], store_file)
    with sqlite3.connect(store_file) as db:
        known, best, usable = db.execute(
            "SELECT count(*), max(best_msat), max(usable_msat) FROM htlc "
            "WHERE category = 3 AND best_msat IS NOT NULL"
        ).fetchone()
        (lost,) = db.execute("SELECT count(*) FROM htlc WHERE category = 3").fetchone()
        (more,) = db.execute("SELECT count(*) FROM htlc WHERE best_msat > usable_msat").fetchone()
        (ages,) = db.execute("SELECT max(usable_age) FROM htlc").fetchone()
    assert known == lost
    assert 0 < best <= usable
    assert more == 0
    assert 0 <= ages < 100e9, "polled every 15 s, but for one long pause"


async def test_balances_come_with_the_stream_between_the_listings(tmp_path, store_file):
    with simulated(tmp_path / "node", "--recording", str(TRAFFIC), "--speed", "40") as node:
        await service.collect(node, store_file, asyncio.Event(), Limits(duration_s=8))
    with sqlite3.connect(store_file) as db:
        (told,) = db.execute("SELECT count(DISTINCT at) FROM balance_history").fetchone()
    assert told > 2, "a listing every 30 s alone would have told once"


async def test_what_a_channel_takes_at_most_and_at_least_is_known_with_its_time(
    tmp_path, store_file
):
    with simulated(tmp_path / "node", "--recording", str(TRAFFIC), "--speed", "40") as node:
        await service.collect(node, store_file, asyncio.Event(), Limits(duration_s=8))
    with sqlite3.connect(store_file) as db:
        found = db.execute(
            "SELECT min_htlc, max_htlc, delta, is_disabled FROM limits_now "
            "JOIN channel ON channel.id = limits_now.channel WHERE is_open"
        ).fetchall()
    assert len(found) >= 6
    for smallest, largest, delta, is_disabled in found:
        assert 0 < smallest < largest
        assert delta > 0 and not is_disabled
