"""What goes on around the payments: peers come and go, policies change, sides are filled up."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from htlctop.sim.synthetic.channels import SimChannel
from htlctop.sim.synthetic.hub import Hub
from htlctop.sim.synthetic.payers import Payers
from htlctop.sim.synthetic.people import People, Role, SimPeer
from htlctop.sim.synthetic.timeline import Timeline

_HOUR_S = 3600
_LOOK_S = 900
_UNROUTABLE_S = 20 * 60
"""After so long LND tells the network that a channel is disabled, and nobody asks any more."""
_LEAST_MSAT = 20_000_000
_LEAST_PART_MSAT = 1_000_000
_MOST_PART_MSAT = 900_000_000
_LOW = {
    Role.SINK: 0.42, Role.ROUTER: 0.38, Role.SOURCE: 0.22, Role.TWISTED: 0.4, Role.CAPPED: 0.6,
    Role.DEAR: 0.6, Role.SMALL: 0.42, Role.FLAKY: 0.42, Role.CROWDED: 0.4, Role.DUSTY: 0.4,
    Role.LEAF: 0.3,
}  # fmt: skip
"""Below which share of ours a peer pays something large through us. The others never do."""


@dataclass(frozen=True, slots=True)
class Refill:
    """Bring `sat` into the peer's channels, once, out of `source`'s as far as they go and then out
    of the fullest others (keys; None: those alone). As much as fits is moved."""

    at_ns: int
    peer: str
    sat: int
    source: str | None = None


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """Ask something else on a channel; None leaves as it is. Amounts msat."""

    at_ns: int
    scid: int
    base_msat: int | None = None
    rate_ppm: int | None = None
    max_htlc_msat: int | None = None


@dataclass(frozen=True, slots=True)
class StayOnline:
    """From then on the peer never goes away."""

    at_ns: int
    peer: str


Action = Refill | SetPolicy | StayOnline


class House:
    """Plans all that on the timeline, and carries out what the operator does.

    `policies` is called when a policy has changed, `changed` for each channel that looks
    different from outside.
    """

    def __init__(
        self,
        seed: int,
        people: People,
        hub: Hub,
        payers: Payers,
        timeline: Timeline,
        *,
        changed: Callable[[SimChannel], None],
        policies: Callable[[], None],
    ) -> None:
        self._seed, self._people, self._hub = seed, people, hub
        self._payers, self._timeline = payers, timeline
        self._changed, self._policies = changed, policies
        self._steady: set[str] = set()
        self._by_key = {peer.pubkey: peer for peer in people.peers}
        self._own = random.Random(seed << 8 | 5)
        for index, peer in enumerate(people.peers):
            if peer.role in (Role.FLAKY, Role.LEAF):
                self._plan_leaving(peer, random.Random((seed << 16 | index) << 8 | 6))
        self._reprice_at(random.Random(seed << 8 | 7), first=True)
        self._hammer_at(random.Random(seed << 8 | 8), first=True)
        timeline.after(_LOOK_S, self._look)
        timeline.after(600, self._mind_own_business)
        timeline.after(15 * _HOUR_S, self._usual_refill)

    def plan(self, action: Action) -> None:
        """Let the operator do that."""
        self._timeline.at(action.at_ns, partial(self._act, action))

    def _act(self, action: Action) -> None:
        match action:
            case Refill():
                source = self._by_key.get(action.source or "")
                self._refill(self._by_key[action.peer], action.sat * 1000, source)
            case SetPolicy():
                channels = {c.scid: c for _, c in self._people.channels}
                channel = channels[action.scid]
                new = {
                    "base_msat": action.base_msat, "rate_ppm": action.rate_ppm,
                    "max_htlc_msat": action.max_htlc_msat,
                }  # fmt: skip
                given = {name: value for name, value in new.items() if value is not None}
                self._set(channel, given)
            case StayOnline():
                self._steady.add(action.peer)
                self._come_back(self._by_key[action.peer])

    def _set(self, channel: SimChannel, given: dict[str, int]) -> None:
        channel.change(replace(channel.policy, **given), self._timeline.now_ns)
        self._policies()

    def _refill(self, peer: SimPeer, msat: int, source: SimPeer | None) -> None:
        """In parts, each between the roomiest channels of that moment; when that source is out of
        balance, the fullest of the others goes on."""
        while msat >= _LEAST_PART_MSAT:
            source = source or self._fullest(avoid=peer)
            if source is None:
                return
            back = max(peer.channels, key=lambda c: c.receivable_msat())
            out = max(source.channels, key=lambda c: c.spendable_msat())
            part = min(msat, back.receivable_msat(), out.spendable_msat())
            if back.receivable_msat() < _LEAST_PART_MSAT:
                return
            if part < _LEAST_PART_MSAT:
                source = None
                if self._fullest(avoid=peer) is None:
                    return
                continue
            self._hub.move(out, back, part)
            msat -= part

    def _fullest(self, avoid: SimPeer) -> SimPeer | None:
        """The peer that most of ours lies with."""
        healthy = (Role.SOURCE, Role.ROUTER, Role.SINK, Role.FILLED)
        fit = [p for p in self._people.peers if p.role in healthy and p is not avoid]
        best = max(fit, key=_stock, default=None)
        return best if best is not None and _stock(best) >= _LEAST_PART_MSAT else None

    def _usual_refill(self) -> None:
        """Now and then the operator fills the least of the dry ones himself."""
        dry = self._people.dry
        if len(dry) > 1:
            self._refill(dry[-1], 1_500_000_000, None)

    # Peers that go away and come back.

    def _plan_leaving(self, peer: SimPeer, chance: random.Random) -> None:
        often = 2.0 if peer.role is Role.FLAKY else 9.0
        pause_s = (0.7 + chance.expovariate(1 / often)) * _HOUR_S
        away_s = chance.uniform(12, 55) * 60
        notice_s = chance.uniform(15, 75)
        self._timeline.after(pause_s, lambda: self._leave(peer, chance, away_s, notice_s))

    def _leave(self, peer: SimPeer, chance: random.Random, away_s: float, notice_s: float) -> None:
        if peer.pubkey not in self._steady:
            peer.connected = False
            self._timeline.after(notice_s, partial(self._notice, peer))
            self._timeline.after(_UNROUTABLE_S, partial(self._disable, peer))
            self._timeline.after(away_s, partial(self._come_back, peer))
        self._timeline.after(away_s, partial(self._plan_leaving, peer, chance))

    def _notice(self, peer: SimPeer) -> None:
        if not peer.connected:
            peer.link_up = False
            self._tell(peer)

    def _disable(self, peer: SimPeer) -> None:
        if not peer.connected:
            peer.routable = False

    def _come_back(self, peer: SimPeer) -> None:
        if not peer.connected:
            peer.connected = peer.link_up = peer.routable = True
            self._tell(peer)

    def _tell(self, peer: SimPeer) -> None:
        for channel in peer.channels:
            self._changed(channel)

    # Policies.

    def _reprice_at(self, chance: random.Random, *, first: bool = False) -> None:
        hours = 2.0 if first else chance.uniform(7, 18)
        self._timeline.after(hours * _HOUR_S, lambda: self._reprice(chance))

    def _reprice(self, chance: random.Random) -> None:
        """The operator tries another price on some channel that is well."""
        fit = [p for p in self._people.peers if p.role in (Role.SINK, Role.ROUTER)]
        if fit:
            peer = chance.choice(fit)
            factor = chance.choice((1.15, 1.25, 1.25, 0.85))
            for channel in peer.channels:
                rate_ppm = max(10, int(channel.policy.rate_ppm * factor) // 5 * 5)
                self._set(channel, {"rate_ppm": rate_ppm})
        self._reprice_at(chance)

    # Large payments that keep the healthy ones healthy, and somebody's stubborn rebalancer.

    def _look(self) -> None:
        """Whoever has been paid a lot pays; whoever is out of balance on his side is paid."""
        full = [p for p in self._people.peers if p.role in (Role.SOURCE, Role.ROUTER, Role.SINK)]
        full.sort(key=lambda peer: -peer.share)
        for peer in self._people.peers:
            low = _LOW.get(peer.role, 0.0)
            if peer.share >= low or not peer.connected or not full:
                continue
            target = full.pop(0)
            if target is peer or target.share < 0.5 or not target.routable:
                continue
            amount_msat = min(peer.capacity_sat * 80, target.capacity_sat * 60, _MOST_PART_MSAT)
            largest = max(channel.spendable_msat() for channel in target.channels)
            amount_msat = min(amount_msat, largest // 2)
            if amount_msat >= _LEAST_MSAT:
                chance = random.Random((self._timeline.now_ns ^ self._seed) << 8 | 9)
                self._payers.pay(peer, target, amount_msat, "keysend", chance)
        self._timeline.after(_LOOK_S, self._look)

    def _hammer_at(self, chance: random.Random, *, first: bool = False) -> None:
        hours = chance.uniform(3, 9) if first else chance.uniform(14, 26)
        self._timeline.after(hours * _HOUR_S, lambda: self._hammer(chance))

    def _hammer(self, chance: random.Random) -> None:
        routers = [peer for peer in self._people.peers if peer.role is Role.ROUTER]
        dry = self._people.dry
        if routers and dry:
            amount_msat = chance.choice((75_000, 100_000)) * 1000
            self._payers.pay(chance.choice(routers), dry[0], amount_msat, "rebalance", chance)
        self._hammer_at(chance)

    def _mind_own_business(self) -> None:
        """We are paid, and probed, now and then."""
        own = self._own
        source = own.choice(self._people.peers)
        self._hub.pay_ourselves(
            source, own.randrange(2_000_000, 80_000_000), known=own.random() < 0.5
        )
        self._timeline.after(own.uniform(1, 5) * _HOUR_S, self._mind_own_business)


def _stock(peer: SimPeer) -> int:
    """What the best channel with a peer can send, msat."""
    return max(channel.spendable_msat() for channel in peer.channels)
