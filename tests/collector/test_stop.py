"""It stops when told to, whatever it is doing. Times are guards against hanging."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.status import State
from htlctop.collector import listening
from htlctop.collector.collector import Collector, Limits
from htlctop.config import Connection
from htlctop.domain.codes import EventKind
from htlctop.domain.fold import Changes
from htlctop.domain.records import Progress
from htlctop.domain.types import HtlcEvent, NodeInfo, NodeState
from htlctop.errors import StoreUnavailableError
from htlctop.store.writer import StoreWriter
from htlctop.wire.methods import Method
from tests.played import MARKER, Play, Script, until
from tests.stored import look

GUARD_S = 8


async def stops(connection: Connection, store: Path, ready: object) -> None:
    """Start, wait until `ready()`, stop: it ends by itself within the guard."""
    stop = asyncio.Event()
    task = asyncio.create_task(service.collect(connection, store, stop))
    await until(ready)
    stop.set()
    async with asyncio.timeout(GUARD_S):
        await task
    view = look(store)
    assert view is not None
    assert view.status.state is State.STOPPED


def intervals(store: Path) -> int:
    """How often watching has begun."""
    if look(store) is None:
        return 0
    with closing(sqlite3.connect(store)) as db:
        return int(db.execute("SELECT count(*) FROM coverage").fetchone()[0])


async def test_it_stops_while_another_program_holds_the_store(play: Play, store_file: Path) -> None:
    stop = asyncio.Event()
    async with play(Script()) as node:
        task = asyncio.create_task(service.collect(node.connection, store_file, stop))
        # Live a moment before that: a beginning that cannot be written ends it with an error.
        await until(lambda: intervals(store_file))
        with closing(sqlite3.connect(store_file)) as other:
            other.execute("BEGIN IMMEDIATE")
            stop.set()
            async with asyncio.timeout(4):
                await task
    assert intervals(store_file) == 1


@pytest.mark.parametrize(
    "method", [Method.GET_STATE, Method.GET_INFO, Method.LIST_CHANNELS, Method.HTLC_EVENTS]
)
async def test_it_stops_while_a_call_hangs(method: Method, play: Play, store_file: Path) -> None:
    script = Script(hangs={method})
    async with play(script) as node:
        await stops(node.connection, store_file, lambda: script.count(method))


async def test_it_stops_while_nothing_answers(tmp_path: Path, store_file: Path, play: Play) -> None:
    async with play(Script()) as node:
        connection = node.connection
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        for server in (f"127.0.0.1:{port}", "127.0.0.1:1"):
            stalled = Connection(
                server, tls_cert_path=connection.tls_cert_path, macaroon_hex=MARKER
            )
            store = store_file.with_name(f"{server.rpartition(':')[2]}.db")
            await stops(stalled, store, lambda s=store: look(s))
        silent.close()


class Flood:
    """A node that has more to tell at once than can be written on the way out."""

    def __init__(self, events: int, late_s: float = 0.0) -> None:
        self.events, self.late_s = events, late_s
        self.given = asyncio.Event()
        self._closed = asyncio.Event()

    async def get_state(self) -> NodeState:
        return NodeState.SERVER_ACTIVE

    async def get_info(self) -> NodeInfo:
        return NodeInfo("02" + "cd" * 32, "flood", "regtest", "0.21.2-beta")

    async def list_channels(self) -> tuple[()]:
        return ()

    closed_channels = fee_report = list_channels

    async def forwarding_history(self, _from_s: int, _until_s: int) -> tuple[()]:
        return ()

    async def lookup_htlc(self, _scid: int, _htlc: int) -> None:
        return None

    async def channel_policy(self, _scid: int, _own: str) -> None:
        return None

    async def htlc_event_batches(self) -> AsyncIterator[list[HtlcEvent]]:
        yield [HtlcEvent(EventKind.SUBSCRIBED, 0, 0)]
        await asyncio.sleep(self.late_s)
        for start in range(0, self.events, 1000):
            now_ns = time.time_ns() - int(self.late_s * 1e9)
            yield [
                HtlcEvent(
                    EventKind.LINK_FAIL,
                    3,
                    now_ns,
                    7,
                    start + n,
                    9,
                    0,
                    2000 + 9 * n,
                    1000 + 9 * n,
                    15,
                    6,
                )
                for n in range(1000)
            ]
            await asyncio.sleep(0)
        self.given.set()
        await self._closed.wait()

    async def channel_events(self) -> AsyncIterator[None]:
        await self._closed.wait()
        return
        yield

    async def close(self) -> None:
        self._closed.set()


async def test_it_stops_with_a_full_queue_and_what_was_not_written_is_not_called_watched(
    store_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "FLUSH_S", 0.05)
    flood, stop = Flood(90_000), asyncio.Event()
    async with StoreWriter(store_file) as writer:
        task = asyncio.create_task(Collector(lambda: flood, writer).run(stop))
        async with asyncio.timeout(60):
            await flood.given.wait()
        stop.set()
        async with asyncio.timeout(GUARD_S):
            await task
    with sqlite3.connect(store_file) as db:
        ((until_ns, reason),) = db.execute("SELECT until, ended_by FROM coverage").fetchall()
        stored, newest_ns = db.execute("SELECT count(*), max(at) FROM htlc").fetchone()
    assert 0 < stored < flood.events
    assert f"{flood.events - stored} events that had arrived were not written" in reason
    assert until_ns - newest_ns < 1e9


async def test_a_batch_that_the_disk_refused_on_the_way_out_is_not_called_watched(
    store_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood, stop = Flood(2_000), asyncio.Event()
    refused = 0
    async with StoreWriter(store_file) as writer:
        commit = writer.commit

        async def full(changes: Changes, progress: Progress) -> None:
            nonlocal refused
            if changes.rows:
                refused += 1
                raise StoreUnavailableError("no room left")
            await commit(changes, progress)

        monkeypatch.setattr(writer, "commit", full)
        task = asyncio.create_task(Collector(lambda: flood, writer).run(stop))
        await until(lambda: refused)
        first_ns = time.time_ns()
        await asyncio.sleep(0.3)
        stop.set()
        with pytest.raises(StoreUnavailableError):
            async with asyncio.timeout(GUARD_S):
                await task
    with sqlite3.connect(store_file) as db:
        assert db.execute("SELECT count(*) FROM htlc").fetchone() == (0,)
        (until_ns,) = db.execute("SELECT max(until) FROM coverage").fetchone()
    assert until_ns is None or until_ns < first_ns


async def test_it_is_not_idle_while_what_arrived_waits_to_be_written(
    store_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "FLUSH_S", 0.0)
    flood = Flood(8_000)
    async with StoreWriter(store_file) as writer:
        limits = Limits(until_idle_s=0.1)
        await Collector(lambda: flood, writer, limits=limits).run(asyncio.Event())
    with sqlite3.connect(store_file) as db:
        assert db.execute("SELECT count(*) FROM htlc").fetchone() == (flood.events,)


async def test_what_comes_late_proves_no_more_than_its_own_time(store_file: Path) -> None:
    flood, stop = Flood(1_000, late_s=0.6), asyncio.Event()
    async with StoreWriter(store_file) as writer:
        task = asyncio.create_task(Collector(lambda: flood, writer).run(stop))  # type: ignore[arg-type,return-value]
        await flood.given.wait()
        await until(lambda: count(store_file) == flood.events)
        stop.set()
        await task
    with sqlite3.connect(store_file) as db:
        (until_ns,) = db.execute("SELECT max(until) FROM coverage").fetchone()
        (newest_ns,) = db.execute("SELECT max(at) FROM htlc").fetchone()
    assert until_ns == newest_ns, "what was told since then may have been on its way"


def count(store: Path) -> int:
    with sqlite3.connect(store) as db:
        return int(db.execute("SELECT count(*) FROM htlc").fetchone()[0])
