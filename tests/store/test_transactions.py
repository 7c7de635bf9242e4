"""What is written is written once, whoever else writes and whatever fails beside it."""

import asyncio
import sqlite3

import pytest

from htlctop.domain.codes import Category
from htlctop.domain.fold import Changes
from htlctop.domain.records import MINUTE, Progress
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
