"""Sums that are kept from read to read are, to the msat, what reading them anew gives."""

import random
import sqlite3
from dataclasses import replace

import pytest

from htlctop.analysis import moment
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import Window
from htlctop.analysis.query import By, Query
from htlctop.collector.clock import SystemClock
from htlctop.collector.intake import Intake
from htlctop.domain.records import PairPick, Way
from htlctop.domain.types import NS
from htlctop.errors import ReadInterrupted
from htlctop.store.pairs import PairSums
from htlctop.store.reader import StoreReader
from htlctop.store.writer import NEWS_KEPT, StoreWriter
from tests.bench.workload import DAY_NS, NODE, FakeNode, Load, Traffic

HOUR = 3600 * NS
QUERIES = [
    *(Query(window=window) for window in ("1h", "24h", "7d", "30d", "all")),
    Query(window="24h", by=By.CHANNEL, filter="why:liq"),
    Query(window="24h", filter='"peer 3"'),
    Query(window="24h", by=By.PAIR, most=5),
    Query(window="24h", by=By.SOURCE),
    Query(window="7d", by=By.PAIR, filter='in:"peer 3"'),
    Query(window="24h", filter='!in:"peer 3"'),
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
        assert self.keeping.flows(query) == anew.flows(query), query
        anew.close()


@pytest.mark.parametrize(("seed", "exact_up_to"), [(0, 10**6), (1, 0), (2, 2_000)])
async def test_kept_sums_are_those_read_anew(tmp_path, monkeypatch, seed, exact_up_to):
    monkeypatch.setattr(moment, "EXACT_UP_TO", exact_up_to)
    chance = random.Random(seed)
    load = Load(6_000, channels=12, peers=8, seed=seed, span_ns=3 * DAY_NS)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.ledger.meet(NODE)
        await watched.intake.channels.refresh()
        for _ in range(30):
            for _ in range(chance.choice((0, 1, 1, 2, 5))):
                await watched.write(chance.choice((1, 20, 300)))
            watched.now_ns += chance.choice((0, 0, NS, 60 * NS, 3 * HOUR))
            query = chance.choice(QUERIES)
            if chance.random() < 0.3:
                query = replace(query, until_ns=watched.now_ns - chance.randrange(DAY_NS))
            if chance.random() < 0.5:
                watched.keeping.prepare(query)
            watched.compare(query)
            watched.compare(QUERIES[1])
        watched.keeping.close()


@pytest.mark.parametrize(("window", "every"), [("48h", 1), ("7d", 18)])
async def test_sums_are_read_anew_where_buckets_between_old_and_new_edges_are_gone(
    tmp_path, window, every
):
    # Two days before now is now in a minute that is kept, now in an hour whose minutes are gone.
    chance = random.Random(1)
    load = Load(3_000, channels=12, peers=8, span_ns=6 * DAY_NS)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.ledger.meet(NODE)
        await watched.intake.channels.refresh()
        for number in range(38):
            await watched.write(chance.choice((20, 140)))
            watched.now_ns += chance.choice((0, 20 * 60 * NS, HOUR))
            for _ in range(15):  # minutes go thirty at a time
                await writer.checkpoint()
            if number % every == 0:
                watched.compare(Query(window=window))
        watched.keeping.close()


async def test_what_is_prepared_of_a_time_of_which_only_days_are_kept_is_all_of_it(tmp_path):
    load = Load(2_000, channels=12, peers=8, span_ns=70 * DAY_NS)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.ledger.meet(NODE)
        await watched.intake.channels.refresh()
        await watched.write(load.events)
        query = Query(window="24h", by=By.PAIR, until_ns=load.start_ns + 5 * DAY_NS)
        for _ in range(100):  # thirty hours go at a time
            await writer.checkpoint()
        while not watched.keeping.prepare(query):
            pass
        assert watched.keeping.overview(query).rows
        watched.compare(query)
        watched.keeping.close()


async def test_what_would_have_been_forwarded_at_a_loss_takes_from_what_was_missed(
    tmp_path, monkeypatch
):
    load = Load(3_000, channels=6, peers=4, span_ns=HOUR)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        watched.events = (
            event._replace(incoming_amt_msat=2 * event.outgoing_amt_msat - event.incoming_amt_msat)
            for event in watched.events
        )
        await watched.intake.ledger.meet(NODE)
        await watched.intake.channels.refresh()
        await watched.write(load.events)
        exact = watched.keeping.overview(Query(by=By.PAIR))
        monkeypatch.setattr(moment, "EXACT_UP_TO", 0)
        rough = watched.keeping.overview(Query(by=By.CHANNEL)).totals.sums
        assert exact.totals.sums.net_demand_msat == rough.net_demand_msat < 0
        apart = abs(exact.totals.sums.expected_msat - rough.expected_msat)
        assert rough.expected_msat < -1000 * apart
        assert sum(r.sums.expected_msat for r in exact.rows) == exact.totals.sums.expected_msat
        watched.keeping.close()


async def test_who_comes_back_after_too_many_batches_reads_anew(tmp_path):
    load = Load(2_000, channels=12, peers=8, span_ns=HOUR)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.ledger.meet(NODE)
        await watched.intake.channels.refresh()
        await watched.write(100)
        watched.compare(Query())
        for _ in range(NEWS_KEPT + 5):
            await watched.write(20)
        watched.compare(Query())
        watched.keeping.close()


async def test_who_prepared_too_long_ago_begins_anew_and_never_reads_all_at_once(
    tmp_path, monkeypatch
):
    load = Load(3_000, channels=12, peers=8, span_ns=20 * HOUR)
    taken = []
    add = PairSums.add

    def watched_add(self: PairSums, from_ns: int, until_ns: int, sign: int = 1) -> None:
        taken.append(until_ns - from_ns)
        add(self, from_ns, until_ns, sign)

    monkeypatch.setattr(PairSums, "add", watched_add)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.ledger.meet(NODE)
        await watched.intake.channels.refresh()
        await watched.write(2_000)
        query = Query(by=By.PAIR)
        for _ in range(8):
            assert not watched.keeping.prepare(query)
        for _ in range(NEWS_KEPT + 5):
            await watched.write(10)
        while not watched.keeping.prepare(query):
            pass
        assert max(taken) <= HOUR and len(taken) > 30
        watched.compare(query)
        watched.keeping.close()


async def test_nothing_is_kept_of_a_read_that_was_broken_off(tmp_path):
    load = Load(1_000, channels=12, peers=8, span_ns=HOUR)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.ledger.meet(NODE)
        await watched.intake.channels.refresh()
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


async def test_what_was_prepared_is_left_as_it_was_by_a_read_that_was_broken_off(tmp_path):
    load = Load(3_000, channels=12, peers=8, span_ns=12 * HOUR)
    async with StoreWriter(tmp_path / "store.db") as writer:
        watched = Watched(writer, load)
        await watched.intake.ledger.meet(NODE)
        await watched.intake.channels.refresh()
        await watched.write(2_000)
        reader = StoreReader(writer.path)
        analyst = StoreAnalyst(reader, wall_ns=lambda: watched.now_ns)
        query, steps, many = Query(by=By.PAIR), 0, 0
        while not analyst.prepare(query):
            steps += 1
            with pytest.raises(ReadInterrupted):
                breaks_off(analyst, reader, query)
            held = reader.pairs(KEY_OF_LIVE_24H)
            assert held.count(Way.PAIR, PairPick()) >= many, "what was there is still there"
            many = held.count(Way.PAIR, PairPick())
        assert steps > 5 and many
        await watched.write(500)
        with pytest.raises(ReadInterrupted):
            breaks_off(analyst, reader, query)
        anew = watched.analyst()
        assert analyst.flows(query) == anew.flows(query)
        for each in (anew, analyst, watched.keeping):
            each.close()


KEY_OF_LIVE_24H = repr(("24h", None, None))


def breaks_off(analyst: StoreAnalyst, reader: StoreReader, query: Query) -> None:
    """Interrupt a read just after it added to the sums by pair."""
    original = moment.Moment.kept_pairs

    def interrupted(self: moment.Moment, window: Window) -> PairSums:
        original(self, window)
        raise sqlite3.OperationalError("interrupted")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moment.Moment, "kept_pairs", interrupted)
        analyst.overview(query)
