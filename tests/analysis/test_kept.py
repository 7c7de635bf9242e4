"""Sums that are kept from read to read are, to the msat, what reading them anew gives."""

import random
from dataclasses import replace

import pytest

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import By, Query
from htlctop.collector.clock import SystemClock
from htlctop.collector.intake import Intake
from htlctop.domain.types import NS
from htlctop.store.reader import StoreReader
from htlctop.store.writer import NEWS_KEPT, StoreWriter
from tests.bench.workload import DAY_NS, NODE, FakeNode, Load, Traffic

HOUR = 3600 * NS
QUERIES = [
    *(Query(window=window) for window in ("1h", "24h", "7d", "30d", "all")),
    Query(window="24h", by=By.CHANNEL, filter="why:liq"),
    Query(window="24h", filter='"peer 3"'),
]


class Watched:
    """A store being written, an analyst that keeps on reading it, and node time."""

    def __init__(self, writer: StoreWriter, load: Load) -> None:
        self.writer = writer
        self.intake = Intake(writer, FakeNode(load), SystemClock(), by_events=True)
        self.events = iter(Traffic(load))
        self.now_ns = load.start_ns
        self.keeping = self.analyst()

    def analyst(self) -> StoreAnalyst:
        return StoreAnalyst(StoreReader(self.writer.path), wall_ns=lambda: self.now_ns)

    async def write(self, count: int) -> None:
        batch = [event for event, _ in zip(self.events, range(count), strict=False)]
        if batch:
            await self.intake.write([(event, event.timestamp_ns) for event in batch])
            self.now_ns = max(self.now_ns, *(event.timestamp_ns for event in batch))

    def compare(self, query: Query) -> None:
        anew = self.analyst()
        assert self.keeping.overview(query) == anew.overview(query), query
        assert self.keeping.history(query) == anew.history(query), query
        anew.close()


@pytest.mark.parametrize("seed", range(3))
async def test_kept_sums_are_those_read_anew(tmp_path, seed):
    chance = random.Random(seed)
    load = Load(6_000, channels=12, peers=8, seed=seed, span_ns=3 * DAY_NS)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.meet(NODE)
        await watched.intake.list_channels()
        for _ in range(30):
            for _ in range(chance.choice((0, 1, 1, 2, 5))):
                await watched.write(chance.choice((1, 20, 300)))
            watched.now_ns += chance.choice((0, 0, NS, 60 * NS, 3 * HOUR))
            query = chance.choice(QUERIES)
            if chance.random() < 0.3:
                query = replace(query, until_ns=watched.now_ns - chance.randrange(DAY_NS))
            watched.compare(query)
            watched.compare(QUERIES[1])
        watched.keeping.close()


async def test_who_comes_back_after_too_many_batches_reads_anew(tmp_path):
    load = Load(2_000, channels=12, peers=8, span_ns=HOUR)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.meet(NODE)
        await watched.intake.list_channels()
        await watched.write(100)
        watched.compare(Query())
        for _ in range(NEWS_KEPT + 5):
            await watched.write(20)
        watched.compare(Query())
        watched.keeping.close()


async def test_nothing_is_kept_of_a_read_that_was_broken_off(tmp_path):
    load = Load(1_000, channels=12, peers=8, span_ns=HOUR)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.meet(NODE)
        await watched.intake.list_channels()
        await watched.write(300)
        reader = StoreReader(writer.path)
        analyst = StoreAnalyst(reader, wall_ns=lambda: watched.now_ns)
        analyst.overview(Query())
        await watched.write(300)
        original = reader.news
        reader.news = lambda since: [*original(since), None]
        with pytest.raises(AttributeError):
            analyst.overview(Query())
        reader.news = original
        anew = watched.analyst()
        assert analyst.overview(Query()) == anew.overview(Query())
        for each in (anew, analyst, watched.keeping):
            each.close()
