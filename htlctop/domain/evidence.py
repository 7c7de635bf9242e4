"""What advice is drawn from, as read from a store: payments lost, forwards settled, what changed.

Amounts msat unless named otherwise, times ns. Tuples, because thousands are read at a time.
"""

from typing import NamedTuple


class LostClaim(NamedTuple):
    """A payment that was refused, as its first try asked for it; repeats are left out.

    `fee_msat` is what was offered, `recovered_msat` what came back of it; `best_msat` what the
    peer's best channel could send then, None where unknown. `category` is domain.codes.Category.
    """

    seq: int
    at_ns: int
    category: int
    in_peer: int
    in_channel: int
    out_channel: int
    amount_msat: int
    fee_msat: int
    recovered_msat: int
    best_msat: int | None

    @property
    def net_msat(self) -> int:
        """The fee less what came back."""
        return self.fee_msat - self.recovered_msat


class Settled(NamedTuple):
    """A forward that settled: its first event, our channel that it left by (or came in on, where
    that was asked for), the amount sent on and the fee earned."""

    seq: int
    at_ns: int
    channel: int
    amount_msat: int
    fee_msat: int


class PendingPoint(NamedTuple):
    """How many HTLCs were on all channels from then on, in and out, and how much together."""

    at_ns: int
    number: int
    amount_msat: int


class BalancePoint(NamedTuple):
    """A channel's balance from then on; what is in flight is on neither side."""

    channel: int
    at_ns: int
    local_sat: int
    remote_sat: int

    def came_in_since(self, before: "BalancePoint") -> int:
        """What went over to our side, sat: the other side has that much less. An HTLC of ours that
        failed comes back to us, and is no income."""
        return max(0, min(self.local_sat - before.local_sat, before.remote_sat - self.remote_sat))


class PolicyPoint(NamedTuple):
    """What we asked on a channel from then on; inbound fees are discounts (<= 0) or 0."""

    channel: int
    at_ns: int
    base_msat: int
    rate_ppm: int
    inbound_base_msat: int
    inbound_rate_ppm: int


class LimitsPoint(NamedTuple):
    """What besides fees we asked on a channel, and whether it was disabled, from then on."""

    channel: int
    at_ns: int
    min_htlc_msat: int
    max_htlc_msat: int
    time_lock_delta: int
    is_disabled: int


class ActivityPoint(NamedTuple):
    """Whether a channel could be used, from then on."""

    channel: int
    at_ns: int
    is_active: int


class ChannelSpan(NamedTuple):
    """When a channel was first listed and, None while it is open, found closed."""

    channel: int
    opened_ns: int
    closed_ns: int | None


LONGEST_MARK = 200
"""What of a note is kept, characters."""


class Mark(NamedTuple):
    """A note of the operator's at a time, about a peer or (0) the whole node."""

    at_ns: int
    peer: int
    text: str
