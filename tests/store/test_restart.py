"""A restart at any event is no restart: what is stored is all the fold needs."""

import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htlctop.domain.records import Progress
from htlctop.domain.types import HtlcEvent
from htlctop.store.writer import StoreWriter
from tests.domain.test_properties import Try, told, tries
from tests.support import ANN, CAT, CHANNELS, DAN, T0

TABLES = ("peer", "channel", "htlc", "claim", "by_channel", "by_pair")
PROGRESS = Progress(events=0, ignored=0, last_event_ns=T0, covered_until_ns=None)


async def write(path: Path, events: Sequence[HtlcEvent], stops: Sequence[int]) -> None:
    """Fold and write, closing and opening the store anew at each stop."""
    for start, end in zip([0, *stops], [*stops, len(events)], strict=True):
        async with StoreWriter(path) as writer:
            fold = writer.restore_fold()
            fold.channels.update(CHANNELS, ())
            for event in events[start:end]:
                fold.apply(event, T0)
            await writer.commit(fold.take(), PROGRESS)


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as db:
        return {
            table: sorted(
                (
                    row
                    for row in db.execute(f"SELECT * FROM {table}")
                    if not table.startswith("by_") or any(row[-7:])
                ),
                key=repr,
            )
            for table in TABLES
        }


def batches_apart(found: dict[str, list[tuple[object, ...]]]) -> None:
    """When an idle claim is marked closed, and a channel first written, depends on the batches."""
    found["claim"] = [row[:-1] for row in found["claim"]]
    found["channel"] = [row[:5] for row in found["channel"]]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(tries, st.data())
async def test_restarting_anywhere_stores_what_one_run_stores(wanted, data):
    events = told(wanted)
    stops = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=3)))
    with tempfile.TemporaryDirectory() as folder:
        once, often = Path(folder) / "once.db", Path(folder) / "often.db"
        await write(once, events, [])
        await write(often, events, stops)
        a, b = contents(once), contents(often)
        batches_apart(a)
        batches_apart(b)
        assert a == b


async def test_restarting_at_every_single_event_of_a_busy_minute_changes_nothing(tmp_path):
    events = told(
        [
            Try("refuse", 0, 100_000_000, 900, ANN, DAN),
            Try("refuse", 1, 100_000_000, 900, ANN, DAN),
            Try("late", 2, 50_000_000, 500, ANN, CAT),
            Try("fail", 3, 7_000_000, 70, ANN, CAT),
            Try("settle", 5, 7_000_000, 70, ANN, CAT),
            Try("settle", 6, 50_000_000, 600, ANN, DAN),
            Try("in_flight", 7, 25_000_000, 20, ANN, DAN),
        ]
    )
    await write(tmp_path / "once.db", events, [])
    await write(tmp_path / "often.db", events, range(1, len(events)))
    a, b = contents(tmp_path / "once.db"), contents(tmp_path / "often.db")
    batches_apart(a)
    batches_apart(b)
    assert a == b
    assert len(a["htlc"]) == 7
