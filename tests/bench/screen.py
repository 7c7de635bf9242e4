"""A small collector for the screen to look at: screen.py STORE, told what to do by its stdin.

It holds the store's lock, has stored some hours of traffic, and proves every second that it is
alive. `tick` writes one refusal for each of the ten channels that are on top of the table.
"""

import asyncio
import sys
import time
from pathlib import Path

from htlctop.analysis.query import Query
from htlctop.collector.clock import SystemClock
from htlctop.collector.intake import Intake
from htlctop.collector.ledger import Arrived
from htlctop.domain.codes import EventKind, EventType
from htlctop.domain.types import NS, HtlcEvent
from htlctop.service import open_analyst
from htlctop.store.writer import StoreWriter
from tests.bench.workload import NODE, SCID, FakeNode, Load, Traffic

_HOUR_NS = 3600 * NS
_ROWS = 10


def quiet_load() -> Load:
    """Traffic of the last 20 h without the last ten minutes: nothing of it moves in a minute."""
    now = time.time_ns()
    return Load(20_000, 40, 20, start_ns=now - 20 * _HOUR_NS, span_ns=20 * _HOUR_NS - _HOUR_NS // 6)


class Stage:
    """The store and what is written into it."""

    def __init__(self, store: Path, intake: Intake) -> None:
        self._store = store
        self._intake = intake
        self._number = 1_000_000
        self._outs: list[int] = []

    async def prepare(self, traffic: Traffic) -> None:
        """Store the traffic as it came."""
        batch: list[Arrived] = [(event, event.timestamp_ns) for event in traffic]
        await self._intake.write(batch)

    async def tick(self) -> None:
        """One refusal for each of the ten channels on top."""
        if not self._outs:
            analyst = open_analyst(self._store)
            peers = analyst.overview(Query(window="24h")).peers[:_ROWS]
            self._outs = [int(peer.channels[0].channel_id) for peer in peers]
            analyst.close()
        now = time.time_ns()
        batch: list[Arrived] = []
        for out in self._outs:
            self._number += 1
            circuit = (SCID if out != SCID else SCID + 1, self._number)
            amount = 300_000_000 + self._number * 999_983 % 700_000_000
            batch.append(
                (
                    HtlcEvent(
                        EventKind.LINK_FAIL, EventType.FORWARD, now, *circuit, out, 0,
                        amount + amount // 2_000, amount, 15, 6,
                    ),
                    now,
                )
            )  # fmt: skip
            batch.append(
                (HtlcEvent(EventKind.FINAL, EventType.UNKNOWN, now + NS // 20, *circuit), now)
            )
        await self._intake.write(batch)


async def play(store: Path) -> None:
    """Until stdin closes."""
    load = quiet_load()
    loop = asyncio.get_running_loop()
    async with StoreWriter(store) as writer:
        intake = Intake(writer, FakeNode(load), SystemClock())
        await intake.ledger.meet(NODE)
        await intake.channels.refresh()
        stage = Stage(store, intake)
        await stage.prepare(Traffic(load))
        await writer.set_state("live")
        await intake.ledger.alive()
        print("ready", flush=True)
        line = loop.run_in_executor(None, sys.stdin.readline)
        while True:
            done, _ = await asyncio.wait([line], timeout=1)
            if not done:
                await intake.ledger.alive()
                continue
            if not line.result():
                return
            await stage.tick()
            line = loop.run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1])))
