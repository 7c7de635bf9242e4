"""The reads of single HTLCs: the log by keyset, what is new, one of them with all that is known."""

import sqlite3
import time
from collections.abc import Collection, Sequence

from htlctop.domain.codes import Outcome
from htlctop.domain.records import Bounds, ClaimOpener, Ends, Found, HtlcFacts, HtlcRecord, Pick
from htlctop.domain.types import NS

SEARCH_S = 0.1
"""How long one search for what a filter lets through may take."""
_CHUNK = 50_000
"""Arrival numbers looked through at a time."""
_FEW_CHANNELS, _FEW_ROWS = 64, 20_000
"""What is found by index: HTLCs of a few channels, or a few HTLCs."""
_LATE_NS = 600 * NS
"""How late the first event of an HTLC may arrive without missing its place in the past's log."""
_NEWEST = 2**62

_COLUMNS = (
    "htlc.seq, in_channel, out_channel, at, event_type, outcome, category, wire, "
    "detail, in_msat, out_msat, at + took, best_msat, htlc.seq - claim_before"
)
_LINE = f"SELECT {_COLUMNS} FROM htlc WHERE "


class LogReads:
    """Implements the part of `readers.StatsReader` about single HTLCs; part of the store's reader,
    which runs its questions."""

    def _run(self, sql: str, values: Sequence[int] = ()) -> sqlite3.Cursor:
        raise NotImplementedError

    def _seq_at(self, at_ns: int) -> int:
        raise NotImplementedError

    def find(self, pick: Pick, limit: int, before_seq: int | None = None) -> Found:
        """At most `limit` HTLCs that fit, older than `before_seq`, newest first.

        It may stop early: `older_seq` then says where to go on.
        """
        high = _NEWEST if before_seq is None else before_seq
        if pick.until_ns is not None:
            high = min(high, self._seq_at(pick.until_ns + _LATE_NS))
        ends = self._indexed(pick.ends)
        conditions = " AND ".join(_conditions(pick, ends))
        found: list[HtlcRecord] = []
        size, until_s = max(400, 4 * limit), time.monotonic() + SEARCH_S
        (first,) = self._run("SELECT min(seq) FROM htlc").fetchone()
        while first is not None and high > first:
            if ends is not None:
                seqs = self._candidates(ends, high, size)
                low = seqs[-1] if len(seqs) == size else first
                rows = self._run(
                    f"{_LINE}seq IN ({_list(seqs)}) AND {conditions} ORDER BY seq DESC LIMIT ?",
                    (limit - len(found),),
                )
            else:
                high = min(high, self._newest() + 1)
                low = high - _CHUNK
                rows = self._run(
                    f"{_LINE}seq < ? AND seq >= ? AND {conditions} ORDER BY seq DESC LIMIT ?",
                    (high, low, limit - len(found)),
                )
            found += [HtlcRecord(*row) for row in rows]
            if len(found) == limit:
                return Found(tuple(found), found[-1].seq if limit else high)
            high = low
            if time.monotonic() > until_s:
                break
        is_over = first is None or high <= first
        return Found(tuple(found), None if is_over else high)

    def last_seq(self) -> int:
        """The arrival number of the newest HTLC stored, 0 for none."""
        return self._newest()

    def waiting(self, limit: int) -> list[int]:
        """The seqs of forwards without an outcome, the newest first."""
        found = self._run(
            "SELECT seq FROM htlc WHERE outcome IN (0, 4) AND event_type = 3 "
            "ORDER BY at DESC LIMIT ?",
            (limit,),
        )
        return [seq for (seq,) in found]

    def since(self, seq: int, limit: int) -> list[HtlcRecord]:
        """HTLCs first seen after that one, oldest first."""
        found = self._run(f"{_LINE}seq > ? ORDER BY seq LIMIT ?", (seq, limit))
        return [HtlcRecord(*row) for row in found]

    def decided(self, seqs: Sequence[int]) -> list[HtlcRecord]:
        """Those of some HTLCs that have an outcome."""
        found = self._run(f"{_LINE}seq IN ({_list(seqs)}) AND outcome NOT IN (0, 4)")
        return [HtlcRecord(*row) for row in found]

    def claim_openers(self, seqs: Sequence[int]) -> dict[int, ClaimOpener]:
        """The openers of claims, by their seq."""
        return {
            seq: ClaimOpener(seq, at_ns, bool(is_repeat))
            for seq, at_ns, is_repeat in self._run(
                "SELECT htlc.seq, at, is_repeat FROM htlc JOIN claim ON claim.seq = htlc.seq "
                f"WHERE htlc.seq IN ({_list(seqs)})"
            )
        }

    def htlc_facts(self, seq: int) -> HtlcFacts | None:
        """All that is stored of one HTLC, None where it is not stored."""
        found = self._run(
            f"SELECT {_COLUMNS}, in_htlc, out_htlc, usable_msat, at - usable_age, source "
            "FROM htlc WHERE seq = ?",
            (seq,),
        ).fetchone()
        if found is None:
            return None
        *line, in_htlc, out_htlc, usable, known_ns, source = found
        return HtlcFacts(HtlcRecord(*line), in_htlc, out_htlc, usable, known_ns, source or 0)

    def htlc_seq(self, channels: Sequence[int], in_htlc: int) -> int | None:
        """The HTLC that came in as a number on a channel, by whichever of its ids; None where it is
        not stored."""
        found = self._run(
            f"SELECT seq FROM htlc WHERE in_channel IN ({_list(channels)}) AND in_channel > 0 "
            "AND in_htlc = ?",
            (in_htlc,),
        ).fetchone()
        return int(found[0]) if found else None

    def attempts(self, opener: int, limit: int) -> list[HtlcRecord]:
        """The HTLCs of the payment that one opened, oldest first."""
        found = self._run("SELECT last_after FROM claim WHERE seq = ?", (opener,)).fetchone()
        if found is None:
            return []
        rows = self._run(
            f"{_LINE}seq BETWEEN ? AND ? AND claim_before = seq - ? ORDER BY seq LIMIT ?",
            (opener, opener + found[0], opener, limit),
        )
        return [HtlcRecord(*row) for row in rows]

    def _newest(self) -> int:
        found = self._run("SELECT max(seq) FROM htlc").fetchone()
        return int(found[0] or 0)

    def _indexed(self, ends: Sequence[Ends]) -> Ends | None:
        """The ends to search by: those an index finds few HTLCs of, the fewest first; of many,
        those that it has in order."""
        best: tuple[tuple[int, bool], Ends] | None = None
        for each in ends:
            if each.negated:
                continue
            count = sum(self._count(*side) for side in _sides(each))
            is_few = len(each.ins) + len(each.outs) <= _FEW_CHANNELS or count < _FEW_ROWS
            cost = count, bool(each.ins)
            if is_few and (best is None or cost < best[0]):
                best = cost, each
        return best[1] if best else None

    def _count(self, side: str, channels: frozenset[int]) -> int:
        (count,) = self._run(
            f"SELECT count(*) FROM (SELECT 1 FROM htlc WHERE {side} IN ({_list(channels)}) "
            f"{_OF_INDEX[side]} LIMIT ?)",
            (_FEW_ROWS,),
        ).fetchone()
        return int(count)

    def _candidates(self, ends: Ends, before_seq: int, size: int) -> list[int]:
        """The newest of the HTLCs with these ends, by index alone."""
        found: set[int] = set()
        for side, channels in _sides(ends):
            # One channel at a time where the index has them in order; else all are sorted at once.
            groups = [[c] for c in channels] if side == "out_channel" else [sorted(channels)]
            for group in groups:
                found.update(
                    seq
                    for (seq,) in self._run(
                        f"SELECT seq FROM htlc WHERE {side} IN ({_list(group)}) "
                        f"{_OF_INDEX[side]} AND seq < ? ORDER BY seq DESC LIMIT ?",
                        (before_seq, size),
                    )
                )
        return sorted(found, reverse=True)[:size]


_OF_INDEX = {"in_channel": "AND in_channel > 0", "out_channel": ""}
"""What a condition must say for its index to be used."""


def _sides(ends: Ends) -> list[tuple[str, frozenset[int]]]:
    sides = (("out_channel", ends.outs), ("in_channel", ends.ins))
    return [(side, channels) for side, channels in sides if channels]


def _conditions(pick: Pick, done: Ends | None) -> list[str]:
    """What a row must fulfil; numbers only, which need no marks. `done` is seen to elsewhere."""
    conditions = ["event_type > 0"]
    for ends in pick.ends:
        if ends is not done:
            sides = [f"{side} IN ({_list(channels)})" for side, channels in _sides(ends)]
            conditions.append(_not(f"({' OR '.join(sides) or '0'})", ends.negated))
    conditions += [_bounds(bounds) for bounds in pick.bounds]
    if pick.categories is not None:
        conditions.append(f"category IN ({_list(pick.categories)})")
    if pick.event_types is not None:
        conditions.append(f"event_type IN ({_list(pick.event_types)})")
    if pick.fates is not None:
        none, unseen = int(Outcome.NONE), int(Outcome.UNSEEN)
        fate = f"CASE WHEN outcome = {none} AND at < {pick.break_ns} THEN {unseen} ELSE outcome END"
        conditions.append(f"{fate} IN ({_list(pick.fates)})")
        if not pick.fates - {none, unseen}:
            conditions.append(f"outcome IN ({none}, {unseen})")
    if pick.until_ns is not None:
        conditions.append(f"at < {pick.until_ns}")
    return conditions


def _bounds(bounds: Bounds) -> str:
    if bounds.of_fee:
        known, value = "in_msat > 0 AND out_msat > 0", "in_msat - out_msat"
    else:
        known, value = (
            "out_msat + in_msat > 0",
            "CASE out_msat WHEN 0 THEN in_msat ELSE out_msat END",
        )
    parts = [
        f"{value} {op} {bound}"
        for op, bound in ((">=", bounds.low_msat), ("<=", bounds.high_msat))
        if bound is not None
    ]
    within = " AND ".join(parts)
    return f"({known}) AND {_not(f'({within})', bounds.negated)}"


def _not(condition: str, negated: bool) -> str:
    return f"NOT {condition}" if negated else condition


def _list(numbers: Collection[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
