"""The reads of the buckets: sums over any time, of the fewest buckets that make it up."""

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from htlctop.domain.codes import LOST, Category
from htlctop.domain.records import (
    DAY,
    KEPT_NS,
    MINUTE,
    NARROW_TO_WIDE,
    PAIR_SPANS,
    SPANS,
    Cell,
    Delta,
)
from htlctop.store.buckets import COLUMNS, SUMS, of_categories, unpack

_MINUTES_KEPT = (KEPT_NS[MINUTE] or 0) // SPANS[MINUTE]
_SPANS = {"by_channel": NARROW_TO_WIDE, "by_pair": PAIR_SPANS}
_Run = Callable[[str, Sequence[int]], sqlite3.Cursor]


class BucketReads:
    """Implements the part of `readers.StatsReader` that adds up; part of the store's reader, which
    runs its questions."""

    def _run(self, sql: str, values: Sequence[int] = ()) -> sqlite3.Cursor:
        raise NotImplementedError

    def cells(self, from_ns: int, until_ns: int) -> list[Cell]:
        """Sums by channel and category over [from, until), edges on buckets that are kept; some
        may be nothing."""
        source, values = tiles(self._run, "by_channel", from_ns, until_ns)
        rows = self._run(
            f"SELECT channel, 0, category, {SUMS} FROM {source} GROUP BY channel, category",
            values,
        )
        return list(map(Cell._make, rows))

    def forwarded_claims(self, from_ns: int, until_ns: int) -> list[tuple[int, int, int]]:
        """(channel, category, payments) of what settled or failed further on over [from, until)."""
        of = f" AND {of_categories((Category.SETTLED, Category.DOWNSTREAM))}"
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
            f"SELECT channel, in_peer, category, {SUMS} FROM {source} "
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
        lost = f"{of} AND {of_categories(LOST)}"
        held = _held(self._run, table)
        low_ns, high_ns = max(from_ns, held.first_ns), min(until_ns, held.end_ns)
        found = []
        for slot in range(low_ns // step_ns, -(-high_ns // step_ns)):
            ends = max(from_ns, slot * step_ns), min(until_ns, (slot + 1) * step_ns)
            source, values = _source(table, _buckets(table, *ends, held), lost, named)
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
    """The fewest buckets that make up [from, until), as a FROM clause and its values.

    Args: of, named: a condition and its values.
    """
    return _source(table, _buckets(table, from_ns, until_ns, _held(run, table)), of, named)


class _Held(NamedTuple):
    """Buckets hold nothing before `first_ns` and nothing from `end_ns` on; the newest event, which
    decides what is kept."""

    first_ns: int
    end_ns: int
    newest_ns: int

    def between(self, low_ns: int, high_ns: int) -> int:
        """How much of a time holds something."""
        return max(0, min(high_ns, self.end_ns) - max(low_ns, self.first_ns))


class _Bucket(NamedTuple):
    """One to add, or (sign -1) to take away."""

    span: int
    start: int
    sign: int


def _held(run: _Run, table: str) -> _Held:
    of_span = f"FROM {table} WHERE span = "
    # Where nothing came for days the newest minute is gone, or about to go: what was told late of
    # the time after it has no minutes.
    kept = f"start >= last_event / {SPANS[MINUTE]} - {_MINUTES_KEPT}"
    first_ns, end_ns, last_ns = run(
        f"SELECT (SELECT min(start) {of_span}{DAY}) * {SPANS[DAY]}, "
        f"coalesce((SELECT max(start) + 1 {of_span}{MINUTE} AND {kept}) * {SPANS[MINUTE]}, "
        f"(SELECT max(start) + 1 {of_span}{DAY}) * {SPANS[DAY]}), last_event FROM status",
        (),
    ).fetchone()
    return _Held(first_ns or 0, end_ns or 0, max(last_ns, end_ns or 0))


def _buckets(table: str, from_ns: int, until_ns: int, held: _Held) -> list[_Bucket]:
    """The fewest that make up [from, until): an end goes to the nearer edge of the wider bucket it
    lies in, and what is too much then is taken away.

    An end beyond which nothing is held is as good as one that lies farther out: there the widest
    buckets fit.
    """
    spans = _SPANS[table]
    widest = SPANS[spans[-1]]
    span, narrowest = spans[0], SPANS[spans[0]]
    low, high = from_ns // narrowest * narrowest, -(-until_ns // narrowest) * narrowest
    if low <= held.first_ns:
        low = held.first_ns // widest * widest
    if high >= held.end_ns:
        high = -(-held.end_ns // widest) * widest
    parts: list[tuple[int, int, int, int]] = []
    for wider in spans[1:]:
        width = SPANS[wider]
        inner_low, inner_high = -(-low // width) * width, high // width * width
        if inner_low < inner_high:
            outer_low, outer_high = low // width * width, -(-high // width) * width
            before, after = held.between(outer_low, low), held.between(low, inner_low)
            if before < after and _may_go(table, span, outer_low, held):
                parts.append((span, outer_low, low, -1))
                low = outer_low
            else:
                parts.append((span, low, inner_low, 1))
                low = inner_low
            before, after = held.between(inner_high, high), held.between(high, outer_high)
            if after < before and _may_go(table, span, high, held):
                parts.append((span, high, outer_high, -1))
                high = outer_high
            else:
                parts.append((span, inner_high, high, 1))
                high = inner_high
            span = wider
    parts.append((span, low, high, 1))
    return [
        _Bucket(part, start, sign)
        for part, low, high, sign in parts
        for start in range(
            max(low, held.first_ns) // SPANS[part], -(-min(high, held.end_ns) // SPANS[part])
        )
    ]


def _may_go(table: str, span: int, at_ns: int, held: _Held) -> bool:
    """Whether buckets from a time on can be taken away: they are all kept, and are of channels. A
    pair of which nothing is left would still be counted as one."""
    kept_ns = KEPT_NS[span]
    is_kept = kept_ns is None or at_ns >= held.newest_ns - kept_ns + SPANS[span]
    return table == "by_channel" and is_kept


def _source(
    table: str, buckets: Sequence[_Bucket], of: str, named: Sequence[int]
) -> tuple[str, tuple[int, ...]]:
    """The rows of some buckets, each looked up by itself, as a FROM clause and its values."""
    if not buckets:
        return f"(SELECT * FROM {table} WHERE 0)", ()
    if len(buckets) == 1:  # in the order of its key, which spares sorting it
        span, start, _ = buckets[0]
        return f"(SELECT * FROM {table} WHERE span = ? AND start = ?{of})", (span, start, *named)
    columns = f"{table}.*"
    if any(bucket.sign < 0 for bucket in buckets):
        signed = ", ".join(f"column3 * {column} AS {column}" for column in COLUMNS)
        columns = f"channel, category, {signed}"
    marks = ", ".join(["(?, ?, ?)"] * len(buckets))
    return (
        f"(SELECT {columns} FROM (VALUES {marks}) AS bucket CROSS JOIN {table} "
        f"ON span = bucket.column1 AND start = bucket.column2{of})",
        (*chain.from_iterable(buckets), *named),
    )
