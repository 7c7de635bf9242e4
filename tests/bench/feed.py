"""A process of its own that feeds a load through intake and store: feed.py STORE EVENTS CHANNELS.

It prints one JSON line: what it did, and its resident memory on the way.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import htlctop.wire.client  # noqa: F401  (the collecting process has it in memory too)
from htlctop.collector.clock import SystemClock
from htlctop.collector.intake import Intake
from htlctop.collector.ledger import BATCH_EVENTS, Arrived
from htlctop.store.writer import StoreWriter
from tests.bench.workload import NODE, FakeNode, Load, Traffic

CHECKPOINT_S = 30
"""How often a collector does it."""


def resident() -> int:
    """This process's resident memory, bytes."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


async def feed(store: Path, load: Load) -> dict[str, object]:
    """Everything of the load into a new store; what was seen on the way."""
    traffic = Traffic(load)
    at_start, samples = resident(), []
    async with StoreWriter(store) as writer:
        intake = Intake(writer, FakeNode(load), SystemClock(), by_events=True)
        await intake.ledger.meet(NODE)
        await intake.channels.refresh()
        batch: list[Arrived] = []
        done, began = 0, time.monotonic()
        checkpoint_s = began + CHECKPOINT_S
        for event in traffic:
            batch.append((event, event.timestamp_ns))
            done += 1
            if len(batch) == BATCH_EVENTS:
                await intake.write(batch)
                batch.clear()
                samples.append((done, resident()))
                if time.monotonic() >= checkpoint_s:
                    await writer.checkpoint()
                    checkpoint_s = time.monotonic() + CHECKPOINT_S
        await intake.write(batch)
        await intake.ledger.pause("the load is over")
        took, wal_before = time.monotonic() - began, _size(store, "-wal")
        await writer.checkpoint()
        samples.append((done, resident()))
        return {
            "events": done,
            "htlcs": traffic.htlcs,
            "refused": traffic.refused,
            "took_s": took,
            "at_start": at_start,
            "samples": samples,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "db": _size(store),
            "wal_before": wal_before,
            "wal": _size(store, "-wal"),
        }


def _size(store: Path, suffix: str = "") -> int:
    return store.with_name(store.name + suffix).stat().st_size


if __name__ == "__main__":
    path, events, channels = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(asyncio.run(feed(path, Load(events, channels, channels)))))
