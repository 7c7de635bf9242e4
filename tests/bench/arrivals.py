"""A process of its own that stores events as they arrive: arrivals.py STORE EVENTS_A_SECOND.

It goes on where the store ends, at the pace of a clock, says "ready" once the first are stored, and
ends when its stdin closes.
"""

import asyncio
import select
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from htlctop.collector.clock import SystemClock
from htlctop.collector.collector import TICK_S
from htlctop.collector.intake import Intake
from htlctop.domain.types import NS, HtlcEvent
from htlctop.store.reader import StoreReader
from htlctop.store.writer import StoreWriter
from tests.bench import month
from tests.bench.workload import NODE, FakeNode, Traffic

_LONGEST_S = 600


async def arrive(store: Path, a_second: int) -> None:
    """Write a batch each tick until nobody holds stdin any more; ten minutes at most."""
    reader = StoreReader(store)
    newest_ns, seq = reader.status().last_event_ns, reader.last_seq()
    reader.close()
    load = replace(
        month.load(), events=a_second * _LONGEST_S, start_ns=newest_ns + NS,
        span_ns=_LONGEST_S * NS, first_id=10**9 + seq,
    )  # fmt: skip
    events: Iterator[HtlcEvent] = iter(Traffic(load))
    async with StoreWriter(store) as writer:
        intake = Intake(writer, FakeNode(load), SystemClock())
        await intake.ledger.meet(replace(NODE, replay=True))
        await intake.channels.refresh()
        due_s, is_ready = time.monotonic(), False
        for _ in range(int(_LONGEST_S / TICK_S)):
            batch = [next(events) for _ in range(int(a_second * TICK_S))]
            await intake.write([(event, event.timestamp_ns) for event in batch])
            if not is_ready:
                is_ready = True
                print("ready", flush=True)
            due_s += TICK_S
            if select.select([sys.stdin], [], [], max(0.0, due_s - time.monotonic()))[0]:
                return


if __name__ == "__main__":
    asyncio.run(arrive(Path(sys.argv[1]), int(sys.argv[2])))
