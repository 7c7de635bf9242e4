"""The Python API: it reads and collects beside its caller's loop, and nothing is swallowed."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import HtlcLine
from htlctop.analysis.query import LogQuery, Query
from htlctop.config import Connection
from htlctop.domain.codes import Outcome
from htlctop.domain.types import Access
from htlctop.errors import StoreError, StoreUnavailableError, UsageError
from htlctop.service import OpportunityService
from htlctop.service import events as events_module
from htlctop.service.session import LocalSession
from htlctop.sim.recordings import TRAFFIC
from htlctop.store.writer import StoreWriter
from tests.macaroons import READING, baked
from tests.nodes import simulated
from tests.stored import whole_report

ALL = Query(window="all")


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until it holds; the time is a guard against hanging."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
async def begun(store_file: Path) -> AsyncIterator[OpportunityService]:
    """A service over the first tenth of the traffic; `more` brings the next part."""
    await service.ingest([TRAFFIC], store_file, until_fraction=0.1)
    async with OpportunityService.open(store_file) as opened:
        yield opened


async def more(opened: OpportunityService, until_fraction: float = 0.2) -> None:
    await service.ingest([TRAFFIC], opened.store, until_fraction=until_fraction)


async def test_it_says_what_the_analyst_says(begun):
    report = whole_report(begun.store)
    assert await begun.report(ALL) == report
    assert await begun.overview(ALL) == report.overview
    first = report.overview.peers[0]
    for named in (first.peer, first.pubkey, first.alias, first.channels[0].scid):
        assert (await begun.peer(named, ALL)).row.sums == first.sums
    channel = first.channels[0]
    for number in (channel.channel, channel.scid, channel.channel_id):
        assert (await begun.channel(number, ALL)).row.sums == channel.sums
    with pytest.raises(UsageError, match="is no channel"):
        await begun.channel(first.alias, ALL)
    pair = report.pairs[0]
    assert (await begun.pair(pair.in_alias, pair.out_peer, ALL)).row.sums == pair.sums
    (line,) = (await begun.log(LogQuery(1))).lines
    assert (await begun.htlc(line.seq)).line == line
    assert (await begun.node(ALL)).rows > 0
    assert (await begun.history(ALL)).series == report.overview.series
    channels = await begun.channels(ALL)
    assert sum(row.sums.expected_msat for row in channels) == sum(
        peer.sums.expected_msat for peer in report.overview.peers
    )
    assert (await begun.opportunities(ALL)).too_early
    assert await begun.curve(first.peer, ALL) == await begun.curve(first.alias, ALL)
    explained = await begun.explain(first.alias, ALL)
    assert explained == await begun.explain(first.pubkey or "", ALL)
    assert explained != await begun.explain(query=ALL)
    assert len((await begun.log(LogQuery(7))).lines) == 7
    assert (await begun.status()).events == report.overview.status.events
    with pytest.raises(UsageError):
        await begun.peer("nobody at all", ALL)
    with pytest.raises(UsageError, match="beyond any store"):
        await begun.overview(Query(since_ns=-(2**70)))
    with pytest.raises(UsageError):
        await begun.htlc(2**70)


async def test_the_loop_turns_while_the_store_is_read(begun):
    released = threading.Event()
    reading = asyncio.create_task(begun._read(lambda _: released.wait(10)))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not reading.done()
    released.set()
    assert await reading


async def test_events_are_told_as_they_become_visible(begun):
    known = {line.seq for line in (await begun.log(LogQuery(10_000))).lines}
    events = begun.events()
    await more(begun)
    stored = {line.seq: line for line in (await begun.log(LogQuery(10_000))).lines}
    new = set(stored) - known
    told: dict[int, HtlcLine] = {}
    async with asyncio.timeout(20):
        async for line in events:
            told[line.seq] = line
            if new <= set(told):
                break
    assert all(told[seq].category == stored[seq].category for seq in new)
    assert {Outcome.SETTLED, Outcome.REFUSED} <= {line.outcome for line in told.values()}
    assert begun.dropped_events == events.dropped == 0


async def test_what_came_between_the_opening_and_the_asking_can_be_had(begun):
    known = {line.seq for line in (await begun.log(LogQuery(10_000))).lines}
    await more(begun)
    new = {line.seq for line in (await begun.log(LogQuery(10_000))).lines} - known
    events = begun.events(since_open=True)
    async with asyncio.timeout(20):
        while new:
            new.discard((await anext(events)).seq)
    with pytest.raises(UsageError, match="before any others"):
        begun.events(since_open=True)


async def test_a_listener_that_is_too_slow_loses_the_oldest_and_the_loss_is_counted(begun):
    slow, quick = begun.events(limit=5), begun.events()
    await more(begun)
    newest = (await begun.log(LogQuery(1))).lines[0].seq
    async with asyncio.timeout(20):
        while (await anext(quick)).seq != newest:
            pass
    assert slow.dropped > 50
    assert begun.dropped_events == slow.dropped
    slow.close()
    left = [line.seq async for line in slow]
    assert len(left) == 5
    assert newest in left


async def test_callbacks_sync_and_async_are_called_and_their_errors_counted(begun):
    kept: list[int] = []
    awaited: list[int] = []

    def fails(line: HtlcLine) -> None:
        raise ValueError("in a callback")

    async def waits(line: HtlcLine) -> None:
        await asyncio.sleep(0)
        awaited.append(line.seq)

    async def cancels(line: HtlcLine) -> None:
        raise asyncio.CancelledError

    for callback in (fails, waits, cancels):
        begun.on_event(callback)
    begun.on_event(lambda line: kept.append(line.seq))
    await more(begun)
    newest = (await begun.log(LogQuery(1))).lines[0].seq
    await until(lambda: newest in kept and newest in awaited)
    # Each has a queue of its own, and more may be on its way through one of them.
    await until(lambda: kept == awaited and begun.callback_errors == 2 * len(kept))
    assert isinstance(begun.last_callback_error, ValueError | asyncio.CancelledError)
    assert (await begun.status()).events, "and everything else goes on"


async def test_a_callback_can_be_ended(begun):
    heard: list[int] = []
    listening: list[int] = []
    end = begun.on_event(lambda line: heard.append(line.seq))
    begun.on_event(lambda line: listening.append(line.seq))
    end()
    await more(begun)
    await until(lambda: listening)
    assert heard == []


async def test_a_stream_nobody_holds_any_more_is_forgotten(begun):
    async with asyncio.timeout(20):
        begun.events(limit=1)
        kept = begun.events()
        await more(begun)
        await anext(kept)
    assert begun.dropped_events == 0


async def test_a_fault_of_ours_comes_out_at_whoever_listens(begun, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(StoreAnalyst, "follow", broken)
    events = begun.events()
    begun.on_event(print)
    async with asyncio.timeout(20):
        with pytest.raises(ZeroDivisionError):
            await anext(events)
    await until(lambda: begun.callback_errors == 1)
    assert isinstance(begun.last_callback_error, ZeroDivisionError)


async def test_a_store_that_cannot_be_read_for_a_while_is_read_again(begun, monkeypatch):
    follow = StoreAnalyst.follow
    fails = iter([True, True, False])

    def at_times(*arguments: object) -> object:
        if next(fails, False):
            raise StoreUnavailableError("busy")
        return follow(*arguments)

    monkeypatch.setattr(StoreAnalyst, "follow", at_times)
    monkeypatch.setattr(events_module, "RETRY_S", 0.01)
    events = begun.events(since_open=True)
    await more(begun)
    async with asyncio.timeout(20):
        await anext(events)
    assert begun.events_error is None


async def test_closing_ends_iterators_and_questions_in_any_order(store_file):
    await service.ingest([TRAFFIC], store_file, until_fraction=0.1)
    opened = OpportunityService.open(store_file)
    with pytest.raises(UsageError, match="not open"):
        opened.events()
    async with opened:
        waiting = asyncio.create_task(anext(opened.events()))
        asking = [asyncio.create_task(opened.report(ALL)) for _ in range(20)]
        await asyncio.sleep(0)
    with pytest.raises(StopAsyncIteration):
        await waiting
    for answer in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(answer, UsageError) or not isinstance(answer, BaseException)
    with pytest.raises(UsageError, match="not open"):
        await opened.status()
    with pytest.raises(UsageError, match="once"):
        async with opened:
            pass


async def test_an_error_inside_closes_it_and_comes_out(store_file):
    await service.ingest([TRAFFIC], store_file, until_fraction=0.1)
    with pytest.raises(ZeroDivisionError):
        async with OpportunityService.open(store_file) as opened:
            opened.on_event(print)
            raise ZeroDivisionError
    with pytest.raises(UsageError, match="not open"):
        await opened.status()


async def test_without_a_store_and_a_connection_there_is_nothing_to_open(tmp_path):
    with pytest.raises(StoreError, match="there is no store at"):
        async with OpportunityService.open(tmp_path / "none.db"):
            pass


async def test_a_store_that_cannot_be_made_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_text("in the way")
    node = Connection("127.0.0.1:1")
    with pytest.raises(StoreError, match="cannot write"):
        async with OpportunityService.open(tmp_path / "file" / "store.db", node):
            pass


async def test_with_a_connection_it_collects_and_stops_when_it_is_closed(tmp_path, store_file):
    options = ("--recording", str(TRAFFIC), "--speed", "5")
    with simulated(tmp_path / "node", *options) as node:
        async with OpportunityService.open(store_file, node) as opened:
            settled = 0
            async with asyncio.timeout(30):
                async for line in opened.events(since_open=True):
                    settled += line.outcome is Outcome.SETTLED
                    if settled == 10:
                        break
            assert opened.owns_collector
            assert opened.collector_error is None
            assert (await opened.overview(ALL)).node.alias == "hub"
        assert not opened.owns_collector
    async with StoreWriter(store_file):
        pass  # nobody holds the lock any more


async def test_a_sitting_tells_what_the_macaroon_permits_while_it_collects(tmp_path, store_file):
    path = tmp_path / "some.macaroon"
    path.write_bytes(baked(*READING, "invoices:write"))
    session = LocalSession(store_file, Connection("127.0.0.1:1", macaroon_path=path))
    assert session.access() is None, "nothing is connected yet"
    stop = threading.Event()
    collecting = threading.Thread(target=session.run_collector, args=(stop,))
    collecting.start()
    try:
        await until(lambda: session.access() is not None)
        permits = tuple(sorted((*READING, "invoices:write")))
        assert session.access() == Access(permits, ("invoices:write",))
        path.write_bytes(b"no macaroon")
        assert session.access() == Access((), ())
    finally:
        stop.set()
        collecting.join()


async def test_while_another_collects_it_reads_and_then_takes_over(store_file):
    await service.ingest([TRAFFIC], store_file, until_fraction=0.1)
    other = StoreWriter(store_file)
    await other.__aenter__()
    async with OpportunityService.open(store_file, Connection("127.0.0.1:1")) as opened:
        assert (await opened.overview(ALL)).totals.forwards > 0
        await until(lambda: not opened.owns_collector)
        await other.set_state("live")
        assert (await opened.status()).state == "live", "what the other said"
        await other.__aexit__(None, None, None)
        async with asyncio.timeout(20):
            while (await opened.status()).state != "waiting":
                await asyncio.sleep(0.02)
        assert opened.owns_collector
    assert not opened.owns_collector
