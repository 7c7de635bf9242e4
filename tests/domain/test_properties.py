"""What holds for any order, any loss and any repetition of what LND tells."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from htlctop.domain.codes import Category, Outcome
from htlctop.domain.fold import CLAIMS, COUNT, DEMAND, FEE, FEE_UNKNOWN, MINUTE_NS, RECOVERED
from htlctop.domain.types import HtlcEvent
from tests.support import ANN, BEN, CAT, CAT2, DAN, MemoryStore, Stream, fold

AMOUNTS = (100_000_000, 100_100_000, 50_000_000, 25_000_000, 7_000_000)
KINDS = ("refuse", "settle", "fail", "late", "add_failed", "in_flight", "fee", "offline")


@dataclass(frozen=True)
class Try:
    """One HTLC to be told of."""

    kind: str
    at: float
    amount: int
    fee: int
    src: int
    out: int


tries = st.lists(
    st.builds(
        Try,
        kind=st.sampled_from(KINDS),
        at=st.integers(0, 4000).map(lambda n: n / 10),
        amount=st.sampled_from(AMOUNTS),
        fee=st.integers(0, 50_000),
        src=st.sampled_from((ANN, BEN)),
        out=st.sampled_from((CAT, CAT2, DAN)),
    ),
    max_size=30,
)


def told(wanted: list[Try]) -> list[HtlcEvent]:
    """The events of these HTLCs, in the order of their times."""
    s = Stream()
    for item in wanted:
        where = {"src": item.src, "out": item.out}
        if item.kind == "refuse":
            s.refuse(item.at, item.amount, item.fee, **where)
        elif item.kind == "fee":
            s.refuse(item.at, item.amount, item.fee, wire=12, detail=1, **where)
        elif item.kind == "offline":
            s.refuse(item.at, item.amount, item.fee, wire=18, detail=1, **where)
        elif item.kind == "add_failed":
            s.refuse(item.at, 0, 0, detail=8, **where)
        else:
            htlc = s.forward(item.at, item.amount, item.fee, **where)
            if item.kind == "settle":
                s.settle(item.at + 1, htlc, **where)
            elif item.kind == "fail":
                s.fail(item.at + 1, htlc, **where)
            elif item.kind == "late":
                s.next_id -= 1
                s.refuse(item.at + 60, 0, 0, detail=8, **where)
    return sorted(s.events, key=lambda event: event.timestamp_ns)


def check(store: MemoryStore) -> None:
    """Buckets are the sum of their rows, each HTLC counts once, and every cell is in order."""
    seen: set[tuple[int, int]] = set()
    sums: dict[tuple[int, ...], list[int]] = {}
    for row in store.rows.values():
        key = (row.in_channel, row.in_htlc)
        assert key not in seen, "one HTLC, one row"
        seen.add(key)
        if row.category:
            peer = store.channels.by_id(row.in_channel).peer
            cell = (row.at_ns // MINUTE_NS, row.out_channel, peer, row.category)
            known = sums.setdefault(cell, [0, 0, 0])
            known[0] += 1
            if row.in_msat and row.out_msat:
                known[2] += row.in_msat - row.out_msat
            else:
                known[1] += 1
    booked = {
        key: [cell[COUNT], cell[FEE_UNKNOWN], cell[FEE]]
        for key, cell in store.cells.items()
        if cell[COUNT]
    }
    assert booked == sums
    for cell in store.cells.values():
        assert 0 <= cell[RECOVERED] <= cell[DEMAND] <= max(cell[FEE], 0)
        assert cell[CLAIMS] >= 0


@given(tries)
def test_in_order_everything_adds_up(wanted):
    check(fold(told(wanted)))


@given(tries, st.randoms(use_true_random=False))
def test_in_any_order_nothing_is_counted_twice(wanted, random):
    events = told(wanted)
    random.shuffle(events)
    check(fold(events))


@given(tries, st.data())
def test_losses_and_repetitions_never_count_twice_or_invent_failures(wanted, data):
    events = told(wanted)
    kept = [e for e in events if not data.draw(st.sampled_from((False, False, False, True)))]
    again = kept + [e for e in kept if data.draw(st.booleans())]
    store = fold(again)
    check(store)
    failed = {(e.incoming_scid, e.incoming_htlc_id) for e in kept if e.kind.name in ("LINK_FAIL",)}
    for row in store.rows.values():
        if row.outcome == Outcome.REFUSED:
            scid = ANN if store.channels.resolve(ANN).id == row.in_channel else BEN
            assert (scid, row.in_htlc) in failed


@given(tries)
def test_hearing_it_all_a_second_time_changes_nothing(wanted):
    events = told(wanted)
    once, twice = fold(events), fold(events + events)
    assert {k: c for k, c in once.cells.items() if any(c)} == {
        k: c for k, c in twice.cells.items() if any(c)
    }


@given(tries, st.integers(1, 50))
def test_the_size_of_batches_changes_nothing(wanted, every):
    events = told(wanted)
    assert _state(fold(events, every=1)) == _state(fold(events, every=every))


def test_a_forward_whose_failure_was_not_seen_is_never_called_refused():
    s = Stream()
    htlc = s.forward(0, 50_000_000, 5_000)
    s.final(1, htlc)
    store = fold(s.events)
    assert [row.outcome for row in store.rows.values()] == [Outcome.UNSEEN]
    assert not store.cells
    s.fail(2, htlc)
    assert [row.category for row in fold(s.events).rows.values()] == [Category.DOWNSTREAM]


def _state(store: MemoryStore) -> tuple[object, ...]:
    claims = [
        (c.seq, c.fee_msat, c.recovered_msat, c.last_seq, c.is_repeat, c.is_success)
        for c in sorted(store.claims.values(), key=lambda c: c.seq)
    ]
    return {k: c for k, c in store.cells.items() if any(c)}, claims
