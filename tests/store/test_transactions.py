"""What is written is written once, whoever else writes and whatever fails beside it."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from htlctop.domain.codes import Category
from htlctop.domain.fold import Changes
from htlctop.domain.records import MINUTE, Progress
from htlctop.domain.types import Channel, ChannelLimits, FeePolicy
from htlctop.errors import StoreUnavailableError
from htlctop.store import transactions
from htlctop.store.reader import StoreReader
from htlctop.store.transactions import Transactions
from htlctop.store.writer import StoreWriter

ONE_LOST = Changes(1, 1, [], [], {(0, 1, 1, Category.DOWNSTREAM): [1, 0, 0, 0, 0, 0, 0]}, [], [])


async def test_a_checkpoint_breaks_into_no_transaction_of_another_task(store_file):
    async with StoreWriter(store_file) as writer:
        await writer.start_interval(1)

        async def be_alive() -> None:
            for until_ns in range(100):
                await writer.alive(Progress(0, 0, 0, until_ns))

        async def keep_small() -> None:
            for _ in range(50):
                await writer.checkpoint()

        await asyncio.gather(be_alive(), keep_small())
    (interval,) = StoreReader(store_file).intervals()
    assert interval.until_ns == 99


async def test_a_batch_whose_checkpoint_fails_is_written_and_not_told_as_lost(
    store_file, monkeypatch
):
    async def fail(_self: Transactions) -> None:
        raise StoreUnavailableError("the disk fails")

    monkeypatch.setattr(transactions, "WAL_LIMIT", 0)
    monkeypatch.setattr(Transactions, "checkpoint", fail)
    async with StoreWriter(store_file) as writer:
        await writer.commit(ONE_LOST, Progress(1, 0, 1, None))
        with pytest.raises(StoreUnavailableError):
            await writer.checkpoint()
    with sqlite3.connect(store_file) as db:
        assert db.execute("SELECT n FROM by_channel WHERE span = ?", (MINUTE,)).fetchall() == [(1,)]


async def test_what_could_not_be_stored_of_a_channel_is_stored_when_it_is_told_again(
    store_file, monkeypatch
):
    monkeypatch.setattr(transactions, "PATIENCE_S", 0.0)
    channel = Channel(1, "02" + "a" * 64, capacity_sat=1_000, local_sat=700)
    ids, policy, limits = {1: 1}, FeePolicy(1, 0, 250), ChannelLimits(1, 1_000, 900_000, 80, False)
    async with StoreWriter(store_file) as writer:
        ways = (
            lambda: writer.save_balances([channel], ids, 5),
            lambda: writer.save_pending([channel], ids, 5),
            lambda: writer.save_policies([policy], ids, 5),
            lambda: writer.save_limits([limits], ids, 5),
        )
        with closing(sqlite3.connect(store_file)) as other:
            other.execute("BEGIN IMMEDIATE")
            for way in ways:
                with pytest.raises(StoreUnavailableError):
                    await way()
        for way in ways:
            await way()
    with sqlite3.connect(store_file) as db:
        for table in [
            "balance",
            "balance_history",
            "activity",
            "pending_history",
            "policy",
            "limits",
        ]:
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table
