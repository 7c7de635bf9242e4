"""What grows old goes, a step at a time: buckets finer than is kept, thinned histories, old HTLCs.

Day buckets stay for ever, so no total changes. Each step is a short transaction of its own:
nobody is kept waiting, and the freed pages are given back to the disk little by little.
"""

from dataclasses import dataclass, field

from htlctop.domain.records import DAY, HOUR, KEPT_NS, SPANS

BUCKETS_A_STEP = 30
ROWS_A_STEP = 1_000
PAGES_A_STEP = 500
_WHOLE_NS = 2 * SPANS[DAY]

_ALL_SINCE = (
    "INSERT INTO meta VALUES ('rows_since_ns', ?) "
    "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"
)
"""From then on every HTLC is still there."""

Statement = tuple[str, tuple[int, ...]]


@dataclass(slots=True)
class Retention:
    """Says what may go. `keep_ns`: how long single HTLCs are kept, None for ever."""

    keep_ns: int | None = None
    _from_seq: int = field(default=0, init=False)

    def bucket_steps(self, newest_ns: int, oldest: dict[tuple[str, int], int]) -> list[Statement]:
        """What of the bucket tables may go; `oldest`: (table, span) -> its first bucket."""
        steps: list[Statement] = []
        for (table, span), start in oldest.items():
            kept_ns = KEPT_NS[span]
            limit = 0 if kept_ns is None else (newest_ns - kept_ns) // SPANS[span]
            if start < limit:
                until = min(limit, start + BUCKETS_A_STEP)
                sql = f"DELETE FROM {table} WHERE span = ? AND start < ?"
                steps.append((sql, (span, until)))
        return steps

    def balance_step(self, newest_ns: int) -> Statement:
        """Beyond two days one balance an hour is enough."""
        until = newest_ns - _WHOLE_NS
        return (
            "DELETE FROM balance_history AS b WHERE at BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM "
            f"balance_history WHERE channel = b.channel AND at < b.at AND at / {SPANS[HOUR]} = "
            f"b.at / {SPANS[HOUR]})",
            (until - SPANS[DAY], until),
        )

    def pending_step(self, newest_ns: int) -> Statement:
        """Beyond two days the most that was in flight at a time in each hour is enough."""
        until, hour = newest_ns - _WHOLE_NS, SPANS[HOUR]
        return (
            "DELETE FROM pending_history AS p WHERE at BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM "
            f"pending_history WHERE at BETWEEN p.at / {hour} * {hour} AND (p.at / {hour} + 1) * "
            f"{hour} - 1 AND (n, at) > (p.n, p.at))",
            (until - SPANS[DAY], until),
        )

    def row_step(self, newest_ns: int, ages: list[tuple[int, int]]) -> list[Statement]:
        """What of the next rows may go; `ages`: their (seq, first event ns), by seq.

        A forward without an outcome stays, since no bucket counts it; so does what an open claim
        begins with.
        """
        if self.keep_ns is None:
            return []
        limit = newest_ns - self.keep_ns
        old = [(seq, at) for seq, at in ages if at < limit]
        if not old:
            return []
        span = (self._from_seq, old[-1][0])
        self._from_seq = old[-1][0]
        return [
            (
                "DELETE FROM htlc WHERE seq > ? AND seq <= ? AND at < ? "
                "AND NOT (outcome IN (0, 4) AND event_type = 3) "
                "AND seq NOT IN (SELECT seq FROM claim WHERE is_open = 1)",
                (*span, limit),
            ),
            ("DELETE FROM claim WHERE seq > ? AND seq <= ? AND is_open = 0", span),
            (_ALL_SINCE, (max(at for _, at in old) + 1,)),
        ]

    @property
    def from_seq(self) -> int:
        """Where the next rows begin."""
        return self._from_seq
