"""Reads of the store: synchronous, read-only, each a short transaction fetched whole.

A reader belongs to one thread; only `interrupt` may be called from another.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from htlctop.domain.coverage import Interval
from htlctop.domain.records import (
    DAY,
    HOUR,
    MINUTE,
    SPANS,
    Cell,
    ChannelRecord,
    ClaimOpener,
    HtlcRecord,
    StatusRecord,
)
from htlctop.errors import ReadInterrupted
from htlctop.store.connect import explain, open_reader
from htlctop.store.evidence import EvidenceReads

READ_LIMIT_S = 2.0
_STEPS_BETWEEN_CHECKS = 20_000

_SUMS = "sum(n), sum(fee_unknown), sum(fee), sum(demand), sum(recovered), sum(claims), sum(repeats)"

_LINE = (
    "SELECT htlc.seq, in_channel, out_channel, at, event_type, outcome, category, wire, "
    "detail, in_msat, out_msat, at + took, best_msat, htlc.seq - claim_before "
    "FROM htlc WHERE "
)


class StoreReader(EvidenceReads):
    """Implements `ports.StatsReader` over an existing store.

    Raises:
        StoreError: there is none, or it cannot be read.
        ReadInterrupted: from any read that was broken off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = open_reader(path)
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
        try:
            self._db.execute("BEGIN")
            yield
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise ReadInterrupted("the read was interrupted") from None
            raise explain(self.path, error) from error
        except sqlite3.Error as error:
            raise explain(self.path, error) from error
        finally:
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def meta(self) -> dict[str, str | int]:
        """What is known of the node: pubkey, alias, network, version, replay, ended."""
        return dict(self._run("SELECT key, value FROM meta").fetchall())

    def status(self) -> StatusRecord:
        """What the collector last said of itself."""
        row = self._run(
            "SELECT state, reason, attempt, next_try, pid, alive_at, queued, shed, events, "
            "ignored, last_event, lag, generation FROM status"
        ).fetchone()
        return StatusRecord(*row)

    def location(self) -> tuple[str, int]:
        """Where the store is, and its bytes on disk, WAL included."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return str(self.path), sum(file.stat().st_size for file in files if file.exists())

    def peers(self) -> dict[int, tuple[str, str]]:
        """peer id -> (public key, alias)."""
        return {
            peer: (key, alias)
            for peer, key, alias in self._run("SELECT id, pubkey, alias FROM peer")
        }

    def channels(self) -> list[ChannelRecord]:
        """Every channel ever seen, strangers included."""
        return [
            ChannelRecord(
                id_, int(scid), peer, alias_of, bool(is_open), capacity, local, remote, spendable,
                None if active is None else bool(active), base, ppm,
            )
            for id_, scid, peer, alias_of, is_open, capacity, local, remote, spendable, active,
            base, ppm in self._run(
                "SELECT id, scid, peer, alias_of, is_open, capacity_sat, local_sat, remote_sat, "
                "spendable_sat, is_active, base, ppm FROM channel "
                "LEFT JOIN balance ON balance.channel = id "
                "LEFT JOIN policy_now ON policy_now.channel = id"
            )
        ]  # fmt: skip

    def cells(self, from_ns: int, until_ns: int) -> list[Cell]:
        """Sums by channel and category over [from, until), edges on buckets that are kept."""
        source, values = _tiles("by_channel", from_ns, until_ns)
        return [
            Cell(channel, 0, category, *sums)
            for channel, category, *sums in self._run(
                f"SELECT channel, category, {_SUMS} FROM {source} GROUP BY channel, category",
                values,
            )
        ]

    def pair_cells(self, from_ns: int, until_ns: int, channels: Sequence[int] = ()) -> list[Cell]:
        """Sums by channel, incoming peer and category; of some channels only where named."""
        source, values = _tiles("by_pair", from_ns, until_ns, channels)
        return [
            Cell(*row)
            for row in self._run(
                f"SELECT channel, in_peer, category, {_SUMS} FROM {source} "
                "GROUP BY channel, in_peer, category",
                values,
            )
        ]

    def net_over_time(
        self, from_ns: int, until_ns: int, step_ns: int, channels: Sequence[int] = ()
    ) -> list[tuple[int, int, int]]:
        """(slice, channel, net demand msat) of lost HTLCs; slice k starts at from + k·step."""
        source, values = _tiles("by_channel", from_ns, until_ns, channels)
        width = " ".join(f"WHEN {span} THEN {SPANS[span]}" for span in (MINUTE, HOUR, DAY))
        return self._run(
            f"SELECT (start * CASE span {width} END - {from_ns}) / {step_ns} AS slice, channel, "
            f"sum(demand - recovered) FROM {source} WHERE category BETWEEN 3 AND 7 "
            "GROUP BY slice, channel",
            values,
        ).fetchall()

    def unresolved(self, from_ns: int, until_ns: int) -> list[tuple[int, int]]:
        """(first event ns, outcome) of forwards first seen in [from, until) without an outcome."""
        return self._run(
            "SELECT at, outcome FROM htlc WHERE outcome IN (0, 4) AND event_type = 3 "
            "AND at >= ? AND at < ? ORDER BY at",
            (from_ns, until_ns),
        ).fetchall()

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

    def log(
        self,
        limit: int,
        *,
        before_seq: int | None = None,
        channels: Sequence[int] = (),
        until_ns: int | None = None,
    ) -> list[HtlcRecord]:
        """HTLCs newest first; of some channels only (either side) where named."""
        conditions, values = ["htlc.seq < ?"], [2**62 if before_seq is None else before_seq]
        if until_ns is not None:
            conditions.append("htlc.at < ?")
            values.append(until_ns)
        rest = " AND ".join(conditions)
        if not channels:
            sql = f"{_LINE}{rest} AND event_type > 0 ORDER BY htlc.seq DESC LIMIT ?"
            found = self._run(sql, (*values, limit)).fetchall()
        else:
            found = []
            for side in ("out_channel", "in_channel"):
                sql = (
                    f"{_LINE}{side} IN ({_marks(channels)}) AND {rest} AND event_type > 0 "
                    "ORDER BY htlc.seq DESC LIMIT ?"
                )
                found += self._run(sql, (*channels, *values, limit))
            found = sorted(set(found), reverse=True)[:limit]
        return [HtlcRecord(*row) for row in found]

    def last_seq(self) -> int:
        """The arrival number of the newest HTLC stored, 0 for none."""
        found = self._run("SELECT max(seq) FROM htlc").fetchone()
        return int(found[0] or 0)

    def waiting(self, limit: int) -> list[int]:
        """The seqs of forwards without an outcome, the newest first."""
        found = self._run(
            "SELECT seq FROM htlc WHERE outcome IN (0, 4) AND event_type = 3 "
            "ORDER BY at DESC LIMIT ?",
            (limit,),
        )
        return [seq for (seq,) in found]

    def since(self, seq: int, limit: int) -> list[HtlcRecord]:
        """HTLCs first seen after that one, oldest first."""
        found = self._run(f"{_LINE}seq > ? ORDER BY seq LIMIT ?", (seq, limit))
        return [HtlcRecord(*row) for row in found]

    def decided(self, seqs: Sequence[int]) -> list[HtlcRecord]:
        """Those of some HTLCs that have an outcome."""
        found = self._run(f"{_LINE}seq IN ({_marks(seqs)}) AND outcome NOT IN (0, 4)", seqs)
        return [HtlcRecord(*row) for row in found]

    def claim_openers(self, seqs: Sequence[int]) -> dict[int, ClaimOpener]:
        """The openers of claims, by their seq."""
        return {
            seq: ClaimOpener(seq, at_ns, bool(is_repeat))
            for seq, at_ns, is_repeat in self._run(
                "SELECT htlc.seq, at, is_repeat FROM htlc JOIN claim ON claim.seq = htlc.seq "
                f"WHERE htlc.seq IN ({_marks(seqs)})",
                seqs,
            )
        }

    def _run(self, sql: str, values: Sequence[int] = ()) -> sqlite3.Cursor:
        return self._db.execute(sql, values)

    def _should_stop(self) -> bool:
        return time.monotonic() > self._stop_at


def _tiles(
    table: str, from_ns: int, until_ns: int, channels: Sequence[int] = ()
) -> tuple[str, tuple[int, ...]]:
    """The largest buckets that tile [from, until), as a FROM clause and its values."""
    parts: list[tuple[int, int, int]] = []
    low, high = from_ns, until_ns
    for span in (MINUTE, HOUR):
        wider = SPANS[span + 1]
        inner_low, inner_high = -(-low // wider) * wider, high // wider * wider
        if inner_low >= inner_high:
            break
        parts += [(span, low, inner_low), (span, inner_high, high)]
        low, high = inner_low, inner_high
    else:
        span = DAY
    parts.append((span, low, high))
    of = f" AND channel IN ({_marks(channels)})" if channels else ""
    values: list[int] = []
    tiles = []
    for part, start, end in parts:
        if start < end:
            width = SPANS[part]
            tiles.append(f"SELECT * FROM {table} WHERE span = ? AND start >= ? AND start < ?{of}")
            values += (part, start // width, -(-end // width), *channels)
    if not tiles:
        return f"(SELECT * FROM {table} WHERE 0)", ()
    return f"({' UNION ALL '.join(tiles)})", tuple(values)


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))
