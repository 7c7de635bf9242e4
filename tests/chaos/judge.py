"""Compares a store with what was told: nothing lost, nothing made up, no time claimed in vain."""

import bisect
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from htlctop.domain.codes import EventKind, EventType, Outcome
from htlctop.domain.coverage import NOT_RUNNING, Interval, gaps, union
from htlctop.domain.records import DAY, HOUR, PAIR_SPANS, SPANS
from htlctop.domain.types import HtlcEvent
from tests.chaos.told import Circuit, Told, outcome

NS = 1_000_000_000
EDGE_NS = NS // 20
"""How long a message may be under way, from the log's clock to the collector's."""
DEAF_NS = 2 * NS
"""How long a subscription may be open at one end only, when the other is lost or stopped."""


@dataclass
class Verdict:
    """`violations` holds examples, `counts` how many there are of each kind; `facts` is a table."""

    facts: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def violate(self, kind: str, example: str) -> None:
        """Something that must not be."""
        self.counts[kind] += 1
        if self.counts[kind] <= 5:
            self.violations.append(f"{kind}: {example}")


@dataclass(frozen=True)
class Life:
    """One collecting process. `killed`: by SIGKILL, so that it could not say that it stops."""

    start_ns: int
    end_ns: int
    killed: bool


class _Covered:
    """Whether a moment was covered."""

    def __init__(self, intervals: list[Interval]) -> None:
        self._joined = union(intervals)
        self._starts = [item.start_ns for item in self._joined]

    def holds(self, t_ns: int) -> bool:
        index = bisect.bisect_right(self._starts, t_ns - EDGE_NS) - 1
        return index >= 0 and t_ns + EDGE_NS <= self._joined[index].until_ns


def judge(store: Path, told: Told, load: dict[Circuit, Outcome], lives: list[Life]) -> Verdict:
    """Everything that can be told from the store and the log."""
    verdict = Verdict()
    with sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True) as db:
        (sound,) = db.execute("PRAGMA integrity_check").fetchone()
        if sound != "ok":
            verdict.violate("the store is damaged", sound)
            return verdict
        intervals = [
            Interval(*row)
            for row in db.execute("SELECT start, until, ended_by, shed FROM coverage ORDER BY id")
        ]
        _judge_htlcs(db, told, load, _Covered(intervals), verdict)
        _judge_buckets(db, intervals, verdict)
    _judge_coverage(intervals, told, lives, verdict)
    return verdict


def _judge_htlcs(
    db: sqlite3.Connection,
    told: Told,
    load: dict[Circuit, Outcome],
    covered: _Covered,
    verdict: Verdict,
) -> None:
    scids = {id_: int(scid) for id_, scid in db.execute("SELECT id, scid FROM channel")}
    stored: dict[Circuit, tuple[int, int, int]] = {}
    rows = db.execute(
        "SELECT in_channel, in_htlc, outcome, in_msat, out_msat FROM htlc WHERE in_channel > 0"
    )
    for in_channel, in_htlc, ended, in_msat, out_msat in rows:
        key = scids[in_channel], in_htlc
        if key in stored:
            verdict.violate("stored twice", str(key))
        if key not in told.circuits and key not in load:
            verdict.violate("never told", str(key))
        stored[key] = ended, in_msat, out_msat
    due = exact = 0
    for key, events in told.circuits.items():
        heard = [event for t_ns, event in events if covered.holds(t_ns)]
        heard = [event for event in heard if event.kind is not EventKind.NONE]
        if not heard:
            continue
        due += 1
        found = stored.get(key)
        if found is None:
            verdict.violate("lost", f"{key}: {_words(events)}")
            continue
        ended, in_msat, out_msat = found
        wanted = outcome(heard)
        all_told = outcome(event for _, event in events)
        allowed = {wanted}
        if wanted in (Outcome.NONE, Outcome.UNSEEN):
            # What was told at the edge of a gap, or is known from history.
            allowed |= {all_told, load.get(key, wanted)}
            if load.get(key) in (Outcome.REFUSED, Outcome.DOWNSTREAM):
                allowed.add(Outcome.UNSEEN)
        elif len(heard) < len(events):
            # An outcome before the one heard may have come at the edge of a gap.
            allowed.add(all_told)
        exact += ended == wanted
        if ended not in allowed:
            verdict.violate(
                "wrong outcome",
                f"{key}: stored {Outcome(ended).name}, told {wanted.name}: {_words(events)}",
            )
        amounts = next(((e.incoming_amt_msat, e.outgoing_amt_msat) for e in heard
                        if e.incoming_amt_msat and e.outgoing_amt_msat), None)  # fmt: skip
        if amounts is not None and not (in_msat and out_msat):
            verdict.violate("amounts lost", f"{key}: {in_msat}, {out_msat} for {amounts}")
    _judge_sends(db, told, scids, covered, verdict)
    verdict.facts["messages told"] = f"{told.messages:,} ({told.malformed:,} malformed)"
    verdict.facts["HTLCs told"] = f"{len(told.circuits):,}"
    verdict.facts["of which while covered"] = f"{due:,}"
    verdict.facts["stored with what was told then"] = f"{exact:,}"
    verdict.facts["stored in all"] = f"{len(stored):,}"


def _judge_sends(
    db: sqlite3.Connection,
    told: Told,
    scids: dict[int, int],
    covered: _Covered,
    verdict: Verdict,
) -> None:
    rows = Counter(
        (scids[channel], number, at_ns)
        for channel, number, at_ns in db.execute(
            "SELECT out_channel, out_htlc, at FROM htlc WHERE in_channel = 0 AND event_type = ?",
            (int(EventType.SEND),),
        )
    )
    for t_ns, event in told.sends:
        if covered.holds(t_ns):
            found = rows[event.outgoing_scid, event.outgoing_htlc_id, event.timestamp_ns]
            if found != 1:
                verdict.violate("a send is not stored once", f"{found} times: {event}")


def _judge_buckets(db: sqlite3.Connection, intervals: list[Interval], verdict: Verdict) -> None:
    """Buckets of every width are the exact sum of the rows of the run; the days' of all rows."""
    first_ns = min((item.start_ns for item in intervals), default=0)
    last_ns = max((item.until_ns for item in intervals), default=0)
    for span, width_ns in enumerate(SPANS):
        # Clocks that are off put rows up to an hour beside the run.
        start, end = (0, 2**62 // SPANS[0]) if span == DAY else (
            (first_ns - 2 * SPANS[HOUR]) // width_ns, (last_ns + 2 * SPANS[HOUR]) // width_ns,
        )  # fmt: skip
        counted = dict(
            db.execute(
                "SELECT category, count(*) FROM htlc WHERE category > 0 "
                "AND at / ? >= ? AND at / ? < ? GROUP BY category",
                (width_ns, start, width_ns, end),
            )
        )
        for table in ("by_channel", "by_pair") if span in PAIR_SPANS else ("by_channel",):
            summed = dict(
                db.execute(
                    f"SELECT category, sum(n) FROM {table} "
                    "WHERE span = ? AND start >= ? AND start < ? GROUP BY category",
                    (span, start, end),
                )
            )
            if {k: v for k, v in summed.items() if v} != counted:
                verdict.violate(
                    "buckets differ from rows", f"{table}, span {span}: {summed} for {counted}"
                )


def _judge_coverage(
    intervals: list[Interval], told: Told, lives: list[Life], verdict: Verdict
) -> None:
    if not intervals:
        verdict.violate("no coverage", "there is no interval")
        return
    start_ns = min(item.start_ns for item in intervals)
    end_ns = max(item.until_ns for item in intervals)
    for gap in gaps(intervals, start_ns, end_ns):
        died = any(life.killed and gap.from_ns - DEAF_NS <= life.end_ns <= gap.until_ns
                   for life in lives)  # fmt: skip
        if not gap.reason.strip() or (gap.reason == NOT_RUNNING and not died):
            verdict.violate(
                "a gap without a reason",
                f"{(gap.until_ns - gap.from_ns) / NS:.2f} s at "
                f"{(gap.from_ns - start_ns) / NS:.1f} s: {gap.reason!r}",
            )
    joined = union(intervals)
    deaf = _outside(joined, [(start, end) for start, end in told.listening])
    for from_ns, until_ns in deaf:
        if until_ns - from_ns > DEAF_NS:
            verdict.violate(
                "covered while nobody listened",
                f"{(until_ns - from_ns) / NS:.1f} s at {(from_ns - start_ns) / NS:.1f} s",
            )
    covered_ns = sum(item.until_ns - item.start_ns for item in joined)
    found = gaps(intervals, start_ns, end_ns)
    listened_ns = sum(b - a for a, b in told.listening)
    verdict.facts["covered"] = (
        f"{covered_ns / NS:.1f} of {(end_ns - start_ns) / NS:.1f} s, "
        f"subscribed {listened_ns / NS:.1f}"
    )
    silent = sum(gap.reason == NOT_RUNNING for gap in found)
    verdict.facts["gaps"] = f"{len(found)}, of which not running {silent}"


def _outside(joined: list[Interval], listening: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of the intervals in which no subscription was open."""
    found = []
    for item in joined:
        at_ns = item.start_ns
        for start, end in listening:
            if end <= at_ns:
                continue
            if start >= item.until_ns:
                break
            if start > at_ns:
                found.append((at_ns, start))
            at_ns = max(at_ns, end)
        if at_ns < item.until_ns:
            found.append((at_ns, item.until_ns))
    return found


def _words(events: list[tuple[int, HtlcEvent]]) -> str:
    return " ".join(f"{event.kind.name}@{t_ns / NS % 1000:.2f}" for t_ns, event in events)
