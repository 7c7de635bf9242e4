"""What a made-up node's payers lost, peer by peer, by their own log: what analysis must find."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from htlctop.domain.codes import Category
from htlctop.sim.synthetic.truth import PaymentRecord

_NOT_MEANT = frozenset({"probe", "zero", "stale", "bid"})
"""Kinds whose refusals cost us nothing that we could have earned at our price."""
_LOST = (
    "TEMPORARY_CHANNEL_FAILURE@1", "TEMPORARY_NODE_FAILURE@1", "UNKNOWN_NEXT_PEER@1",
)  # fmt: skip
"""We refused it though it offered what we asked."""
_PASSED_ON = ("OK", "@2", "@3")


@dataclass(slots=True)
class Tally:
    """What one peer's payments came to. Amounts msat."""

    name: str
    lost: dict[Category, int] = field(default_factory=lambda: defaultdict(int))
    misaligned_msat: int = 0
    passed_on: int = 0
    paid: int = 0

    @property
    def lost_msat(self) -> int:
        """All that was lost."""
        return sum(self.lost.values())

    @property
    def settle_share(self) -> float:
        """How many of the payments passed on arrived."""
        return self.paid / self.passed_on if self.passed_on else 0.0


def tally(payments: Iterable[PaymentRecord]) -> dict[str, Tally]:
    """By the peer's key, what its payments lost us and why, and how often they arrive."""
    found: dict[str, Tally] = {}
    for payment in payments:
        mine = found.setdefault(payment.peer, Tally(payment.via or payment.dst))
        for (cause, had_room), msat in lost_by(payment).items():
            mine.lost[cause] += msat
            mine.misaligned_msat += msat * had_room
        if was_passed_on(payment):
            mine.passed_on += 1
            mine.paid += payment.ok
    return found


def lost_by(payment: PaymentRecord) -> dict[tuple[Category, bool], int]:
    """What we lost by a payment, msat, by (cause, whether another channel had room)."""
    refused = [(a, a.cause) for a in payment.attempts if a.result in _LOST and a.cause]
    if payment.kind in _NOT_MEANT or not refused:
        return {}
    lost: dict[tuple[Category, bool], int] = defaultdict(int)
    if payment.kind == "mpp":
        for attempt, cause in refused:
            lost[cause, attempt.had_room] += attempt.fee_msat
        return lost
    first, cause = refused[0]
    fee_msat = first.fee_msat
    if payment.ok:
        paid = next(a.fee_msat for a in payment.attempts if a.result == "OK")
        fee_msat = max(0, payment.attempts[0].fee_msat - paid)
    return {(cause, first.had_room): fee_msat}


def was_passed_on(payment: PaymentRecord) -> bool:
    """Whether it counts for the settle share: an attempt left us, and it was meant."""
    return payment.kind not in _NOT_MEANT and any(
        attempt.result.endswith(_PASSED_ON) for attempt in payment.attempts
    )
