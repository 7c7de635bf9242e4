"""A month of a large node as a store: one day folded for real, then copied in SQL to thirty.

`python -m tests.bench.month STORE [HTLCS] [CHANNELS] [DAYS]` builds one by hand.
"""

import asyncio
import sqlite3
import sys
from pathlib import Path

from htlctop.domain.records import (
    DAY,
    HOUR,
    KEPT_NS,
    MINUTE,
    NARROW_TO_WIDE,
    PAIR_SPANS,
    SPANS,
    WEEK,
)
from htlctop.store.buckets import ADD_BY_CHANNEL, ADD_BY_PAIR
from htlctop.store.writer import StoreWriter
from tests.bench.feed import feed
from tests.bench.workload import DAY_NS, Load

HTLCS, CHANNELS, PEERS, DAYS = 10_000_000, 2_000, 1_500, 30
START_NS = 1_795_305_600 * 10**9
"""Midnight, so that a day's copy lies in the buckets of one day."""
_EVENTS_AN_HTLC = 2.4
_TABLES = ("by_channel", "by_pair")


def load(htlcs: int = HTLCS, channels: int = CHANNELS, days: int = DAYS) -> Load:
    """The day that is folded."""
    peers = max(1, channels * PEERS // CHANNELS)
    events = int(htlcs / days * _EVENTS_AN_HTLC)
    return Load(events, channels, peers, start_ns=START_NS)


def build(store: Path, htlcs: int = HTLCS, channels: int = CHANNELS, days: int = DAYS) -> None:
    """Make the store, unless it is there: a few minutes for ten million HTLCs. One that was kept
    is brought up to date."""
    if store.exists():
        asyncio.run(_opened(store))
        return
    making = store.with_name(store.name + ".making")
    for suffix in ("", "-wal", "-shm", ".lock"):
        making.with_name(making.name + suffix).unlink(missing_ok=True)
    asyncio.run(feed(making, load(htlcs, channels, days)))
    db = sqlite3.connect(making, isolation_level=None)
    try:
        _copy(db, days)
    finally:
        db.close()
    making.rename(store)


async def _opened(store: Path) -> None:
    async with StoreWriter(store):
        pass


def _copy(db: sqlite3.Connection, days: int) -> None:
    db.execute("PRAGMA journal_mode = DELETE")
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        db.execute(f"PRAGMA {pragma}")
    indexes = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN ('htlc', 'claim')"
    ).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    for table in ("htlc", "claim", *_TABLES):
        db.execute(f"CREATE TEMP TABLE day_{table} AS SELECT * FROM main.{table}")
    ((seqs, ids),) = db.execute("SELECT max(seq), max(max(in_htlc), max(out_htlc)) + 1 FROM htlc")
    newest_ns = START_NS + days * DAY_NS
    for day in range(1, days):
        db.execute("BEGIN")
        _copy_rows(db, day, seqs, ids)
        _copy_buckets(db, day, newest_ns)
        db.execute("COMMIT")
    for span in (MINUTE, HOUR):
        oldest = (newest_ns - (KEPT_NS[span] or 0)) // SPANS[span]
        for table in _TABLES:
            db.execute(f"DELETE FROM {table} WHERE span = ? AND start < ?", (span, oldest))
    db.execute("DELETE FROM by_channel WHERE span = ?", (WEEK,))
    db.execute(
        "INSERT INTO by_channel SELECT ?, start / 7, channel, category, sum(n), sum(fee_unknown), "
        "sum(fee), sum(demand), sum(recovered), sum(claims), sum(repeats) FROM by_channel "
        "WHERE span = ? GROUP BY start / 7, channel, category",
        (WEEK, DAY),
    )
    shift = (days - 1) * DAY_NS
    db.execute(
        "UPDATE status SET seq = seq + ?, high = high + ?, last_event = last_event + ?",
        ((days - 1) * seqs, shift, shift),
    )
    db.execute("UPDATE coverage SET until = until + ?", (shift,))
    for _, sql in indexes:
        db.execute(sql)
    db.execute("PRAGMA journal_mode = WAL")


def _copy_rows(db: sqlite3.Connection, day: int, seqs: int, ids: int) -> None:
    """The day's HTLCs and claims again, later and with numbers of their own."""
    moved = {
        "seq": day * seqs, "at": day * DAY_NS, "in_htlc": day * ids, "out_htlc": day * ids,
    }  # fmt: skip
    for table in ("htlc", "claim"):
        names = [row[1] for row in db.execute(f"PRAGMA main.table_info({table})")]
        columns = ", ".join(f"{name} + {moved[name]}" if name in moved else name for name in names)
        db.execute(f"INSERT INTO {table} SELECT {columns} FROM day_{table}")


def _copy_buckets(db: sqlite3.Connection, day: int, newest_ns: int) -> None:
    """The day's buckets again, added to what the day before has in them."""
    for table, add in (("by_channel", ADD_BY_CHANNEL), ("by_pair", ADD_BY_PAIR)):
        keys = "channel, category" if table == "by_channel" else "channel, in_peer, category"
        conflict = add[add.index("ON CONFLICT") :]
        for span in NARROW_TO_WIDE if table == "by_channel" else PAIR_SPANS:
            if span == WEEK:
                continue
            kept_ns, shift = KEPT_NS[span], day * DAY_NS // SPANS[span]
            oldest = 0 if kept_ns is None else (newest_ns - kept_ns) // SPANS[span]
            db.execute(
                f"INSERT INTO {table} SELECT span, start + {shift}, {keys}, n, fee_unknown, fee, "
                f"demand, recovered, claims, repeats FROM day_{table} "
                f"WHERE span = ? AND start + {shift} >= ? {conflict}",
                (span, oldest),
            )


if __name__ == "__main__":
    build(Path(sys.argv[1]), *map(int, sys.argv[2:]))
