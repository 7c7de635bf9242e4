"""Every view of a usual node, a hundred channels and a day: each read anew, as a key press does."""

import asyncio
import gc
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from htlctop import service
from htlctop.analysis.query import By, LogQuery, Query
from htlctop.ui.parts import MOST_PAIRS
from htlctop.ui.start import GC_THRESHOLDS
from tests.bench.big import timed
from tests.bench.children import median
from tests.bench.table import Measure, at_most
from tests.synthetic import lived

CHANNELS, HOURS, GOAL_MS, TIMES = 100, 24.0, 10, 9


def small(quick: bool) -> Iterable[Measure]:
    """Each figure is the time of one read by an analyst that has just been opened."""
    gc.set_threshold(*GC_THRESHOLDS)  # as the app has it
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.db"
        asyncio.run(lived(1, HOURS, store, channels=CHANNELS))
        for name in _looks(store):
            taken = []
            for _ in range(3 if quick else TIMES):
                looks = _looks(store)
                taken.append(timed(looks[name])[0])
            yield at_most("small", f"view: {name}", median(taken), GOAL_MS, "ms")


def _looks(store: Path) -> dict[str, Callable[[], object]]:
    """What can be looked at, by an analyst that has only learnt whom it may ask about."""
    analyst = service.open_analyst(store)
    day = Query(window="24h")
    top = analyst.overview(day).peers[0]
    analyst.close()
    fresh = service.open_analyst(store)
    return {
        "overview": lambda: fresh.overview(day),
        "channels": lambda: fresh.overview(Query(window="24h", by=By.CHANNEL)),
        "pairs": lambda: fresh.overview(Query("24h", by=By.PAIR, most=MOST_PAIRS)),
        "incoming peers": lambda: fresh.overview(Query(window="24h", by=By.SOURCE)),
        "filter, why:liq": lambda: fresh.overview(Query(window="24h", filter="why:liq")),
        "opportunities": lambda: fresh.advice(day),
        "the first peer": lambda: fresh.peer(top.peer, day),
        "its curve": lambda: fresh.curve(top.peer, day),
        "its explanation": lambda: fresh.explain(day, top.peer),
        "history": lambda: fresh.history(day),
        "node": lambda: fresh.node(day),
        "events, 200 lines": lambda: fresh.log(LogQuery(200)),
        "report": lambda: fresh.report(day),
    }
