"""Builds events in the order LND sends them, and folds them with a store in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from htlctop.domain.channels import ChannelMap
from htlctop.domain.circuits import Htlc
from htlctop.domain.claims import Claim
from htlctop.domain.codes import LOST, Category, EventKind, EventType
from htlctop.domain.fold import (
    CLAIMS,
    COUNT,
    DEMAND,
    FEE,
    RECOVERED,
    REPEATS,
    CellKey,
    Fold,
)
from htlctop.domain.types import NS, Channel, HtlcEvent

T0 = 1_795_300_000 * NS
ANN, BEN, CAT, CAT2, DAN = 101, 102, 201, 202, 301
CHANNELS = (
    Channel(ANN, "02" + "a" * 64, "ann"),
    Channel(BEN, "02" + "b" * 64, "ben"),
    Channel(CAT, "02" + "c" * 64, "cat"),
    Channel(CAT2, "02" + "c" * 64, "cat"),
    Channel(DAN, "02" + "d" * 64, "dan"),
)


class MemoryStore:
    """Implements `fold.Memory` over what was taken from a fold."""

    def __init__(self) -> None:
        self.rows: dict[int, Htlc] = {}
        self.claims: dict[int, Claim] = {}
        self.cells: dict[CellKey, list[int]] = {}
        self.channels = ChannelMap()

    def keep(self, fold: Fold) -> None:
        changes = fold.take()
        self.rows.update({row.seq: row for row in changes.rows})
        self.claims.update({claim.seq: claim for claim in changes.claims})
        for key, sums in changes.cells.items():
            known = self.cells.setdefault(key, [0] * 7)
            self.cells[key] = [a + b for a, b in zip(known, sums, strict=True)]

    def htlc(self, in_channel: int, in_htlc: int) -> Htlc | None:
        found = (
            r for r in self.rows.values() if (r.in_channel, r.in_htlc) == (in_channel, in_htlc)
        )
        return next(found, None)

    def sends(self, out_channel: int, out_htlc: int) -> list[Htlc]:
        return [
            row
            for row in self.rows.values()
            if not row.in_channel and (row.out_channel, row.out_htlc) == (out_channel, out_htlc)
        ]

    def highest_htlc(self, in_channel: int) -> int:
        return max(
            (r.in_htlc for r in self.rows.values() if r.in_channel == in_channel), default=-1
        )

    def claim_times(
        self, pool: int, in_peer: int, out_peer: int, low_msat: int, high_msat: int, since_ns: int
    ) -> list[int]:
        return [
            claim.opened_ns
            for claim in self.claims.values()
            if (claim.pool, claim.in_peer, claim.out_peer) == (pool, in_peer, out_peer)
            and low_msat <= claim.amount_msat <= high_msat
            and claim.opened_ns >= since_ns
        ]

    def settled_between(
        self,
        in_peer: int,
        out_peer: int,
        low_msat: int,
        high_msat: int,
        since_ns: int,
        until_ns: int,
    ) -> bool:
        return any(
            row.category == Category.SETTLED
            and self.channels.by_id(row.in_channel).claim_peer == in_peer
            and self.channels.by_id(row.out_channel).claim_peer == out_peer
            and low_msat <= row.out_msat <= high_msat
            and since_ns <= (row.outcome_ns or 0) < until_ns
            for row in self.rows.values()
        )


@dataclass
class Stream:
    """Writes events; `at` is seconds after T0. Each method returns the HTLC id it used."""

    events: list[HtlcEvent] = field(default_factory=list)
    next_id: int = 0

    def add(self, kind: EventKind, at: float, htlc: int, **fields: int) -> None:
        defaults = {"event_type": EventType.FORWARD, "incoming_scid": ANN}
        self.events.append(
            HtlcEvent(
                kind,
                timestamp_ns=T0 + round(at * NS),
                incoming_htlc_id=htlc,
                **{**defaults, **fields},
            )
        )

    def new(self) -> int:
        self.next_id += 1
        return self.next_id

    def refuse(
        self,
        at: float,
        out_msat: int,
        fee_msat: int,
        *,
        wire: int = 15,
        detail: int = 6,
        out: int = DAN,
        src: int = ANN,
        final: float | None = 0.02,
    ) -> int:
        htlc = self.new()
        self.add(
            EventKind.LINK_FAIL, at, htlc, incoming_scid=src, outgoing_scid=out,
            incoming_amt_msat=out_msat + fee_msat if out_msat else 0, outgoing_amt_msat=out_msat,
            wire_failure=wire, failure_detail=detail,
        )  # fmt: skip
        if final is not None:
            self.final(at + final, htlc, src=src)
        return htlc

    def final(self, at: float, htlc: int, *, settled: bool = False, src: int = ANN) -> None:
        self.add(
            EventKind.FINAL, at, htlc, incoming_scid=src, event_type=EventType.UNKNOWN,
            settled=settled,
        )  # fmt: skip

    def forward(
        self, at: float, out_msat: int, fee_msat: int, *, out: int = DAN, src: int = ANN
    ) -> int:
        htlc = self.new()
        self.add(
            EventKind.FORWARD, at, htlc, incoming_scid=src, outgoing_scid=out,
            outgoing_htlc_id=htlc, incoming_amt_msat=out_msat + fee_msat,
            outgoing_amt_msat=out_msat,
        )  # fmt: skip
        return htlc

    def settle(self, at: float, htlc: int, *, out: int = DAN, src: int = ANN) -> None:
        self.add(
            EventKind.SETTLE, at, htlc, incoming_scid=src, outgoing_scid=out, outgoing_htlc_id=htlc
        )
        self.final(at + 0.04, htlc, settled=True, src=src)

    def fail(self, at: float, htlc: int, *, out: int = DAN, src: int = ANN) -> None:
        self.add(EventKind.FORWARD_FAIL, at, htlc, incoming_scid=src, outgoing_scid=out)
        self.final(at + 0.04, htlc, src=src)


def new_fold(store: MemoryStore) -> Fold:
    store.channels.update(CHANNELS, ())
    return Fold(store.channels, store)


def fold(events: Iterable[HtlcEvent], every: int = 7) -> MemoryStore:
    """Fold events, taking what changed every so many."""
    store = MemoryStore()
    folding = new_fold(store)
    for index, event in enumerate(events):
        folding.apply(event, T0)
        if index % every == every - 1:
            store.keep(folding)
    store.keep(folding)
    return store


@dataclass(frozen=True)
class Figures:
    """What the lost cells of a store add up to."""

    asked: int
    demand: int
    recovered: int
    claims: int
    repeats: int

    @property
    def net(self) -> int:
        return self.demand - self.recovered


def lost(store: MemoryStore) -> Figures:
    cells = [sums for key, sums in store.cells.items() if key[3] in LOST]
    return Figures(*(sum(c[i] for c in cells) for i in (FEE, DEMAND, RECOVERED, CLAIMS, REPEATS)))


def counts(store: MemoryStore) -> dict[str, int]:
    """How many HTLCs each category has."""
    found: dict[str, int] = {}
    for key, sums in store.cells.items():
        label = Category(key[3]).label
        found[label] = found.get(label, 0) + sums[COUNT]
    return {label: n for label, n in found.items() if n}
