"""How pressing an opportunity is, and how sure: badges, which rank nothing."""

from htlctop.analysis.advice.finding import Finding, whole
from htlctop.analysis.advice.ground import Ground
from htlctop.analysis.advice.models import Confidence, Figure, Opportunity, Urgency

LEAST_H = 24
"""Watched hours under which little is sure."""


def urgency(ground: Ground, finding: Finding, month: float) -> Urgency:
    """The badge of something found, which is worth `month` msat in 30 days."""
    enough, per_day, share = _inputs(ground, finding.peer, finding.count)
    revenue = round(40 * min(1.0, month / enough))
    frequency = round(30 * min(1.0, per_day / 10))
    rate = round(30 * share)
    return Urgency(revenue + frequency + rate, revenue, frequency, rate)


def _inputs(ground: Ground, peer: int, count: int) -> tuple[float, float, float]:
    """(what is much per 30 days in msat, events per watched day, the failed share by fee)."""
    enough = max(1_000_000, 0.05 * ground.per_30d(ground.earned_msat))
    per_day = count / ground.covered_days if ground.covered_days else 0.0
    return enough, per_day, ground.sums(peer).failed_share


def urgency_figures(ground: Ground, item: Opportunity) -> list[Figure]:
    """How the parts of an opportunity's urgency come about."""
    enough, per_day, share = _inputs(ground, item.peer, item.count)
    month, parts = ground.per_30d(item.worth_msat), item.urgency
    return [
        Figure(
            "urgency: revenue", parts.revenue, "",
            f"40 × min(1, a month's {whole(round(month, 3))} ÷ {whole(round(enough, 3))})",
        ),
        Figure(
            "urgency: frequency", parts.frequency, "",
            f"30 × min(1, seen per watched day {whole(round(per_day, 6))} ÷ 10)",
        ),
        Figure(
            "urgency: rate", parts.rate, "",
            f"30 × failed share of fees {whole(round(share, 6))}",
        ),
        Figure(
            "urgency", parts.total, "",
            f"{parts.revenue} + {parts.frequency} + {parts.rate}",
        ),
    ]  # fmt: skip


def confidence(ground: Ground, finding: Finding) -> Confidence:
    """By how much was seen; a guess is never sure."""
    if finding.guess or finding.count < 20 or ground.covered_h < LEAST_H:
        return Confidence.LOW
    if finding.count >= 100 and ground.covered_h >= 72:
        return Confidence.HIGH
    return Confidence.MEDIUM
