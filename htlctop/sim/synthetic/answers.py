"""What the made-up node answers to a unary call, as it stands at that moment."""

from collections.abc import Iterable, Iterator

from htlctop.domain.types import NS
from htlctop.sim.synthetic.channels import Policy, SimChannel
from htlctop.sim.synthetic.people import NODE_ALIAS, SimPeer
from htlctop.sim.synthetic.simulation import START_NS, Simulation
from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.methods import Method
from htlctop.wire.refusals import Refusal

VERSION = "0.21.2-beta"
_NETWORK = "simnet"
_HISTORY_DEFAULT, _HISTORY_MOST = 100, 50_000
_SERVER_ACTIVE = 4
_THEIR_POLICY = Policy(1000, 100, max_htlc_msat=10**9)


class SyntheticAnswers:
    """Answers from a simulation; times are its own plus `shift_ns`."""

    def __init__(self, simulation: Simulation, shift_ns: int = 0) -> None:
        self.shift_ns = shift_ns
        self._simulation = simulation
        self._people = simulation.people
        self._of: dict[int, tuple[SimPeer, SimChannel]] = {
            channel.scid: (peer, channel) for peer, channel in self._people.channels
        }
        self._points = {channel.point: channel.scid for _, channel in self._people.channels}

    def answer(self, method: str, request: bytes) -> bytes:
        """The answer's bytes.

        Raises:
            Refusal: NOT_FOUND as LND says it, or UNIMPLEMENTED for what it does not answer.
        """
        match method:
            case Method.GET_STATE:
                return ln.GetStateResponse(state=_SERVER_ACTIVE).SerializeToString()
            case Method.GET_INFO:
                return self._info().SerializeToString()
            case Method.LIST_CHANNELS:
                listed = (message(peer, channel) for peer, channel in self._people.channels)
                return ln.ListChannelsResponse(channels=listed).SerializeToString()
            case Method.LIST_PEERS:
                there = (ln.Peer(pub_key=p.pubkey) for p in self._people.peers if p.link_up)
                return ln.ListPeersResponse(peers=there).SerializeToString()
            case Method.FEE_REPORT:
                fees = (_fees(channel) for _, channel in self._people.channels)
                return ln.FeeReportResponse(channel_fees=fees).SerializeToString()
            case Method.GET_CHAN_INFO:
                return self._edge(request).SerializeToString()
            case Method.GET_NODE_INFO:
                return self._node(request).SerializeToString()
            case Method.FORWARDING_HISTORY:
                return self._history(request).SerializeToString()
            case Method.CLOSED_CHANNELS:
                return self._closed().SerializeToString()
            case Method.PENDING_CHANNELS:
                return b""
            case Method.LOOKUP_HTLC:
                return self._outcome(request).SerializeToString()
        service, _, name = method.lstrip("/").rpartition("/")
        raise Refusal("UNIMPLEMENTED", f"unknown method {name} for service {service}")

    def changes(self) -> Iterator[bytes]:
        """SubscribeChannelEvents' word on each channel that changed since the last time."""
        changed = list(self._simulation.dirty)
        self._simulation.dirty.clear()
        for scid in changed:
            peer, channel = self._of[scid]
            update = ln.ChannelCommitUpdate(channel=message(peer, channel))
            yield ln.ChannelEventUpdate(type=7, updated_channel=update).SerializeToString()

    def _info(self) -> ln.GetInfoResponse:
        now_s = (self._simulation.now_ns + self.shift_ns) // NS
        return ln.GetInfoResponse(
            identity_pubkey=self._people.pubkey,
            alias=NODE_ALIAS,
            block_height=self._simulation.hub.height,
            synced_to_chain=True,
            best_header_timestamp=now_s - now_s % 600,
            version=f"{VERSION} commit=v{VERSION}",
            chains=[ln.Chain(network=_NETWORK)],
        )

    def _edge(self, request: bytes) -> ln.ChannelEdge:
        query = decode.parse(ln.ChanInfoRequest, request) or ln.ChanInfoRequest()
        found = self._of.get(query.chan_id or self._points.get(query.chan_point, 0))
        if found is None or found[1].private:
            raise Refusal("NOT_FOUND", "edge not found")
        peer, channel = found
        ours = _policy(channel.policy, disabled=not peer.routable)
        ours.last_update = ((channel.changed_ns or START_NS) + self.shift_ns) // NS
        edge = ln.ChannelEdge(
            channel_id=channel.scid, chan_point=channel.point, capacity=channel.capacity_sat
        )
        theirs = _policy(_THEIR_POLICY, disabled=not peer.connected)
        ends = sorted([(self._people.pubkey, ours), (peer.pubkey, theirs)], key=lambda end: end[0])
        edge.node1_pub, edge.node2_pub = ends[0][0], ends[1][0]
        edge.node1_policy.CopyFrom(ends[0][1])
        edge.node2_policy.CopyFrom(ends[1][1])
        return edge

    def _node(self, request: bytes) -> ln.NodeInfo:
        query = decode.parse(ln.NodeInfoRequest, request) or ln.NodeInfoRequest()
        for peer in self._people.peers:
            if peer.pubkey == query.pub_key and peer.name != peer.pubkey:
                return ln.NodeInfo(node=ln.LightningNode(pub_key=peer.pubkey, alias=peer.alias))
        raise Refusal("NOT_FOUND", "unable to find node")

    def _history(self, request: bytes) -> ln.ForwardingHistoryResponse:
        query = decode.parse(ln.ForwardingHistoryRequest, request) or ln.ForwardingHistoryRequest()
        start_ns = query.start_time * NS - self.shift_ns
        end_ns = query.end_time * NS - self.shift_ns if query.end_time else self._simulation.now_ns
        found = [f for f in self._simulation.hub.settled if start_ns <= f.at_ns <= end_ns]
        most = min(query.num_max_events or _HISTORY_DEFAULT, _HISTORY_MOST)
        page = found[query.index_offset : query.index_offset + most]
        events = (
            ln.ForwardingEvent(
                timestamp=(forward.at_ns + self.shift_ns) // NS,
                timestamp_ns=forward.at_ns + self.shift_ns,
                chan_id_in=forward.circuit.in_scid,
                chan_id_out=forward.circuit.out_scid,
                amt_in_msat=forward.in_msat,
                amt_out_msat=forward.out_msat,
                incoming_htlc_id=forward.circuit.in_id,
                outgoing_htlc_id=forward.circuit.out_id,
            )
            for forward in page
        )
        return ln.ForwardingHistoryResponse(
            forwarding_events=events, last_offset_index=query.index_offset + len(page)
        )

    def _closed(self) -> ln.ClosedChannelsResponse:
        scid, point, pubkey, capacity_sat = self._people.closed
        summary = ln.ChannelCloseSummary(
            chan_id=scid, channel_point=point, remote_pubkey=pubkey, capacity=capacity_sat
        )
        return ln.ClosedChannelsResponse(channels=[summary])

    def _outcome(self, request: bytes) -> ln.LookupHtlcResolutionResponse:
        query = decode.parse(ln.LookupHtlcResolutionRequest, request)
        query = query or ln.LookupHtlcResolutionRequest()
        settled = self._simulation.hub.outcomes.get((query.chan_id, query.htlc_index))
        if settled is None:
            raise Refusal("NOT_FOUND", "htlc unknown")
        return ln.LookupHtlcResolutionResponse(settled=settled, offchain=True)


def message(peer: SimPeer, channel: SimChannel) -> ln.Channel:
    """A channel as ListChannels tells it."""
    pending = (
        ln.HTLC(incoming=p.incoming, amount=p.amount_msat // 1000, expiration_height=p.expiry)
        for p in channel.pending.values()
    )
    return ln.Channel(
        active=peer.link_up,
        remote_pubkey=peer.pubkey,
        channel_point=channel.point,
        chan_id=channel.scid,
        capacity=channel.capacity_sat,
        local_balance=channel.local_sat,
        remote_balance=channel.remote_sat,
        commit_fee=channel.commit_fee_sat,
        commit_weight=channel.commit_weight,
        fee_per_kw=channel.fee_per_kw,
        unsettled_balance=channel.unsettled_sat,
        pending_htlcs=pending,
        private=channel.private,
        initiator=channel.initiator,
        local_constraints=ln.ChannelConstraints(
            chan_reserve_sat=channel.reserve_sat, max_accepted_htlcs=channel.max_htlcs
        ),
        alias_scids=_aliases(channel),
        zero_conf_confirmed_scid=channel.confirmed_scid,
        peer_alias=peer.alias,
    )


def _aliases(channel: SimChannel) -> Iterable[int]:
    return (channel.scid,) if channel.private else ()


def _fees(channel: SimChannel) -> ln.ChannelFeeReport:
    policy = channel.policy
    return ln.ChannelFeeReport(
        chan_id=channel.scid,
        base_fee_msat=policy.base_msat,
        fee_per_mil=policy.rate_ppm,
        inbound_base_fee_msat=policy.inbound_base_msat,
        inbound_fee_per_mil=policy.inbound_rate_ppm,
    )


def _policy(policy: Policy, *, disabled: bool) -> ln.RoutingPolicy:
    return ln.RoutingPolicy(
        time_lock_delta=policy.time_lock_delta,
        min_htlc=policy.min_htlc_msat,
        fee_base_msat=policy.base_msat,
        fee_rate_milli_msat=policy.rate_ppm,
        disabled=disabled,
        max_htlc_msat=policy.max_htlc_msat,
        inbound_fee_base_msat=policy.inbound_base_msat,
        inbound_fee_rate_milli_msat=policy.inbound_rate_ppm,
    )
