"""LND's bytes into domain types. Total: any bytes and any numbers give a value or None, which
means malformed; nothing raises. A preimage, an error string or a key never comes through.
"""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from htlctop.domain.codes import EventKind
from htlctop.domain.types import (
    NS,
    Channel,
    ChannelEvent,
    ChannelEventKind,
    ChannelLimits,
    ClosedChannel,
    FeePolicy,
    Forward,
    HtlcEvent,
    NodeInfo,
    NodeState,
    PendingHtlc,
)
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.gen import routerrpc_pb2 as router

M = TypeVar("M", bound=Message)

MAX_TIME_NS = 2**63 - 1
EARLIEST_NS, LATEST_NS = 1_514_764_800 * NS, 4_102_444_800 * NS
"""2018 to 2099: what lies outside is no time at which an HTLC could have been."""
MAX_SAT = 21_000_000 * 100_000_000
MAX_MSAT = MAX_SAT * 1000
_MAX_INDEX = 2**63 - 1
_MAX_SMALL = 2**53

_KINDS = {
    "forward_event": EventKind.FORWARD,
    "forward_fail_event": EventKind.FORWARD_FAIL,
    "settle_event": EventKind.SETTLE,
    "link_fail_event": EventKind.LINK_FAIL,
    "subscribed_event": EventKind.SUBSCRIBED,
    "final_htlc_event": EventKind.FINAL,
    None: EventKind.NONE,
}
# The hot path: globals are looked up faster than attributes of attributes.
_FORWARD, _LINK_FAIL, _FINAL = EventKind.FORWARD, EventKind.LINK_FAIL, EventKind.FINAL
_parse_event = router.HtlcEvent.FromString

_NO_ALIAS = b"unable to lookup peer alias"
_CHANNEL_EVENTS = {kind.value: kind for kind in ChannelEventKind}


def parse(kind: type[M], data: bytes) -> M | None:
    """The message in `data`, None if these bytes are none."""
    try:
        return kind.FromString(data)
    except DecodeError:
        return None


def htlc_event(data: bytes, shift_ns: int = 0) -> HtlcEvent | None:
    """One message of SubscribeHtlcEvents, its time moved by `shift_ns`.

    Amounts and times that cannot be are 0. None: malformed, as are HTLC ids beyond 2^63-1, since
    a made-up id would join a stranger's circuit.
    """
    try:
        message = _parse_event(data)
    except DecodeError:
        return None
    kind = _KINDS[message.WhichOneof("event")]
    time = message.timestamp_ns
    if time:
        time += shift_ns
        if not EARLIEST_NS <= time <= LATEST_NS:
            time = 0
    incoming_id = message.incoming_htlc_id
    outgoing_id = message.outgoing_htlc_id
    if incoming_id > _MAX_INDEX or outgoing_id > _MAX_INDEX:
        return None
    amount_in = amount_out = wire_failure = failure_detail = 0
    settled = False
    if kind is _LINK_FAIL:
        failure = message.link_fail_event
        wire_failure = failure.wire_failure
        failure_detail = failure.failure_detail
        info = failure.info
        amount_in = info.incoming_amt_msat
        amount_out = info.outgoing_amt_msat
    elif kind is _FORWARD:
        info = message.forward_event.info
        amount_in = info.incoming_amt_msat
        amount_out = info.outgoing_amt_msat
    elif kind is _FINAL:
        settled = message.final_htlc_event.settled
    return HtlcEvent(
        kind,
        message.event_type,
        time,
        message.incoming_channel_id,
        incoming_id,
        message.outgoing_channel_id,
        outgoing_id,
        amount_in if amount_in <= MAX_MSAT else 0,
        amount_out if amount_out <= MAX_MSAT else 0,
        wire_failure,
        failure_detail,
        settled,
    )


def node_state(message: ln.GetStateResponse) -> NodeState:
    """How far the node is; a state we do not know counts as one that is not ready."""
    try:
        return NodeState(message.state)
    except ValueError:
        return NodeState.WAITING


def node_info(message: ln.GetInfoResponse, *, replay: bool, ended: bool) -> NodeInfo:
    """Who the node is."""
    return NodeInfo(
        pubkey=_text(message.identity_pubkey),
        alias=_name(message.alias),
        network=_text(message.chains[0].network) if message.chains else "",
        version=_text(message.version).removesuffix(" commit="),
        block_height=message.block_height,
        synced_to_chain=message.synced_to_chain,
        best_block_s=message.best_header_timestamp,
        replay=replay,
        ended=ended,
    )


def channel(message: ln.Channel) -> Channel:
    """One channel of ListChannels."""
    return Channel(
        scid=message.chan_id,
        peer=_text(message.remote_pubkey),
        peer_alias=_name(message.peer_alias),
        other_scids=tuple(s for s in dict.fromkeys(message.alias_scids) if s != message.chan_id),
        capacity_sat=_sat(message.capacity),
        local_sat=_sat(message.local_balance),
        remote_sat=_sat(message.remote_balance),
        unsettled_sat=_sat(message.unsettled_balance),
        reserve_sat=_sat(message.local_constraints.chan_reserve_sat),
        commit_fee_sat=_sat(message.commit_fee),
        commit_weight=_small(message.commit_weight),
        fee_per_kw=_small(message.fee_per_kw),
        initiator=message.initiator,
        active=message.active,
        private=message.private,
        max_accepted_htlcs=message.local_constraints.max_accepted_htlcs,
        outgoing_htlcs=sum(not htlc.incoming for htlc in message.pending_htlcs),
        pending=tuple(
            PendingHtlc(htlc.incoming, _sat(htlc.amount) * 1000, htlc.expiration_height)
            for htlc in message.pending_htlcs
        ),
    )


def channels(message: ln.ListChannelsResponse) -> tuple[Channel, ...]:
    """The open channels."""
    return tuple(channel(each) for each in message.channels)


def closed_channels(message: ln.ClosedChannelsResponse) -> tuple[ClosedChannel, ...]:
    """The closed channels, one for each id a channel went by."""
    return tuple(
        ClosedChannel(scid, _text(summary.remote_pubkey))
        for summary in message.channels
        for scid in dict.fromkeys((summary.chan_id, *summary.alias_scids))
        if scid
    )


def closing_points(message: ln.PendingChannelsResponse) -> tuple[tuple[str, str], ...]:
    """(channel point, peer) of the channels that are closing; LND gives no ids there."""
    return tuple(
        (each.channel.channel_point, _text(each.channel.remote_node_pub))
        for group in (
            message.pending_closing_channels,
            message.pending_force_closing_channels,
            message.waiting_close_channels,
        )
        for each in group
    )


def fee_policies(message: ln.FeeReportResponse) -> tuple[FeePolicy, ...]:
    """What we ask on each channel."""
    return tuple(
        FeePolicy(
            each.chan_id,
            each.base_fee_msat if 0 <= each.base_fee_msat <= MAX_MSAT else 0,
            _small(each.fee_per_mil),
            each.inbound_base_fee_msat,
            each.inbound_fee_per_mil,
        )
        for each in message.channel_fees
    )


def channel_limits(message: ln.ChannelEdge, pubkey: str) -> ChannelLimits | None:
    """What a node asks on a channel of its own besides fees; None: it is not one of its ends."""
    ends = ((message.node1_pub, message.node1_policy), (message.node2_pub, message.node2_policy))
    policy = next((policy for end, policy in ends if end == pubkey), None)
    if policy is None:
        return None
    return ChannelLimits(
        scid=message.channel_id,
        min_htlc_msat=_msat(policy.min_htlc),
        max_htlc_msat=_msat(policy.max_htlc_msat),
        time_lock_delta=_small(policy.time_lock_delta),
        is_disabled=policy.disabled,
    )


def forward(message: ln.ForwardingEvent) -> Forward:
    """One settled forward of ForwardingHistory."""
    time = message.timestamp_ns or message.timestamp * NS
    return Forward(
        timestamp_ns=time if EARLIEST_NS <= time <= LATEST_NS else 0,
        incoming_scid=message.chan_id_in,
        outgoing_scid=message.chan_id_out,
        incoming_amt_msat=_msat(message.amt_in_msat),
        outgoing_amt_msat=_msat(message.amt_out_msat),
        incoming_htlc_id=_index(
            message.incoming_htlc_id if message.HasField("incoming_htlc_id") else None
        ),
        outgoing_htlc_id=_index(
            message.outgoing_htlc_id if message.HasField("outgoing_htlc_id") else None
        ),
    )


def channel_event(data: bytes) -> ChannelEvent | None:
    """One message of SubscribeChannelEvents; None: malformed."""
    message = parse(ln.ChannelEventUpdate, data)
    if message is None:
        return None
    kind = _CHANNEL_EVENTS.get(message.type, ChannelEventKind.OTHER)
    which = message.WhichOneof("channel")
    if kind is ChannelEventKind.OPEN and which == "open_channel":
        return ChannelEvent(kind, channel=channel(message.open_channel))
    if kind is ChannelEventKind.UPDATE and which == "updated_channel":
        return ChannelEvent(kind, channel=channel(message.updated_channel.channel))
    if kind is ChannelEventKind.CLOSED and which == "closed_channel":
        summary = message.closed_channel
        return ChannelEvent(
            kind, closed=ClosedChannel(summary.chan_id, _text(summary.remote_pubkey))
        )
    if kind in (ChannelEventKind.ACTIVE, ChannelEventKind.INACTIVE):
        return ChannelEvent(kind)
    return ChannelEvent(ChannelEventKind.OTHER)


def alias(message: ln.NodeInfo) -> str:
    """A node's name, "" if it has none."""
    return _name(message.node.alias)


def peers(message: ln.ListPeersResponse) -> tuple[str, ...]:
    """The public keys of the peers that are connected."""
    return tuple(_text(peer.pub_key) for peer in message.peers)


def _name(value: bytes) -> str:
    """A name somebody else chose: it must not be able to steer a terminal."""
    if value.startswith(_NO_ALIAS):
        return ""
    return _text(value.decode("utf-8", "replace")).strip()


def _text(value: str) -> str:
    return value if value.isprintable() else "".join(filter(str.isprintable, value))


def _sat(value: int) -> int:
    return value if 0 <= value <= MAX_SAT else 0


def _msat(value: int) -> int:
    return value if value <= MAX_MSAT else 0


def _small(value: int) -> int:
    return value if 0 <= value <= _MAX_SMALL else 0


def _index(value: int | None) -> int | None:
    return value if value is not None and value <= _MAX_INDEX else None
