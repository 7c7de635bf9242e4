"""The fold: events in arrival order -> rows, claims and bucket deltas, to be written as one.

A row counts in the bucket of its first event; later changes are signed deltas to that bucket, so
a bucket is always the exact sum of its rows.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from htlctop.domain.channels import ChannelMap, OurChannel, Peer
from htlctop.domain.circuits import CircuitMemory, Circuits, Htlc, Source
from htlctop.domain.claims import Claim, Pool
from htlctop.domain.codes import LOST, PRICED_OUT, Category, EventKind, EventType, Outcome
from htlctop.domain.demand import ClaimBook, ClaimMemory
from htlctop.domain.liquidity import Liquidity
from htlctop.domain.types import DEFAULTS, Forward, HtlcEvent, Settings

MINUTE_NS = 60_000_000_000
MAX_ID = 2**63 - 1

CellKey = tuple[int, int, int, int]
"""(minute since the epoch, outgoing channel, incoming peer, category)."""

COUNT, FEE_UNKNOWN, FEE, DEMAND, RECOVERED, CLAIMS, REPEATS = range(7)
"""What a cell sums. FEE is asked, offered or earned msat, by the category's group."""

# Plain numbers where every event passes: an enum member costs a lookup each time it is named.
_SUBSCRIBED, _FINAL = int(EventKind.SUBSCRIBED), int(EventKind.FINAL)
_NO_HTLC = (_SUBSCRIBED, int(EventKind.NONE))
_FORWARD, _UNSEEN, _SETTLED = int(EventType.FORWARD), int(Outcome.UNSEEN), int(Outcome.SETTLED)

_POOLS: dict[int, Pool] = dict.fromkeys(LOST, Pool.LOST)
_POOLS |= dict.fromkeys(PRICED_OUT, Pool.PRICED_OUT)
_POOLS[Category.DOWNSTREAM] = Pool.FORWARDED


class Memory(CircuitMemory, ClaimMemory, Protocol):
    """What the fold asks the store for."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one batch changed: to be written in one transaction.

    `seq` is the arrival number of the last event folded, `high_ns` the node's clock then.
    """

    seq: int
    high_ns: int
    rows: list[Htlc]
    claims: list[Claim]
    cells: dict[CellKey, list[int]]
    peers: list[Peer]
    channels: list[OurChannel]


class Fold:
    """Applies events; what changed is taken in batches. Pure but for what it asks `memory`."""

    def __init__(
        self,
        channels: ChannelMap,
        memory: Memory,
        settings: Settings = DEFAULTS,
        *,
        seq: int = 0,
        high_ns: int = 0,
        claims: list[Claim] | None = None,
    ) -> None:
        self.channels = channels
        self.liquidity = Liquidity()
        self.seq = seq
        self.ignored = 0
        self._circuits = Circuits(channels, memory)
        self._book = ClaimBook(memory, settings)
        self._book.restore(claims or [], high_ns)
        self._memory = memory
        self._rows: dict[int, Htlc] = {}
        self._cells: dict[CellKey, list[int]] = {}
        self.half_told: dict[tuple[int, int], int] = {}
        """Forwards that were heard to settle but not to begin, so that only the node's history
        knows their amounts: (incoming scid, HTLC id) -> when they settled, ns."""

    @property
    def high_ns(self) -> int:
        """The node's clock: the newest time that was folded, 0 before the first."""
        return self._book.high_ns

    def apply(self, event: HtlcEvent, received_ns: int) -> None:
        """Fold one event. `received_ns` stands in for a timestamp that LND did not send.

        Events that concern no HTLC, or that we cannot read, are counted in `ignored`.
        """
        self.seq += 1
        kind = event.kind
        if kind in _NO_HTLC or event.incoming_htlc_id > MAX_ID or event.outgoing_htlc_id > MAX_ID:
            self.ignored += kind != _SUBSCRIBED
            return
        at_ns = event.timestamp_ns or received_ns
        self._book.tick(at_ns)
        row = self._circuits.find(event, self.seq, at_ns)
        if row is None:
            return
        before = self._worth(row) if row.category else None
        was_known = before is not None and _is_known(row)
        if not self._circuits.apply(row, event, self.seq, at_ns):
            return
        self._rows[row.seq] = row
        if kind == _FINAL:
            self._book.final(row)
        if not row.category:
            return
        after = self._worth(row)
        if after != before:
            if before is not None:
                self._add(before, -1)
            self._add(after, 1)
        if before is None and row.category in LOST:
            out_peer = self.channels.by_id(row.out_channel).peer
            row.usable = self.liquidity.toward(self.channels.pubkey(out_peer))
        if was_known:
            return
        if _is_known(row):
            self._claim(row)
        elif row.category == Category.SETTLED:
            self.half_told[event.incoming_scid, event.incoming_htlc_id] = at_ns

    def learn(self, forwards: Iterable[Forward]) -> int:
        """Take over settled forwards from LND's history that the stream did not tell in full.

        One that was seen to start gets its outcome as from the stream, one that was only heard to
        settle its amounts. One that is known from history alone is booked when it settled, and
        takes no part in claims, recovered or settle rate. Returns how many were news.
        """
        known: Counter[tuple[int, ...]] = Counter()
        learned = 0
        for forward in forwards:
            self.seq += 1
            row = self._circuits.recall(forward, self.seq, known)
            if row is None:
                continue
            learned += 1
            settled = HtlcEvent(
                EventKind.SETTLE, EventType.FORWARD, forward.timestamp_ns,
                forward.incoming_scid, row.in_htlc, forward.outgoing_scid,
                forward.outgoing_htlc_id or 0, forward.incoming_amt_msat, forward.outgoing_amt_msat,
            )  # fmt: skip
            is_new = row.seq == self.seq
            if row.category:
                self._add(self._worth(row), -1)
            self._circuits.apply(row, settled, self.seq, forward.timestamp_ns)
            self._rows[row.seq] = row
            self._add(self._worth(row), 1)
            if is_new:
                by_ids = forward.incoming_htlc_id is not None
                row.source = Source.HISTORY if by_ids else Source.HISTORY_BY_AMOUNTS
            elif _is_known(row):
                self._claim(row)
        return learned

    def take(self) -> Changes:
        """What changed since the last call. The caller writes it before it applies more."""
        peers, channels = self.channels.take_changes()
        changes = Changes(
            self.seq,
            self._book.high_ns,
            list(self._rows.values()),
            self._book.take_changed(),
            {key: sums for key, sums in self._cells.items() if any(sums)},
            peers,
            channels,
        )
        self._rows, self._cells = {}, {}
        self._circuits.forget_written()
        return changes

    def _worth(self, row: Htlc) -> tuple[CellKey, int, int]:
        """What a row that has a category adds to its bucket: (cell, fee unknown, fee)."""
        cell = self._cell(row, row.category)
        if row.in_msat and row.out_msat:
            return cell, 0, row.in_msat - row.out_msat
        return cell, 1, 0

    def _cell(self, row: Htlc, category: int) -> CellKey:
        in_peer = self.channels.by_id(row.in_channel).peer
        return row.at_ns // MINUTE_NS, row.out_channel, in_peer, category

    def _claim(self, row: Htlc) -> None:
        """The pass that a forward with its outcome and its amounts goes through, once."""
        in_peer = self.channels.by_id(row.in_channel).claim_peer
        out_peer = self.channels.by_id(row.out_channel).claim_peer
        pool = _POOLS.get(row.category)
        if row.outcome == _SETTLED:
            closed, lost, taken = self._book.settle(row, in_peer, out_peer)
            if closed is not None and not closed.is_repeat:
                self._bump(closed.cell, CLAIMS, -1)
                self._bump((*closed.cell[:3], Category.SETTLED), CLAIMS, 1)
            else:
                self._bump(self._cell(row, Category.SETTLED), CLAIMS, 1)
            if lost is not None:
                self._bump(lost.cell, RECOVERED, taken)
        elif pool is not None:
            cell = self._cell(row, row.category)
            claim, opened = self._book.attempt(pool, row, in_peer, out_peer, self.seq, cell)
            if opened and claim.is_repeat:
                self._bump(cell, REPEATS, 1)
            elif opened:
                self._bump(cell, CLAIMS, 1)
                self._bump(cell, DEMAND, claim.fee_msat)

    def _bump(self, cell: CellKey, column: int, by: int) -> None:
        sums = self._cells.get(cell)
        if sums is None:
            sums = self._cells[cell] = [0] * 7
        sums[column] += by

    def _add(self, worth: tuple[CellKey, int, int], sign: int) -> None:
        cell, unknown, fee = worth
        sums = self._cells.get(cell)
        if sums is None:
            sums = self._cells[cell] = [0] * 7
        sums[COUNT] += sign
        sums[FEE_UNKNOWN] += sign * unknown
        sums[FEE] += sign * fee


def _is_known(row: Htlc) -> bool:
    """A forward whose outcome and amounts are both there: it can enter a claim."""
    return bool(
        row.outcome
        and row.in_msat
        and row.out_msat
        and row.event_type == _FORWARD
        and row.outcome != _UNSEEN
    )
