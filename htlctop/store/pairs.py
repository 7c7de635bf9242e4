"""The sums of a window by pair, kept by a reader where SQLite can rank and filter them.

A large node has a hundred thousand pairs: they stay in a table in memory (some thirty bytes each),
and only those that are looked at become values.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from htlctop.domain.codes import LOST, REFUSED, Category
from htlctop.domain.records import Delta, Measure, Pair, PairPick, PairsHeld, PairSum, Way, Worth
from htlctop.store.buckets import ADD, COLUMNS, MARKS, SUMS, of_categories
from htlctop.store.tiles import tiles

MOST_WINDOWS = 2
"""The one on the screen, and the one before it."""
_TABLE = (
    "CREATE TABLE kept.pair_sums_{} (in_peer INTEGER, peer INTEGER, channel INTEGER, "
    f"category INTEGER, {', '.join(f'{column} INTEGER' for column in COLUMNS)}, "
    "PRIMARY KEY (in_peer, peer, channel, category)) WITHOUT ROWID"
)
_HELD = (
    "CREATE TABLE kept.pairs_held (slot INTEGER PRIMARY KEY, key TEXT, generation INTEGER, "
    "from_ns INTEGER, until_ns INTEGER)"
)
_PUT = (
    "INSERT INTO {} VALUES (?, coalesce((SELECT peer FROM channel WHERE id = ?), 0), "
    f"?, ?, {MARKS}) ON CONFLICT DO UPDATE SET {ADD}"
)


def _sum(column: str, categories: Iterable[int]) -> str:
    return f"sum(CASE WHEN {of_categories(categories)} THEN {column} ELSE 0 END)"


_APART = {
    Way.PAIR: ("in_peer", "peer"),
    Way.SOURCE: ("in_peer",),
    Way.TARGET: ("peer",),
    Way.CHANNEL: ("channel",),
}
_SETTLED = (Category.SETTLED,)
_WORTH = "CASE WHEN demand <> recovered THEN expected(peer, demand - recovered) ELSE 0 END"
_MEASURED: dict[Measure, tuple[str, Iterable[int]]] = {
    Measure.EXPECTED: (_WORTH, LOST),
    Measure.NET: ("demand - recovered", LOST),
    Measure.LOST: ("n", LOST),
    Measure.REFUSED: ("n", REFUSED),
    Measure.ASKED: ("fee", LOST),
    Measure.EARNED: ("fee", _SETTLED),
    Measure.SETTLED: ("n", _SETTLED),
}
"""What a measure adds up, of which categories."""


class PairSlots:
    """Makes room for the sums of a few windows on the connection of a reader."""

    def __init__(self, db: sqlite3.Connection) -> None:
        # Not temporary tables: those go to a disk, which may be full, or take all sorting to
        # memory with them.
        db.execute("ATTACH ':memory:' AS kept")
        db.execute(_HELD)
        for slot in range(MOST_WINDOWS):
            db.execute(_TABLE.format(slot))
            db.execute("INSERT INTO pairs_held VALUES (?, '', -1, 0, 0)", (slot,))
        self._db = db
        self._slots = list(range(MOST_WINDOWS))

    def of(self, key: str) -> "PairSums":
        """The sums of the window that goes by a key, else those looked at longest ago."""
        found = self._db.execute("SELECT slot FROM pairs_held WHERE key = ?", (key,)).fetchone()
        slot = found[0] if found else self._slots[0]
        self._slots.remove(slot)
        self._slots.append(slot)
        return PairSums(self._db, slot)


class PairSums:
    """Implements `readers.PairSums` within the snapshots of a reader."""

    def __init__(self, db: sqlite3.Connection, slot: int) -> None:
        self._db, self._slot = db, slot
        self._table = f"pair_sums_{slot}"

    def held(self) -> PairsHeld:
        """What they are the sums of; of no window at first."""
        found = self._db.execute(
            "SELECT key, generation, from_ns, until_ns FROM pairs_held WHERE slot = ?",
            (self._slot,),
        )
        return PairsHeld._make(found.fetchone())

    def hold(self, held: PairsHeld) -> None:
        """Remember that."""
        self._db.execute(
            "UPDATE pairs_held SET key = ?, generation = ?, from_ns = ?, until_ns = ? "
            "WHERE slot = ?",
            (*held, self._slot),
        )

    def clear(self) -> None:
        """Nothing is summed up."""
        self._db.execute(f"DELETE FROM {self._table}")

    def add(self, from_ns: int, until_ns: int, sign: int = 1) -> None:
        """Add what the buckets over [from, until) hold, or (sign -1) take it away."""
        source, values = tiles(self._db.execute, "by_pair", from_ns, until_ns)
        sums = ", ".join(f"{sign} * {column}" for column in COLUMNS)
        self._db.execute(
            f"INSERT INTO {self._table} "
            f"SELECT in_peer, coalesce(peer, 0), channel, category, {sums} FROM {source} "
            "LEFT JOIN channel ON channel.id = channel "
            f"WHERE true ON CONFLICT DO UPDATE SET {ADD}",
            values,
        )
        if sign < 0:
            nothing = " AND ".join(f"{column} = 0" for column in COLUMNS)
            self._db.execute(f"DELETE FROM {self._table} WHERE {nothing}")

    def take(self, news: Iterable[Delta]) -> None:
        """Add what was written meanwhile."""
        self._db.executemany(
            _PUT.format(self._table),
            [(d.in_peer, d.channel, d.channel, d.category, *d[4:]) for d in news],
        )

    def ranked(
        self, order: Sequence[Measure], pick: PairPick, worth: Worth, *,
        most: int | None = None, reverse: bool = False,
    ) -> list[Pair]:  # fmt: skip
        """The first pairs by some measures, the largest first; the second measure ranks the equals
        of the first. All of them where no `most` is given."""
        self._price(worth)
        sums = [_sum(*_MEASURED[measure]) for measure in order]
        way = "" if reverse else " DESC"
        by = ", ".join((*(f"{one}{way}" for one in sums), "in_peer", "peer"))
        where, values = self._where(pick)
        if most is not None and order and not reverse:
            # Who has something of the first measure comes first, and is found among fewer sums.
            _, categories = _MEASURED[order[0]]
            found = self._db.execute(
                f"SELECT in_peer, peer FROM {where} AND {of_categories(categories)} "
                f"GROUP BY in_peer, peer HAVING {sums[0]} > 0 ORDER BY {by} LIMIT ?",
                (*values, most),
            ).fetchall()
            if len(found) == most:
                return found
        return self._db.execute(
            f"SELECT in_peer, peer FROM {where} GROUP BY in_peer, peer ORDER BY {by} LIMIT ?",
            (*values, -1 if most is None else most),
        ).fetchall()

    def count(self, way: Way, pick: PairPick) -> int:
        """How many pairs, peers or channels there are."""
        where, values = self._where(pick)
        each = f"SELECT DISTINCT {', '.join(_APART[way])} FROM {where}"
        return int(self._db.execute(f"SELECT count(*) FROM ({each})", values).fetchone()[0])

    def nets(self, way: Way, pick: PairPick) -> list[tuple[int, int]]:
        """(peer, net demand msat) of the incoming or outgoing peers of what was lost, the largest
        first."""
        (peer,) = _APART[way]
        where, values = self._where(pick)
        return self._db.execute(
            f"SELECT {peer}, sum(demand - recovered) FROM {where} AND {of_categories(LOST)} "
            f"GROUP BY {peer} ORDER BY 2 DESC, 1",
            values,
        ).fetchall()

    def sums(self, way: Way, pick: PairPick, worth: Worth) -> list[PairSum]:
        """The sums of each category, apart by pair, peer or channel."""
        self._price(worth)
        where, values = self._where(pick)
        width = len(_APART[way])
        by = ", ".join((*_APART[way], "category"))
        # Apart, because what was not lost would have earned nothing, and need not be priced.
        lost, worth_of_lost = of_categories(LOST), f"sum({_WORTH})"
        rows = self._db.execute(
            f"SELECT {by}, {SUMS}, {worth_of_lost} FROM {where} AND {lost} GROUP BY {by} "
            f"UNION ALL SELECT {by}, {SUMS}, 0 FROM {where} AND NOT {lost} GROUP BY {by}",
            (*values, *values),
        )
        return [PairSum(row[:width], row[width], row[width + 1 : -1], row[-1]) for row in rows]

    def _price(self, worth: Worth) -> None:
        self._db.create_function("expected", 2, worth, deterministic=True)

    def _where(self, pick: PairPick) -> tuple[str, tuple[str, ...]]:
        """The sums that are picked, as what stands after FROM, and its values."""
        source = self._table
        values: list[str] = []
        terms: list[str] = []
        if pick.pairs is not None:
            # In this order the wanted pairs are looked up one by one, not the table gone through.
            source = (
                f"json_each(?) AS wanted CROSS JOIN {self._table} "
                "ON in_peer = json_extract(value, '$[0]') AND peer = json_extract(value, '$[1]')"
            )
            values.append(json.dumps(pick.pairs))
        if pick.categories is not None:
            terms.append(of_categories(pick.categories))
        for ends in pick.ends:
            sides = [(column, ids) for column, ids in (("in_peer", ends.ins), ("peer", ends.outs))]
            any_of = [
                f"{column} IN (SELECT value FROM json_each(?))" for column, ids in sides if ids
            ]
            values += [json.dumps(sorted(ids)) for _, ids in sides if ids]
            terms.append(f"{'NOT ' * ends.negated}({' OR '.join(any_of) or '0'})")
        return f"{source} WHERE {' AND '.join(terms) or '1'}", tuple(values)
