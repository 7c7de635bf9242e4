"""What people want: how much is paid when, how it is tried, how much at a time, and where to."""

import math
import random
from dataclasses import dataclass

from htlctop.domain.types import NS
from htlctop.sim.synthetic.channels import SimChannel
from htlctop.sim.synthetic.people import Role, SimPeer

_ROUND = (5_000, 10_000, 20_000, 21_000, 50_000, 100_000, 250_000)


@dataclass(frozen=True, slots=True)
class Tempo:
    """How much is paid.

    Attributes:
        payments, small: how many a day on average, and how many tiny ones beside them.
        rush_ns: from when on there are more, None for never: `rush` times the payments, and
            `rush_small` tiny ones a day.
        peak_ns: a moment at which the day is at its busiest.
    """

    payments: float = 880
    small: float = 60
    rush_ns: int | None = None
    rush: float = 10.0
    rush_small: float = 36_000
    peak_ns: int = 0

    def payments_at(self, at_ns: int) -> float:
        """Payments a day at that moment."""
        hours = (at_ns - self.peak_ns) / (3600 * NS)
        day = 1 + 0.55 * math.cos(hours * math.tau / 24)
        return self.payments * day * (self.rush if self._rushes(at_ns) else 1)

    def small_at(self, at_ns: int) -> float:
        """Tiny payments a day at that moment."""
        return self.rush_small if self._rushes(at_ns) else self.small

    def _rushes(self, at_ns: int) -> bool:
        return self.rush_ns is not None and at_ns >= self.rush_ns


def draw_kind(target: SimPeer, chance: random.Random) -> str:
    """How a payment to that peer is tried: the kind in the payers' log."""
    draw = chance.random()
    if target.role is Role.DEAR:
        return "bid" if draw < 0.92 else "keysend"
    if target.role is Role.CROWDED and draw < 0.5:
        return "mpp"
    if draw < 0.68:
        return "keysend"
    if draw < 0.83:
        return "halve"
    if draw < 0.94:
        return "mpp"
    if draw < 0.955:
        return "zero"
    # Few probe what costs most to be refused: they would look like payments that were lost.
    few = {Role.DRY: 0.985, Role.CAPPED: 0.985, Role.SMALL: 1.0}
    return "keysend" if draw < few.get(target.role, 0.0) else "probe"


def draw_amount(target: SimPeer, chance: random.Random) -> int:
    """What a payment to that peer is over, msat."""
    if target.role is Role.SMALL and chance.random() < 0.12:
        return chance.randrange(1_200_000, 2_200_000) * 1000
    if chance.random() < 0.15:
        fit = [sat for sat in _ROUND if sat <= target.most_sat and sat <= 6 * target.amount_sat]
        amount_sat = chance.choice(fit or (1_000,))
        return amount_sat * 1000
    drawn_sat = target.amount_sat * math.exp(chance.gauss(0, target.spread))
    return int(min(max(drawn_sat, 20), target.most_sat) * 1000)


def name_channel(
    target: SimPeer, amount_msat: int, tries: int, chance: random.Random
) -> SimChannel:
    """The channel a sender names: the cheapest, or when that failed perhaps another."""
    channels = target.channels
    if len(channels) == 1:
        return channels[0]
    inbound = channels[0].policy
    by_price = sorted(channels, key=lambda c: c.policy.asked_msat(amount_msat, inbound))
    draw = chance.random()
    if tries:
        return by_price[tries % len(by_price)] if draw < 0.35 else by_price[0]
    return by_price[0] if draw < 0.85 else by_price[-1]
