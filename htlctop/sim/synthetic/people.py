"""The made-up node's peers: who they are, what is wrong with some, and the channels with each."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from htlctop.sim.synthetic.channels import Policy, SimChannel
from htlctop.sim.synthetic.names import UNKNOWN, clean, make_names

NODE_ALIAS = b"tidewater"
FIRST_BLOCK = 870_000
_ALIAS_BLOCK = 16_000_000
"""Where LND's alias ids begin: beyond 2^63-1 as numbers."""
_CONFIRM_EVERY = 3
_MIN_CHANNELS = 16


class Role(StrEnum):
    """What a peer does to our channels; those from DRY on have something wrong."""

    ROUTER = "router"
    """Pays as much as it is paid."""
    SOURCE = "source"
    """Mostly pays through us; its side is filled up again."""
    SINK = "sink"
    """Mostly is paid; pays back before it runs dry."""
    LEAF = "leaf"
    """A wallet on a private channel, often away."""
    DRY = "dry"
    """Is paid far more than it pays: our side is empty nearly always."""
    FLAKY = "flaky"
    """Goes away several times a day."""
    CAPPED = "capped"
    """Our max_htlc is far below what people send."""
    DEAR = "dear"
    """Our base fee is far above what people offer for small amounts."""
    TWISTED = "twisted"
    """Two channels: the cheap one empty, the other full but dearer."""
    SMALL = "small"
    """Its channel is smaller than what people send."""
    CROWDED = "crowded"
    """Accepts few HTLCs at a time, and is slow."""
    DUSTY = "dusty"
    """Its channel is at its limit for amounts too small for the chain."""
    FILLED = "filled"
    """Used to pay through us, until all of it was on our side."""


TROUBLES = (
    Role.DRY, Role.FLAKY, Role.CAPPED, Role.TWISTED, Role.DEAR, Role.DRY, Role.SMALL,
    Role.CROWDED, Role.FILLED, Role.DRY, Role.DUSTY,
)  # fmt: skip
"""In sixty channels there is one of each, and three DRY ones, the first the driest."""
_HEALTHY = (Role.ROUTER, Role.SINK, Role.SOURCE, Role.ROUTER, Role.SINK, Role.SOURCE, Role.LEAF)
TROUBLE_EVERY = 60


@dataclass(slots=True)
class SimPeer:
    """A peer.

    Attributes:
        alias: as it announces itself; name: as it can be shown, its key where it has none.
        weight_in, weight_out: how much of all payments come from it, and go to or through it.
        amount_sat: the middle of the amounts sent to it; most_sat: the largest.
        settle_share: how many of the payments that we pass on to it arrive in the end.
        connected: whether it is there; link_up: whether our LND believes so; routable: whether
            the senders do.
    """

    pubkey: str
    alias: bytes
    name: str
    role: Role
    channels: list[SimChannel] = field(default_factory=list)
    weight_in: float = 0.0
    weight_out: float = 0.0
    amount_sat: int = 30_000
    spread: float = 1.0
    most_sat: int = 1_000_000
    settle_share: float = 0.7
    connected: bool = True
    link_up: bool = True
    routable: bool = True

    @property
    def capacity_sat(self) -> int:
        """All its channels together."""
        return sum(channel.capacity_sat for channel in self.channels)

    @property
    def share(self) -> float:
        """How much of that is ours, 0 to 1."""
        return sum(channel.own_msat for channel in self.channels) / (self.capacity_sat * 1000)


@dataclass(slots=True)
class People:
    """The node and everybody it has a channel with."""

    pubkey: str
    peers: list[SimPeer]
    closed: tuple[int, str, str, int]
    """A channel that is no more: scid, funding point, peer's key, capacity."""

    @property
    def channels(self) -> Iterator[tuple[SimPeer, SimChannel]]:
        """Every open channel, beside whose it is."""
        return ((peer, channel) for peer in self.peers for channel in peer.channels)

    @property
    def dry(self) -> list[SimPeer]:
        """The DRY peers, the driest first."""
        dry = (peer for peer in self.peers if peer.role is Role.DRY)
        return sorted(dry, key=lambda peer: -peer.weight_out)


def make_people(seed: int, channels: int) -> People:
    """The node of a seed, with so many channels (at least 16)."""
    chance = random.Random(seed << 8 | 1)
    roles = _roles(max(channels, _MIN_CHANNELS), chance)
    names = make_names(chance, len(roles))
    order = {Role.DRY: 0}
    peers = []
    maker = _ChannelMaker(chance)
    for (role, count), alias in zip(roles, names, strict=True):
        pubkey = chance.choice(("02", "03")) + chance.randbytes(32).hex()
        name = clean(alias) or pubkey
        peer = SimPeer(pubkey, UNKNOWN if alias == UNKNOWN else alias, name, role)
        rank = order[Role.DRY] if role is Role.DRY else 0
        order[Role.DRY] += role is Role.DRY
        _character(peer, rank % 3, chance)
        for number in range(count):
            peer.channels.append(maker.make(peer, number, rank % 3))
        if role not in (Role.DRY, Role.CAPPED, Role.TWISTED):
            largest_sat = max(channel.capacity_sat for channel in peer.channels)
            peer.most_sat = min(peer.most_sat, largest_sat // 8)
        peers.append(peer)
    scid = maker.scid()
    gone = (scid, maker.point(), "03" + chance.randbytes(32).hex(), 2_000_000)
    return People("02" + chance.randbytes(32).hex(), peers, gone)


def _roles(channels: int, chance: random.Random) -> list[tuple[Role, int]]:
    """(role, how many channels) of each peer, adding up to so many channels."""
    roles: list[tuple[Role, int]] = []
    left = channels
    for _ in range(max(1, channels // TROUBLE_EVERY)):
        for role in TROUBLES:
            roles.append((role, 2 if role in (Role.TWISTED, Role.DRY) and left > 40 else 1))
            if role is Role.TWISTED:
                roles[-1] = (role, 2)
            left -= roles[-1][1]
            if left < channels * 2 // 5:
                break
    number = 0
    while left > 0:
        role = _HEALTHY[number % len(_HEALTHY)]
        count = min(left, 3 if number == 0 else 2 if number in (1, 2) else 1)
        roles.append((role, count))
        left -= count
        number += 1
    chance.shuffle(roles)
    return roles


def _character(peer: SimPeer, rank: int, chance: random.Random) -> None:
    """How much it pays and is paid. `rank`: among the DRY, 0 the driest."""
    peer.settle_share = chance.uniform(0.62, 0.84)
    peer.amount_sat = chance.randrange(15_000, 45_000)
    match peer.role:
        case Role.ROUTER:
            peer.weight_in = peer.weight_out = chance.uniform(0.7, 1.5)
        case Role.SOURCE:
            peer.weight_in, peer.weight_out = chance.uniform(1.5, 3.5), 0.2
        case Role.SINK:
            peer.weight_in, peer.weight_out = 0.25, chance.uniform(1.2, 2.4)
        case Role.LEAF:
            peer.weight_in = peer.weight_out = 0.05
            peer.amount_sat = chance.randrange(2_000, 8_000)
        case Role.DRY:
            peer.weight_out = (5.5, 2.6, 1.4)[rank]
            peer.weight_in = peer.weight_out * 0.25
            peer.amount_sat, peer.spread = chance.randrange(60_000, 90_000), 0.8
            peer.most_sat = 500_000
        case Role.FLAKY:
            peer.weight_in, peer.weight_out = 2.5, 5.0
            peer.amount_sat = chance.randrange(35_000, 50_000)
        case Role.CAPPED:
            peer.weight_in, peer.weight_out = 1.8, 2.0
            peer.amount_sat, peer.most_sat = chance.randrange(45_000, 60_000), 400_000
        case Role.DEAR:
            peer.weight_in, peer.weight_out = 0.8, 2.4
            peer.amount_sat, peer.spread, peer.most_sat = 15_000, 0.7, 100_000
        case Role.TWISTED:
            peer.weight_in, peer.weight_out = 0.2, 3.0
            peer.most_sat = 600_000
        case Role.SMALL:
            peer.weight_in = peer.weight_out = 0.9
            peer.amount_sat = 20_000
        case Role.CROWDED:
            peer.weight_in = peer.weight_out = 1.2
            peer.amount_sat = 25_000
        case Role.DUSTY:
            peer.weight_in = peer.weight_out = 0.5
        case Role.FILLED:
            peer.weight_in, peer.weight_out = 2.2, 0.1


class _ChannelMaker:
    """Gives channels their ids, sizes, sides and policies."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._aliases = 0
        self._seen: set[int] = set()

    def scid(self) -> int:
        """A new one, of a block in the past."""
        chance = self._chance
        while True:
            block = FIRST_BLOCK - chance.randrange(2_000, 120_000)
            scid = block << 40 | chance.randrange(1, 3_000) << 16 | chance.choice((0, 0, 0, 1, 2))
            if scid not in self._seen:
                self._seen.add(scid)
                return scid

    def point(self) -> str:
        """A funding transaction and output, made up."""
        return f"{self._chance.randbytes(32).hex()}:{self._chance.randrange(3)}"

    def make(self, peer: SimPeer, number: int, rank: int) -> SimChannel:
        """One channel: the peer's first is number 0."""
        chance, role = self._chance, peer.role
        capacity_sat = self._capacity(role, number)
        confirmed = self.scid()
        scid = confirmed
        private = role is Role.LEAF
        if private:
            scid = (_ALIAS_BLOCK + self._aliases // 1000) << 40 | (self._aliases % 1000) << 16
            self._aliases += 1
        own_msat = int(capacity_sat * 1000 * self._share(role, number))
        policy = self._policy(role, number, rank, capacity_sat * 990)
        if number and role is not Role.TWISTED:  # who has several with a peer asks the same on all
            policy = replace(peer.channels[0].policy, max_htlc_msat=policy.max_htlc_msat)
        return SimChannel(
            scid=scid,
            point=self.point(),
            capacity_sat=capacity_sat,
            own_msat=own_msat,
            their_msat=capacity_sat * 1000 - own_msat,
            initiator=chance.random() < (0.9 if role in (Role.SINK, Role.DRY) else 0.4),
            policy=policy,
            private=private,
            confirmed_scid=confirmed if private and self._aliases % _CONFIRM_EVERY else 0,
            fee_per_kw=chance.choice((253, 500, 1250, 2500)),
            max_htlcs=5 if role is Role.CROWDED else 483,
        )

    def _capacity(self, role: Role, number: int) -> int:
        chance = self._chance
        match role:
            case Role.LEAF:
                return chance.randrange(500_000, 1_500_000, 50_000)
            case Role.DRY:
                return chance.choice((8_000_000, 10_000_000, 12_000_000)) >> number
            case Role.SMALL:
                return chance.randrange(800_000, 1_100_000, 50_000)
            case Role.TWISTED:
                return 12_000_000 if number else 8_000_000
            case Role.FLAKY | Role.CAPPED | Role.DEAR | Role.CROWDED:
                return chance.choice((8_000_000, 10_000_000, 12_000_000))
            case _:
                sizes = (5_000_000, 8_000_000, 10_000_000, 16_777_215, 20_000_000, 50_000_000)
                return chance.choices(sizes, (2, 4, 4, 3, 2, 1))[0]

    def _share(self, role: Role, number: int) -> float:
        """How much of it is ours at the start."""
        match role:
            case Role.DRY:
                return self._chance.uniform(0.013, 0.02)
            case Role.SOURCE:
                return self._chance.uniform(0.25, 0.5)
            case Role.FILLED:
                return 0.86
            case Role.TWISTED:
                return 0.015 if number == 0 else 0.85
            case Role.CAPPED | Role.DEAR:
                return 0.75
            case _:
                return self._chance.uniform(0.45, 0.65)

    def _policy(self, role: Role, number: int, rank: int, most_msat: int) -> Policy:
        chance = self._chance
        base_msat, rate_ppm = chance.choice((0, 0, 0, 1000, 1000)), chance.randrange(120, 520, 10)
        inbound_ppm = 0
        match role:
            case Role.DRY:
                base_msat, rate_ppm = 0, (620, 480, 410)[rank] + chance.randrange(0, 60, 5)
                inbound_ppm = -chance.choice((100, 150))
            case Role.SOURCE | Role.FILLED:
                rate_ppm = chance.randrange(10, 60, 5)
            case Role.CAPPED:
                rate_ppm = chance.randrange(380, 460, 10)
                most_msat = 25_000_000
            case Role.DEAR:
                base_msat, rate_ppm = 21_000, 150
            case Role.TWISTED:
                base_msat, rate_ppm = 0, 240 if number == 0 else 520
            case Role.SMALL:
                base_msat, rate_ppm = 0, 250
            case Role.FLAKY:
                base_msat, rate_ppm = 0, chance.randrange(320, 420, 10)
            case Role.CROWDED:
                base_msat, rate_ppm = 0, 50
            case Role.SINK:
                inbound_ppm = chance.choice((0, 0, 0, -30, -60))
            case _:
                pass
        return Policy(
            base_msat,
            rate_ppm,
            inbound_rate_ppm=inbound_ppm,
            max_htlc_msat=most_msat,
            time_lock_delta=chance.choice((40, 80, 80, 144)),
        )
