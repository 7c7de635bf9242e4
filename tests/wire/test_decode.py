"""LND's bytes into domain types."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htlctop.domain.codes import EventKind, EventType
from htlctop.domain.types import ChannelEventKind, NodeState
from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.recording import Recording

U64 = st.integers(0, 2**64 - 1)
I32 = st.integers(-(2**31), 2**31 - 1)
MESSAGES = (
    (ln.GetStateResponse, decode.node_state),
    (ln.GetInfoResponse, lambda m: decode.node_info(m, replay=False, ended=False)),
    (ln.ListChannelsResponse, decode.channels),
    (ln.ClosedChannelsResponse, decode.closed_channels),
    (ln.PendingChannelsResponse, decode.closing_points),
    (ln.FeeReportResponse, decode.fee_policies),
    (ln.ForwardingEvent, decode.forward),
    (ln.NodeInfo, decode.alias),
    (ln.ListPeersResponse, decode.peers),
)


def events(recording: Recording) -> list[bytes]:
    return [record.message for record in recording.records() if record.is_htlc_event]


def test_every_recorded_event_decodes_to_what_was_recorded(recording: Recording) -> None:
    for data in events(recording):
        event = decode.htlc_event(data)
        message = router.HtlcEvent.FromString(data)
        assert event is not None
        assert event.kind is not EventKind.NONE
        assert event.kind == message.DESCRIPTOR.fields_by_name[message.WhichOneof("event")].number
        assert event.event_type == message.event_type
        assert event.timestamp_ns == message.timestamp_ns
        assert event.incoming_scid == message.incoming_channel_id
        assert event.outgoing_scid == message.outgoing_channel_id
        assert event.incoming_htlc_id == message.incoming_htlc_id
        assert event.outgoing_htlc_id == message.outgoing_htlc_id


def test_the_traffic_recording_holds_what_its_description_counts(traffic: Recording) -> None:
    decoded = [decode.htlc_event(data) for data in events(traffic)]
    kinds = Counter(event.kind for event in decoded if event)
    assert kinds[EventKind.SETTLE] == 539
    assert kinds[EventKind.FORWARD_FAIL] == 456
    assert kinds[EventKind.LINK_FAIL] == 1538
    asked = sum(
        event.incoming_amt_msat - event.outgoing_amt_msat
        for event in decoded
        if event and event.kind is EventKind.LINK_FAIL and event.failure_detail == 6
    )
    assert asked > 0


def test_an_alias_id_above_63_bits_stays_whole(scenarios: Recording) -> None:
    outgoing = {e.outgoing_scid for d in events(scenarios) if (e := decode.htlc_event(d))}
    assert 17592186044416000000 in outgoing


@given(st.binary(max_size=200))
def test_any_bytes_give_an_event_or_nothing(data: bytes) -> None:
    decode.htlc_event(data)
    decode.channel_event(data)
    for kind, decoder in MESSAGES:
        message = decode.parse(kind, data)
        if message is not None:
            decoder(message)


def test_mutated_messages_give_a_value_or_nothing(recording: Recording) -> None:
    randomly = random.Random(1)
    answers = [r.response for r in recording.records() if r.response][:40]
    for data in events(recording)[:400] + answers:
        mutated = bytearray(data)
        for _ in range(randomly.randint(1, 4)):
            if mutated:
                mutated[randomly.randrange(len(mutated))] = randomly.randrange(256)
        cut = bytes(mutated[: randomly.randint(0, len(mutated))])
        for each in (bytes(mutated), cut):
            decode.htlc_event(each)
            decode.channel_event(each)
            for kind, decoder in MESSAGES:
                message = decode.parse(kind, each)
                if message is not None:
                    decoder(message)


@given(U64, U64, U64, U64, U64, I32, U64, U64, I32, I32)
def test_numbers_that_cannot_be_become_zero_and_unknown_codes_stay(
    scid_in: int,
    scid_out: int,
    id_in: int,
    id_out: int,
    time: int,
    event_type: int,
    amount_in: int,
    amount_out: int,
    wire: int,
    detail: int,
) -> None:
    message = router.HtlcEvent(
        incoming_channel_id=scid_in,
        outgoing_channel_id=scid_out,
        incoming_htlc_id=id_in,
        outgoing_htlc_id=id_out,
        timestamp_ns=time,
        event_type=event_type,
        link_fail_event=router.LinkFailEvent(
            info=router.HtlcInfo(incoming_amt_msat=amount_in, outgoing_amt_msat=amount_out),
            wire_failure=wire,
            failure_detail=detail,
        ),
    )
    event = decode.htlc_event(message.SerializeToString())
    if id_in >= 2**63 or id_out >= 2**63:
        assert event is None
        return
    assert event is not None
    assert event.event_type == event_type
    assert (event.wire_failure, event.failure_detail) == (wire, detail)
    assert (event.incoming_scid, event.outgoing_scid) == (scid_in, scid_out)
    can_be = decode.EARLIEST_NS <= time <= decode.LATEST_NS
    assert event.timestamp_ns == (time if can_be else 0)
    assert event.incoming_amt_msat == (amount_in if amount_in <= decode.MAX_MSAT else 0)
    assert event.outgoing_amt_msat == (amount_out if amount_out <= decode.MAX_MSAT else 0)


def test_a_preimage_is_in_nothing_that_can_be_printed_or_asked() -> None:
    preimage = bytes(range(65, 97))
    raw = b"\x30\x03\x4a\x22\x0a\x20" + preimage
    message = router.HtlcEvent.FromString(raw)
    event = decode.htlc_event(raw)
    assert event is not None
    assert event.kind is EventKind.SETTLE
    assert event.event_type == EventType.FORWARD
    for shown in (repr(event), str(message), repr(message), str(message.settle_event)):
        assert preimage.decode() not in shown
    assert not message.settle_event.ListFields()
    assert not hasattr(message.settle_event, "preimage")


def test_an_event_lnd_adds_one_day_is_kept_as_none_of_ours() -> None:
    event = decode.htlc_event(b"\x30\x09\x7a\x00")
    assert event is not None
    assert event.kind is EventKind.NONE
    assert event.event_type == 9


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"unable to lookup peer alias: alias for node not found", ""),
        ("Zürich ⚡".encode(), "Zürich ⚡"),
        (b"\x1b[31mred\x07\n", "[31mred"),
        (b"\xff\xfe", "��"),
        ("a\u202eb".encode(), "ab"),
    ],
)
def test_a_peers_name_cannot_steer_a_terminal(sent: bytes, shown: str) -> None:
    assert decode.channel(ln.Channel(peer_alias=sent)).peer_alias == shown


def test_a_channel_keeps_its_aliases_apart_from_its_id_and_counts_our_htlcs() -> None:
    channel = decode.channel(
        ln.Channel(
            chan_id=7,
            alias_scids=[7, 9, 9, 2**64 - 1],
            local_balance=-5,
            capacity=decode.MAX_SAT + 1,
            pending_htlcs=[ln.HTLC(incoming=True), ln.HTLC(), ln.HTLC()],
            local_constraints=ln.ChannelConstraints(chan_reserve_sat=10, max_accepted_htlcs=5),
        )
    )
    assert channel.other_scids == (9, 2**64 - 1)
    assert (channel.local_sat, channel.capacity_sat) == (0, 0)
    assert (channel.outgoing_htlcs, channel.max_accepted_htlcs, channel.reserve_sat) == (2, 5, 10)


def test_a_forward_from_an_old_lnd_has_no_htlc_ids() -> None:
    at_s = 1_795_300_000
    old = decode.forward(ln.ForwardingEvent(timestamp=at_s, chan_id_in=1, chan_id_out=2))
    assert old.timestamp_ns == at_s * 10**9
    assert (old.incoming_htlc_id, old.outgoing_htlc_id) == (None, None)
    new = decode.forward(
        ln.ForwardingEvent(
            timestamp_ns=at_s * 10**9 + 5, incoming_htlc_id=0, outgoing_htlc_id=2**64 - 1
        )
    )
    assert new.timestamp_ns == at_s * 10**9 + 5
    assert (new.incoming_htlc_id, new.outgoing_htlc_id) == (0, None)


def test_channel_events_carry_their_channel() -> None:
    channel = ln.Channel(chan_id=5, remote_pubkey="02aa")
    for update, kind, scid in (
        (ln.ChannelEventUpdate(type=0, open_channel=channel), ChannelEventKind.OPEN, 5),
        (
            ln.ChannelEventUpdate(type=7, updated_channel=ln.ChannelCommitUpdate(channel=channel)),
            ChannelEventKind.UPDATE,
            5,
        ),
        (
            ln.ChannelEventUpdate(type=2, active_channel=ln.ChannelPoint()),
            ChannelEventKind.ACTIVE,
            0,
        ),
        (ln.ChannelEventUpdate(type=4), ChannelEventKind.OTHER, 0),
        (ln.ChannelEventUpdate(type=99), ChannelEventKind.OTHER, 0),
    ):
        event = decode.channel_event(update.SerializeToString())
        assert event is not None
        assert event.kind is kind
        assert (event.channel.scid if event.channel else 0) == scid
    closed = decode.channel_event(
        ln.ChannelEventUpdate(
            type=1, closed_channel=ln.ChannelCloseSummary(chan_id=5, remote_pubkey="02aa")
        ).SerializeToString()
    )
    assert closed is not None
    assert closed.closed is not None
    assert (closed.closed.scid, closed.closed.peer) == (5, "02aa")


def test_a_state_we_do_not_know_counts_as_not_ready() -> None:
    assert decode.node_state(ln.GetStateResponse(state=4)) is NodeState.SERVER_ACTIVE
    assert decode.node_state(ln.GetStateResponse(state=77)) is NodeState.WAITING
