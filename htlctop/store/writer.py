"""The one writer of a store: batches, coverage, channels and status, each in one transaction."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from aiosqlite import Connection

from htlctop.domain.fold import Changes, Fold
from htlctop.domain.records import Progress
from htlctop.domain.types import DEFAULTS, Channel, ChannelLimits, FeePolicy, NodeInfo, Settings
from htlctop.errors import StoreError, StoreUnavailableError
from htlctop.store.buckets import ADD_BY_CHANNEL, ADD_BY_PAIR, pack, roll_up
from htlctop.store.channels import PUT_CHANNEL, PUT_PEER, ChannelBooks, Writes, channel_row
from htlctop.store.connect import explained
from htlctop.store.memory import StoreMemory
from htlctop.store.retention import Retention
from htlctop.store.rows import PUT_CLAIM, PUT_HTLC, claim_row, htlc_row
from htlctop.store.transactions import Transactions

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
        self._db = Transactions(path, hurry or asyncio.Event())
        self._retention = Retention(self._db, keep_ns)
        self._opened: AsyncExitStack
        self._memory: StoreMemory
        self._books: ChannelBooks
        self._interval: int | None = None
        self._end: tuple[str, int, int] | None = None
        self._newest_ns = 0

    async def __aenter__(self) -> "StoreWriter":
        async with AsyncExitStack() as opened:
            await opened.enter_async_context(self._db)
            self._newest_ns = self._db.newest_ns
            with explained(self.path):
                self._books = ChannelBooks(self.path)
                self._memory = StoreMemory(self.path)
            opened.callback(self._memory.close)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._opened.aclose()

    def restore_fold(self, settings: Settings = DEFAULTS) -> Fold:
        """The fold as it was when the last batch was written; it asks this store."""
        return self._memory.restore_fold(settings)

    def covered_until_ns(self) -> int | None:
        """Until when anybody has watched, ns; None where nobody has."""
        return self._memory.covered_until_ns()

    def waiting(self, before_ns: int, limit: int) -> list[tuple[int, int]]:
        """(incoming scid, HTLC id) of forwards first seen before then and without an outcome."""
        return self._memory.waiting(before_ns, limit)

    async def save_node(self, info: NodeInfo) -> None:
        """Remember whose store this is.

        Raises:
            StoreError: it is another node's.
        """
        known: dict[str, str | int] = dict(await self._db.fetch("SELECT key, value FROM meta"))
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
        async with self._db.transaction() as db:
            await db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))
            await _bump(db)

    async def commit(self, changes: Changes, progress: Progress) -> None:
        """Write a batch: rows, claims, buckets, coverage and how far we are, as one."""
        self._memory.end_batch()
        self._newest_ns = max(self._newest_ns, progress.last_event_ns)
        by_channel, by_pair = roll_up(changes.cells, self._newest_ns)
        async with self._db.transaction() as db:
            await _put_map(db, changes, progress.now_ns)
            await db.executemany(PUT_HTLC, [htlc_row(row) for row in changes.rows])
            await db.executemany(PUT_CLAIM, [claim_row(c) for c in changes.claims])
            await db.executemany(ADD_BY_CHANNEL, by_channel)
            await db.executemany(ADD_BY_PAIR, by_pair)
            await db.execute(
                "UPDATE status SET seq = ?, high = ?, last_event = ?, generation = generation + ?",
                (changes.seq, changes.high_ns, self._newest_ns, int(bool(changes.rows))),
            )
            if changes.cells:
                await db.execute(_PUT_NEWS, (pack(changes.cells),))
                await db.execute(_DROP_NEWS)
            await self._put_progress(db, progress)
        if self._db.wal_is_large:
            # The batch is written, whatever becomes of this; the next one tries again.
            with suppress(StoreUnavailableError):
                await self._db.checkpoint()

    async def alive(self, progress: Progress) -> None:
        """Prove that we are still listening, though nothing arrived."""
        async with self._db.transaction() as db:
            await self._put_progress(db, progress)

    async def start_interval(self, start_ns: int) -> None:
        """The stream opened: from here on we are watching."""
        async with self._db.transaction() as db:
            await self._say_end(db)
            cursor = await db.execute(
                "INSERT INTO coverage (start, until, shed) VALUES (?, ?, 0)", (start_ns, start_ns)
            )
            await _bump(db)
        self._interval, self._end = cursor.lastrowid, None

    async def end_interval(self, reason: str, shed: int = 0) -> None:
        """The stream broke, or events were shed, for a reason that a person can read. Where that
        cannot be written now, it is when the next interval begins."""
        if self._interval is not None:
            self._end, self._interval = (reason, shed, self._interval), None
            async with self._db.transaction() as db:
                await self._say_end(db)
                await _bump(db)
            self._end = None

    async def set_state(
        self, state: str, reason: str = "", *, attempt: int = 0, next_try_ns: int = 0
    ) -> None:
        """What the collector is doing, for everybody who looks."""
        async with self._db.transaction() as db:
            await db.execute(
                "UPDATE status SET state = ?, reason = ?, attempt = ?, next_try = ?, pid = ?, "
                "generation = generation + 1",
                (state, reason, attempt, next_try_ns, os.getpid()),
            )

    async def save_balances(
        self, channels: Iterable[Channel], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The balances as just told; `ids` maps scids to channel ids."""
        await self._save(self._books.balances(channels, ids, at_ns), books=True)

    async def save_pending(
        self, channels: Iterable[Channel], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The HTLCs that are on all open channels, as just listed, in place of those before; how
        many there were is kept."""
        await self._save(self._books.pending(channels, ids, at_ns))

    async def save_policies(
        self, policies: Iterable[FeePolicy], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """What we ask on each channel, as just reported; a policy that changed is added."""
        await self._save(self._books.policies(policies, ids, at_ns), books=True)

    async def save_limits(
        self, limits: Iterable[ChannelLimits], ids: Mapping[int, int], at_ns: int
    ) -> None:
        """The smallest and largest HTLC we take on a channel, and what else; changes are added."""
        await self._save(self._books.limits(limits, ids, at_ns), books=True)

    async def checkpoint(self) -> None:
        """Drop a step of what is no longer kept, and move the WAL into the database."""
        await self._retention.step(self._newest_ns)
        await self._db.checkpoint()

    async def _say_end(self, db: Connection) -> None:
        if self._end is not None:
            await db.execute("UPDATE coverage SET ended_by = ?, shed = ? WHERE id = ?", self._end)

    async def _save(self, writes: Writes, *, books: bool = False) -> None:
        if writes:
            async with self._db.transaction() as db:
                for sql, rows in writes:
                    await db.executemany(sql, rows)
                await _bump(db, books=books)
            self._books.written(writes)

    async def _put_progress(self, db: Connection, progress: Progress) -> None:
        await db.execute(
            "UPDATE status SET alive_at = ?, events = events + ?, ignored = ignored + ?, "
            "lag = ?, queued = ?, shed = ?",
            (
                progress.alive_ns, progress.events, progress.ignored,
                progress.lag_ns, progress.queued, progress.shed,
            ),
        )  # fmt: skip
        if self._interval is not None and progress.covered_until_ns is not None:
            await db.execute(
                "UPDATE coverage SET until = max(until, ?) WHERE id = ?",
                (progress.covered_until_ns, self._interval),
            )


async def _put_map(db: Connection, changes: Changes, now_ns: int) -> None:
    if not changes.peers and not changes.channels:
        return
    if not await db.execute_fetchall("SELECT 1 FROM channel WHERE peer > 0 LIMIT 1"):
        now_ns = 0  # what the first listing tells was so before anybody looked
    await _bump(db, books=True)
    await db.executemany(PUT_PEER, [(peer.id, peer.pubkey, peer.alias) for peer in changes.peers])
    await db.executemany(PUT_CHANNEL, [channel_row(c, now_ns) for c in changes.channels])


async def _bump(db: Connection, *, books: bool = False) -> None:
    """Something visible changed; `books`: a channel, peer, balance or policy."""
    known = ", books = generation + 1" if books else ""
    await db.execute(f"UPDATE status SET generation = generation + 1{known}")
