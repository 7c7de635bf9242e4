"""What grows old goes, a step at a time: buckets finer than is kept, thinned histories, old HTLCs.

Day buckets stay for ever, so no total changes. Each step is a short transaction of its own:
nobody is kept waiting, and the freed pages are given back to the disk little by little.
"""

from htlctop.domain.records import DAY, HOUR, KEPT_NS, SPANS
from htlctop.store.transactions import Transactions

BUCKETS_A_STEP = 30
ROWS_A_STEP = 1_000
ROW_STEPS = 10
"""Steps of old rows that go at a time: ten times what the busiest node brings between two."""
PAGES_A_STEP = 500
_WHOLE_NS = 2 * SPANS[DAY]

_THIN_BALANCES = (
    "DELETE FROM balance_history AS b WHERE at BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM "
    f"balance_history WHERE channel = b.channel AND at < b.at AND at / {SPANS[HOUR]} = "
    f"b.at / {SPANS[HOUR]})"
)
"""Beyond two days one balance an hour is enough."""
_THIN_PENDING = (
    "DELETE FROM pending_history AS p WHERE at BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM "
    f"pending_history WHERE at BETWEEN p.at / {SPANS[HOUR]} * {SPANS[HOUR]} AND "
    f"(p.at / {SPANS[HOUR]} + 1) * {SPANS[HOUR]} - 1 AND (n, at) > (p.n, p.at))"
)
"""Beyond two days the most that was in flight at a time in each hour is enough."""
_DROP_HTLCS = (
    "DELETE FROM htlc WHERE seq > ? AND seq <= ? AND at < ? "
    "AND NOT (outcome IN (0, 4) AND event_type = 3) "
    "AND seq NOT IN (SELECT seq FROM claim WHERE is_open = 1)"
)
"""A forward without an outcome stays, since no bucket counts it; so does what an open claim begins
with."""
_DROP_CLAIMS = "DELETE FROM claim WHERE seq > ? AND seq <= ? AND is_open = 0"
_ALL_SINCE = (
    "INSERT INTO meta VALUES ('rows_since_ns', ?) "
    "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"
)
"""From then on every HTLC is still there."""


class Retention:
    """Drops what is no longer kept. `keep_ns`: how long single HTLCs are kept, None for ever."""

    def __init__(self, db: Transactions, keep_ns: int | None) -> None:
        self.keep_ns = keep_ns
        self._db = db
        self._from_seq = 0

    async def step(self, newest_ns: int) -> None:
        """Drop a step of everything that is too old at the time of the newest event. Raises
        StoreError."""
        for table in ("by_channel", "by_pair"):
            for span, kept_ns in enumerate(KEPT_NS):
                if kept_ns is not None:
                    limit = (newest_ns - kept_ns) // SPANS[span]
                    await self._drop_buckets(table, span, limit)
        await self._thin_histories(newest_ns)
        if self.keep_ns is not None:
            for _ in range(ROW_STEPS):
                if not await self._drop_rows(newest_ns - self.keep_ns):
                    break
        await self._db.vacuum(PAGES_A_STEP)

    async def _drop_buckets(self, table: str, span: int, limit: int) -> None:
        oldest = f"SELECT start FROM {table} WHERE span = ? ORDER BY start LIMIT 1"
        for (start,) in await self._db.fetch(oldest, (span,)):
            if start < limit:
                until = min(limit, start + BUCKETS_A_STEP)
                async with self._db.transaction() as db:
                    await db.execute(
                        f"DELETE FROM {table} WHERE span = ? AND start < ?", (span, until)
                    )

    async def _thin_histories(self, newest_ns: int) -> None:
        until_ns = newest_ns - _WHOLE_NS
        async with self._db.transaction() as db:
            for sql in (_THIN_BALANCES, _THIN_PENDING):
                await db.execute(sql, (until_ns - SPANS[DAY], until_ns))

    async def _drop_rows(self, limit_ns: int) -> bool:
        """Of the next rows, by seq, those from before the limit; False where there are none."""
        ages = await self._db.fetch(
            "SELECT seq, at FROM htlc WHERE seq > ? ORDER BY seq LIMIT ?",
            (self._from_seq, ROWS_A_STEP),
        )
        old = [(seq, at) for seq, at in ages if at < limit_ns]
        if not old:
            return False
        span = (self._from_seq, old[-1][0])
        async with self._db.transaction() as db:
            await db.execute(_DROP_HTLCS, (*span, limit_ns))
            await db.execute(_DROP_CLAIMS, span)
            await db.execute(_ALL_SINCE, (max(at for _, at in old) + 1,))
        self._from_seq = old[-1][0]
        return True
