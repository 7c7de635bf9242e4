"""Cells of a batch -> the rows of every bucket table and width that they belong to."""

from collections.abc import Iterable

from htlctop.domain.fold import MINUTE_NS, CellKey
from htlctop.domain.records import KEPT_NS, SPANS

_MINUTES = tuple(width // MINUTE_NS for width in SPANS)

_COLUMNS = ("n", "fee_unknown", "fee", "demand", "recovered", "claims", "repeats")
_ADD = ", ".join(f"{column} = {column} + excluded.{column}" for column in _COLUMNS)
_MARKS = ", ".join("?" * len(_COLUMNS))

ADD_BY_CHANNEL = (
    f"INSERT INTO by_channel VALUES (?, ?, ?, ?, {_MARKS}) "
    f"ON CONFLICT (span, start, channel, category) DO UPDATE SET {_ADD}"
)
ADD_BY_PAIR = (
    f"INSERT INTO by_pair VALUES (?, ?, ?, ?, ?, {_MARKS}) "
    f"ON CONFLICT (span, start, channel, in_peer, category) DO UPDATE SET {_ADD}"
)

_Sums = list[int]


def roll_up(
    cells: dict[CellKey, _Sums], newest_ns: int
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Rows to add to `by_channel` and `by_pair`, sorted by key.

    A width that is no longer kept for a cell's time gets no row: its buckets are gone.
    """
    by_channel: list[tuple[int, ...]] = []
    by_pair: list[tuple[int, ...]] = []
    pairs: dict[tuple[int, ...], _Sums] = {
        (minute, channel, in_peer, category): sums
        for (minute, channel, in_peer, category), sums in cells.items()
    }
    previous = 1
    for span, minutes in enumerate(_MINUTES):
        pairs = _merge((_coarser(key, minutes // previous), sums) for key, sums in pairs.items())
        previous = minutes
        kept_ns = KEPT_NS[span]
        oldest = 0 if kept_ns is None else (newest_ns - kept_ns) // SPANS[span]
        kept = {key: sums for key, sums in pairs.items() if key[0] >= oldest}
        by_pair += [(span, *key, *sums) for key, sums in sorted(kept.items()) if any(sums)]
        channels = _merge(((key[0], key[1], key[3]), sums) for key, sums in kept.items())
        by_channel += [(span, *key, *sums) for key, sums in sorted(channels.items()) if any(sums)]
    return by_channel, by_pair


def _coarser(key: tuple[int, ...], factor: int) -> tuple[int, ...]:
    return (key[0] // factor, *key[1:]) if factor > 1 else key


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
