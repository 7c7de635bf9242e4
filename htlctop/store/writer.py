"""The one writer of a store: batches, coverage and status, each in one transaction (WAL, FULL)."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from htlctop.domain.fold import Changes, Fold
from htlctop.domain.records import HOUR, MINUTE, QUARTER, Progress
from htlctop.domain.types import DEFAULTS, Channel, ChannelLimits, FeePolicy, NodeInfo, Settings
from htlctop.errors import StoreError
from htlctop.store.buckets import ADD_BY_CHANNEL, ADD_BY_PAIR, pack, roll_up
from htlctop.store.channels import (
    PUT_ACTIVITY,
    PUT_BALANCE,
    PUT_BALANCE_HISTORY,
    PUT_LIMITS,
    PUT_PENDING,
    PUT_PENDING_HISTORY,
    PUT_POLICY,
    ChannelBooks,
)
from htlctop.store.connect import check_kind, check_whole, explain, explained, prepare_folder
from htlctop.store.lock import StoreLock
from htlctop.store.memory import StoreMemory
from htlctop.store.retention import PAGES_A_STEP, ROWS_A_STEP, Retention, Statement
from htlctop.store.rows import PUT_CLAIM, PUT_HTLC, claim_row, htlc_row
from htlctop.store.schema import prepare

WAL_LIMIT = 16 * 2**20
ROW_STEPS = 10
"""Steps of old rows that go at one checkpoint: ten times what the busiest node brings meanwhile."""

PATIENCE_S = 5.0
"""How long another program that writes is waited for, unless there is no time for that."""
_BUSY_MS = 200
"""How long SQLite itself waits for it, which nothing can cut short."""

_PRAGMAS = (
    "synchronous = FULL",
    "wal_autocheckpoint = 0",
    f"journal_size_limit = {WAL_LIMIT}",
    f"busy_timeout = {_BUSY_MS}",
    "cache_size = -2000",
    "temp_store = MEMORY",
)

NEWS_KEPT = 40
"""Batches whose sums are kept for readers: at a batch every 250 ms, those of ten seconds."""
_PUT_NEWS = "INSERT OR REPLACE INTO news SELECT generation, ? FROM status"
_DROP_NEWS = (
    "DELETE FROM news WHERE generation <= (SELECT generation FROM news "
    f"ORDER BY generation DESC LIMIT 1 OFFSET {NEWS_KEPT})"
)


class StoreWriter:
    """Implements `ports.FailureStatsStore`. Use as `async with StoreWriter(path) as writer`; it
    holds the store's lock meanwhile. `keep_ns`: how long single HTLCs are kept, None for ever.
    `hurry`: once it is set, other programs that write are not waited for.

    Raises:
        StoreBusyError: somebody else collects into the store.
        StoreError: the store cannot be opened or written; nothing in it was changed.
    """

    def __init__(
        self, path: Path, *, keep_ns: int | None = None, hurry: asyncio.Event | None = None
    ) -> None:
        self.path = path
        self._hurry = hurry or asyncio.Event()
        self._retention = Retention(keep_ns)
        # Batches and the collector's state come from tasks of their own.
        self._one_at_a_time = asyncio.Lock()
        self._lock = StoreLock(path)
        self._db: aiosqlite.Connection
        self._memory: StoreMemory | None = None
        self._interval: int | None = None
        self._end: tuple[str, int, int] | None = None
        self._newest_ns = 0
        self._books: ChannelBooks

    async def __aenter__(self) -> "StoreWriter":
        prepare_folder(self.path)
        check_kind(self.path)
        self._lock.acquire()
        try:
            check_whole(self.path)
            self._newest_ns = prepare(self.path)
            self._books = ChannelBooks(self.path)
            self._db = await aiosqlite.connect(self.path, isolation_level=None)
            for pragma in _PRAGMAS:
                await self._db.execute_fetchall(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            self._lock.release()
            raise explain(self.path, error) from error
        except BaseException:
            self._lock.release()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            if self._memory is not None:
                self._memory.close()
            await self._db.close()
        finally:
            self._lock.release()

    @property
    def memory(self) -> StoreMemory:
        """What is stored, for questions between the batches."""
        if self._memory is None:
            self._memory = StoreMemory(self.path)
        self._memory.end_batch()
        return self._memory

    def restore_fold(self, settings: Settings = DEFAULTS) -> Fold:
        """The fold as it was when the last batch was written; it asks this store."""
        return self.memory.restore_fold(settings)

    def covered_until_ns(self) -> int | None:
        """Until when anybody has watched, ns; None where nobody has."""
        return self.memory.covered_until_ns()

    def waiting(self, before_ns: int, limit: int) -> list[tuple[int, int]]:
        """(incoming scid, HTLC id) of forwards first seen before then and without an outcome."""
        return self.memory.waiting(before_ns, limit)

    async def save_node(self, info: NodeInfo) -> None:
        """Remember whose store this is.

        Raises:
            StoreError: it is another node's.
        """
        with explained(self.path):
            rows = await self._db.execute_fetchall("SELECT key, value FROM meta")
        known: dict[str, str | int] = {str(key): value for key, value in rows}
        pubkey = str(known.get("pubkey", info.pubkey))
        if pubkey != info.pubkey:
            raise StoreError(
                f"{self.path} holds the HTLCs of node {pubkey[:12]}…, "
                f"but this is {info.pubkey[:12]}…; give each node its own --store"
            )
        values: dict[str, str | int] = {
            "pubkey": info.pubkey,
            "alias": info.alias,
            "network": info.network,
            "version": info.version,
            "block_height": info.block_height,
            "synced": int(info.synced_to_chain),
            "replay": int(info.replay),
            "ended": int(info.ended),
        }
        if values.items() <= known.items():
            return
        async with self._transaction():
            await self._db.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items())
            )
            await self._bump()

    async def commit(self, changes: Changes, progress: Progress) -> None:
        """Write a batch: rows, claims, buckets, coverage and how far we are, as one."""
        if self._memory is not None:
            self._memory.end_batch()
        self._newest_ns = max(self._newest_ns, progress.last_event_ns)
        by_channel, by_pair = roll_up(changes.cells, self._newest_ns)
        async with self._transaction():
            await self._put_map(changes, progress.now_ns)
            await self._db.executemany(PUT_HTLC, [htlc_row(row) for row in changes.rows])
            await self._db.executemany(PUT_CLAIM, [claim_row(c) for c in changes.claims])
            await self._db.executemany(ADD_BY_CHANNEL, by_channel)
            await self._db.executemany(ADD_BY_PAIR, by_pair)
            await self._db.execute(
                "UPDATE status SET seq = ?, high = ?, last_event = ?, generation = generation + ?",
                (changes.seq, changes.high_ns, self._newest_ns, int(bool(changes.rows))),
            )
            if changes.cells:
                await self._db.execute(_PUT_NEWS, (pack(changes.cells),))
                await self._db.execute(_DROP_NEWS)
            await self._put_progress(progress)
        if self._wal_bytes() > WAL_LIMIT:
            await self._move_wal()

    async def alive(self, progress: Progress) -> None:
        """Prove that we are still listening, though nothing arrived."""
        async with self._transaction():
            await self._put_progress(progress)

    async def start_interval(self, start_ns: int) -> None:
        """The stream opened: from here on we are watching."""
        async with self._transaction():
            await self._say_end()
            cursor = await self._db.execute(
                "INSERT INTO coverage (start, until, shed) VALUES (?, ?, 0)", (start_ns, start_ns)
            )
            await self._bump()
        self._interval, self._end = cursor.lastrowid, None

    async def end_interval(self, reason: str, shed: int = 0) -> None:
        """The stream broke, or events were shed, for a reason that a person can read. Where that
        cannot be written now, it is when the next interval begins."""
        if self._interval is not None:
            self._end, self._interval = (reason, shed, self._interval), None
            async with self._transaction():
                await self._say_end()
                await self._bump()
            self._end = None

    async def _say_end(self) -> None:
        if self._end is not None:
            await self._db.execute(
                "UPDATE coverage SET ended_by = ?, shed = ? WHERE id = ?", self._end
            )

    async def set_state(
        self, state: str, reason: str = "", *, attempt: int = 0, next_try_ns: int = 0
    ) -> None:
        """What the collector is doing, for everybody who looks."""
        async with self._transaction():
            await self._db.execute(
                "UPDATE status SET state = ?, reason = ?, attempt = ?, next_try = ?, pid = ?, "
                "generation = generation + 1",
                (state, reason, attempt, next_try_ns, os.getpid()),
            )

    async def save_balances(
        self, channels: Iterable[Channel], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The balances as just told; `ids` maps scids to channel ids."""
        rows, history, activity = self._books.balances(channels, ids, at_ns)
        if rows or history:
            async with self._transaction():
                await self._db.executemany(PUT_BALANCE, rows)
                await self._db.executemany(PUT_BALANCE_HISTORY, history)
                await self._db.executemany(PUT_ACTIVITY, activity)
                await self._bump(books=True)

    async def save_pending(
        self, channels: Iterable[Channel], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The HTLCs that are on all open channels, as just listed, in place of those before; how
        many there were is kept."""
        news = self._books.pending(channels, ids, at_ns)
        if news is not None:
            rows, many = news
            async with self._transaction():
                await self._db.execute("DELETE FROM pending")
                await self._db.executemany(PUT_PENDING, rows)
                await self._db.execute(PUT_PENDING_HISTORY, many)
                await self._bump()

    async def save_policies(
        self, policies: Iterable[FeePolicy], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """What we ask on each channel, as just reported; a policy that changed is added."""
        rows = self._books.policies(policies, ids, at_ns)
        if rows:
            async with self._transaction():
                await self._db.executemany(PUT_POLICY, rows)
                await self._bump(books=True)

    async def save_limits(
        self, limits: Iterable[ChannelLimits], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The smallest and largest HTLC we take on a channel, and what else; changes are added."""
        rows = self._books.limits(limits, ids, at_ns)
        if rows:
            async with self._transaction():
                await self._db.executemany(PUT_LIMITS, rows)
                await self._bump(books=True)

    async def checkpoint(self) -> None:
        """Move the WAL into the database, and drop a step of buckets nobody can ask for."""
        with explained(self.path):
            await self._tidy()
            await self._move_wal()

    async def _move_wal(self) -> None:
        """What is in the WAL goes into the database; a large one gives its room back."""
        mode = "TRUNCATE" if self._wal_bytes() > WAL_LIMIT else "PASSIVE"
        await self._db.execute_fetchall(f"PRAGMA wal_checkpoint({mode})")

    def _wal_bytes(self) -> int:
        wal = self.path.with_name(self.path.name + "-wal")
        try:
            return wal.stat().st_size
        except FileNotFoundError:
            return 0

    async def _tidy(self) -> None:
        """Drop a step of what is no longer kept."""
        old, newest_ns = self._retention, self._newest_ns
        oldest: dict[tuple[str, int], int] = {}
        for table in ("by_channel", "by_pair"):
            for span in (MINUTE, HOUR, QUARTER):
                for (start,) in await self._db.execute_fetchall(
                    f"SELECT start FROM {table} WHERE span = ? ORDER BY start LIMIT 1", (span,)
                ):
                    oldest[table, span] = start
        for statement in old.bucket_steps(newest_ns, oldest):
            await self._step(statement)
        await self._step(old.balance_step(newest_ns), old.pending_step(newest_ns))
        for _ in range(ROW_STEPS):
            ages = await self._db.execute_fetchall(
                "SELECT seq, at FROM htlc WHERE seq > ? ORDER BY seq LIMIT ?",
                (old.from_seq, ROWS_A_STEP),
            )
            statements = old.row_step(newest_ns, [(seq, at) for seq, at in ages])
            if not statements:
                break
            await self._step(*statements)
        # A script, because a plain execute takes only the first of this pragma's steps: one page.
        await self._db.executescript(f"PRAGMA incremental_vacuum({PAGES_A_STEP})")

    async def _step(self, *statements: Statement) -> None:
        async with self._transaction():
            for sql, values in statements:
                await self._db.execute(sql, values)

    async def _put_map(self, changes: Changes, now_ns: int) -> None:
        if not changes.peers and not changes.channels:
            return
        if not await self._db.execute_fetchall("SELECT 1 FROM channel WHERE peer > 0 LIMIT 1"):
            now_ns = 0  # what the first listing tells was so before anybody looked
        await self._bump(books=True)
        await self._db.executemany(
            "INSERT INTO peer VALUES (?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET alias = excluded.alias",
            [(peer.id, peer.pubkey, peer.alias) for peer in changes.peers],
        )
        await self._db.executemany(
            "INSERT INTO channel VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "is_open = excluded.is_open, closed = excluded.closed",
            [
                (
                    c.id, str(c.scid), c.peer, c.alias_of, int(c.is_open), now_ns,
                    None if c.is_open else now_ns,
                )
                for c in changes.channels
            ],
        )  # fmt: skip

    async def _put_progress(self, progress: Progress) -> None:
        await self._db.execute(
            "UPDATE status SET alive_at = ?, events = events + ?, ignored = ignored + ?, "
            "lag = ?, queued = ?, shed = ?",
            (
                progress.alive_ns, progress.events, progress.ignored,
                progress.lag_ns, progress.queued, progress.shed,
            ),
        )  # fmt: skip
        if self._interval is not None and progress.covered_until_ns is not None:
            await self._db.execute(
                "UPDATE coverage SET until = max(until, ?) WHERE id = ?",
                (progress.covered_until_ns, self._interval),
            )

    async def _bump(self, *, books: bool = False) -> None:
        """Something visible changed; `books`: a channel, peer, balance or policy."""
        known = ", books = generation + 1" if books else ""
        await self._db.execute(f"UPDATE status SET generation = generation + 1{known}")

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """All or nothing. Raises StoreError, after which the store is as it was before."""
        async with self._one_at_a_time:
            with explained(self.path):
                await self._begin()
                try:
                    yield
                    await self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        await self._db.execute("ROLLBACK")
                    raise

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
