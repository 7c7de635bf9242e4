"""Forwards that were in flight when the stream was opened: heard to settle, but not to begin."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from htlctop.collector import listening
from htlctop.collector.channels import Channels
from htlctop.collector.collector import Collector
from htlctop.domain.codes import EventKind, EventType
from htlctop.domain.types import Forward, HtlcEvent
from htlctop.errors import NodeConnectionError
from htlctop.store.writer import StoreWriter
from tests.collector.test_stop import Flood
from tests.played import until

IN, OUT = 7, 9


class Late(Flood):
    """A node that had two forwards in flight; one settles now, and it remembers the other too."""

    def __init__(self, fails: int = 0) -> None:
        super().__init__(0)
        self.at_ns = time.time_ns()
        self.asked: list[tuple[int, int]] = []
        self._fails = fails

    async def htlc_event_batches(self) -> AsyncIterator[list[HtlcEvent]]:
        settle = HtlcEvent(EventKind.SETTLE, EventType.FORWARD, self.at_ns, IN, 3, OUT, 4)
        final = HtlcEvent(EventKind.FINAL, 0, self.at_ns + 1, IN, 3, settled=True)
        yield [HtlcEvent(EventKind.SUBSCRIBED, 0, 0), settle, final]
        await self._closed.wait()

    async def forwarding_history(self, from_s: int, until_s: int) -> tuple[Forward, ...]:
        self.asked.append((from_s, until_s))
        if len(self.asked) <= self._fails:
            raise NodeConnectionError("no history now")
        return (
            Forward(self.at_ns, IN, OUT, 10_500, 10_000, 3, 4),
            Forward(self.at_ns, IN, OUT, 20_900, 20_000, 5, 6),
        )


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Channels, "list_interval_ns", property(lambda _channels: 50_000_000))
    monkeypatch.setattr(listening, "RELIST_S", 0.05)


def settled(store: Path) -> list[tuple[int, int]]:
    with sqlite3.connect(store) as db:
        return db.execute("SELECT in_htlc, in_msat - out_msat FROM htlc").fetchall()


async def test_the_nodes_history_tells_what_it_earned_and_is_asked_once(store_file: Path) -> None:
    node, stop = Late(), asyncio.Event()
    async with StoreWriter(store_file) as writer:
        task = asyncio.create_task(Collector(lambda: node, writer).run(stop))
        await until(lambda: settled(store_file) == [(3, 500)])
        await asyncio.sleep(0.3)
        stop.set()
        await task
    ((from_s, until_s),) = node.asked
    assert from_s < node.at_ns // 10**9 < until_s
    assert settled(store_file) == [(3, 500)], "the other is not what was asked for"


async def test_a_history_that_cannot_be_read_ends_nothing(store_file: Path) -> None:
    node, stop = Late(fails=99), asyncio.Event()
    async with StoreWriter(store_file) as writer:
        task = asyncio.create_task(Collector(lambda: node, writer).run(stop))
        await until(lambda: node.asked)
        await asyncio.sleep(0.3)
        assert not task.done()
        stop.set()
        await task
    with sqlite3.connect(store_file) as db:
        ((reason,),) = db.execute("SELECT ended_by FROM coverage").fetchall()
    assert reason == "stopped"
    assert settled(store_file) == [(3, 0)]
