"""Cells of a batch -> the rows of every bucket table and width that they belong to."""

import zlib
from array import array
from collections.abc import Iterable
from functools import lru_cache

from htlctop.domain.fold import MINUTE_NS, CellKey
from htlctop.domain.records import KEPT_NS, NARROW_TO_WIDE, PAIR_SPANS, SPANS, Delta

COLUMNS = ("n", "fee_unknown", "fee", "demand", "recovered", "claims", "repeats")
"""The seven sums of a bucket, in order."""
ADD = ", ".join(f"{column} = {column} + excluded.{column}" for column in COLUMNS)
"""What stands after DO UPDATE SET where a bucket gets more."""
MARKS = ", ".join("?" * len(COLUMNS))
"""What stands for their values."""
SUMS = ", ".join(f"sum({column})" for column in COLUMNS)
"""What is selected of several buckets."""

ADD_BY_CHANNEL = (
    f"INSERT INTO by_channel VALUES (?, ?, ?, ?, {MARKS}) "
    f"ON CONFLICT (span, start, channel, category) DO UPDATE SET {ADD}"
)
ADD_BY_PAIR = (
    f"INSERT INTO by_pair VALUES (?, ?, ?, ?, ?, {MARKS}) "
    f"ON CONFLICT (span, start, channel, in_peer, category) DO UPDATE SET {ADD}"
)

_Sums = list[int]
_Key = tuple[int, ...]


def of_categories(categories: Iterable[int]) -> str:
    """A condition on the category; ranges, since SQLite looks up lists many times slower."""
    ranges: list[list[int]] = []
    for category in sorted(categories):
        if ranges and category == ranges[-1][1] + 1:
            ranges[-1][1] = int(category)
        else:
            ranges.append([int(category)] * 2)
    return f"({' OR '.join(f'category BETWEEN {low} AND {high}' for low, high in ranges) or '0'})"


def roll_up(
    cells: dict[CellKey, _Sums], newest_ns: int
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Rows to add to `by_channel` and `by_pair`, sorted by key.

    A width that is no longer kept for a cell's time gets no row: its buckets are gone.
    """
    pairs: dict[_Key, _Sums] = _merge(cells.items())
    channels = _merge(((key[0], key[1], key[3]), sums) for key, sums in pairs.items())
    by_channel: list[tuple[int, ...]] = []
    by_pair: list[tuple[int, ...]] = []
    width = pair_width = MINUTE_NS
    for span in NARROW_TO_WIDE:
        channels = _widen(channels, SPANS[span] // width)
        width = SPANS[span]
        by_channel += _rows(span, channels, newest_ns)
        if span in PAIR_SPANS:
            pairs = _widen(pairs, SPANS[span] // pair_width)
            pair_width = SPANS[span]
            by_pair += _rows(span, pairs, newest_ns)
    return by_channel, by_pair


def pack(cells: dict[CellKey, _Sums]) -> bytes:
    """What a batch added, for readers that keep sums: column after column, compressed."""
    rows = [(*key, *sums) for key, sums in sorted(cells.items())]
    flat = array("q", [number for column in zip(*rows, strict=True) for number in column])
    return zlib.compress(flat.tobytes(), 1)


@lru_cache(maxsize=16)
def unpack(packed: bytes) -> tuple[Delta, ...]:
    """What `pack` was given; remembered, since all that keeps sums asks for the same batches."""
    flat = array("q")
    flat.frombytes(zlib.decompress(packed))
    columns = len(Delta._fields)
    count = len(flat) // columns
    rows = zip(*(flat[k * count : (k + 1) * count] for k in range(columns)), strict=True)
    return tuple(map(Delta._make, rows))


def _rows(span: int, cells: dict[_Key, _Sums], newest_ns: int) -> list[tuple[int, ...]]:
    kept_ns = KEPT_NS[span]
    oldest = 0 if kept_ns is None else (newest_ns - kept_ns) // SPANS[span]
    return [
        (span, *key, *sums) for key, sums in sorted(cells.items()) if key[0] >= oldest and any(sums)
    ]


def _widen(cells: dict[_Key, _Sums], factor: int) -> dict[_Key, _Sums]:
    if factor == 1:
        return cells
    return _merge(((key[0] // factor, *key[1:]), sums) for key, sums in cells.items())


def _merge(
    items: Iterable[tuple[tuple[int, ...], _Sums]],
) -> dict[tuple[int, ...], _Sums]:
    merged: dict[tuple[int, ...], _Sums] = {}
    for key, sums in items:
        known = merged.get(key)
        if known is None:
            merged[key] = sums
        else:
            merged[key] = [a + b for a, b in zip(known, sums, strict=True)]
    return merged
