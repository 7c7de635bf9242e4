"""The made-up node: what it says is what an LND says, and adds up to what its payers did."""

import json
import random
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from htlctop.domain.codes import Category, EventKind, EventType
from htlctop.domain.liquidity import spendable_sat
from htlctop.domain.types import NS, Channel, HtlcEvent
from htlctop.errors import UsageError
from htlctop.sim.synthetic.house import Refill, SetPolicy, StayOnline
from htlctop.sim.synthetic.node import SyntheticNode
from htlctop.sim.synthetic.people import Role, make_people
from htlctop.sim.synthetic.simulation import HOUR_NS, START_NS, Simulation
from htlctop.sim.synthetic.source import SyntheticSource, live_simulation
from htlctop.sim.synthetic.truth import Attempt, PaymentRecord, SendersLog, as_json
from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.methods import Method
from tests.truth import lost_by, tally

SEEDS = (1, 2, 3)
_ANCHORS_SAT = 660
FIXED_TIMES_NS = 900 * NS
"""Those who even out their own balances look at them so often; what they do depends on ours."""
LEGAL = {
    ("FORWARD forward", "FORWARD settle", "UNKNOWN final settled"),
    ("FORWARD forward", "FORWARD fail", "UNKNOWN final failed"),
    ("FORWARD forward", "FORWARD refused 15/8 without amounts", "UNKNOWN final failed"),
    ("FORWARD refused 15/8 without amounts", "UNKNOWN final failed"),
    *(
        (f"FORWARD refused {codes} with amounts", "UNKNOWN final failed")
        for codes in ("15/6", "19/6", "15/5", "19/5", "15/1", "12/1", "11/1", "13/1", "18/1")
    ),
    ("RECEIVE settle", "UNKNOWN final settled"),
    ("RECEIVE refused 1/19 incoming amount only", "UNKNOWN final failed"),
}
"""Every sequence that one incoming HTLC may have, as LND was recorded to say it."""


def run(seed: int, hours: float, **options: object) -> tuple[Simulation, list[HtlcEvent]]:
    simulation = Simulation(seed, **options)
    said = simulation.run(START_NS + int(hours * HOUR_NS))
    return simulation, [event for event in map(decode.htlc_event, said) if event is not None]


def word(event: HtlcEvent) -> str:
    """One event in the words of `LEGAL`."""
    kind = {
        EventKind.FORWARD: "forward", EventKind.SETTLE: "settle",
        EventKind.FORWARD_FAIL: "fail",
    }.get(event.kind)  # fmt: skip
    if event.kind is EventKind.FINAL:
        kind = "final settled" if event.settled else "final failed"
    if event.kind is EventKind.LINK_FAIL:
        amounts = {(True, True): "with amounts", (False, False): "without amounts"}.get(
            (event.incoming_amt_msat > 0, event.outgoing_amt_msat > 0), "incoming amount only"
        )
        kind = f"refused {event.wire_failure}/{event.failure_detail} {amounts}"
    return f"{EventType(event.event_type).name} {kind}"


def by_circuit(events: list[HtlcEvent]) -> dict[tuple[int, int], list[HtlcEvent]]:
    """The events of each HTLC that came in; our own sends apart."""
    found: dict[tuple[int, int], list[HtlcEvent]] = defaultdict(list)
    for event in events:
        if event.incoming_scid:
            found[event.incoming_scid, event.incoming_htlc_id].append(event)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_each_htlc_is_told_as_lnd_tells_it(seed):
    _, events = run(seed, 24)
    times = [event.timestamp_ns for event in events]
    assert times == sorted(times)
    circuits = by_circuit(events)
    seen = Counter(tuple(map(word, told)) for told in circuits.values())
    unfinished = {told for told in seen if "final" not in told[-1]}
    assert set(seen) - unfinished <= LEGAL
    assert all(any(whole[: len(told)] == told for whole in LEGAL) for told in unfinished)
    for told in circuits.values():
        *_, before, last = [None, *told]
        if before is not None and last is not None and last.kind is EventKind.FINAL:
            assert 9_000_000 <= last.timestamp_ns - before.timestamp_ns <= 236_000_000
            assert not last.outgoing_scid
        for one, other in pairwise(told):
            if other.failure_detail == 8:
                assert other.timestamp_ns - one.timestamp_ns == 60 * NS
                assert one.incoming_amt_msat > one.outgoing_amt_msat > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_ids_count_up_and_outgoing_ones_are_reused_only_after_an_add_that_failed(seed):
    _, events = run(seed, 24)
    incoming: dict[int, int] = {}
    for scid, number in by_circuit(events):
        assert number == incoming.get(scid, -1) + 1
        incoming[scid] = number
    lost = {
        (e.incoming_scid, e.incoming_htlc_id)
        for e in events
        if e.kind is EventKind.LINK_FAIL and e.failure_detail == 8
    }
    taken = Counter(
        (e.outgoing_scid, e.outgoing_htlc_id)
        for e in events
        if e.kind is EventKind.FORWARD and (e.incoming_scid, e.incoming_htlc_id) not in lost
    )
    assert max(taken.values()) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_channel_holds_never_changes(seed):
    simulation = Simulation(seed)
    until_ns, steps = START_NS + 12 * HOUR_NS, 0
    while simulation.next_ns() < until_ns:
        simulation.step()
        steps += 1
        if steps % 500 == 0:
            for _, channel in simulation.people.channels:
                pending = sum(p.amount_msat for p in channel.pending.values())
                total_msat = channel.own_msat + channel.their_msat + pending
                assert total_msat == channel.capacity_sat * 1000
                assert min(channel.own_msat, channel.their_msat) >= 0
    assert steps > 3_000


async def test_we_refuse_for_liquidity_exactly_what_we_cannot_send():
    simulation = Simulation(2)
    node = SyntheticNode(simulation, START_NS + 4 * HOUR_NS)
    before = await peers_channels(node)
    checked: Counter[str] = Counter()
    for event in node.events():
        named = before.get(event.outgoing_scid)
        if event.kind is EventKind.LINK_FAIL and event.failure_detail == 6:
            assert named is not None
            assert all(spendable_sat(c) * 1000 < event.outgoing_amt_msat for c in named[:1])
            checked["refused"] += 1
        elif event.kind is EventKind.FORWARD and event.incoming_scid and named:
            assert (spendable_sat(named[0]) + 1) * 1000 > event.outgoing_amt_msat
            checked["sent"] += 1
        before = await peers_channels(node)
    assert checked["refused"] > 15
    assert checked["sent"] > 60


async def peers_channels(node: SyntheticNode) -> dict[int, list[Channel]]:
    """By scid, the channel and its siblings."""
    listed = await node.list_channels()
    return {c.scid: [c, *(o for o in listed if o.peer == c.peer and o is not c)] for c in listed}


def test_one_seed_says_the_same_bytes_each_time_and_another_does_not():
    until_ns = START_NS + 2 * HOUR_NS
    first = Simulation(7).run(until_ns)
    assert first == Simulation(7).run(until_ns)
    assert first != Simulation(8).run(until_ns)


def test_an_action_changes_nothing_before_it_and_no_payment_after_it():
    at_ns, until_ns = START_NS + 2 * HOUR_NS, START_NS + 30 * HOUR_NS
    peer = make_people(5, 60).dry[0]
    plain = Simulation(5)
    filled = Simulation(5, actions=[Refill(at_ns, peer.pubkey, 2_000_000)])
    assert plain.run(at_ns) == filled.run(at_ns)
    before_msat = sum(c.own_msat for p, c in filled.people.channels if p.pubkey == peer.pubkey)
    filled.run(at_ns + 10 * NS)
    after_msat = sum(c.own_msat for p, c in filled.people.channels if p.pubkey == peer.pubkey)
    assert after_msat - before_msat == pytest.approx(2_000_000_000, rel=0.05)
    plain.run(until_ns)
    filled.run(until_ns)
    began = [
        {p.t_ns: (p.peer, p.amt_msat) for p in s.payments if p.t_ns % FIXED_TIMES_NS}
        for s in (plain, filled)
    ]
    shared = began[0].keys() & began[1].keys()
    assert len(shared) > 0.95 * len(began[0])
    assert all(began[0][t_ns] == began[1][t_ns] for t_ns in shared)
    assert lost_to(filled, peer.pubkey) < lost_to(plain, peer.pubkey)
    brought_msat = filled.earned_msat(peer.pubkey) - plain.earned_msat(peer.pubkey)
    rate_ppm = peer.channels[0].policy.rate_ppm
    assert brought_msat == pytest.approx(2_000_000 * rate_ppm / 1000, rel=0.35)


def test_policies_can_be_changed_and_peers_made_to_stay():
    people = make_people(4, 60)
    capped = next(p for p in people.peers if p.role is Role.CAPPED)
    flaky = next(p for p in people.peers if p.role is Role.FLAKY)
    mend = [
        SetPolicy(START_NS, capped.channels[0].scid, max_htlc_msat=10**9),
        StayOnline(START_NS, flaky.pubkey),
    ]
    sick, _ = run(4, 24)
    well, _ = run(4, 24, actions=mend)
    for pubkey in (capped.pubkey, flaky.pubkey):
        assert lost_to(sick, pubkey) > 0
        assert lost_to(well, pubkey) == 0


def lost_to(simulation: Simulation, pubkey: str) -> int:
    found = tally(simulation.payments).get(pubkey)
    return found.lost_msat if found else 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_payers_log_agrees_with_the_stream(seed):
    simulation, events = run(seed, 24)
    records = [*simulation.payments, *simulation.open_payments]
    attempts = [attempt for record in records for attempt in record.attempts]
    told = Counter(map(word, events))
    results = Counter(attempt.result for attempt in attempts)
    assert results["OK"] == pytest.approx(told["FORWARD settle"], abs=3)
    for name, codes in (
        ("FEE_INSUFFICIENT@1", "12/1"), ("AMOUNT_BELOW_MINIMUM@1", "11/1"),
        ("INCORRECT_CLTV_EXPIRY@1", "13/1"), ("UNKNOWN_NEXT_PEER@1", "18/1"),
    ):  # fmt: skip
        assert results[name] == pytest.approx(told[f"FORWARD refused {codes} with amounts"], abs=2)
    causes = Counter(attempt.cause for attempt in attempts)
    assert causes[Category.ADD_FAILED] > 0
    by_cause = causes[Category.LIQUIDITY] + causes[Category.MAX_HTLC]
    refused = sum(told[f"FORWARD refused {c} with amounts"] for c in ("15/6", "19/6", "15/5"))
    assert by_cause == pytest.approx(refused, abs=2)
    ids = [record.id for record in records]
    assert len(ids) == len(set(ids))


def test_every_trouble_is_somebodys_and_costs_whom_it_should():
    for seed in SEEDS:
        simulation, _ = run(seed, 48)
        roles = {peer.pubkey: peer.role for peer in simulation.people.peers}
        tallies = tally(simulation.payments)

        def worst(cause: Category, tallies=tallies, roles=roles) -> Role:
            return roles[max(tallies, key=lambda key: tallies[key].lost.get(cause, 0))]

        assert worst(Category.LIQUIDITY) is Role.DRY
        assert worst(Category.MAX_HTLC) is Role.CAPPED
        assert worst(Category.OFFLINE) is Role.FLAKY
        assert worst(Category.ADD_FAILED) is Role.CROWDED
        misaligned = max(tallies, key=lambda key: tallies[key].misaligned_msat)
        assert roles[misaligned] is Role.TWISTED
        total_msat = sum(found.lost_msat for found in tallies.values())
        healthy = (Role.ROUTER, Role.SINK, Role.SOURCE)
        for pubkey, found in tallies.items():
            if roles[pubkey] in healthy:
                assert found.lost_msat < total_msat // 100


def test_what_is_lost_by_a_payment_is_what_the_recordings_truth_would_say():
    def payment(kind: str, *attempts: tuple[str, int], ok: bool = False) -> PaymentRecord:
        record = PaymentRecord(1, kind, "a", "b", None, "02b", 1_000, 10, 0, ok)
        for result, fee_msat in attempts:
            attempt = an_attempt(result, fee_msat)
            record.attempts.append(attempt)
        return record

    refused, paid = "TEMPORARY_CHANNEL_FAILURE@1", "OK"
    for record, lost in (
        (payment("keysend", (refused, 10), (refused, 10)), 10),
        (payment("keysend", (refused, 10), (paid, 12), ok=True), 0),
        (payment("halve", (refused, 10), (paid, 5), ok=True), 5),
        (payment("mpp", (refused, 10), (refused, 10), (paid, 10)), 20),
        (payment("probe", (refused, 10)), 0),
        (payment("keysend", ("TEMPORARY_CHANNEL_FAILURE@0", 10)), 0),
    ):
        assert sum(lost_by(record).values()) == lost


def an_attempt(result: str, fee_msat: int) -> Attempt:
    cause = Category.LIQUIDITY if result.endswith("@1") else None
    return Attempt(0, 1_000, fee_msat, 1, result, cause)


def test_the_log_is_whole_json_after_every_payment(tmp_path):
    simulation, _ = run(1, 1)
    path = tmp_path / "truth.json"
    log = SendersLog(path)
    assert json.loads(path.read_text()) == []
    for number, record in enumerate(simulation.payments[:5], start=1):
        log.add(record)
        read = json.loads(path.read_text())
        assert read[-1] == json.loads(as_json(record))
        assert len(read) == number
    log.close()
    with pytest.raises(UsageError, match="cannot be made"):
        SendersLog(path)
    wanted = {"id", "kind", "src", "dst", "via", "amt_msat", "fee_msat", "attempts", "t_ns", "ok"}
    assert wanted <= read[0].keys()
    assert {"t_ns", "end_ns", "amt_msat", "fee_msat", "result"} <= read[0]["attempts"][0].keys()


async def test_its_answers_are_those_of_the_moment():
    simulation = Simulation(3)
    node = SyntheticNode(simulation, START_NS + 9 * HOUR_NS, shift_ns=5 * NS)
    events = list(node.events())
    channels = {c.scid: c for c in await node.list_channels()}
    assert len(channels) == 60
    for channel in channels.values():
        told_sat = channel.local_sat + channel.remote_sat + channel.unsettled_sat
        whole_sat = told_sat + channel.commit_fee_sat + _ANCHORS_SAT
        assert whole_sat == pytest.approx(channel.capacity_sat, abs=4)
    history = await node.forwarding_history(0, 4_000_000_000)
    settled = {
        (e.incoming_scid, e.incoming_htlc_id)
        for e in events
        if e.kind is EventKind.SETTLE and e.event_type == EventType.FORWARD
    }
    assert {(f.incoming_scid, f.incoming_htlc_id) for f in history} == settled
    times = {e.timestamp_ns for e in events if e.kind is EventKind.SETTLE}
    assert {f.timestamp_ns for f in history} <= times
    finals = [e for e in events if e.kind is EventKind.FINAL]
    for event in random.Random(1).sample(finals, 20):
        answer = await node.lookup_htlc(event.incoming_scid, event.incoming_htlc_id)
        assert answer is event.settled
    assert await node.lookup_htlc(finals[0].incoming_scid, 10**9) is None
    info = await node.get_info()
    fees = {policy.scid: policy for policy in await node.fee_report()}
    assert fees.keys() == channels.keys()
    private = [c for c in channels.values() if c.private]
    assert all(c.scid > 2**63 for c in private)
    assert await node.channel_limits(private[0].scid, info.pubkey) is None
    open_ones = [c for c in channels.values() if not c.private]
    limits = await node.channel_limits(open_ones[0].scid, info.pubkey)
    assert limits is not None
    assert limits.max_htlc_msat <= open_ones[0].capacity_sat * 1000
    connected = set(await node.connected_peers())
    assert connected == {c.peer for c in channels.values() if c.active}
    (closed,) = await node.closed_channels()
    assert closed.scid not in channels
    names = [c.peer_alias for c in channels.values()]
    assert "東京ルーター⚡" in names
    assert "" in names
    assert all(name.isprintable() for name in names)


async def test_channel_events_tell_each_change_of_a_balance():
    source = SyntheticSource(1)
    known = {c.scid: c for c in decode.channels(listed(source.answers))}
    until_ns = START_NS + HOUR_NS
    while source.next_ns() < until_ns:
        source.take()
        for message in source.changes(wanted=True):
            event = decode.channel_event(message)
            assert event is not None
            assert event.channel is not None
            known[event.channel.scid] = event.channel
    assert known == {c.scid: c for c in decode.channels(listed(source.answers))}
    source.take()
    assert source.changes(wanted=False) == ()


def listed(answers) -> ln.ListChannelsResponse:
    return ln.ListChannelsResponse.FromString(answers.answer(Method.LIST_CHANNELS, b""))


@pytest.mark.parametrize("count", [16, 59, 60, 121, 2_000])
def test_a_node_has_the_channels_it_was_asked_to_have(count):
    people = make_people(9, count)
    channels = [channel for _, channel in people.channels]
    assert len(channels) == count
    assert len({channel.scid for channel in channels}) == count
    names = [peer.name for peer in people.peers]
    assert len(set(names)) == len(names)
    assert all(len(peer.alias) <= 32 or peer.name == peer.pubkey for peer in people.peers)
    assert {Role.DRY, Role.FLAKY, Role.CAPPED} <= {peer.role for peer in people.peers}
    for channel in channels:
        assert 500_000 <= channel.capacity_sat <= 50_000_000


def test_a_day_is_at_most_two_thousand_htlcs():
    for seed in range(11, 15):
        simulation, _ = run(seed, 24)
        assert 1_200 <= simulation.hub.htlcs <= 2_000


def test_a_lively_node_is_never_silent_for_long():
    simulation = live_simulation(1, rush_after_ns=HOUR_NS)
    simulation.run(START_NS + HOUR_NS)
    said = simulation.run(START_NS + 2 * HOUR_NS)
    times = [event.timestamp_ns for event in map(decode.htlc_event, said) if event]
    silences = sorted(later - earlier for earlier, later in pairwise(times))
    assert silences[-1] < 30 * NS
    assert 3_600 < len(times) < 20_000
