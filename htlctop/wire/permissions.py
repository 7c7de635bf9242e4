"""Calls each method of the allow-list once, harmlessly, to learn what the macaroon permits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from google.protobuf.message import Message

from htlctop.errors import ConfigError, HtlctopError, NodePermissionError
from htlctop.wire.client import LndClient
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.methods import STREAMS, Method
from htlctop.wire.refusals import Refusal, keeps_no_outcomes

NEEDS = {
    Method.GET_INFO: "info:read",
    Method.HTLC_EVENTS: "offchain:read",
    Method.LIST_CHANNELS: "offchain:read",
    Method.CLOSED_CHANNELS: "offchain:read",
    Method.PENDING_CHANNELS: "offchain:read",
    Method.FEE_REPORT: "offchain:read",
    Method.FORWARDING_HISTORY: "offchain:read",
    Method.LOOKUP_HTLC: "offchain:read",
    Method.CHANNEL_EVENTS: "offchain:read",
    Method.GET_CHAN_INFO: "info:read",
    Method.GET_NODE_INFO: "info:read",
    Method.LIST_PEERS: "peers:read",
}
"""What LND asks of a macaroon for each method; GetState needs none."""

_SILENCE_S = 1.0
"""A stream that was not refused by then is permitted, whether or not it says anything."""
_ANSWERED = ("UNKNOWN", "NOT_FOUND", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "INTERNAL")
"""An error of the method itself: the question went through."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One method. `error`: why it does not work, None if it does. `keeps_outcomes`: see
    `LightningNode.lookup_htlc`."""

    method: Method
    needs: str
    error: HtlctopError | None
    keeps_outcomes: bool = True

    @property
    def name(self) -> str:
        """The method without its service."""
        return self.method.rsplit("/", 1)[-1]


async def try_methods(client: LndClient, pubkey: str) -> AsyncIterator[Tried]:
    """Each method in turn. `pubkey`: the node's own."""
    questions: dict[Method, Message] = {
        Method.GET_CHAN_INFO: ln.ChanInfoRequest(chan_id=1),
        Method.GET_NODE_INFO: ln.NodeInfoRequest(pub_key=pubkey),
        Method.FORWARDING_HISTORY: ln.ForwardingHistoryRequest(
            start_time=0, end_time=1, num_max_events=1
        ),
        Method.LOOKUP_HTLC: ln.LookupHtlcResolutionRequest(chan_id=1, htlc_index=0),
    }
    for method, needs in NEEDS.items():
        question = questions.get(method)
        try:
            if method in STREAMS:
                await _open(client, method)
            else:
                await client.ask(method, question.SerializeToString() if question else b"")
        except Refusal as refusal:
            error = client.explained(refusal, method)
            if method is Method.LOOKUP_HTLC and keeps_no_outcomes(refusal):
                yield Tried(method, needs, None, keeps_outcomes=False)
            elif refusal.code in _ANSWERED and not isinstance(error, NodePermissionError):
                yield Tried(method, needs, None)
            else:
                yield Tried(method, needs, error)
        except ConfigError as error:
            yield Tried(method, needs, error)
        else:
            yield Tried(method, needs, None)


async def _open(client: LndClient, method: Method) -> None:
    async with aclosing(client.messages(method)) as messages:
        try:
            await asyncio.wait_for(anext(messages), _SILENCE_S)
        except (TimeoutError, StopAsyncIteration):
            return
