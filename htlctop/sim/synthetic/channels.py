"""One channel of the made-up node: who owns how much of it, and what it asks of a forward.

Both sides and everything in flight add up to the capacity, to the millisatoshi, at any time.
"""

from dataclasses import dataclass, field

from htlctop.domain.fees import fee_asked

_ANCHORS_SAT = 660
_COMMIT_WEIGHT, _HTLC_WEIGHT = 1116, 172
_FEE_BUFFER = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """What we ask on one channel; amounts msat, rates ppm, the inbound part at most 0."""

    base_msat: int
    rate_ppm: int
    inbound_base_msat: int = 0
    inbound_rate_ppm: int = 0
    min_htlc_msat: int = 1000
    max_htlc_msat: int = 0
    time_lock_delta: int = 80

    def asked_msat(self, out_msat: int, inbound: "Policy") -> int:
        """The fee for sending `out_msat` on here when it came in under `inbound`."""
        return fee_asked(
            out_msat,
            self.base_msat,
            self.rate_ppm,
            inbound.inbound_base_msat,
            inbound.inbound_rate_ppm,
        )


@dataclass(slots=True)
class Pending:
    """An HTLC in flight on a channel."""

    incoming: bool
    amount_msat: int
    expiry: int


@dataclass(slots=True)
class SimChannel:
    """An open channel.

    Attributes:
        scid: LND's chan_id; an alias beyond 2^63-1 where the channel is private.
        point: the funding transaction and output.
        own_msat, their_msat: the two sides, fees of the commitment still in the opener's.
        initiator: whether we opened it, and so pay for the commitment.
        fee_per_kw: what the commitment pays, sat per 1000 weight.
        max_htlcs: how many HTLCs the peer accepts from us at a time.
        policy: what we ask now; `before`: what we asked until `changed_ns`.
    """

    scid: int
    point: str
    capacity_sat: int
    own_msat: int
    their_msat: int
    initiator: bool
    policy: Policy
    private: bool = False
    confirmed_scid: int = 0
    fee_per_kw: int = 1250
    max_htlcs: int = 483
    before: Policy | None = None
    changed_ns: int = 0
    pending: dict[tuple[bool, int], Pending] = field(default_factory=dict)
    next_in: int = 0
    next_out: int = 0

    @property
    def reserve_sat(self) -> int:
        """What each side must leave on its own: a hundredth."""
        return self.capacity_sat // 100

    @property
    def commit_weight(self) -> int:
        """The commitment's weight with what is in flight."""
        return _COMMIT_WEIGHT + _HTLC_WEIGHT * len(self.pending)

    @property
    def commit_fee_sat(self) -> int:
        """What the commitment pays."""
        return self.fee_per_kw * self.commit_weight // 1000

    @property
    def local_sat(self) -> int:
        """Our balance as LND tells it: outgoing HTLCs and, as the opener, the commitment's costs
        taken off."""
        return max(0, self.own_msat // 1000 - self._costs_sat(self.initiator))

    @property
    def remote_sat(self) -> int:
        """The peer's balance, likewise."""
        return max(0, self.their_msat // 1000 - self._costs_sat(not self.initiator))

    @property
    def unsettled_sat(self) -> int:
        """What is in flight either way."""
        return sum(p.amount_msat for p in self.pending.values()) // 1000

    @property
    def outgoing(self) -> int:
        """How many HTLCs of ours are in flight."""
        return sum(not p.incoming for p in self.pending.values())

    def spendable_msat(self) -> int:
        """What we can send on now."""
        return self._spendable(self.own_msat, self.initiator)

    def receivable_msat(self) -> int:
        """What the peer can send us now."""
        return self._spendable(self.their_msat, not self.initiator)

    @property
    def share(self) -> float:
        """How much of the channel is ours, 0 to 1."""
        return self.own_msat / (self.capacity_sat * 1000)

    def move(self, msat: int) -> None:
        """Make our side so much larger, or smaller, at the cost of the peer's."""
        self.own_msat += msat
        self.their_msat -= msat

    def change(self, policy: Policy, at_ns: int) -> None:
        """Ask something else from now on."""
        self.before, self.policy, self.changed_ns = self.policy, policy, at_ns

    # What follows an HTLC through the channel. Incoming ones take from the peer's side.

    def add(self, *, incoming: bool, amount_msat: int, expiry: int) -> int:
        """An HTLC is in flight from now on; returns its id."""
        if incoming:
            number, self.next_in = self.next_in, self.next_in + 1
            self.their_msat -= amount_msat
        else:
            number, self.next_out = self.next_out, self.next_out + 1
            self.own_msat -= amount_msat
        self.pending[incoming, number] = Pending(incoming, amount_msat, expiry)
        return number

    def end(self, *, incoming: bool, number: int, settled: bool) -> None:
        """It is over: the amount is the receiver's if settled, else the sender's again."""
        amount_msat = self.pending.pop((incoming, number)).amount_msat
        if incoming == settled:
            self.own_msat += amount_msat
        else:
            self.their_msat += amount_msat

    def _costs_sat(self, is_opener: bool) -> int:
        return self.commit_fee_sat + _ANCHORS_SAT if is_opener else 0

    def _spendable(self, side_msat: int, is_opener: bool) -> int:
        spendable = side_msat - self.reserve_sat * 1000
        if is_opener:
            buffered = self.fee_per_kw * (self.commit_weight + 2 * _HTLC_WEIGHT) // 1000
            spendable -= (_ANCHORS_SAT + _FEE_BUFFER * buffered) * 1000
        return max(0, spendable)
