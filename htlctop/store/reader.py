"""Reads of the store: synchronous, read-only, each a short transaction fetched whole.

A reader belongs to one thread; only `interrupt` may be called from another.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from htlctop.domain.coverage import Interval
from htlctop.domain.records import ChannelRecord, PendingRecord, StatusRecord, Unresolved
from htlctop.errors import ReadInterrupted, StoreError
from htlctop.store.connect import disk_trouble, explain, open_reader
from htlctop.store.evidence import EvidenceReads, Values
from htlctop.store.log import LogReads
from htlctop.store.pairs import PairSlots, PairSums
from htlctop.store.tiles import BucketReads

READ_LIMIT_S = 60.0
"""What is written while a read goes on stays in the WAL: none may go on for ever."""
_STEPS_BETWEEN_CHECKS = 20_000


class StoreReader(BucketReads, EvidenceReads, LogReads):
    """Implements `readers.StatsReader` over an existing store.

    Raises:
        StoreError: there is none, or it cannot be read.
        ReadInterrupted: from any read that was broken off.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._db = open_reader(path)
        self._pairs = PairSlots(self._db)
        self._stop_at = float("inf")
        self._db.set_progress_handler(self._should_stop, _STEPS_BETWEEN_CHECKS)

    def close(self) -> None:
        """Give the connection back."""
        self._db.close()

    def interrupt(self) -> None:
        """Break off a running read; from any thread."""
        self._db.interrupt()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one moment."""
        self._stop_at = time.monotonic() + READ_LIMIT_S
        end = "ROLLBACK"
        try:
            self._db.execute("BEGIN")
            yield
            end = "COMMIT"
        except sqlite3.OperationalError as error:
            if self._should_stop():
                raise StoreError(
                    f"reading {self.path} took longer than {READ_LIMIT_S:.0f} s: "
                    "ask for a shorter window"
                ) from None
            if "interrupted" in str(error):
                raise ReadInterrupted("the read was interrupted") from None
            raise explain(self.path, error) from error
        except sqlite3.Error as error:
            raise explain(self.path, error) from error
        finally:
            self._end_snapshot(end)

    def _end_snapshot(self, end: str) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute(end)
        except sqlite3.Error as error:
            raise explain(self.path, error) from error

    def meta(self) -> dict[str, str | int]:
        """What is known of the node: pubkey, alias, network, version, replay, ended."""
        return dict(self._run("SELECT key, value FROM meta").fetchall())

    def status(self) -> StatusRecord:
        """What the collector last said of itself."""
        row = self._run(
            "SELECT state, reason, attempt, next_try, pid, alive_at, queued, shed, events, "
            "ignored, last_event, lag, generation, books FROM status"
        ).fetchone()
        return StatusRecord(*row)

    def location(self) -> tuple[str, int]:
        """Where the store is, and its bytes on disk, WAL included."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return str(self.path), sum(file.stat().st_size for file in files if file.exists())

    def disk_trouble(self) -> str:
        """Why its disk takes nothing now, which no collector can write down; "" where it does."""
        return disk_trouble(self.path)

    def peers(self) -> dict[int, tuple[str, str]]:
        """peer id -> (public key, alias)."""
        return {
            peer: (key, alias)
            for peer, key, alias in self._run("SELECT id, pubkey, alias FROM peer")
        }

    def channels(self, as_of_ns: int | None = None) -> list[ChannelRecord]:
        """Every channel ever seen, strangers included; balances, policies, and whether it was
        open, as of a time (None: now)."""
        if as_of_ns is None:
            found = self._run(
                "SELECT id, scid, peer, alias_of, is_open, capacity_sat, local_sat, remote_sat, "
                "spendable_sat, is_active, base, ppm FROM channel "
                "LEFT JOIN balance ON balance.channel = id "
                "LEFT JOIN policy_now ON policy_now.channel = id"
            )
        else:
            then = "{0}.channel = id AND {0}.at = (SELECT max(at) FROM {0} WHERE channel = id "
            then += "AND at <= :at)"
            found = self._run(
                "SELECT id, scid, peer, alias_of, opened <= :at AND coalesce(closed, :at) >= :at, "
                "capacity_sat, balance_history.local_sat, balance_history.remote_sat, NULL, "
                "activity.is_active, base, ppm "
                "FROM channel LEFT JOIN balance ON balance.channel = id "
                f"LEFT JOIN balance_history ON {then.format('balance_history')} "
                f"LEFT JOIN activity ON {then.format('activity')} "
                f"LEFT JOIN policy ON {then.format('policy')}",
                {"at": as_of_ns},
            )
        return [
            ChannelRecord(
                id_, int(scid), peer, alias_of, bool(is_open), capacity, local, remote, spendable,
                None if active is None else bool(active), base, ppm,
            )
            for id_, scid, peer, alias_of, is_open, capacity, local, remote, spendable, active,
            base, ppm in found
        ]  # fmt: skip

    def pending(self) -> list[PendingRecord]:
        """The HTLCs that were on channels at the last listing, the nearest expiry first."""
        return [
            PendingRecord(channel, bool(is_incoming), amount, expiry)
            for channel, is_incoming, amount, expiry in self._run(
                "SELECT channel, is_incoming, amount, expiry FROM pending ORDER BY expiry"
            )
        ]

    def nearest_expiry(self) -> int | None:
        """The height at which the first of them expires, None where there are none."""
        found = self._run("SELECT min(expiry) FROM pending WHERE expiry > 0").fetchone()
        return found[0] if found[0] is None else int(found[0])

    def count_rows(self) -> int:
        """How many HTLCs are stored."""
        return int(self._run("SELECT count(*) FROM htlc").fetchone()[0])

    def wal_bytes(self) -> int:
        """The size of the write-ahead log on disk."""
        wal = self.path.with_name(self.path.name + "-wal")
        return wal.stat().st_size if wal.exists() else 0

    def unresolved(self, from_ns: int, until_ns: int, break_ns: int) -> Unresolved:
        """The forwards first seen in [from, until) without an outcome; those before the break may
        have ended unseen."""
        in_flight = "FILTER (WHERE outcome = 0 AND at >= :break)"
        found = self._run(
            f"SELECT count(*), count(*) {in_flight}, min(at) {in_flight} FROM htlc "
            "WHERE outcome IN (0, 4) AND event_type = 3 AND at >= :from AND at < :until",
            {"from": from_ns, "until": until_ns, "break": break_ns},
        ).fetchone()
        every, waiting, oldest_ns = found
        return Unresolved(waiting, every - waiting, oldest_ns)

    def intervals(self) -> list[Interval]:
        """The times in which the stream was open, in the order they began."""
        return [
            Interval(*row)
            for row in self._run(
                "SELECT start, until, ended_by, shed FROM coverage ORDER BY start, id"
            )
        ]

    def first_event_ns(self) -> int | None:
        """The first event of the oldest HTLC stored, None in an empty store."""
        found = self._run("SELECT at FROM htlc ORDER BY seq LIMIT 1").fetchone()
        return int(found[0]) if found else None

    def pairs(self, key: str) -> PairSums:
        """The sums by pair that are kept of a window, by its key; of none at first."""
        return self._pairs.of(key)

    def _run(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        return self._db.execute(sql, values)

    def _should_stop(self) -> bool:
        return time.monotonic() > self._stop_at
