"""Claims, the payments behind HTLCs, and the shelves they are found on by amount."""

from bisect import bisect_left, bisect_right
from enum import IntEnum
from math import log, log1p

MAX_CANDIDATES = 256
"""Claims looked at for one amount: a burst of equal shards must not cost its square."""
MAX_OPEN = 50_000
"""Claims held open; beyond that the longest idle are closed early."""


class Pool(IntEnum):
    """Which HTLCs a claim gathers. The numbers are stored."""

    LOST = 1
    PRICED_OUT = 2
    FORWARDED = 3


class Claim:
    """One payment that somebody tried to make through us. Times ns, amounts msat.

    `seq` is its opener's, `cell` the bucket it is booked in. `fee_msat` is what
    it added to demand, `recovered_msat` what later forwards took back; a repeat adds nothing.
    `last_*` is the newest attempt, `last_final_seq` its final event's arrival, None before it.
    """

    __slots__ = (
        "amount_msat",
        "cell",
        "fee_msat",
        "in_peer",
        "is_open",
        "is_repeat",
        "is_success",
        "last_final_seq",
        "last_ns",
        "last_seq",
        "opened_ns",
        "opened_seq",
        "out_peer",
        "pool",
        "recovered_msat",
        "seq",
    )

    def __init__(
        self,
        seq: int,
        pool: int,
        in_peer: int,
        out_peer: int,
        amount_msat: int,
        opened_ns: int,
        cell: tuple[int, int, int, int],
    ) -> None:
        self.seq = seq
        self.cell = cell
        self.pool = pool
        self.in_peer = in_peer
        self.out_peer = out_peer
        self.amount_msat = amount_msat
        self.opened_ns = opened_ns
        self.opened_seq = seq
        self.fee_msat = 0
        self.recovered_msat = 0
        self.last_seq = seq
        self.last_ns = opened_ns
        self.last_final_seq: int | None = None
        self.is_repeat = False
        self.is_success = False
        self.is_open = True


class Shelf:
    """The open claims of one pool and outgoing peer, sorted by amount."""

    __slots__ = ("amounts", "claims")

    def __init__(self) -> None:
        self.amounts: list[int] = []
        self.claims: list[Claim] = []

    def add(self, claim: Claim) -> None:
        """After those of the same amount."""
        at = bisect_right(self.amounts, claim.amount_msat)
        self.amounts.insert(at, claim.amount_msat)
        self.claims.insert(at, claim)

    def remove(self, claim: Claim) -> None:
        """It is open no more."""
        at = self.claims.index(claim, bisect_left(self.amounts, claim.amount_msat))
        del self.amounts[at], self.claims[at]

    def near(self, amount: int, low: int, high: int) -> list[Claim]:
        """The claims of [low, high], nearest to the amount first, then newest."""
        amounts = self.amounts
        first = bisect_left(amounts, low)
        if first == len(amounts) or amounts[first] > high:
            return []
        last = bisect_right(amounts, high, first)
        if last - first > MAX_CANDIDATES:
            middle = bisect_right(amounts, amount)
            first = max(first, middle - MAX_CANDIDATES)
            last = min(last, first + MAX_CANDIDATES)
        found = self.claims[first:last]
        if len(found) > 1:
            found.sort(key=lambda claim: (abs(claim.amount_msat - amount), -claim.opened_seq))
        return found


class RecentAmounts:
    """Counts claims by pair and rough amount over the last hour or two, so that the store is only
    asked about amounts that came often enough. Too many, or too young, and it says "perhaps"."""

    def __init__(self, window_ns: int, part: int, of: int) -> None:
        self._window_ns = window_ns
        # Amounts within the tolerance lie in the same bucket or in neighbours: one is wider than
        # the step down from an amount, which is larger than the step up, by more than a float errs.
        self._scale = -0.999 / log1p(-part / of)
        self._counts: dict[tuple[int, ...], int] = {}
        self._older: dict[tuple[int, ...], int] = {}
        # `_counts` and `_older` together hold what opened after `_from_ns`; `_counts` alone what
        # opened after `_since_ns`, and late whatever was held for long before it failed.
        self._from_ns = self._since_ns = self._high_ns = 0

    def begin(self, high_ns: int) -> None:
        """Nothing is known of what opened until then; 0: nothing did."""
        self._from_ns = self._since_ns = self._high_ns = high_ns

    def count(self, pool: int, in_peer: int, out_peer: int, amount: int, at_ns: int) -> int | None:
        """Claims counted before near this amount, at least as many as there were in the window;
        None where not all of it was seen. Counts this one."""
        self._high_ns = max(self._high_ns, at_ns)
        if at_ns - self._since_ns > self._window_ns or len(self._counts) > MAX_OPEN:
            self._older, self._counts = self._counts, {}
            self._from_ns, self._since_ns = self._since_ns, self._high_ns
        bucket = int(log(amount) * self._scale)
        found = 0
        for near in (bucket - 1, bucket, bucket + 1):
            key = (pool, in_peer, out_peer, near)
            found += self._counts.get(key, 0) + self._older.get(key, 0)
        key = (pool, in_peer, out_peer, bucket)
        self._counts[key] = self._counts.get(key, 0) + 1
        return found if at_ns - self._window_ns > self._from_ns else None
