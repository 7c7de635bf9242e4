"""What is new in a store since somebody last looked: HTLCs first seen, and HTLCs that ended."""

from dataclasses import dataclass

from htlctop.domain.codes import EventType, Outcome
from htlctop.domain.readers import StatsReader
from htlctop.domain.records import HtlcRecord

AT_ONCE = 2_000
"""HTLCs one step reads."""
MOST_WAITING = 5_000
"""HTLCs whose outcome is waited for; beyond them the oldest are let go."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far somebody has read: the newest arrival number seen, and the HTLCs among those up to
    it whose outcome is still to come, oldest first. `is_behind`: more is there to be read now."""

    seq: int
    waiting: tuple[int, ...]
    is_behind: bool = False


def start(reader: StatsReader) -> Cursor:
    """The cursor of somebody who has seen all that is stored."""
    return Cursor(reader.last_seq(), tuple(sorted(reader.waiting(MOST_WAITING))))


def step(reader: StatsReader, cursor: Cursor) -> tuple[Cursor, list[HtlcRecord]]:
    """What to report next, in the order in which it happened, and where that leaves the cursor.

    An HTLC is reported when it is first seen, and once more when its outcome arrives later.
    """
    fresh = reader.since(cursor.seq, AT_ONCE)
    ended = reader.decided(cursor.waiting) if cursor.waiting else []
    done = {record.seq for record in ended}
    waiting = [seq for seq in cursor.waiting if seq not in done]
    waiting += [record.seq for record in fresh if _is_open(record)]
    after = Cursor(
        fresh[-1].seq if fresh else cursor.seq,
        tuple(waiting[-MOST_WAITING:]),
        is_behind=len(fresh) == AT_ONCE,
    )
    # One whose final event alone was heard has no type yet: it is nobody's line until it has.
    lines = [r for r in (*ended, *fresh) if r.event_type != EventType.UNKNOWN]
    return after, sorted(lines, key=lambda record: record.ended_ns or record.at_ns)


def _is_open(record: HtlcRecord) -> bool:
    return record.outcome in (Outcome.NONE, Outcome.UNSEEN)
