"""One HTLC, one row: the state machine that joins LND's events by their incoming circuit.

The first outcome wins, later events only fill blanks, and a replayed event changes nothing.
"""

from collections import Counter
from enum import IntEnum
from typing import Protocol

from htlctop.domain.channels import ChannelMap
from htlctop.domain.codes import (
    Category,
    EventKind,
    EventType,
    Outcome,
    is_add_failed,
    refused_category,
)
from htlctop.domain.liquidity import Usable
from htlctop.domain.types import Forward, HtlcEvent

MAX_ROWS = 50_000
"""Rows kept in memory; what is dropped is in the store and is fetched again when named."""


class Source(IntEnum):
    """How an HTLC is known: from the stream, or only from LND's history of settled forwards, and
    then by its ids or, from an older node, by its channels, amounts and time."""

    STREAM = 0
    HISTORY = 1
    HISTORY_BY_AMOUNTS = 2


class Htlc:
    """One HTLC as it is known so far. Times ns, amounts msat (0: not told).

    `seq` is the arrival number of its first event and the row's identity; `outcome_seq` and
    `final_seq` those of its outcome and its final event. `claim` is the seq of the HTLC that
    opened the payment it belongs to (its own when it did), None outside of claims. `usable` is
    what could be sent toward the peer when it was lost, `source` how we know of it.
    """

    __slots__ = (
        "at_ns",
        "category",
        "claim",
        "event_type",
        "final_seq",
        "forwarded",
        "in_channel",
        "in_htlc",
        "in_msat",
        "out_channel",
        "out_htlc",
        "out_msat",
        "outcome",
        "outcome_ns",
        "outcome_seq",
        "seq",
        "source",
        "usable",
        "wire_detail",
    )

    def __init__(self, seq: int, at_ns: int, in_channel: int, in_htlc: int) -> None:
        self.seq = seq
        self.at_ns = at_ns
        self.in_channel = in_channel
        self.in_htlc = in_htlc
        self.event_type = 0
        self.out_channel = 0
        self.out_htlc = 0
        self.in_msat = 0
        self.out_msat = 0
        self.outcome: int = Outcome.NONE
        self.outcome_ns: int | None = None
        self.outcome_seq: int | None = None
        self.final_seq: int | None = None
        self.wire_detail: tuple[int, int] | None = None
        self.category: int = 0
        self.forwarded = False
        self.claim: int | None = None
        self.usable: Usable | None = None
        self.source: int = Source.STREAM


# Plain numbers where every event passes: an enum member costs a lookup each time it is named.
_FORWARDED, _FAILED_ON = int(EventKind.FORWARD), int(EventKind.FORWARD_FAIL)
_SETTLE, _FINAL = int(EventKind.SETTLE), int(EventKind.FINAL)
_UNSEEN = int(Outcome.UNSEEN)


HISTORY_SLACK_NS = 2_000_000_000
"""How far LND's history and its stream may differ about when a forward settled."""


class CircuitMemory(Protocol):
    """The rows already stored, asked for when an event names one that is no longer in memory."""

    def htlc(self, in_channel: int, in_htlc: int) -> Htlc | None:
        """The row of a circuit."""

    def sends(self, out_channel: int, out_htlc: int) -> list[Htlc]:
        """Our own sends that used this outgoing id, oldest first."""

    def highest_htlc(self, in_channel: int) -> int:
        """The highest HTLC id stored for an incoming channel, -1 for none."""

    def unresolved_like(
        self, in_channel: int, out_channel: int, in_msat: int, out_msat: int, until_ns: int
    ) -> Htlc | None:
        """The oldest forward of these channels and amounts, seen before, without an outcome."""

    def settled_without_amounts(
        self, in_channel: int, out_channel: int, from_ns: int, until_ns: int
    ) -> Htlc | None:
        """A forward between these channels that settled in [from, until], of unknown amounts."""

    def count_settled(
        self,
        in_channel: int,
        out_channel: int,
        in_msat: int,
        out_msat: int,
        from_ns: int,
        until_ns: int,
    ) -> int:
        """How many forwards of these channels and amounts settled in [from, until]."""


class Circuits:
    """Finds or makes the row of an event, and applies the event to it."""

    def __init__(self, channels: ChannelMap, memory: CircuitMemory) -> None:
        self._channels = channels
        self._memory = memory
        self._rows: dict[tuple[int, int], Htlc] = {}
        self._sends: dict[tuple[int, int], list[Htlc]] = {}
        self._highest: dict[int, int] = {}
        self._finished: list[tuple[int, int]] = []

    def find(self, event: HtlcEvent, seq: int, at_ns: int) -> Htlc | None:
        """The row this event belongs to, a new one if need be; None for a replay of a send."""
        if not event.incoming_scid:
            return self._find_send(event, seq, at_ns)
        channel = self._channels.resolve(event.incoming_scid).id
        number = event.incoming_htlc_id
        key = (channel, number)
        row = self._rows.get(key)
        if row is not None:
            return row
        highest = self._highest.get(channel)
        if highest is None:
            highest = self._highest[channel] = self._memory.highest_htlc(channel)
        if number > highest:
            self._highest[channel] = number
        else:
            row = self._memory.htlc(channel, number)
        if row is None:
            row = Htlc(seq, at_ns, channel, number)
        self._rows[key] = row
        return row

    def recall(self, forward: Forward, seq: int, known: Counter[tuple[int, ...]]) -> Htlc | None:
        """The row of a settled forward that LND's history tells of, a new one if need be.

        None where all of it is known already. `known` counts, for a node that gives no ids, how
        many of a kind were met in this history so far.
        """
        source = self._channels.resolve(forward.incoming_scid).id
        if forward.incoming_htlc_id is not None:
            event = HtlcEvent(
                EventKind.SETTLE, EventType.FORWARD, forward.timestamp_ns, forward.incoming_scid,
                forward.incoming_htlc_id,
            )  # fmt: skip
            row = self.find(event, seq, forward.timestamp_ns)
            if row is None or not (row.outcome in (Outcome.NONE, _UNSEEN) or _lacks_amounts(row)):
                return None
            self._finished.append((row.in_channel, row.in_htlc))
            return row
        out_channel = self._channels.resolve(forward.outgoing_scid).id
        kind = (source, out_channel, forward.incoming_amt_msat, forward.outgoing_amt_msat)
        at_ns = forward.timestamp_ns
        near = (at_ns - HISTORY_SLACK_NS, at_ns + HISTORY_SLACK_NS)
        known[*kind, at_ns // HISTORY_SLACK_NS] += 1
        if self._memory.count_settled(*kind, *near) >= known[*kind, at_ns // HISTORY_SLACK_NS]:
            return None
        row = self._memory.unresolved_like(*kind, at_ns)
        if row is None:
            row = self._memory.settled_without_amounts(source, out_channel, *near)
        if row is None:
            # No circuit is told: a made-up one, which no event can ever name.
            row = Htlc(seq, at_ns, source, -seq)
        self._rows[row.in_channel, row.in_htlc] = row
        self._finished.append((row.in_channel, row.in_htlc))
        return row

    def _find_send(self, event: HtlcEvent, seq: int, at_ns: int) -> Htlc | None:
        """Sends share the circuit (0, 0): they are joined by the outgoing id while in flight.

        That id is used again after an add that failed, and a local failure carries id 0.
        """
        channel = self._channels.resolve(event.outgoing_scid).id
        key = (channel, event.outgoing_htlc_id)
        rows = self._sends.get(key)
        if rows is None:
            rows = self._sends[key] = self._memory.sends(*key)
        for row in rows:
            if at_ns in (row.at_ns, row.outcome_ns):
                return None
        if event.kind in (_SETTLE, _FAILED_ON):
            for row in reversed(rows):
                if row.forwarded and not row.outcome:
                    return row
        row = Htlc(seq, at_ns, 0, 0)
        rows.append(row)
        return row

    def apply(self, row: Htlc, event: HtlcEvent, seq: int, at_ns: int) -> bool:
        """Take the event into its row. Returns whether anything changed."""
        kind = event.kind
        if kind == _FINAL:
            return self._apply_final(row, event, seq, at_ns)
        changed = self._fill_blanks(row, event)
        if kind == _FORWARDED:
            if not row.forwarded:
                row.forwarded = changed = True
                if row.category == Category.ADD_FAILED and row.claim is None:
                    row.category = Category.OFFLINE
        elif not row.outcome or row.outcome == _UNSEEN:
            if kind == _SETTLE:
                self._end(row, Outcome.SETTLED, seq, at_ns)
            elif kind == _FAILED_ON:
                self._end(row, Outcome.DOWNSTREAM, seq, at_ns)
            else:
                row.wire_detail = (event.wire_failure, event.failure_detail)
                self._end(row, Outcome.REFUSED, seq, at_ns, event)
            changed = True
        return changed

    def _apply_final(self, row: Htlc, event: HtlcEvent, seq: int, at_ns: int) -> bool:
        if row.final_seq is not None:
            return False
        row.final_seq = seq
        if not row.outcome:
            if event.settled:
                self._end(row, Outcome.SETTLED, seq, at_ns)
            else:
                self._end(row, Outcome.UNSEEN, seq, at_ns)
        self._finished.append((row.in_channel, row.in_htlc))
        return True

    def _fill_blanks(self, row: Htlc, event: HtlcEvent) -> bool:
        changed = False
        if not row.event_type and event.event_type:
            row.event_type = event.event_type
            if event.event_type == EventType.RECEIVE and is_add_failed(event.failure_detail):
                # Older nodes report their own full slots as a receive; no receive fails so.
                row.event_type = EventType.FORWARD
            changed = True
            if row.outcome:
                row.category = self._category(row, None)
        if event.outgoing_scid and not row.out_channel:
            row.out_channel = self._channels.resolve(event.outgoing_scid).id
            row.out_htlc = event.outgoing_htlc_id
            changed = True
        if event.incoming_amt_msat and not row.in_msat:
            row.in_msat = event.incoming_amt_msat
            changed = True
        if event.outgoing_amt_msat and not row.out_msat:
            row.out_msat = event.outgoing_amt_msat
            changed = True
        return changed

    def _end(
        self, row: Htlc, outcome: Outcome, seq: int, at_ns: int, event: HtlcEvent | None = None
    ) -> None:
        row.outcome = outcome
        row.outcome_seq = seq
        row.outcome_ns = at_ns
        row.category = self._category(row, event)

    def _category(self, row: Htlc, event: HtlcEvent | None) -> int:
        """The row's category, 0 while it has none. `event` is the link failure, where it is one."""
        if row.outcome == _UNSEEN:
            return 0
        if row.event_type == EventType.RECEIVE:
            return Category.RECEIVE
        if row.event_type == EventType.SEND:
            return Category.SEND
        if row.event_type != EventType.FORWARD:
            return 0
        if row.outcome == Outcome.SETTLED:
            return Category.SETTLED
        if row.outcome == Outcome.DOWNSTREAM:
            return Category.DOWNSTREAM
        if event is None:
            return row.category
        # A failure that names no channel is about the one that the forward_event named.
        named = self._channels.by_id(row.out_channel)
        if event.outgoing_scid:
            named = self._channels.resolve(event.outgoing_scid)
        return refused_category(
            event.wire_failure,
            event.failure_detail,
            out_is_open=named.is_open,
            out_was_ours=bool(named.peer),
            out_named=bool(named.id),
            has_amounts=bool(event.incoming_amt_msat),
            was_forwarded=row.forwarded,
        )

    def forget_written(self) -> None:
        """Drop what needs no more events. Call only when every row has been written."""
        for key in self._finished:
            self._rows.pop(key, None)
        self._finished.clear()
        self._sends.clear()
        excess = len(self._rows) - MAX_ROWS
        if excess > 0:
            # Those that ended go first: the oldest of them have long had their final event, or
            # come from a node too old to send one.
            ended = [key for key, row in self._rows.items() if row.outcome]
            for key in (ended + list(self._rows))[:excess]:
                self._rows.pop(key, None)


def _lacks_amounts(row: Htlc) -> bool:
    """A forward that was heard to settle, but not to begin."""
    return row.outcome == Outcome.SETTLED and not (row.in_msat and row.out_msat)
