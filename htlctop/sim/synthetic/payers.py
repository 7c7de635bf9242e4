"""The people who pay through the made-up node, each payment drawn from a chance of its own.

What they do depends on what they are told, never on how others fared, so two runs of one seed
differ only where something about the node does.
"""

import random
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from htlctop.domain.types import NS
from htlctop.sim.synthetic.channels import SimChannel
from htlctop.sim.synthetic.hub import OK, Answer, Asked, Hub, Onward, Shards
from htlctop.sim.synthetic.people import People, Role, SimPeer
from htlctop.sim.synthetic.timeline import Timeline
from htlctop.sim.synthetic.truth import Attempt, PaymentRecord
from htlctop.sim.synthetic.wants import Tempo, draw_amount, draw_kind, name_channel

_DAY_S = 86_400
_STALE_NS = 24 * 3600 * NS
_SHARDS_S = 0.006
"""Shards leave their wallet within so short a time."""
_PATIENCE = (1, 2, 3, 4)
_PATIENT = (0.35, 0.65, 0.85, 1.0)
_FAR = ("shop", "pool", "faucet", "podcast", "till", "friend", "invoice", "kiosk")

Over = Callable[[PaymentRecord], None]


@dataclass(slots=True)
class Payment:
    """One payment while it goes on.

    Attributes:
        arrives: whether it would arrive from us on, after so many `hiccups`.
        left: how often it may still be tried.
        fee_ppm: what a bid offers.
        rest, shards: of a payment in parts, how many have yet to end before the last.
    """

    record: PaymentRecord
    source: SimPeer
    target: SimPeer
    chance: random.Random
    arrives: bool
    hiccups: int
    left: int
    fee_ppm: int = 0
    rest: int = 0
    shards: Shards | None = None


class Payers:
    """Everybody who pays; `over` gets each payment when it is."""

    def __init__(
        self, seed: int, people: People, hub: Hub, timeline: Timeline, tempo: Tempo, over: Over
    ):
        self._seed = seed
        self._hub = hub
        self._timeline = timeline
        self._tempo = tempo
        self._over = over
        self._peers = people.peers
        self._ins = list(accumulate(peer.weight_in for peer in self._peers))
        self._outs = list(accumulate(peer.weight_out for peer in self._peers))
        self._count = self._drawn = 0
        self._open: dict[int, Payment] = {}
        self._clocks = (random.Random(seed << 8 | 2), random.Random(seed << 8 | 3))
        self._wait(0)
        self._wait(1)

    @property
    def open(self) -> list[PaymentRecord]:
        """The payments that go on."""
        return [payment.record for payment in self._open.values()]

    def pay(
        self, source: SimPeer, target: SimPeer, amount_msat: int, kind: str, chance: random.Random
    ) -> None:
        """A payment of somebody's choice, tried once or, as a rebalancer does, again and again."""
        payment = self._new(source, target, amount_msat, kind, chance)
        payment.arrives, payment.hiccups = True, 0
        payment.left = chance.randrange(24, 44) if kind == "rebalance" else 2
        self._try(payment, amount_msat)

    def _wait(self, small: int) -> None:
        """Plan the next payment, by thinning: whether there is one is up to its own clock."""
        tempo, clock = self._tempo, self._clocks[small]
        at = tempo.small_at if small else tempo.payments_at
        most = max(at(self._timeline.now_ns), tempo.small if small else tempo.payments * 1.6)
        if not most:
            return
        begins = tempo.rush_ns is not None and self._timeline.now_ns < tempo.rush_ns
        due_ns = self._timeline.now_ns + int(clock.expovariate(most / _DAY_S) * NS)
        if begins and tempo.rush_ns is not None and due_ns >= tempo.rush_ns:
            self._timeline.at(tempo.rush_ns, partial(self._wait, small))
        else:
            self._timeline.at(due_ns, partial(self._come, small, most))

    def _come(self, small: int, most: float) -> None:
        tempo = self._tempo
        at = tempo.small_at if small else tempo.payments_at
        wanted = self._clocks[small].random() * most < at(self._timeline.now_ns)
        if wanted:
            self._begin(is_small=bool(small))
        self._wait(small)

    def _begin(self, *, is_small: bool) -> None:
        self._drawn += 1  # not the payments' ids: how many others pay depends on balances
        chance = random.Random((self._seed << 40 | self._drawn) << 8 | 4)
        source = self._draw(self._ins, chance)
        target = self._draw(self._outs, chance)
        if source is target or not source.connected or not target.routable:
            return
        if chance.random() < 0.012 and not is_small:
            self._odd(source, target, chance)
            return
        kind = "keysend" if is_small else draw_kind(target, chance)
        amount_msat = (
            chance.randrange(150_000, 3_000_000) if is_small else draw_amount(target, chance)
        )
        self._start(self._new(source, target, amount_msat, kind, chance))

    def _draw(self, weights: list[float], chance: random.Random) -> SimPeer:
        return self._peers[bisect(weights, chance.random() * weights[-1])]

    def _new(
        self, source: SimPeer, target: SimPeer, amount_msat: int, kind: str, chance: random.Random
    ) -> Payment:
        self._count += 1
        far = f"{chance.choice(_FAR)}-{chance.randrange(10_000)}" if chance.random() < 0.45 else ""
        record = PaymentRecord(
            self._count, kind, source.name, far or target.name, target.name if far else None,
            target.pubkey, amount_msat, 0, self._timeline.now_ns,
        )  # fmt: skip
        arrives = chance.random() < target.settle_share and kind != "probe"
        hiccups = int(chance.random() < 0.2) + int(chance.random() < 0.05)
        left = _PATIENCE[bisect(_PATIENT, chance.random())]
        payment = Payment(record, source, target, chance, arrives, hiccups, left)
        self._open[record.id] = payment
        return payment

    def _start(self, payment: Payment) -> None:
        record, chance = payment.record, payment.chance
        amount_msat = record.amt_msat
        match record.kind:
            case "mpp":
                crowd = payment.target.role is Role.CROWDED
                shards = chance.randrange(4, 9) if crowd else chance.randrange(2, 5)
                amount_msat = amount_msat // shards // 1000 * 1000
                payment.left, payment.rest = 0, shards - 1
                payment.shards = Shards()
                for _ in range(shards):
                    later_s = chance.uniform(0, _SHARDS_S)
                    self._timeline.after(later_s, partial(self._try, payment, amount_msat))
                return
            case "probe":
                payment.left = chance.randrange(1, 5)
            case "halve":
                payment.left = chance.randrange(2, 6)
            case "bid":
                payment.fee_ppm = chance.randrange(300, 1_300)
        self._try(payment, amount_msat)

    def _try(self, payment: Payment, amount_msat: int) -> None:
        """Send one HTLC; it takes a moment to reach us."""
        record, chance = payment.record, payment.chance
        number = len(record.attempts)
        named = name_channel(payment.target, amount_msat, number, chance)
        fee_msat = self._fee(payment, named, amount_msat)
        attempt = Attempt(self._timeline.now_ns, amount_msat, fee_msat)
        record.attempts.append(attempt)
        record.fee_msat = record.fee_msat or fee_msat
        asked = Asked(
            payment.source, payment.target, named, amount_msat, fee_msat,
            self._onward(payment), chance,
        )  # fmt: skip
        # Shards are still together when they reach us.
        later_s = 0.15 if record.kind == "mpp" else chance.uniform(0.03, 0.4)
        over = partial(self._learn, payment, attempt)
        self._timeline.after(later_s, lambda: self._hub.take(asked, over))

    def _fee(self, payment: Payment, named: SimChannel, amount_msat: int) -> int:
        chance, kind = payment.chance, payment.record.kind
        inbound = payment.source.channels[0].policy
        asked_msat = named.policy.asked_msat(amount_msat, inbound)
        match kind:
            case "zero":
                return 0
            case "bid":
                return min(amount_msat * payment.fee_ppm // 1_000_000, asked_msat - 1)
            case "rebalance":
                return asked_msat
        known = named.before
        fresh = self._timeline.now_ns - named.changed_ns < _STALE_NS
        if known is not None and fresh and not payment.record.attempts and chance.random() < 0.3:
            before_msat = known.asked_msat(amount_msat, inbound)
            if before_msat < asked_msat and kind == "keysend":
                payment.record.kind, payment.left = "stale", min(payment.left, 2)
        if payment.record.kind == "stale" and known is not None:
            return known.asked_msat(amount_msat, inbound)
        more = chance.uniform(1.01, 1.25) if chance.random() < 0.1 else 1.0
        return int(asked_msat * more)

    def _onward(self, payment: Payment) -> Onward:
        """What becomes of it beyond us, and after how long."""
        chance, kind = payment.chance, payment.record.kind
        seconds = 0.25 + chance.expovariate(1 / 0.9)
        slow = chance.random()
        if payment.target.role is Role.CROWDED and slow < 0.5:
            seconds = chance.uniform(15, 90)
        elif slow < 0.006 and kind != "probe":
            seconds = chance.uniform(600, 5 * 3600)
        where = 3 if payment.record.via else 2
        if payment.shards is not None:
            result = OK if payment.arrives else "INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS@2"
            return Onward(result, seconds + 1, payment.shards)
        if kind == "probe":
            return Onward(f"INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS@{where}", seconds)
        if payment.arrives and payment.hiccups == 0:
            return Onward(OK, seconds)
        if where == 3:
            return Onward(f"TEMPORARY_CHANNEL_FAILURE@{chance.choice((2, 2, 3))}", seconds)
        return Onward("INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS@2", seconds)

    def _learn(self, payment: Payment, attempt: Attempt, answer: Answer) -> None:
        """The sender learns how an attempt ended, and goes on or gives up."""
        record, chance = payment.record, payment.chance
        attempt.end_ns, attempt.result = self._timeline.now_ns, answer.result
        attempt.cause, attempt.had_room = answer.cause, answer.had_room
        if payment.shards is not None and answer.result != OK:
            payment.shards.one_failed = True
        if payment.rest:
            payment.rest -= 1
            return
        if record.kind == "mpp":
            record.ok = all(each.result == OK for each in record.attempts)
            self._end(payment)
            return
        record.ok = answer.result == OK
        if not answer.result.endswith(("@0", "@1")):
            payment.hiccups = max(0, payment.hiccups - 1)
        payment.left -= 1
        if record.ok or payment.left <= 0 or not payment.target.routable:
            self._end(payment)
            return
        amount_msat = attempt.amt_msat
        pause_s = 0.4 + chance.expovariate(1 / 2.5)
        if record.kind in ("halve", "probe"):
            amount_msat //= 2
        if record.kind == "rebalance":
            pause_s = chance.uniform(150, 290)
        if amount_msat < 1_000_000:
            self._end(payment)
            return
        self._timeline.after(min(pause_s, 300), partial(self._try, payment, amount_msat))

    def _end(self, payment: Payment) -> None:
        del self._open[payment.record.id]
        self._over(payment.record)

    def _odd(self, source: SimPeer, target: SimPeer, chance: random.Random) -> None:
        """An HTLC that asks for what cannot be: nothing that its sender meant to go through."""
        amount_msat = chance.randrange(1_000_000, 90_000_000)
        fee_msat, scid = amount_msat // 2_000 + 1_000, target.channels[0].scid
        what = chance.randrange(5)
        why = (18, 1)
        if what == 0:
            scid = chance.randrange(700_000, 860_000) << 40 | 7 << 16
        elif what == 1:
            scid = 0  # a blinded hop
        elif what == 2:
            why = (13, 1)
        elif what == 3:
            why, amount_msat, fee_msat = (11, 1), chance.randrange(1, 900), 1_000
        else:
            confirmed = [c.confirmed_scid for p in self._peers for c in p.channels]
            scid = next((scid for scid in confirmed if scid), scid | 1)
        payment = self._new(source, target, amount_msat, "probe", chance)
        attempt = Attempt(self._timeline.now_ns, amount_msat, fee_msat)
        payment.record.attempts.append(attempt)
        attempt.result = self._hub.turn_away(source, scid, amount_msat, why, amount_msat + fee_msat)
        attempt.end_ns = self._timeline.now_ns + NS // 5
        self._end(payment)
