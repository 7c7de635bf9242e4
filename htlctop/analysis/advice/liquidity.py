"""What to do about a peer that runs dry: refill it, charge more, or open a larger channel."""

from htlctop.analysis.advice.case import Flow, PeerCase
from htlctop.analysis.advice.curve import Served, round_down, round_up
from htlctop.analysis.advice.finding import Finding, whole
from htlctop.analysis.advice.ground import DAY_NS, HOUR_NS, MONTH_H
from htlctop.analysis.advice.models import Figure, Kind
from htlctop.analysis.advice.sources import Sources

DRY = 0.10
_LEAST_LARGE = 5
_LEAST_DRY_DAYS = 3
_LEAST_DAYS = 7
_NEAR = 4
"""Less than one in so many parts of a refill is not worth moving."""


def about_liquidity(case: PeerCase, sources: Sources) -> Finding | None:
    """The first of rebalance_outbound, raise_fees and increase_capacity that holds; the others
    that hold are named in its evidence.

    A larger channel comes first where it is worth more: it serves what is too large to refill for.
    There nothing is moved even before a week has shown whether a larger one is worth opening.
    Nor is anything moved or made dearer where enough has come to our side since the last refusal.
    """
    causes = case.causes
    worth, too_large = causes.expected_msat["liquidity"], causes.expected_msat["too_large"]
    if not worth + too_large or not case.channels:
        return None
    if too_large > worth:
        rebalance = None
        refusal = [Figure("not refilled", "most is too large for any channel with this peer")]
    else:
        rebalance, refusal = _rebalance(case, sources)
    grow = _increase_capacity(case)
    dearer = _raise_fees(case) if worth and not _has_enough(case) else None
    found = [f for f in (rebalance, dearer) if f is not None]
    if grow is not None:
        found.insert(0 if too_large > worth else len(found), grow)
    if not found:
        return None
    best = found[0]
    claims = causes.liquidity
    if best is grow:
        worth, claims = worth + too_large, [*claims, *causes.too_large]
    best.worth_msat, best.count = worth, len(claims)
    best.also = [other.kind for other in found[1:]]
    best.evidence = [*_refused(case, worth, len(claims)), *refusal, *best.evidence]
    return best


def _refused(case: PeerCase, worth: int, count: int) -> list[Figure]:
    figures = [
        Figure("missed for want of liquidity", worth, "msat"),
        Figure("payments refused for liquidity", count, ""),
        Figure("settle rate", round(float(case.rate), 6), ""),
    ]
    if case.local_share is not None:
        figures.append(Figure("our side now", round(case.local_share, 4), ""))
    return figures


def _has_enough(case: PeerCase) -> bool:
    """Whether most of what would have been enough is there by now."""
    knee = case.knee
    return knee is not None and _NEAR * (knee.more_sat - case.gained_sat) < knee.more_sat


def _rebalance(case: PeerCase, sources: Sources) -> tuple[Finding | None, list[Figure]]:
    """The refill, or why it is not advised."""
    replay = case.replay
    if case.is_away:
        return None, [Figure("not refilled", "no channel can be used now")]
    if not replay.count or _has_enough(case):
        return None, []
    if case.feasible_sat < replay.least_sat():
        return None, [
            Figure("not refilled", "no channel can receive what the smallest payment lacked"),
            Figure("most a channel can receive", case.feasible_sat, "sat"),
        ]
    knee, there = case.knee, case.gained_sat
    if knee is None or not knee.amount_msat or not case.replay_h:
        return None, []
    lacks = min(case.feasible_sat, round_up(knee.more_sat - there)) if there else knee.more_sat
    # Whoever leaves most of it to earn, be it that he gives less and cheaper.
    offers = [
        _Refill(case, replay.serve_beyond(there, round_down(sat)), source, cost)
        for source, sat, cost in sources.offers(case.peer, lacks)
    ] or [_Refill(case, replay.serve_beyond(there, lacks), None, 0.0)]
    best = max(offers, key=lambda offer: offer.gain)
    moved, gross, turn, cost = best.served, best.gross_ppm, best.turn, best.cost_ppm
    break_even = best.break_even_ppm
    figures = [
        Figure("enough for 80% of what could be served", knee.more_sat, "sat"),
        *([Figure("on our side since the last refusal", there, "sat")] if there else ()),
        Figure("to bring", moved.more_sat, "sat"),
        Figure("fee served by it", moved.fee_msat, "msat"),
        Figure("amount served by it", moved.amount_msat, "msat"),
        Figure(
            "each sat brought would earn", round(gross, 3), "ppm",
            f"fee served {whole(moved.fee_msat)} × 1,000,000 ÷ "
            f"amount served {whole(moved.amount_msat)}",
        ),
        Figure(
            "part used in 30 days", round(turn, 6), "",
            f"min(1, amount served {whole(moved.amount_msat)} ÷ watched hours "
            f"{whole(round(case.replay_h, 6))} × 720 ÷ brought {whole(moved.more_sat * 1000)})",
        ),
        Figure("each sat earns at the source", round(cost, 3), "ppm"),
        Figure(
            "break-even", round(break_even, 3), "ppm",
            f"would earn {whole(round(gross, 3))} × part used {whole(round(turn, 6))} − "
            f"earns at the source {whole(round(cost, 3))}",
        ),
    ]  # fmt: skip
    if break_even < 1:
        return None, [Figure("not refilled", "moving it would cost more than it earns"), *figures]
    ceiling, brought = int(break_even) // 2, moved.more_sat * 1000
    left = round(moved.fee_msat - brought * (ceiling + round(cost, 3)) / 1e6)
    figures.append(
        Figure(
            "one such refill leaves at least", left, "msat",
            f"fee served {whole(moved.fee_msat)} − brought {whole(brought)} × (ceiling "
            f"{whole(ceiling)} + earns at the source {whole(round(cost, 3))}) ÷ 1,000,000",
        )
    )  # fmt: skip
    finding = Finding(
        Kind.REBALANCE_OUTBOUND,
        case.peer,
        0,
        0,
        case.ids,
        figures,
        amount_msat=brought,
        break_even_ppm=int(break_even),
        ceiling_ppm=ceiling,
        source=best.source,
    )
    if best.source is not None:
        sources.take(best.source, case.peer, moved.more_sat)
    return finding, []


class _Refill:
    """What a refill from one source would bring. Rates in ppm of what is moved."""

    def __init__(self, case: PeerCase, served: Served, source: int | None, cost_ppm: float) -> None:
        self.served, self.source, self.cost_ppm = served, source, cost_ppm
        self.gross_ppm = served.fee_msat * 1e6 / served.amount_msat if served.amount_msat else 0.0
        monthly_msat = served.amount_msat / case.replay_h * MONTH_H
        self.turn = min(1.0, monthly_msat / (served.more_sat * 1000))
        self.break_even_ppm = self.gross_ppm * self.turn - cost_ppm
        self.gain = self.break_even_ppm * served.more_sat


def _raise_fees(case: PeerCase) -> Finding | None:
    dry = case.levels.time_where(lambda level: level.spendable < DRY)
    # A step, then compare: no second one within a day.
    if dry <= 0.5 or case.was_raised(case.ground.until_ns - DAY_NS):
        return None
    out, into = case.flows(case.ground.until_ns - 7 * DAY_NS)
    # All its channels are to ask the same then, so none is to ask less than it does now.
    rate = max((c.rate_ppm for c in case.channels if c.rate_ppm is not None), default=None)
    if out.amount_msat <= into.amount_msat or rate is None:
        return None
    # The more was refused beside what was earned, the larger the step.
    worth, earned = case.causes.expected_msat["liquidity"], case.sums.earned
    step = 0.10 + 0.15 * worth / max(1, worth + max(0, earned))
    wanted = max(rate + 1, round(rate * (1 + step)))
    return Finding(
        Kind.RAISE_FEES,
        case.peer,
        0,
        0,
        case.ids,
        [
            Figure("watched time with under 10% to send", round(dry, 4), ""),
            *_moved(case, out, into),
            Figure("rate asked now", rate, "ppm"),
            Figure(
                "rate to try", wanted, "ppm",
                f"asked now {whole(rate)} × (1 + step {whole(round(step, 6))})",
            ),
        ],
        break_even_ppm=rate,
        ceiling_ppm=wanted,
    )  # fmt: skip


def _increase_capacity(case: PeerCase) -> Finding | None:
    if case.ground.covered_days < _LEAST_DAYS:
        return None
    largest, large = case.holds_sat, case.causes.too_large
    dry_days = case.levels.dry_days(DRY, 0.5)
    if not largest or (len(large) < _LEAST_LARGE and dry_days < _LEAST_DRY_DAYS):
        return None
    out, into = case.flows(case.ground.window.from_ns)
    if len(large) < _LEAST_LARGE and 2 * into.amount_msat < out.amount_msat:
        return None
    wanted_sat = max(
        max(c.capacity_sat or 0 for c in case.channels),
        max((c.amount_msat for c in large), default=0) * 5 // 4 // 1000,
    )
    return Finding(
        Kind.INCREASE_CAPACITY,
        case.peer,
        0,
        0,
        case.ids,
        [
            Figure("payments larger than a channel can hold", len(large), ""),
            Figure("most that a channel can hold", largest, "sat"),
            Figure("days it ran dry after being over half full", dry_days, ""),
            *_moved(case, out, into),
            Figure("to be added", "the on-chain fee and the capital"),
        ],
        amount_msat=round_up(wanted_sat) * 1000,
    )


def _moved(case: PeerCase, out: Flow, into: Flow) -> list[Figure]:
    hours = case.ground.watched.between(out.since_ns, case.ground.until_ns) / HOUR_NS
    return [
        Figure("left by it", out.amount_msat, "msat"),
        Figure("came in from it", into.amount_msat, "msat"),
        Figure("watched hours of both", round(hours, 4), "h"),
    ]
