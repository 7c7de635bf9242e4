"""A day of a large node through intake and store: memory, growth, and bytes on disk."""

import json
import sqlite3
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.bench import children
from tests.bench.table import Measure, at_most, known

MEMORY_GOAL_MB, GROWTH_GOAL, DISK_GOAL = 150, 5, 300
SETTLED_EVENTS = 200_000
"""From here on memory should stay as it is."""


def load(quick: bool) -> Iterable[Measure]:
    """Resident memory on the way, and where the bytes of the store go."""
    events = 200_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "load.db"
        fed = json.loads(children.run("-m", "tests.bench.feed", store, events, 10_000).output)
        yield from _memory(fed, min(SETTLED_EVENTS, events // 2))
        yield from _disk(fed, store)


def _memory(fed: dict[str, int], settled: int) -> Iterable[Measure]:
    samples: list[tuple[int, int]] = fed["samples"]
    then = next(size for done, size in samples if done >= settled)
    last = samples[-1][1]
    yield at_most("load", "resident memory, highest", fed["peak"] / 1e6, MEMORY_GOAL_MB, "MB")
    yield known("load", f"resident after {settled:,} events", then / 1e6, "MB")
    yield known("load", f"resident after {fed['events']:,} events", last / 1e6, "MB")
    yield at_most("load", "growth from there", (last - then) / then * 100, GROWTH_GOAL, "%")
    yield known("load", "events/s, generator included", fed["events"] / fed["took_s"])


def _disk(fed: dict[str, int], store: Path) -> Iterable[Measure]:
    htlcs = fed["htlcs"]
    both = fed["db"] + fed["wal"]
    yield at_most("load", "db + WAL after a checkpoint, per HTLC", both / htlcs, DISK_GOAL, "B")
    yield known("load", "WAL before that checkpoint, per HTLC", fed["wal_before"] / htlcs, "B")
    yield known("load", "WAL after it, per HTLC", fed["wal"] / htlcs, "B")
    small = 0
    for name, size, rows in _tables(store):
        if size < htlcs:
            small += size
        else:
            text = f"{size / htlcs:.1f} B, {rows / htlcs:.2f} rows"
            yield known("load", f"of it {name}, per HTLC", text)
    yield known("load", "of it everything else, per HTLC", small / htlcs, "B")


def _tables(store: Path) -> list[tuple[str, int, int]]:
    """(name, bytes, cells) of tables and indexes, largest first; nothing without dbstat."""
    db = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        return db.execute(
            "SELECT name, sum(pgsize), sum(CASE pagetype WHEN 'leaf' THEN ncell ELSE 0 END) "
            "FROM dbstat GROUP BY name ORDER BY 2 DESC"
        ).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        db.close()
