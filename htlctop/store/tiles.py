"""The reads of the buckets: sums over any time, from the largest buckets that tile it."""

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain

from htlctop.domain.records import (
    DAY,
    MINUTE,
    NARROW_TO_WIDE,
    PAIR_SPANS,
    SPANS,
    Cell,
    Delta,
)
from htlctop.store.buckets import unpack

_SUMS = "sum(n), sum(fee_unknown), sum(fee), sum(demand), sum(recovered), sum(claims), sum(repeats)"
_Run = Callable[[str, Sequence[int]], sqlite3.Cursor]


class BucketReads:
    """Implements the part of `ports.StatsReader` that adds up; part of the store's reader, which
    runs its questions."""

    def _run(self, sql: str, values: Sequence[int] = ()) -> sqlite3.Cursor:
        raise NotImplementedError

    def cells(self, from_ns: int, until_ns: int) -> list[Cell]:
        """Sums by channel and category over [from, until), edges on buckets that are kept."""
        source, values = tiles(self._run, "by_channel", from_ns, until_ns)
        rows = self._run(
            f"SELECT channel, 0, category, {_SUMS} FROM {source} GROUP BY channel, category",
            values,
        )
        return list(map(Cell._make, rows))

    def forwarded_claims(self, from_ns: int, until_ns: int) -> list[tuple[int, int, int]]:
        """(channel, category, payments) of what settled or failed further on over [from, until)."""
        of = " AND category IN (1, 2)"
        source, values = tiles(self._run, "by_channel", from_ns, until_ns, of)
        return self._run(
            f"SELECT channel, category, sum(claims) FROM {source} GROUP BY channel, category",
            values,
        ).fetchall()

    def pair_cells(
        self, from_ns: int, until_ns: int, channels: Sequence[int] = (), *,
        in_peer: int | None = None,
    ) -> list[Cell]:  # fmt: skip
        """Sums by channel, incoming peer and category; of some channels, or of one incoming peer,
        only where named."""
        of, named = _of(channels, in_peer)
        source, values = tiles(self._run, "by_pair", from_ns, until_ns, of, named)
        rows = self._run(
            f"SELECT channel, in_peer, category, {_SUMS} FROM {source} "
            "GROUP BY channel, in_peer, category",
            values,
        )
        return list(map(Cell._make, rows))

    def net_over_time(
        self, from_ns: int, until_ns: int, step_ns: int, channels: Sequence[int] = (), *,
        in_peer: int | None = None,
    ) -> list[tuple[int, dict[int, int]]]:  # fmt: skip
        """(slice, channel -> net demand msat of lost HTLCs), of some only where named; slice k
        holds the times from k·step on."""
        table = "by_channel" if in_peer is None else "by_pair"
        of, named = _of(channels, in_peer)
        lost = f"{of} AND category BETWEEN 3 AND 7"
        held_ns = _held_ns(self._run, table)
        low_ns, high_ns = max(from_ns, held_ns[0]), min(until_ns, held_ns[1])
        found = []
        for slot in range(low_ns // step_ns, -(-high_ns // step_ns)):
            ends = max(from_ns, slot * step_ns), min(until_ns, (slot + 1) * step_ns)
            source, values = _source(table, _buckets(table, *ends, held_ns), lost, named)
            rows = self._run(
                f"SELECT channel, sum(demand - recovered) FROM {source} GROUP BY channel", values
            )
            found.append((slot, dict(rows.fetchall())))
        return found

    def news(self, since: int) -> list[Delta] | None:
        """What was added to the buckets after a generation, in order; None where that is no longer
        known."""
        (oldest,) = self._run("SELECT min(generation) FROM news").fetchone()
        if oldest is None or oldest > since:
            return None
        found: list[Delta] = []
        rows = self._run(
            "SELECT cells FROM news WHERE generation > ? ORDER BY generation", (since,)
        )
        for (packed,) in rows:
            found += unpack(packed)
        return found


def _of(channels: Sequence[int], in_peer: int | None = None) -> tuple[str, tuple[int, ...]]:
    """A condition on buckets, and its values."""
    of = f" AND channel IN ({', '.join('?' * len(channels))})" if channels else ""
    if in_peer is None:
        return of, tuple(channels)
    return f"{of} AND in_peer = ?", (*channels, in_peer)


def tiles(
    run: _Run, table: str, from_ns: int, until_ns: int, of: str = "", named: Sequence[int] = ()
) -> tuple[str, tuple[int, ...]]:
    """The largest buckets that tile [from, until), as a FROM clause and its values.

    Args: of, named: a condition and its values.
    """
    return _source(table, _buckets(table, from_ns, until_ns, _held_ns(run, table)), of, named)


def _held_ns(run: _Run, table: str) -> tuple[int, int]:
    """Since when and until when buckets hold anything, ns; (0, 0) where none does."""
    of_span = f"FROM {table} WHERE span = "
    # The newest minute there was is gone where nothing came for days.
    first_ns, end_ns = run(
        f"SELECT (SELECT min(start) {of_span}{DAY}) * {SPANS[DAY]}, "
        f"coalesce((SELECT max(start) + 1 {of_span}{MINUTE}) * {SPANS[MINUTE]}, "
        f"(SELECT max(start) + 1 {of_span}{DAY}) * {SPANS[DAY]})",
        (),
    ).fetchone()
    return first_ns or 0, end_ns or 0


def _buckets(
    table: str, from_ns: int, until_ns: int, held_ns: tuple[int, int]
) -> list[tuple[int, int]]:
    """(span, start) of the largest buckets that tile [from, until).

    An end beyond which nothing is held is as good as one that lies farther out: there the widest
    buckets fit.
    """
    spans = NARROW_TO_WIDE if table == "by_channel" else PAIR_SPANS
    first_ns, end_ns = held_ns
    widest = SPANS[spans[-1]]
    low = from_ns if from_ns > first_ns else first_ns // widest * widest
    high = until_ns if until_ns < end_ns else -(-end_ns // widest) * widest
    parts: list[tuple[int, int, int]] = []
    span = spans[0]
    for wider in spans[1:]:
        width = SPANS[wider]
        inner_low, inner_high = -(-low // width) * width, high // width * width
        if inner_low < inner_high:
            parts += [(span, low, inner_low), (span, inner_high, high)]
            low, high, span = inner_low, inner_high, wider
    parts.append((span, low, high))
    return [
        (part, start)
        for part, low, high in parts
        for start in range(max(low, first_ns) // SPANS[part], -(-min(high, end_ns) // SPANS[part]))
    ]


def _source(
    table: str, buckets: Sequence[tuple[int, int]], of: str, named: Sequence[int]
) -> tuple[str, tuple[int, ...]]:
    """The rows of some buckets, each looked up by itself, as a FROM clause and its values."""
    if not buckets:
        return f"(SELECT * FROM {table} WHERE 0)", ()
    if len(buckets) == 1:  # in the order of its key, which spares sorting it
        return f"(SELECT * FROM {table} WHERE span = ? AND start = ?{of})", (*buckets[0], *named)
    marks = ", ".join(["(?, ?)"] * len(buckets))
    return (
        f"(SELECT {table}.* FROM (VALUES {marks}) AS bucket CROSS JOIN {table} "
        f"ON span = bucket.column1 AND start = bucket.column2{of})",
        (*chain.from_iterable(buckets), *named),
    )
