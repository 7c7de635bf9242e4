"""Views of a store of ten million HTLCs while events arrive: windows anew, ticks, filters, the log.

The store is built once, in HTLCTOP_BENCH (a folder) or the system's temporary folder, and kept;
each run adds the few thousand events that arrive while it measures.
"""

import asyncio
import gc
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.query import By, LogQuery, Query
from htlctop.collector.clock import SystemClock
from htlctop.collector.intake import Intake
from htlctop.domain.types import NS
from htlctop.store.reader import StoreReader
from htlctop.store.writer import StoreWriter
from htlctop.ui.parts import MOST_PAIRS
from htlctop.ui.start import GC_THRESHOLDS
from tests.bench import month
from tests.bench.children import median
from tests.bench.table import Measure, at_most, known
from tests.bench.workload import NODE, FakeNode, Load, Traffic

TICK_EVENTS, TICKS = 2_000, 20
"""What arrives between two ticks of 2 s at 1,000 events/s, and how many ticks are timed."""
ANEW = 5
"""How often advice is drawn anew."""
BATCHES = 8
_WINDOWS = (("1h", 150), ("24h", 150), ("7d", 150), ("30d", 300))


def big(quick: bool) -> Iterable[Measure]:
    """Each figure is the time of one read, and the CPU time of it where that tells more."""
    folder = Path(os.environ.get("HTLCTOP_BENCH", tempfile.gettempdir()))
    htlcs = 1_000_000 if quick else month.HTLCS
    store = folder / f"htlctop-bench-{htlcs}.db"
    gc.set_threshold(*GC_THRESHOLDS)  # as the app does
    began = time.monotonic()
    month.build(store, htlcs)
    yield known("big", f"{htlcs:,} HTLCs built, or there", time.monotonic() - began, "s")
    yield from asyncio.run(_measured(store))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield known("big", "resident at most, writer and generator included", peak, "MB")


async def _measured(store: Path) -> list[Measure]:
    newest_ns, seq = _end(store)
    events = TICK_EVENTS * (TICKS * 2 + 4 + ANEW)
    load = replace(
        month.load(), events=events, start_ns=newest_ns + NS, span_ns=events * NS // 1_000,
        first_id=10**9 + seq, seed=seq,  # not the payments of the run before once more
    )  # fmt: skip
    async with StoreWriter(store) as writer:
        arriving = _Arriving(writer, load)
        await arriving.intake.ledger.meet(NODE)
        await arriving.intake.channels.refresh()
        await arriving.tick()
        found = [*_cold(arriving), *await _ticks(arriving), *_views(arriving)]
        return [*found, *await _advice(arriving)]


class _Arriving:
    """The events that arrive, written as a collector writes them, and a viewer's analyst."""

    def __init__(self, writer: StoreWriter, load: Load) -> None:
        self.intake = Intake(writer, FakeNode(load), SystemClock(), by_events=True)
        self._events = iter(Traffic(load))
        self._store = writer.path
        self.now_ns = load.start_ns

    def analyst(self) -> StoreAnalyst:
        """One that has read nothing yet."""
        return StoreAnalyst(StoreReader(self._store), wall_ns=lambda: self.now_ns)

    async def tick(self) -> None:
        """Two seconds of events."""
        for _ in range(BATCHES):
            batch = [next(self._events) for _ in range(TICK_EVENTS // BATCHES)]
            await self.intake.write([(event, event.timestamp_ns) for event in batch])
            self.now_ns = max(self.now_ns, *(event.timestamp_ns for event in batch))


def _cold(arriving: _Arriving) -> Iterable[Measure]:
    for window, goal in _WINDOWS:
        taken = []
        for _ in range(5):
            analyst = arriving.analyst()
            # What a viewer that is open has read: its own window, not this one.
            analyst.overview(Query(window="6h"))
            taken.append(timed(lambda a=analyst, w=window: a.overview(Query(window=w))))
            analyst.close()
        yield at_most("big", f"a window anew, {window}", median([w for w, _ in taken]), goal, "ms")
        yield known("big", f"  CPU of it, {window}", median([c for _, c in taken]), "ms")


async def _ticks(arriving: _Arriving) -> list[Measure]:
    found = []
    for window in ("24h", "30d"):
        analyst, taken = arriving.analyst(), []
        analyst.overview(Query(window=window))
        for _ in range(TICKS):
            await arriving.tick()
            gc.collect()  # what the writer made is not in a viewer's process
            taken.append(timed(lambda a=analyst, w=window: a.overview(Query(window=w))))
        analyst.close()
        walls, cpus = sorted(wall for wall, _ in taken), sorted(cpu for _, cpu in taken)
        last = TICKS * 95 // 100 - 1
        found.append(at_most("big", f"a warm tick, {window}, p95", walls[last], 50, "ms"))
        found.append(known("big", f"  CPU of it, {window}, p95", cpus[last], "ms"))
    return found


def _views(arriving: _Arriving) -> Iterable[Measure]:
    analyst = arriving.analyst()
    top = analyst.overview(Query()).peers[0]
    source = analyst.peer(top.peer, Query()).sources[0]
    day = Query(most=MOST_PAIRS)
    yield from _prepared(arriving, day)
    while not analyst.prepare(day):
        pass
    views: list[tuple[str, Callable[[], object]]] = [
        ("filter keystroke, text", lambda: analyst.overview(Query(filter="peer 12"))),
        ("filter keystroke, why:liq", lambda: analyst.overview(Query(filter="why:liq"))),
        ("view: channels", lambda: analyst.overview(Query(by=By.CHANNEL))),
        ("view: flows, prepared", lambda: analyst.flows(day)),
        ("view: pairs, prepared", lambda: analyst.overview(replace(day, by=By.PAIR))),
        ("view: incoming peers, prepared", lambda: analyst.overview(Query(by=By.SOURCE))),
        ("filter keystroke, in:, prepared", lambda: analyst.overview(Query(filter="in:12"))),
        ("view: the busiest peer", lambda: analyst.peer(top.peer, Query())),
        ("view: its busiest pair", lambda: analyst.pair(source.in_peer, top.peer, Query())),
        ("view: node", lambda: analyst.node(Query())),
        ("view: events, 200 lines", lambda: analyst.log(LogQuery(200))),
        ('log, in:"peer 7"', lambda: analyst.log(LogQuery(200, filter='in:"peer 7"'))),
        ("log, why:liq amt>4m", lambda: analyst.log(LogQuery(200, filter="why:liq amt>4m"))),
        ("log, nothing fits", lambda: analyst.log(LogQuery(200, filter="amt>9b"))),
    ]
    for name, look in views:
        wall, _ = min(timed(look) for _ in range(3))
        yield at_most("big", name, wall, 150, "ms")
    analyst.close()


def _prepared(arriving: _Arriving, day: Query) -> Iterable[Measure]:
    """What a viewer does in its idle time, and what it saves."""
    analyst, steps = arriving.analyst(), list[float]()
    is_ready = False
    while not is_ready:
        began = time.perf_counter()
        is_ready = analyst.prepare(day)
        steps.append((time.perf_counter() - began) * 1000)
    analyst.close()
    yield known(
        "big", f"sums by pair prepared in {len(steps)} steps, the longest", max(steps), "ms"
    )
    yield known("big", "  all of them", sum(steps), "ms")
    analyst = arriving.analyst()
    yield known("big", "view: flows, nothing prepared", timed(lambda: analyst.flows(day))[0], "ms")
    analyst.close()


async def _advice(arriving: _Arriving) -> list[Measure]:
    cold = []
    for _ in range(5):
        analyst = arriving.analyst()
        analyst.overview(Query())  # the view that it is opened from
        cold.append(timed(lambda a=analyst: a.advice(Query()))[0])
        analyst.close()
    analyst = arriving.analyst()
    peers = [item.peer for item in analyst.advice(Query()).opportunities[:8]]
    again = [timed(lambda: analyst.advice(Query()))[0] for _ in range(5)]
    curves = [timed(lambda p=peer: analyst.curve(p, Query()))[0] for peer in peers]
    anew = []
    for number in range(ANEW):
        await arriving.tick()
        gc.collect()  # what the writer made is not in a viewer's process
        # Of another filter, which has no say in it, so that what is kept is not good enough.
        query = Query(filter=f"peer {number}")
        anew.append(timed(lambda q=query: analyst.advice(q)))
    analyst.close()
    return [
        at_most("big", "opportunities, cold", median(cold), 300, "ms"),
        at_most("big", "opportunities, asked again", median(again), 50, "ms"),
        at_most(
            "big", "opportunities, drawn anew after a tick", median([w for w, _ in anew]), 50, "ms"
        ),
        known("big", "  CPU of it", median([c for _, c in anew]), "ms"),
        at_most("big", "the curve of a peer, the slowest of 8", max(curves), 100, "ms"),
    ]


def timed(look: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU time, ms."""
    wall, cpu = time.perf_counter(), time.thread_time()
    look()
    return (time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000


def _end(store: Path) -> tuple[int, int]:
    """The newest event of a store and the arrival number of its newest HTLC."""
    reader = StoreReader(store)
    found = reader.status().last_event_ns, reader.last_seq()
    reader.close()
    return found
