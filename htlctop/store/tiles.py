"""The reads of the buckets: sums over any time, from the largest buckets that tile it."""

import sqlite3
from collections.abc import Sequence

from htlctop.domain.records import (
    NARROW_TO_WIDE,
    PAIR_SPANS,
    SPANS,
    WEEK,
    Cell,
    Delta,
)
from htlctop.store.buckets import unpack

_SUMS = "sum(n), sum(fee_unknown), sum(fee), sum(demand), sum(recovered), sum(claims), sum(repeats)"


class BucketReads:
    """Implements the part of `ports.StatsReader` that adds up; part of the store's reader, which
    runs its questions."""

    def _run(self, sql: str, values: Sequence[int] = ()) -> sqlite3.Cursor:
        raise NotImplementedError

    def cells(self, from_ns: int, until_ns: int) -> list[Cell]:
        """Sums by channel and category over [from, until), edges on buckets that are kept."""
        source, values = _tiles("by_channel", from_ns, until_ns)
        rows = self._run(
            f"SELECT channel, 0, category, {_SUMS} FROM {source} GROUP BY channel, category",
            values,
        )
        return list(map(Cell._make, rows))

    def forwarded_claims(self, from_ns: int, until_ns: int) -> list[tuple[int, int, int]]:
        """(channel, category, payments) of what settled or failed further on over [from, until)."""
        of = " AND category IN (1, 2)"
        source, values = _tiles("by_channel", from_ns, until_ns, of)
        return self._run(
            f"SELECT channel, category, sum(claims) FROM {source} GROUP BY channel, category",
            values,
        ).fetchall()

    def pair_cells(self, from_ns: int, until_ns: int, channels: Sequence[int] = ()) -> list[Cell]:
        """Sums by channel, incoming peer and category; of some channels only where named."""
        of, named = _of(channels)
        source, values = _tiles("by_pair", from_ns, until_ns, of, named)
        rows = self._run(
            f"SELECT channel, in_peer, category, {_SUMS} FROM {source} "
            "GROUP BY channel, in_peer, category",
            values,
        )
        return list(map(Cell._make, rows))

    def net_over_time(
        self, from_ns: int, until_ns: int, step_ns: int, channels: Sequence[int] = (), *,
        in_peer: int | None = None,
    ) -> list[tuple[int, int, int]]:  # fmt: skip
        """(slice, channel, net demand msat) of lost HTLCs, of some only where named, several for
        a slice and channel; slice k holds the times from k·step on."""
        table = "by_channel" if in_peer is None else "by_pair"
        of, named = _of(channels, in_peer)
        lost = f"{of} AND category BETWEEN 3 AND 7"
        source, values = _tiles(table, from_ns, until_ns, lost, named, widest_ns=step_ns)
        width = " ".join(f"WHEN {span} THEN {SPANS[span]}" for span in NARROW_TO_WIDE)
        return self._run(
            f"SELECT start * CASE span {width} END / {step_ns}, channel, demand - recovered "
            f"FROM {source}",
            values,
        ).fetchall()

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


def _tiles(
    table: str,
    from_ns: int,
    until_ns: int,
    of: str = "",
    named: Sequence[int] = (),
    widest_ns: int = SPANS[WEEK],
) -> tuple[str, tuple[int, ...]]:
    """The largest buckets that tile [from, until), as a FROM clause and its values.

    Args: of, named: a condition and its values. widest_ns: no wider bucket is taken.
    """
    spans = NARROW_TO_WIDE if table == "by_channel" else PAIR_SPANS
    parts: list[tuple[int, int, int]] = []
    low, high, span = from_ns, until_ns, spans[0]
    for wider in spans[1:]:
        width = SPANS[wider]
        inner_low, inner_high = -(-low // width) * width, high // width * width
        if inner_low >= inner_high or widest_ns % width:
            continue
        parts += [(span, low, inner_low), (span, inner_high, high)]
        low, high, span = inner_low, inner_high, wider
    parts.append((span, low, high))
    values: list[int] = []
    tiles = []
    for part, start, end in parts:
        if start < end:
            width = SPANS[part]
            tiles.append(f"SELECT * FROM {table} WHERE span = ? AND start >= ? AND start < ?{of}")
            values += (part, start // width, -(-end // width), *named)
    if not tiles:
        return f"(SELECT * FROM {table} WHERE 0)", ()
    return f"({' UNION ALL '.join(tiles)})", tuple(values)
