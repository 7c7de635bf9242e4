"""Demand: retries, splits and shards collapsed into the payments behind them, the claims.

Three pools: what was lost, what was priced out, and what was forwarded (for the settle rate).
HTLCs pass in arrival order, per outgoing peer; how long each rule reaches is in `Settings`.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from htlctop.domain.circuits import Htlc
from htlctop.domain.claims import MAX_OPEN, Claim, Pool, RecentAmounts, Shelf
from htlctop.domain.types import Settings


class ClaimMemory(Protocol):
    """What was stored earlier and decides whether a claim is a repeat."""

    def claim_times(
        self, pool: int, in_peer: int, out_peer: int, low_msat: int, high_msat: int, since_ns: int
    ) -> list[int]:
        """When claims of [low, high] opened on a pair since then, ns, in any order."""

    def settled_between(
        self,
        in_peer: int,
        out_peer: int,
        low_msat: int,
        high_msat: int,
        since_ns: int,
        until_ns: int,
    ) -> bool:
        """Whether a forward of [low, high] on a pair settled in [since, until)."""


class ClaimBook:
    """The open claims of all pools, and the pass that an HTLC with an outcome goes through.

    Claims changed since the last `take_changed` are kept for the writer.
    """

    def __init__(self, memory: ClaimMemory, settings: Settings) -> None:
        self._memory = memory
        self._settings = settings
        self._shelves: dict[tuple[int, int], Shelf] = {}
        self._last_attempts: dict[int, Claim] = {}
        self._idle: OrderedDict[int, Claim] = OrderedDict()
        """The open claims, the longest untouched first."""
        self._recent = RecentAmounts(settings.repeat_window_ns, *settings.retry_tolerance)
        self._changed: dict[int, Claim] = {}
        # What the store does not hold yet, and so cannot be asked for.
        self._fresh_claims: dict[tuple[int, int, int], dict[int, list[int]]] = {}
        # What the store answered since it was last written: a flood of equal amounts asks once.
        self._stored_times: dict[tuple[int, ...], list[int]] = {}
        self._fresh_settled: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.high_ns = 0

    def restore(self, claims: list[Claim], high_ns: int) -> None:
        """Take up the claims left open, and the clock (0: never ran), where an earlier run
        stopped."""
        self.high_ns = high_ns
        self._recent.begin(high_ns)
        for claim in sorted(claims, key=lambda c: c.last_ns):
            self._shelve(claim)
            self._touched(claim)
        self._changed.clear()

    def tick(self, at_ns: int) -> None:
        """Advance the clock to an event's time. A step back closes every claim: nothing that is
        measured across it would mean anything."""
        if at_ns > self.high_ns:
            self.high_ns = at_ns
        elif at_ns < self.high_ns - self._settings.clock_step_ns:
            self.high_ns = at_ns
            for shelf in self._shelves.values():
                for claim in shelf.claims:
                    claim.is_open = False
                    self._changed[claim.seq] = claim
            self._shelves.clear()
            self._idle.clear()
            self._last_attempts.clear()

    def final(self, row: Htlc) -> None:
        """The row's final event arrived: if it is a claim's newest attempt, that one is over."""
        claim = self._last_attempts.get(row.seq)
        if claim is not None and claim.last_final_seq is None:
            claim.last_final_seq = row.final_seq
            self._changed[claim.seq] = claim

    def attempt(
        self,
        pool: Pool,
        row: Htlc,
        in_peer: int,
        out_peer: int,
        seq: int,
        cell: tuple[int, int, int, int],
    ) -> tuple[Claim, bool]:
        """An HTLC that failed joins the claim it retries, or opens one. Returns (claim, opened).

        An opened claim that is not a repeat has `fee_msat` to add to demand.
        """
        claim = self._joinable(pool, row, out_peer)
        opened = claim is None
        if claim is None:
            claim = Claim(row.seq, pool, in_peer, out_peer, row.out_msat, row.at_ns, cell)
            claim.opened_seq = seq
            claim.is_repeat = self._is_repeat(claim)
            if not claim.is_repeat:
                claim.fee_msat = row.in_msat - row.out_msat
            self._shelve(claim)
            fresh = self._fresh_claims.setdefault((pool, in_peer, out_peer), {})
            insort(fresh.setdefault(claim.amount_msat, []), claim.opened_ns)
        else:
            self._last_attempts.pop(claim.last_seq, None)
        claim.last_seq = row.seq
        claim.last_ns = row.outcome_ns or row.at_ns
        claim.last_final_seq = row.final_seq
        self._last_attempts[row.seq] = claim
        self._touched(claim)
        row.claim = claim.seq
        return claim, opened

    def settle(
        self, row: Htlc, in_peer: int, out_peer: int
    ) -> tuple[Claim | None, Claim | None, int]:
        """A forward settled: (the forwarded claim it closes, the lost claim it takes from, msat).

        Either claim is None where there is none.
        """
        closed = self._joinable(Pool.FORWARDED, row, out_peer)
        if closed is not None:
            closed.is_success = True
            self._drop(closed)
        lost, taken = self._recover(row, out_peer)
        fresh = self._fresh_settled.setdefault((in_peer, out_peer), [])
        fresh.append((row.outcome_ns or row.at_ns, row.out_msat))
        return closed, lost, taken

    def take_changed(self) -> list[Claim]:
        """The claims that changed since the last call, those gone idle now closed among them.

        Call when rows and claims are written together; the store is asked for them from then on.
        """
        idle_ns = self.high_ns - self._settings.claim_idle_ns
        while self._idle:
            claim = next(iter(self._idle.values()))
            if claim.last_ns >= idle_ns and len(self._idle) <= MAX_OPEN:
                break
            self._drop(claim)
        changed = list(self._changed.values())
        self._changed = {}
        self._fresh_claims = {}
        self._fresh_settled = {}
        self._stored_times = {}
        return changed

    def _joinable(self, pool: Pool, row: Htlc, out_peer: int) -> Claim | None:
        shelf = self._shelves.get((pool, out_peer))
        if shelf is None or not shelf.amounts:
            return None
        amount, first_seq, first_ns = row.out_msat, row.seq, row.at_ns
        idle_ns = self.high_ns - self._settings.claim_idle_ns
        within, over_after = self._settings.join_within_ns, self._settings.over_after_ns

        def is_open_to(claim: Claim) -> bool:
            pause = first_ns - claim.last_ns
            if claim.last_final_seq is not None:
                over = claim.last_final_seq < first_seq
            else:
                over = pause >= over_after
            return over and pause <= within and claim.last_ns >= idle_ns

        return self._nearest(shelf, amount, is_open_to)

    def _recover(self, row: Htlc, out_peer: int) -> tuple[Claim | None, int]:
        fee = row.in_msat - row.out_msat
        shelf = self._shelves.get((Pool.LOST, out_peer))
        if fee <= 0 or shelf is None or not shelf.amounts:
            return None, 0
        settled_ns = row.outcome_ns or row.at_ns
        idle_ns = self.high_ns - self._settings.claim_idle_ns
        within = self._settings.recover_within_ns
        claim = self._nearest(
            shelf,
            row.out_msat,
            lambda claim: (
                claim.recovered_msat < claim.fee_msat
                and claim.opened_seq < row.seq
                and settled_ns - claim.last_ns <= within
                and claim.last_ns >= idle_ns
            ),
        )
        if claim is None:
            return None, 0
        taken = min(claim.fee_msat - claim.recovered_msat, fee)
        claim.recovered_msat += taken
        self._changed[claim.seq] = claim
        row.claim = claim.seq
        return claim, taken

    def _nearest(self, shelf: Shelf, amount: int, fits: Callable[[Claim], bool]) -> Claim | None:
        """The claim this amount retries, else the one it is a half, quarter … of; None for none."""
        part, of = self._settings.retry_tolerance
        for claim in shelf.near(amount, -(-amount * of // (of + part)), amount * of // (of - part)):
            if fits(claim):
                return claim
        part, of = self._settings.split_tolerance
        largest = shelf.amounts[-1]
        best: tuple[int, int, Claim] | None = None
        for halvings in range(1, self._settings.max_halvings + 1):
            whole = amount << halvings
            low = -(-whole * of // (of + part))
            if low > largest:
                break
            for claim in shelf.near(whole, low, whole * of // (of - part)):
                if fits(claim):
                    rank = (abs(claim.amount_msat - whole), -claim.opened_seq, claim)
                    best = rank if best is None or rank[:2] < best[:2] else best
                    break
        return best[2] if best else None

    def _is_repeat(self, claim: Claim) -> bool:
        """Whether the pair has been hammered with this amount for a while, and none settled."""
        s = self._settings
        part, of = s.retry_tolerance
        amount = claim.amount_msat
        low, high = -(-amount * (of - part) // of), amount * (of + part) // of
        since = claim.opened_ns - s.repeat_window_ns
        pool, pair = claim.pool, (claim.in_peer, claim.out_peer)
        seen = self._recent.count(pool, *pair, amount, claim.opened_ns)
        if seen is not None and seen < s.repeat_after:
            return False
        asked = (pool, *pair, low, high)
        stored = self._stored_times.get(asked)
        if stored is None:
            # From a little earlier, for the claims of this batch that began before this one.
            found = self._memory.claim_times(*asked, since - s.clock_step_ns)
            stored = self._stored_times[asked] = sorted(found)
        fresh = self._fresh_claims.get((pool, *pair), {})
        lists = [stored, *(times for msat, times in fresh.items() if low <= msat <= high)]
        if not self._spaced_out(lists, since, claim.opened_ns):
            return False
        since = claim.opened_ns - s.repeat_settled_ns
        if any(
            low <= msat <= high and since <= ns < claim.opened_ns
            for ns, msat in self._fresh_settled.get(pair, ())
        ):
            return False
        return not self._memory.settled_between(*pair, low, high, since, claim.opened_ns)

    def _spaced_out(self, lists: list[list[int]], since_ns: int, before_ns: int) -> bool:
        """Whether enough of the sorted times lie each more than the spacing before the next."""
        next_ns = before_ns
        for _ in range(self._settings.repeat_after):
            limit = next_ns - self._settings.repeat_spacing_ns
            places = ((times, bisect_left(times, limit)) for times in lists)
            next_ns = max((times[at - 1] for times, at in places if at), default=-1)
            if next_ns < since_ns:
                return False
        return True

    def _shelve(self, claim: Claim) -> None:
        shelf = self._shelves.get((claim.pool, claim.out_peer))
        if shelf is None:
            shelf = self._shelves[(claim.pool, claim.out_peer)] = Shelf()
        shelf.add(claim)
        self._last_attempts[claim.last_seq] = claim

    def _touched(self, claim: Claim) -> None:
        self._idle[claim.seq] = claim
        self._idle.move_to_end(claim.seq)
        self._changed[claim.seq] = claim

    def _drop(self, claim: Claim) -> None:
        claim.is_open = False
        self._idle.pop(claim.seq, None)
        self._changed[claim.seq] = claim
        key = (claim.pool, claim.out_peer)
        shelf = self._shelves[key]
        shelf.remove(claim)
        if not shelf.amounts:
            del self._shelves[key]
        self._last_attempts.pop(claim.last_seq, None)
