"""What advice keeps from one drawing to the next is what reading it anew gives."""

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

from htlctop.analysis.advice import advisor, evidence
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.query import Query
from htlctop.domain.claims import Pool
from htlctop.domain.codes import Category
from htlctop.domain.records import Progress
from htlctop.domain.types import NS, Channel, ChannelLimits, FeePolicy, HtlcEvent, NodeInfo
from htlctop.errors import ReadInterrupted
from htlctop.store import retention
from htlctop.store.reader import StoreReader
from htlctop.store.writer import NEWS_KEPT, StoreWriter
from tests.advice import made
from tests.bench.workload import DAY_NS, Load, Traffic, channels
from tests.support import ANN, CAT, CAT2, DAN, T0, Stream

HOUR_NS = 3600 * NS
T = TypeVar("T")
WEEK = Query(window="7d")
PEERS = range(1, 1 + len(made.USUAL))
LOAD = Load(20_000, channels=12, peers=8, refused=0.8, span_ns=3 * DAY_NS, start_ns=T0 + NS)


class Growing:
    """A store that grows, an analyst that keeps on reading it, and node time."""

    def __init__(self, writer: StoreWriter) -> None:
        self.writer = writer
        self.now_ns = T0
        self.stream = Stream()
        self.reader = StoreReader(writer.path)
        self.keeping = StoreAnalyst(self.reader, wall_ns=lambda: self.now_ns)
        self._fold = writer.restore_fold()
        self._told = self._compared = 0

    async def begin(self, listed: Iterable[Channel]) -> None:
        listed = tuple(listed)
        await self.writer.save_node(NodeInfo("02" + "e" * 64, "made", "regtest", "0.21"))
        self._fold.channels.update(listed, ())
        await self.write(())
        await self.writer.start_interval(T0)
        for channel in listed:
            await self.becomes(channel)
            await self.writer.save_policies([FeePolicy(channel.scid, 0, 250)], self.ids, T0)

    @property
    def ids(self) -> dict[int, int]:
        return {record.scid: record.id for record in self.reader.channels()}

    async def becomes(self, channel: Channel) -> None:
        self._fold.liquidity.changed(channel, self.now_ns)
        await self.writer.save_balances([channel], self.ids, self.now_ns)

    async def write(self, events: Iterable[HtlcEvent] | None = None) -> None:
        """A batch: what the stream was given since the last one, or these events."""
        if events is None:
            events = self.stream.events[self._told :]
            self._told += len(events)
        for event in events:
            self._fold.apply(event, event.timestamp_ns)
            self.now_ns = max(self.now_ns, event.timestamp_ns)
        await self.writer.commit(self._fold.take(), Progress(0, 0, self.now_ns, self.now_ns))

    def compare(self, query: Query = WEEK, peers: Iterable[int] = ()) -> int:
        """Everything about advice is as read anew; returns how many opportunities there are."""
        # Of another filter, which has no say in it, so that the last advice will not do.
        self._compared += 1
        query = replace(query, filter=f"peer {self._compared}")
        found = self._as_anew(lambda analyst: analyst.advice(query))
        for peer in peers:
            self._as_anew(lambda analyst, p=peer: analyst.curve(p, query))
            self._as_anew(lambda analyst, p=peer: analyst.explain(query, p))
        return len(found.opportunities)

    def _as_anew(self, ask: Callable[[StoreAnalyst], T]) -> T:
        anew = StoreAnalyst(StoreReader(self.writer.path), wall_ns=lambda: self.now_ns)
        wanted = ask(anew)
        anew.close()
        assert ask(self.keeping) == wanted
        return wanted

    def reads_of(self, monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[object, ...]]:
        """What the analyst that keeps asks of the store from now on."""
        found: list[tuple[object, ...]] = []
        read = getattr(self.reader, name)

        def noted(*values: object, **named: object) -> object:
            found.append(values)
            return read(*values, **named)

        monkeypatch.setattr(self.reader, name, noted)
        return found


@asynccontextmanager
async def growing(path: Path, listed: Iterable[Channel]) -> AsyncIterator[Growing]:
    async with StoreWriter(path / "store.db") as writer:
        found = Growing(writer)
        await found.begin(listed)
        try:
            yield found
        finally:
            found.keeping.close()


async def change(store: Growing, chance: random.Random, listed: list[Channel]) -> None:
    """A balance, a presence, a fee or a limit is another from now on."""
    channel, ids = chance.choice(listed), store.ids
    local = chance.randrange(channel.capacity_sat)
    match chance.randrange(4):
        case 0 | 1:
            await store.becomes(
                replace(
                    channel, local_sat=local, remote_sat=channel.capacity_sat - local,
                    active=chance.random() < 0.8,
                )
            )  # fmt: skip
        case 2:
            policy = FeePolicy(channel.scid, 0, chance.choice((10, 100, 400, 900)))
            await store.writer.save_policies([policy], ids, store.now_ns)
        case 3:
            limits = ChannelLimits(channel.scid, 1000, local * 1000, 80, False)
            await store.writer.save_limits([limits], ids, store.now_ns)


@pytest.mark.parametrize(("seed", "read"), [(0, 16_000), (1, 16_000), (2, 2_000), (3, 400)])
async def test_advice_that_goes_on_from_what_it_knows_is_that_drawn_anew(
    tmp_path, monkeypatch, seed, read
):
    monkeypatch.setattr(advisor, "_READ_IN_ALL", read)
    chance = random.Random(seed)
    load, seen = replace(LOAD, seed=seed), 0
    listed, events = list(channels(load)), iter(Traffic(load))
    async with growing(tmp_path, listed) as store:
        for number in range(40):
            for _ in range(chance.choice((0, 1, 1, 3))):
                count = chance.choice((1, 30, 600))
                await store.write([event for event, _ in zip(events, range(count), strict=False)])
            if chance.random() < 0.4:
                await change(store, chance, listed)
            if chance.random() < 0.1:
                await store.writer.end_interval("a break")
                await store.writer.start_interval(store.now_ns)
            # The edge of a window goes on with the hours, and a whole one makes it smaller.
            store.now_ns += chance.choice((0, 0, NS, 60 * NS, HOUR_NS, 5 * HOUR_NS))
            query = chance.choice((WEEK, WEEK, Query(window="30d"), Query(window="all")))
            if chance.random() < 0.2:
                query = Query(since_ns=store.now_ns - chance.randrange(DAY_NS))
            if chance.random() < 0.2:
                query = replace(query, until_ns=store.now_ns - chance.randrange(DAY_NS))
            peers = chance.sample(range(1, 9), 2) if number % 4 == 0 else ()
            seen += store.compare(query, peers)
    assert seen > 100


async def refused(store: Growing, first_h: float, count: int = 30, out: int = DAN) -> None:
    for k in range(count):
        at_s, msat = (first_h + k / 60) * 3600, 200_000_000 + k * 20_000_000
        store.stream.refuse(at_s, msat, 300_000, out=out)
    await store.write()


async def test_of_the_payments_only_those_that_are_new_are_read(tmp_path, monkeypatch):
    async with growing(tmp_path, made.USUAL.values()) as store:
        await refused(store, 1)
        assert store.compare() > 0
        asked, settled = (
            store.reads_of(monkeypatch, "claims"),
            store.reads_of(monkeypatch, "settled"),
        )
        store.now_ns += NS
        store.compare()
        assert (asked, settled) == ([], [])
        await refused(store, 30, 2)
        store.compare()
        assert asked and all(values[-1] > 0 for values in asked)


async def test_a_payment_that_began_before_others_and_failed_after_them_is_not_missed(tmp_path):
    async with growing(tmp_path, made.USUAL.values()) as store:
        # An HTLC that goes on, and is refused when others have long been read.
        await refused(store, 1)
        held = store.stream.forward(3 * 3600, 900_000_000, 2_000_000)
        await refused(store, 3.1)
        store.compare()
        store.stream.refuse(4 * 3600, 900_000_000, 2_000_000)
        late = store.stream.events[-2:]
        store.stream.events[-2:] = [event._replace(incoming_htlc_id=held) for event in late]
        await refused(store, 4.1, 1)
        store.compare()


async def test_a_longer_window_and_more_payments_are_read_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(advisor, "_READ_IN_ALL", 50)
    async with growing(tmp_path, made.USUAL.values()) as store:
        await refused(store, 1)
        await refused(store, 10 * 24, 20)
        assert store.compare() > 0
        store.compare(Query(window="30d"))
        for hour in (1, 3):
            await refused(store, 10 * 24 + hour, 60)
            store.compare(WEEK, PEERS)


@pytest.mark.parametrize("limit", [35, 40, 100])
async def test_of_all_payments_as_many_are_told_as_are_asked_for(tmp_path, limit):
    """Thirty were all of them when no more than 35 were asked for; ten more have come since."""
    async with growing(tmp_path, made.USUAL.values()) as store:
        peer_of = {record.id: record.peer for record in store.reader.channels()}.__getitem__
        kept = evidence.Evidence(store.reader)
        asked = (Pool.LOST, peer_of(store.ids[DAN]), (Category.LIQUIDITY,), T0)
        await refused(store, 1)
        kept.advance(store.reader.status(), 0, peer_of)
        assert len(kept.claims(*asked, 35)) == 30
        await refused(store, 3, 10)
        kept.advance(store.reader.status(), 0, peer_of)
        found = kept.claims(*asked, limit)
        assert found == store.reader.claims(*asked, evidence.NEVER_NS, limit)
        assert len(found) == min(40, limit)


async def test_what_a_payment_got_back_is_noticed(tmp_path):
    async with growing(tmp_path, made.USUAL.values()) as store:
        await refused(store, 1)
        store.stream.refuse(2 * 3600, 500_000_000, 900_000)
        await store.write()
        store.compare(WEEK, PEERS)
        again = store.stream.forward(2 * 3600 + 5, 500_000_000, 900_000)
        store.stream.settle(2 * 3600 + 6, again)
        await store.write()
        store.compare(WEEK, PEERS)


async def test_who_comes_back_after_too_many_batches_reads_anew(tmp_path):
    async with growing(tmp_path, made.USUAL.values()) as store:
        await refused(store, 1)
        store.compare()
        for k in range(NEWS_KEPT + 5):
            await refused(store, 2 + k, 1)
        store.compare()


async def test_htlcs_that_are_kept_no_more_are_no_evidence_any_more(tmp_path):
    async with growing(tmp_path, made.USUAL.values()) as store:
        await refused(store, 1)
        await refused(store, 30)
        before = store.compare()
        store.writer._retention.keep_ns = 10 * HOUR_NS
        await store.writer.checkpoint()
        assert store.reader.meta()["rows_since_ns"]
        await refused(store, 31, 1)
        assert store.compare() == before > 0


async def test_htlcs_that_go_a_few_at_a_time_are_no_evidence_as_they_go(tmp_path, monkeypatch):
    monkeypatch.setattr(retention, "ROWS_A_STEP", 10)
    monkeypatch.setattr(retention, "ROW_STEPS", 1)
    async with growing(tmp_path, made.USUAL.values()) as store:
        await refused(store, 1)
        await refused(store, 30)
        store.writer._retention.keep_ns = 10 * HOUR_NS
        for _ in range(4):
            store.compare(WEEK, PEERS)
            await store.writer.checkpoint()
        assert store.reader.count_rows() == 30


async def test_a_read_that_is_broken_off_anywhere_leaves_nothing_wrong(tmp_path, monkeypatch):
    """Cat's named channel is empty, and the other one dearer: to know that takes many reads."""
    both = {CAT: made.channel(CAT, "cat", share=0.02), CAT2: made.channel(CAT2, "cat", share=0.9)}
    async with growing(tmp_path, (made.USUAL | both).values()) as store:
        run, left = store.reader._run, 0

        def broken_off(*values: object) -> object:
            nonlocal left
            left -= 1
            if not left:
                raise ReadInterrupted("it was interrupted")
            return run(*values)

        await store.writer.save_policies([FeePolicy(CAT2, 0, 900)], store.ids, T0)
        await refused(store, 1, out=CAT)
        monkeypatch.setattr(store.reader, "_run", broken_off)
        for reads in count(1):
            store.keeping = StoreAnalyst(store.reader, wall_ns=lambda: store.now_ns)
            left = reads
            try:
                store.keeping.advice(WEEK)
            except ReadInterrupted:
                assert store.compare() > 0
            else:
                break
        assert reads > 20


async def test_of_too_much_nothing_is_kept(tmp_path, monkeypatch):
    async with growing(tmp_path, made.USUAL.values()) as store:
        await refused(store, 1)
        store.compare()
        monkeypatch.setattr(evidence, "MOST_KEPT", 10)
        asked = store.reads_of(monkeypatch, "claims")
        await refused(store, 3, 1)
        store.compare()
        assert [values for values in asked if len(values) < 7 or not values[-1]]


async def test_a_payment_that_is_told_a_moment_late_is_found_before_a_time_asked_of_already(
    tmp_path,
):
    until_ns = T0 + 3600 * NS
    async with growing(tmp_path, made.USUAL.values()) as store:
        asked = (Pool.LOST, PEERS[-1], (Category.LIQUIDITY,), T0, until_ns, 100)
        store.stream.refuse(3600.5, 200_000_000, 300_000)
        await store.write()
        assert store.reader.claims(*asked) == []
        store.stream.refuse(3599.8, 400_000_000, 300_000)
        store.stream.refuse(3600.7, 800_000_000, 300_000)
        await store.write()
        assert [claim.amount_msat for claim in store.reader.claims(*asked)] == [400_000_000]


async def test_htlcs_in_flight_are_none_of_the_newest_that_settled_ones_are_among(tmp_path):
    async with growing(tmp_path, made.USUAL.values()) as store:
        store.stream.settle(101, store.stream.forward(100, 200_000_000, 300_000))
        store.stream.forward(200, 200_000_000, 300_000)
        await store.write()
        for incoming, scid in ((True, ANN), (False, DAN)):
            channels = (store.ids[scid],)
            found = store.reader.settled(channels, T0, T0 + DAY_NS, 1, incoming=incoming)
            assert [item.fee_msat for item in found] == [300_000]


async def test_what_was_not_known_yet_of_a_channel_is_neither_full_nor_dry(tmp_path):
    first, second = channels(replace(LOAD, channels=2, peers=1))
    async with growing(tmp_path, [first]) as store:
        store.now_ns += 2 * HOUR_NS
        store._fold.channels.update((first, second), ())
        await store.write(())
        await store.becomes(second)
        query = replace(WEEK, until_ns=T0 + HOUR_NS)
        row = store.keeping.peer(1, query).row
        assert (row.local_sat, row.capacity_sat) == (first.local_sat, first.capacity_sat)
        node = store.keeping.node(query)
        assert (node.local_sat, node.capacity_sat) == (first.local_sat, first.capacity_sat)
        for told in (store.keeping.explain(query, 1), store.keeping.explain(query)):
            figures = {one.name: one.value for part in told.sections for one in part.figures}
            assert figures["our side"] == first.local_sat
            assert figures["capacity"] == first.capacity_sat
