"""The whole way: recording -> simulated node -> gRPC -> collector -> store -> report."""

import asyncio
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.models import Report
from htlctop.analysis.status import State
from htlctop.collector.collector import Limits
from htlctop.config import Connection
from htlctop.errors import NodeConnectionError
from tests.nodes import simulated
from tests.stored import look, whole_report
from tests.test_recordings import DATA, SCENARIOS, TRAFFIC, became

EVENTS = 6_065
IDLE = Limits(until_idle_s=1.5, duration_s=60)


async def collect(node: Connection, store: Path, limits: Limits = IDLE) -> None:
    await service.collect(node, store, asyncio.Event(), limits)


async def collect_until(node: Connection, store: Path, events: int) -> None:
    """Collect, and stop once so many events are stored."""
    stop = asyncio.Event()
    running = asyncio.create_task(service.collect(node, store, stop, Limits(duration_s=60)))
    while not running.done():
        await asyncio.sleep(0.02)
        if stored(store) >= events:
            break
    stop.set()
    await running


def stored(store: Path) -> int:
    """How many events the store has taken so far, 0 before it is there."""
    view = look(store)
    return view.status.events if view else 0


def figures(report: Report) -> tuple[object, ...]:
    """Everything that does not depend on when balances were polled."""
    totals = report.overview.totals
    peers = sorted((p.pubkey or "", p.sums, p.settle_rate) for p in report.overview.peers)
    return (
        totals,
        peers,
        sorted(((r.in_pubkey or "", r.out_pubkey or ""), r.sums) for r in report.pairs),
    )


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Report:
    store = tmp_path_factory.mktemp("ingested") / "store.db"
    asyncio.run(service.ingest([TRAFFIC], store))
    return whole_report(store)


async def test_played_at_full_speed_the_traffic_is_what_ingest_counts(tmp_path, store_file, truth):
    with simulated(tmp_path, "--recording", str(TRAFFIC), "--speed", "max") as node:
        await collect(node, store_file)
    report = whole_report(store_file)
    assert figures(report) == figures(truth)
    assert report.overview.totals.sums.asked_msat == 25_874_595
    assert report.overview.status.replay


async def test_played_twice_into_one_store_nothing_is_counted_twice(tmp_path, store_file, truth):
    for run in ("first", "second"):
        with simulated(tmp_path / run, "--recording", str(TRAFFIC), "--speed", "max") as node:
            await collect(node, store_file)
    assert figures(whole_report(store_file)) == figures(truth)


async def test_a_stream_that_breaks_goes_on_where_it_stopped(tmp_path, store_file, truth):
    options = ("--recording", str(TRAFFIC), "--speed", "max", "--break", "2500")
    with simulated(tmp_path, *options) as node:
        await collect(node, store_file, Limits(until_idle_s=4, duration_s=60))
    report = whole_report(store_file)
    assert figures(report)[1:] == figures(truth)[1:]
    assert len(report.overview.window.gaps) == 1


async def test_the_scenarios_come_through_a_connection_as_they_come_from_the_file(tmp_path):
    async def play(version: str) -> None:
        recording, store = DATA / f"scenarios-{version}.jsonl.gz", tmp_path / f"{version}.db"
        options = ("--recording", str(recording), "--speed", "10")
        with simulated(tmp_path / version, *options) as node:
            await collect(node, store, Limits(until_idle_s=8, duration_s=60))
        found = became(recording, store)
        found.pop("", None)
        for mark, wanted in zip(found, SCENARIOS.values(), strict=True):
            assert found[mark] == (wanted[version] if isinstance(wanted, dict) else wanted), mark

    await asyncio.gather(play("0.20.1"), play("0.21.2"))


@pytest.mark.parametrize("tenths", [(1, 2, 3), (4, 5, 6), (7, 8, 9)])
async def test_a_collector_restarted_at_any_tenth_of_the_traffic_counts_the_same(
    tenths, tmp_path, truth
):
    async def restart_at(tenth: int) -> None:
        stop_after, store = EVENTS * tenth // 10, tmp_path / f"{tenth}.db"
        options = ("--recording", str(TRAFFIC), "--speed", "max", "--break", str(stop_after))
        with simulated(tmp_path / str(tenth), *options) as node:
            with pytest.raises(NodeConnectionError, match="LND stops"):
                await collect(node, store, Limits(fail_fast=True, duration_s=60))
            assert stored(store) == stop_after + 1, "and the one that opens the stream"
            await collect(node, store, Limits(until_idle_s=2, duration_s=60))
        report = whole_report(store)
        assert figures(report)[1:] == figures(truth)[1:]
        totals = report.overview.totals
        assert totals.forwards == 2_537
        assert totals.unknown + totals.in_flight == 4

    await asyncio.gather(*map(restart_at, tenths))


async def test_a_node_that_goes_away_is_told_of_and_a_gap_when_it_is_back(tmp_path, store_file):
    options = ("--recording", str(TRAFFIC), "--speed", "1")
    stop = asyncio.Event()
    with simulated(tmp_path / "node", *options) as node:
        running = asyncio.create_task(service.collect(node, store_file, stop))
        await until(
            store_file, lambda view: view.status.state is State.LIVE and view.first_event_ns
        )
    await until(store_file, lambda view: view.status.state is State.WAITING)
    port = node.rpcserver.rpartition(":")[2]
    with simulated(tmp_path / "node", *options, "--port", port):
        await until(store_file, lambda view: view.status.state is State.LIVE, seconds=30)
        stop.set()
        await running
    gaps = whole_report(store_file).overview.window.gaps
    assert len(gaps) >= 1


async def until(store: Path, holds, seconds: float = 15) -> None:
    """Wait until the Overview satisfies a condition."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        await asyncio.sleep(0.1)
        view = look(store)
        if view and holds(view):
            return
    raise AssertionError("it did not come to that")
