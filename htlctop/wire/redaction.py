"""Puts made-up names in the place of everything that tells whose node was recorded.

The same thing gets the same name all through a recording, and another one in the next: names come
from a key that is kept nowhere. Times and amounts stay. Fields that are not known to be harmless
are left out, whatever they are: addresses, hashes, memos, what LND adds one day.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method

PUBKEYS = frozenset(
    {"identity_pubkey", "remote_pubkey", "pub_key", "remote_node_pub", "node1_pub", "node2_pub"}
)
NAMES = frozenset({"alias", "peer_alias"})
SCIDS = frozenset(
    {
        "chan_id", "channel_id", "chan_id_in", "chan_id_out", "alias_scids",
        "zero_conf_confirmed_scid", "incoming_channel_id", "outgoing_channel_id",
    }
)  # fmt: skip
POINTS = frozenset({"channel_point", "chan_point"})
TRANSACTIONS = frozenset({"funding_txid_bytes"})
KEPT = frozenset({"version", "network"})
"""Texts that say nothing of whose node it is."""

_MESSAGES: dict[Method, tuple[type[Message], type[Message]]] = {
    Method.GET_STATE: (ln.GetStateRequest, ln.GetStateResponse),
    Method.GET_INFO: (ln.GetInfoRequest, ln.GetInfoResponse),
    Method.LIST_CHANNELS: (ln.ListChannelsRequest, ln.ListChannelsResponse),
    Method.LIST_PEERS: (ln.ListPeersRequest, ln.ListPeersResponse),
    Method.FEE_REPORT: (ln.FeeReportRequest, ln.FeeReportResponse),
    Method.GET_CHAN_INFO: (ln.ChanInfoRequest, ln.ChannelEdge),
    Method.GET_NODE_INFO: (ln.NodeInfoRequest, ln.NodeInfo),
    Method.FORWARDING_HISTORY: (ln.ForwardingHistoryRequest, ln.ForwardingHistoryResponse),
    Method.CLOSED_CHANNELS: (ln.ClosedChannelsRequest, ln.ClosedChannelsResponse),
    Method.PENDING_CHANNELS: (ln.PendingChannelsRequest, ln.PendingChannelsResponse),
    Method.LOOKUP_HTLC: (ln.LookupHtlcResolutionRequest, ln.LookupHtlcResolutionResponse),
    Method.CHANNEL_EVENTS: (ln.ChannelEventSubscription, ln.ChannelEventUpdate),
    Method.HTLC_EVENTS: (router.SubscribeHtlcEventsRequest, router.HtlcEvent),
}
_PHRASES = (
    "htlc event subscription terminated",
    "wallet locked, unlock it to enable full RPC access",
    "the RPC server is in the process of starting up, but not yet ready to accept calls",
    "edge not found",
    "unable to find node",
    "Socket closed",
    "Stream removed",
)
_NO_ALIAS = b"unable to lookup peer alias"
_ALIAS_BLOCKS = 16_000_000
"""From this height on a short channel id is an alias (BOLT 2, as LND chooses them)."""
_BLOCKS = 100_000, 800_000
_UNREADABLE = b"\xff"

# Protobuf's messages and what their fields hold have no types that hold for all of them.
_Value = Any


class Redaction:
    """The made-up names of one recording."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._scids: dict[int, int] = {}
        self._taken: set[int] = set()

    def message(self, method: Method, data: bytes) -> bytes:
        """A stream's message, or an answer."""
        return self._bytes(_MESSAGES[method][1], data)

    def request(self, method: Method, data: bytes) -> bytes:
        """A question."""
        return self._bytes(_MESSAGES[method][0], data)

    def details(self, text: str) -> str:
        """Of what came with an error, only what LND always says; the rest may name somebody."""
        return next((phrase for phrase in _PHRASES if phrase in text), "")

    def pubkey(self, text: str) -> str:
        """Another public key."""
        digest = self._hash(b"pubkey", text.encode())
        return f"{2 + digest[0] % 2:02x}{digest.hex()}" if text else ""

    def name(self, alias: bytes) -> bytes:
        """Another name; what stands for no name stays."""
        if not alias or alias.startswith(_NO_ALIAS):
            return alias[: len(_NO_ALIAS)]
        return b"node-" + self._hash(b"alias", alias)[:4].hex().encode()

    def scid(self, scid: int) -> int:
        """Another short channel id, an alias where it was one; 0 stays 0."""
        if not scid:
            return 0
        made = self._scids.get(scid)
        if made is None:
            salt = 0
            while made is None or made in self._taken:
                made = self._made_up(scid, salt)
                salt += 1
            self._scids[scid] = made
            self._taken.add(made)
        return made

    def point(self, text: str) -> str:
        """Another transaction, the same output."""
        transaction, colon, output = text.partition(":")
        if not transaction:
            return ""
        # Its id is written in the reverse of its bytes' order.
        try:
            raw = bytes.fromhex(transaction)[::-1]
        except ValueError:
            raw = transaction.encode()
        return f"{self.transaction(raw)[::-1].hex()}{colon}{output if output.isdecimal() else ''}"

    def transaction(self, txid: bytes) -> bytes:
        """Another transaction's id."""
        return self._hash(b"transaction", txid) if txid else b""

    def _made_up(self, scid: int, salt: int) -> int:
        digest = self._hash(b"scid", scid.to_bytes(8), salt.to_bytes(4))
        number = int.from_bytes(digest[:8])
        if scid >> 40 >= _ALIAS_BLOCKS:
            block = _ALIAS_BLOCKS + number % 250_000
        else:
            first, last = _BLOCKS
            block = first + number % (last - first)
        return block << 40 | (number >> 20) % 3_000 << 16 | (number >> 40) % 3

    def _bytes(self, kind: type[Message], data: bytes) -> bytes:
        message = decode.parse(kind, data)
        if message is None:
            return _UNREADABLE
        message.DiscardUnknownFields()
        self._redact(message)
        return message.SerializeToString()

    def _redact(self, message: Message) -> None:
        for field, value in message.ListFields():
            change = self._change(field.name)
            is_repeated = hasattr(value, "extend")
            if field.message_type is not None:
                for inner in value if is_repeated else (value,):
                    self._redact(inner)
            elif change is None:
                if field.type in (field.TYPE_STRING, field.TYPE_BYTES):
                    message.ClearField(field.name)
            elif is_repeated:
                value[:] = [change(item) for item in value]
            else:
                setattr(message, field.name, change(value))

    def _change(self, name: str) -> Callable[[_Value], _Value] | None:
        """What is done to a field, None for nothing known."""
        for names, change in (
            (PUBKEYS, self.pubkey),
            (NAMES, self.name),
            (SCIDS, self.scid),
            (POINTS, self.point),
            (TRANSACTIONS, self.transaction),
            (KEPT, lambda value: value),
        ):
            if name in names:
                return change
        return None

    def _hash(self, *parts: bytes) -> bytes:
        return hmac.digest(self._key, b"\0".join(parts), hashlib.sha256)
