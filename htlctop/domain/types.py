"""The value types that cross doors: one event of LND's stream, a channel, a policy, the node.

Short channel ids are LND's unsigned 64-bit integers; alias ids exceed 2^63-1.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from htlctop.domain.codes import EventKind

NS = 1_000_000_000
NO_CHANNEL = 0
"""The scid of events that name no channel."""


class HtlcEvent(NamedTuple):
    """One message of `routerrpc.Router/SubscribeHtlcEvents`, without preimage or strings.

    A tuple, because one is made for every message: a frozen dataclass takes four times as long.

    Attributes:
        kind: which event it is. `NONE` for one we do not know.
        event_type: whose HTLC it is, or the number itself where LND adds one.
        timestamp_ns: the node's time, ns since the epoch; 0 on SUBSCRIBED.
        incoming_scid, incoming_htlc_id: the circuit; (0, 0) for our own sends.
        outgoing_scid, outgoing_htlc_id: where it left; not unique.
        incoming_amt_msat, outgoing_amt_msat: 0 where LND sends none.
        wire_failure, failure_detail: LND's numbers on LINK_FAIL, else 0.
        settled: on FINAL, whether the HTLC was settled.
    """

    kind: EventKind
    event_type: int
    timestamp_ns: int
    incoming_scid: int = 0
    incoming_htlc_id: int = 0
    outgoing_scid: int = 0
    outgoing_htlc_id: int = 0
    incoming_amt_msat: int = 0
    outgoing_amt_msat: int = 0
    wire_failure: int = 0
    failure_detail: int = 0
    settled: bool = False


class NodeState(IntEnum):
    """`lnrpc.WalletState`: how far the node has come up. WAITING: waiting to start."""

    NON_EXISTING = 0
    LOCKED = 1
    UNLOCKED = 2
    RPC_ACTIVE = 3
    SERVER_ACTIVE = 4
    WAITING = 255


NOT_READY = {
    NodeState.NON_EXISTING: "the node has no wallet yet: create one with lncli create",
    NodeState.LOCKED: "the wallet is locked: open it with lncli unlock",
    NodeState.UNLOCKED: "the wallet is open, the node is starting: wait a moment",
    NodeState.RPC_ACTIVE: (
        "the node is starting, its chain backend is not synced yet: wait; its log tells how far "
        "it is"
    ),
    NodeState.WAITING: (
        "the node has just started: wait; in a cluster it waits to become the leader"
    ),
}
"""Why a node in that state does not forward yet, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a macaroon says that it permits, as "offchain:read"; () where it does not tell.
    `beyond_reading`: those of them that htlctop never needs."""

    permissions: tuple[str, ...]
    beyond_reading: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """Who the node is, from `GetInfo`.

    `best_block_s`: what its newest block says of its time, seconds since the epoch, 0 if unknown.
    `replay`: a playback whose times are its own; `ended`: it has played its last message.
    """

    pubkey: str
    alias: str
    network: str
    version: str
    block_height: int = 0
    synced_to_chain: bool = True
    best_block_s: int = 0
    replay: bool = False
    ended: bool = False


class PendingHtlc(NamedTuple):
    """An HTLC on a channel at this moment; `expiry_height` is the block at which it times out."""

    is_incoming: bool
    amount_msat: int
    expiry_height: int


@dataclass(frozen=True, slots=True)
class Channel:
    """An open channel as `ListChannels` tells it. Amounts in sat unless named otherwise.

    Attributes:
        scid: `chan_id`; the alias while or if the channel goes by one.
        other_scids: further ids the channel answers to (aliases, the confirmed id is not one:
            LND refuses it).
        peer: the peer's public key, hex. peer_alias: its name, "" where unknown.
        local_sat: our balance, outgoing HTLCs in flight already taken off.
        reserve_sat: what we must leave on our side.
        max_accepted_htlcs: how many HTLCs the peer accepts from us at a time, 0 if unknown.
        outgoing_htlcs: how many of ours are in flight on it.
        pending: all HTLCs that are on it, either way.
    """

    scid: int
    peer: str
    peer_alias: str = ""
    other_scids: tuple[int, ...] = ()
    capacity_sat: int = 0
    local_sat: int = 0
    remote_sat: int = 0
    unsettled_sat: int = 0
    reserve_sat: int = 0
    commit_fee_sat: int = 0
    commit_weight: int = 0
    fee_per_kw: int = 0
    initiator: bool = False
    active: bool = True
    private: bool = False
    max_accepted_htlcs: int = 0
    outgoing_htlcs: int = 0
    pending: tuple[PendingHtlc, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosedChannel:
    """A channel of ours that is closed or closing, from `ClosedChannels` and `PendingChannels`."""

    scid: int
    peer: str


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """What we ask on one channel, from `FeeReport`; inbound fees are discounts (<= 0) or 0."""

    scid: int
    base_msat: int
    rate_ppm: int
    inbound_base_msat: int = 0
    inbound_rate_ppm: int = 0


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """What besides fees we ask of an HTLC on one channel, from `GetChanInfo`. Amounts msat."""

    scid: int
    min_htlc_msat: int
    max_htlc_msat: int
    time_lock_delta: int
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Forward:
    """A settled forward from `ForwardingHistory`. The htlc ids are None before LND 0.20."""

    timestamp_ns: int
    incoming_scid: int
    outgoing_scid: int
    incoming_amt_msat: int
    outgoing_amt_msat: int
    incoming_htlc_id: int | None = None
    outgoing_htlc_id: int | None = None


class ChannelEventKind(IntEnum):
    """`ChannelEventUpdate.UpdateType`, those we act on; OTHER for the rest."""

    OPEN = 0
    CLOSED = 1
    ACTIVE = 2
    INACTIVE = 3
    UPDATE = 7
    OTHER = 255


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """One message of `SubscribeChannelEvents`: something about a channel of ours changed.

    `channel` is there on OPEN and UPDATE, `closed` on CLOSED.
    """

    kind: ChannelEventKind
    channel: Channel | None = None
    closed: ClosedChannel | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The constants behind demand; settings, not fitted to a file. Times in ns.

    Tolerances are exact fractions (numerator, denominator) of the claim's amount.
    """

    retry_tolerance: tuple[int, int] = (2, 1000)
    split_tolerance: tuple[int, int] = (3, 10_000)
    max_halvings: int = 5
    join_within_ns: int = 60 * NS
    over_after_ns: int = NS // 2
    recover_within_ns: int = 120 * NS
    claim_idle_ns: int = 180 * NS
    clock_step_ns: int = 300 * NS
    repeat_spacing_ns: int = 60 * NS
    repeat_window_ns: int = 3600 * NS
    repeat_after: int = 3
    repeat_settled_ns: int = 24 * 3600 * NS
    rate_window_ns: int = 30 * 24 * 3600 * NS
    rate_prior: int = 20


DEFAULTS = Settings()


def scid_text(scid: int) -> str:
    """A short channel id as block x transaction x output, the form people read."""
    return f"{scid >> 40}x{(scid >> 16) & 0xFFFFFF}x{scid & 0xFFFF}"


def parse_scid(text: str) -> int | None:
    """A short channel id in any of its forms: 812345x17x1, 812345:17:1 or LND's integer; None for
    what is none."""
    parts = text.lower().replace(":", "x").split("x")
    if not all(part.isascii() and part.isdigit() and len(part) <= 20 for part in parts):
        return None
    numbers = [int(part) for part in parts]
    if len(numbers) == 1:
        return numbers[0] if numbers[0] < 2**64 else None
    if len(numbers) == 3:
        block, transaction, output = numbers
        if block < 2**24 and transaction < 2**24 and output < 2**16:
            return block << 40 | transaction << 16 | output
    return None
