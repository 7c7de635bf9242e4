"""Proves a store: the file is whole, and every bucket is the exact sum of its rows and claims."""

import sqlite3
from pathlib import Path

from htlctop.domain.records import HOUR, SPANS
from htlctop.store.buckets import COLUMNS, SUMS
from htlctop.store.connect import explain, open_reader

_HOUR_NS = SPANS[HOUR]

_FROM_ROWS = f"""
    SELECT at / {_HOUR_NS} AS hour, out_channel, category, count(*),
           sum(in_msat = 0 OR out_msat = 0),
           sum(CASE WHEN in_msat > 0 AND out_msat > 0 THEN in_msat - out_msat ELSE 0 END)
    FROM htlc WHERE category > 0 AND at >= ? GROUP BY 1, 2, 3"""
_FROM_CLAIMS = f"""
    SELECT at / {_HOUR_NS} AS hour, out_channel, category,
           sum(fee), sum(recovered),
           sum(NOT is_repeat AND NOT is_success), sum(is_repeat)
    FROM claim JOIN htlc ON htlc.seq = claim.seq WHERE at >= ? GROUP BY 1, 2, 3"""


def check(path: Path) -> list[str]:
    """What is wrong with a store, one line each; [] when all is well.

    Raises:
        StoreError: there is none, or it cannot be read at all.
    """
    connection = open_reader(path)
    try:
        connection.execute("BEGIN")
        found = [
            f"the file is damaged: {text}"
            for (text,) in connection.execute("PRAGMA quick_check(20)")
            if text != "ok"
        ]
        return found or [
            *_rows_against_buckets(connection),
            *_tables_against_each_other(connection),
        ]
    except sqlite3.DatabaseError as error:
        raise explain(path, error) from error
    finally:
        connection.close()


def _rows_against_buckets(connection: sqlite3.Connection) -> list[str]:
    """The hours whose rows are all still there must add up from them."""
    (oldest,) = connection.execute("SELECT min(start) FROM by_channel WHERE span = 1").fetchone()
    if oldest is None:
        return []
    (thinned_ns,) = connection.execute(
        "SELECT max(value) FROM meta WHERE key = 'rows_since_ns'"
    ).fetchone()
    start = max(oldest, -(-(thinned_ns or 0) // _HOUR_NS))
    counted: dict[tuple[int, ...], list[int]] = {}
    for *key, n, unknown, fee in connection.execute(_FROM_ROWS, (start * _HOUR_NS,)):
        counted.setdefault(tuple(key), [0] * 7)[:3] = [n, unknown, fee]
    for *key, demand, recovered, claims, repeats in connection.execute(
        _FROM_CLAIMS, (start * _HOUR_NS,)
    ):
        sums = counted.setdefault(tuple(key), [0] * 7)
        sums[3:] = [demand, recovered, claims, repeats]
    stored = {
        row[:3]: list(row[3:])
        for row in connection.execute(
            f"SELECT start, channel, category, {', '.join(COLUMNS)} FROM by_channel "
            "WHERE span = 1 AND start >= ?",
            (start,),
        )
        if any(row[3:])
    }
    found = []
    for cell in sorted(counted.keys() | stored.keys()):
        rows, bucket = counted.get(cell, [0] * 7), stored.get(cell, [0] * 7)
        # Successes are counted where the payment settled, which leaves no claim behind.
        wrong = [
            f"{name} {have} instead of {want}"
            for name, have, want in zip(COLUMNS, bucket, rows, strict=True)
            if have != want and not (name == "claims" and cell[2] == 1)
        ]
        if wrong:
            found.append(
                f"hour {cell[0]}, channel {cell[1]}, category {cell[2]}: " + ", ".join(wrong)
            )
    return found


def _tables_against_each_other(connection: sqlite3.Connection) -> list[str]:
    """Both bucket tables must say the same of every channel, category and day."""
    query = (
        f"SELECT start, channel, category, {SUMS} FROM {{table}} WHERE span = 2 "
        "GROUP BY start, channel, category"
    )
    by_channel, by_pair = (
        {row for row in connection.execute(query.format(table=table)) if any(row[3:])}
        for table in ("by_channel", "by_pair")
    )
    return [
        f"day {day}, channel {channel}, category {category}: by_channel and by_pair differ"
        for day, channel, category in sorted({row[:3] for row in by_channel ^ by_pair})
    ]
