"""A node one can only ask, whoever answers: a live LND, or a recording of one.

`ReadOnlyNode` turns questions into domain types; `ask` is all that a subclass supplies.
"""

from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from htlctop.domain.types import (
    Channel,
    ChannelLimits,
    ClosedChannel,
    FeePolicy,
    Forward,
    NodeInfo,
    NodeState,
)
from htlctop.errors import HtlctopError
from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.methods import Method
from htlctop.wire.refusals import (
    Refusal,
    explain,
    is_unknown,
    keeps_no_outcomes,
    unreadable,
)

M = TypeVar("M", bound=Message)
_HISTORY_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A unary call's answer; `replay` and `ended` as in `NodeInfo`."""

    data: bytes
    replay: bool = False
    ended: bool = False


class ReadOnlyNode:
    """The unary half of `domain.ports.LightningNode`; every method raises as that says."""

    def __init__(self, name: str, network: str = "mainnet") -> None:
        """Args: name: what errors call the node; its address. network: where it is."""
        self.name, self.network = name, network
        self._scids: dict[str, tuple[tuple[int, ...], str]] = {}
        """(ids, peer) by channel point: PendingChannels names a channel by nothing else."""

    async def ask(self, method: Method, request: bytes) -> Answer:
        """One unary call. Raises: Refusal."""
        raise NotImplementedError

    def explained(self, refusal: Refusal, method: Method) -> HtlctopError:
        """The error that a user is shown for what this node refused."""
        return explain(refusal, self.name, method, self.network)

    async def get_state(self) -> NodeState:
        """How far the node has come up; an LND without the State service counts as ready."""
        try:
            message, _ = await self._ask(
                Method.GET_STATE, ln.GetStateRequest(), ln.GetStateResponse
            )
        except Refusal as refusal:
            if refusal.code == "UNIMPLEMENTED":
                return NodeState.SERVER_ACTIVE
            raise self.explained(refusal, Method.GET_STATE) from None
        return decode.node_state(message)

    async def get_info(self) -> NodeInfo:
        """Who the node is."""
        message, answer = await self._get(Method.GET_INFO, ln.GetInfoRequest(), ln.GetInfoResponse)
        return decode.node_info(message, replay=answer.replay, ended=answer.ended)

    async def list_channels(self) -> tuple[Channel, ...]:
        """The open channels, with balances and their peers' names."""
        message, _ = await self._get(
            Method.LIST_CHANNELS,
            ln.ListChannelsRequest(peer_alias_lookup=True),
            ln.ListChannelsResponse,
        )
        channels = decode.channels(message)
        for raw, channel in zip(message.channels, channels, strict=True):
            self._scids[raw.channel_point] = ((channel.scid, *channel.other_scids), channel.peer)
        return channels

    async def closed_channels(self) -> tuple[ClosedChannel, ...]:
        """The channels that are closed or closing, one entry for each id a channel goes by.

        A closing channel has only its funding point; the id comes from the last ListChannels, or
        from the graph. One that neither knows is left out.
        """
        closed, _ = await self._get(
            Method.CLOSED_CHANNELS, ln.ClosedChannelsRequest(), ln.ClosedChannelsResponse
        )
        pending, _ = await self._get(
            Method.PENDING_CHANNELS, ln.PendingChannelsRequest(), ln.PendingChannelsResponse
        )
        found = list(decode.closed_channels(closed))
        for point, peer in decode.closing_points(pending):
            if point not in self._scids:
                self._scids[point] = ((await self._scid_of(point),), peer)
            scids, peer = self._scids[point]
            found += [ClosedChannel(scid, peer) for scid in scids if scid]
        return tuple(dict.fromkeys(found))

    async def fee_report(self) -> tuple[FeePolicy, ...]:
        """What we ask on each channel."""
        message, _ = await self._get(Method.FEE_REPORT, ln.FeeReportRequest(), ln.FeeReportResponse)
        return decode.fee_policies(message)

    async def channel_limits(self, scid: int, pubkey: str) -> ChannelLimits | None:
        """What besides fees the node `pubkey` asks on a channel; None where the graph does not
        say, as for an alias."""
        request = ln.ChanInfoRequest(chan_id=scid)
        try:
            message, _ = await self._ask(Method.GET_CHAN_INFO, request, ln.ChannelEdge)
        except Refusal as refusal:
            if is_unknown(refusal):
                return None
            raise self.explained(refusal, Method.GET_CHAN_INFO) from None
        return decode.channel_limits(message, pubkey)

    async def forwarding_history(self, from_s: int, until_s: int) -> tuple[Forward, ...]:
        """The forwards that settled in [from_s, until_s], seconds since the epoch."""
        found: list[Forward] = []
        offset = 0
        while True:
            message, _ = await self._get(
                Method.FORWARDING_HISTORY,
                ln.ForwardingHistoryRequest(
                    start_time=max(from_s, 0),
                    end_time=max(until_s, 1),
                    index_offset=offset,
                    num_max_events=_HISTORY_PAGE,
                ),
                ln.ForwardingHistoryResponse,
            )
            page = message.forwarding_events
            found += map(decode.forward, page)
            if len(page) < _HISTORY_PAGE or message.last_offset_index <= offset:
                return tuple(found)
            offset = message.last_offset_index

    async def lookup_htlc(self, incoming_scid: int, incoming_htlc_id: int) -> bool | None:
        """Whether an incoming HTLC was settled in the end.

        None where the node does not know, or keeps no resolutions.
        """
        request = ln.LookupHtlcResolutionRequest(chan_id=incoming_scid, htlc_index=incoming_htlc_id)
        try:
            message, _ = await self._ask(
                Method.LOOKUP_HTLC, request, ln.LookupHtlcResolutionResponse
            )
        except Refusal as refusal:
            if is_unknown(refusal) or keeps_no_outcomes(refusal):
                return None
            raise self.explained(refusal, Method.LOOKUP_HTLC) from None
        return message.settled

    async def node_alias(self, pubkey: str) -> str:
        """The name of any node, "" where the graph does not know it."""
        request = ln.NodeInfoRequest(pub_key=pubkey)
        try:
            message, _ = await self._ask(Method.GET_NODE_INFO, request, ln.NodeInfo)
        except Refusal as refusal:
            if is_unknown(refusal):
                return ""
            raise self.explained(refusal, Method.GET_NODE_INFO) from None
        return decode.alias(message)

    async def connected_peers(self) -> tuple[str, ...]:
        """The public keys of the peers that are connected."""
        message, _ = await self._get(Method.LIST_PEERS, ln.ListPeersRequest(), ln.ListPeersResponse)
        return decode.peers(message)

    async def _scid_of(self, channel_point: str) -> int:
        """The id of the channel funded there, 0 if the graph has none."""
        request = ln.ChanInfoRequest(chan_point=channel_point)
        try:
            message, _ = await self._ask(Method.GET_CHAN_INFO, request, ln.ChannelEdge)
        except Refusal as refusal:
            if is_unknown(refusal):
                return 0
            raise self.explained(refusal, Method.GET_CHAN_INFO) from None
        return message.channel_id

    async def _get(self, method: Method, request: Message, kind: type[M]) -> tuple[M, Answer]:
        """Ask; a refusal becomes the error that a user is shown."""
        try:
            return await self._ask(method, request, kind)
        except Refusal as refusal:
            raise self.explained(refusal, method) from None

    async def _ask(self, method: Method, request: Message, kind: type[M]) -> tuple[M, Answer]:
        answer = await self.ask(method, request.SerializeToString())
        message = decode.parse(kind, answer.data)
        if message is None:
            raise unreadable(self.name, method)
        return message, answer
