"""The allow-list: every method of LND that htlctop may call, all of which only read."""

from enum import StrEnum


class Method(StrEnum):
    """A method's path, as it stands on the wire."""

    GET_STATE = "/lnrpc.State/GetState"
    GET_INFO = "/lnrpc.Lightning/GetInfo"
    LIST_CHANNELS = "/lnrpc.Lightning/ListChannels"
    LIST_PEERS = "/lnrpc.Lightning/ListPeers"
    FEE_REPORT = "/lnrpc.Lightning/FeeReport"
    GET_CHAN_INFO = "/lnrpc.Lightning/GetChanInfo"
    GET_NODE_INFO = "/lnrpc.Lightning/GetNodeInfo"
    FORWARDING_HISTORY = "/lnrpc.Lightning/ForwardingHistory"
    CLOSED_CHANNELS = "/lnrpc.Lightning/ClosedChannels"
    PENDING_CHANNELS = "/lnrpc.Lightning/PendingChannels"
    LOOKUP_HTLC = "/lnrpc.Lightning/LookupHtlcResolution"
    CHANNEL_EVENTS = "/lnrpc.Lightning/SubscribeChannelEvents"
    HTLC_EVENTS = "/routerrpc.Router/SubscribeHtlcEvents"


STREAMS = frozenset({Method.HTLC_EVENTS, Method.CHANNEL_EVENTS})
UNARY = frozenset(Method) - STREAMS

REPLAY_KEY = "htlctop-replay"
"""Initial metadata of a server that plays a recording whose times are its own ("1")."""
ENDED_KEY = "htlctop-ended"
"""Initial metadata of its unary answers once it has played its last message ("1")."""
