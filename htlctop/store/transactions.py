"""The one connection that writes to a store: under its lock, all or nothing, one at a time."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from htlctop.store.connect import check_kind, check_whole, explained, prepare_folder
from htlctop.store.lock import StoreLock
from htlctop.store.schema import prepare

PATIENCE_S = 5.0
"""How long another program that writes is waited for, unless there is no time for that."""
_BUSY_MS = 200
"""How long SQLite itself waits for it, which nothing can cut short."""
WAL_LIMIT = 16 * 2**20

_PRAGMAS = (
    "synchronous = FULL",
    "wal_autocheckpoint = 0",
    f"journal_size_limit = {WAL_LIMIT}",
    f"busy_timeout = {_BUSY_MS}",
    "cache_size = -2000",
    "temp_store = MEMORY",
)


class Transactions:
    """Use as `async with Transactions(path, hurry) as db`; it makes the store where there is none,
    brings it to this version, and holds its lock meanwhile. `hurry`: once it is set, other programs
    that write are not waited for. No method may be called inside of a transaction.

    Attributes:
        newest_ns: the newest event that the store held when it was opened, ns; 0 for none.

    Raises:
        StoreBusyError: somebody else collects into the store.
        StoreError: the store cannot be opened or written; nothing in it was changed.
    """

    def __init__(self, path: Path, hurry: asyncio.Event) -> None:
        self.newest_ns = 0
        self._path = path
        self._hurry = hurry
        self._lock = StoreLock(path)
        # Batches and the collector's state come from tasks of their own.
        self._one_at_a_time = asyncio.Lock()
        self._db: aiosqlite.Connection

    async def __aenter__(self) -> "Transactions":
        prepare_folder(self._path)
        check_kind(self._path)
        self._lock.acquire()
        try:
            check_whole(self._path)
            with explained(self._path):
                self.newest_ns = prepare(self._path)
                self._db = await aiosqlite.connect(self._path, isolation_level=None)
                for pragma in _PRAGMAS:
                    await self._db.execute_fetchall(f"PRAGMA {pragma}")
        except BaseException:
            self._lock.release()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            await self._db.close()
        finally:
            self._lock.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """All that is executed inside, or nothing. Raises StoreError, after which the store is as
        it was before."""
        async with self._alone():
            await self._begin()
            try:
                yield self._db
                await self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    await self._db.execute("ROLLBACK")
                raise

    async def fetch(self, sql: str, values: tuple[int, ...] = ()) -> list[Any]:
        """All rows of an answer; what they hold is up to the question."""
        async with self._alone():
            return list(await self._db.execute_fetchall(sql, values))

    @property
    def wal_is_large(self) -> bool:
        """Whether what was written has to go into the database soon."""
        wal = self._path.with_name(self._path.name + "-wal")
        try:
            return wal.stat().st_size > WAL_LIMIT
        except FileNotFoundError:
            return False

    async def checkpoint(self) -> None:
        """What is in the WAL goes into the database; a large one gives its room back."""
        mode = "TRUNCATE" if self.wal_is_large else "PASSIVE"
        await self.fetch(f"PRAGMA wal_checkpoint({mode})")

    async def vacuum(self, pages: int) -> None:
        """Give the disk back what was freed, so many pages at most."""
        async with self._alone():
            # A script, because a plain execute takes only the first of this pragma's steps: one
            # page. It would commit whatever transaction is open.
            await self._db.executescript(f"PRAGMA incremental_vacuum({pages})")

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._one_at_a_time:
            with explained(self._path):
                yield

    async def _begin(self) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                await self._db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or self._hurry.is_set() or time.monotonic() > until_s:
                    raise
