"""What to do about a peer that runs dry: refill it, charge more, or open a larger channel."""

from htlctop.analysis.advice.case import Flow, PeerCase
from htlctop.analysis.advice.curve import Served, round_down, round_up
from htlctop.analysis.advice.finding import FORGOTTEN, Finding, Reason, whole
from htlctop.analysis.advice.ground import DAY_NS, HOUR_NS, MONTH_H
from htlctop.analysis.advice.models import CAME, SPARE, Figure, Kind
from htlctop.analysis.advice.sources import Sources

DRY = 0.10
_LEAST_LARGE = 5
_LEAST_DRY_DAYS = 3
_LEAST_DAYS = 7
_NO_SOURCE = "no peer has enough to spare: what its sat would have earned is not taken off"
_NEAR = 4
"""Less than one in so many parts of a refill is not worth moving."""


def about_liquidity(case: PeerCase, sources: Sources) -> Finding | Reason | None:
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
    refill: Finding | Reason
    if too_large > worth:
        refill = Reason("most is too large for any channel with this peer", too_large)
    else:
        refill = _rebalance(case, sources)
    grow = _increase_capacity(case)
    dearer = _raise_fees(case) if worth and not _has_enough(case) else None
    tried = (grow, refill, dearer) if too_large > worth else (refill, dearer, grow)
    found = [each for each in tried if isinstance(each, Finding)]
    refused = refill if isinstance(refill, Reason) else None
    if not found:
        other = grow if too_large > worth else dearer
        return _nothing([each for each in (refused, other) if isinstance(each, Reason)], case)
    best = found[0]
    claims = causes.liquidity
    if best is grow:
        worth, claims = worth + too_large, [*claims, *causes.too_large]
    best.worth_msat, best.count = worth, len(claims)
    best.also = [other.kind for other in found[1:]]
    refusal = [Figure("not refilled", refused.because), *refused.evidence] if refused else []
    best.evidence = [*_refused(case, worth, len(claims)), *refusal, *best.evidence]
    return best


def _nothing(why: list[Reason], case: PeerCase) -> Reason:
    """Several reasons for one cause, as one."""
    worth = sum(case.causes.expected_msat[name] for name in ("liquidity", "too_large"))
    count = len(case.causes.liquidity) + len(case.causes.too_large)
    figures = (*_refused(case, worth, count), *(one for each in why for one in each.evidence))
    return Reason("; ".join(each.because for each in why), worth, figures)


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


def _rebalance(case: PeerCase, sources: Sources) -> Finding | Reason:
    """The refill, or why it is not advised."""
    replay, worth = case.replay, case.causes.expected_msat["liquidity"]
    if case.is_away:
        return Reason("no channel can be used now", worth)
    if not replay.count:
        return Reason(FORGOTTEN, worth)
    knee, there = case.knee, case.gained_sat
    if knee is not None and _has_enough(case):
        return Reason(
            f"{there:,} sat came to our side since the last refusal, and {knee.more_sat:,} would "
            "have been enough",
            worth,
            (
                Figure("enough for 80% of what could be served", knee.more_sat, "sat"),
                Figure(CAME, there, "sat"),
            ),
        )
    if case.feasible_sat < replay.least_sat():
        least, most = replay.least_sat(), case.feasible_sat
        return Reason(
            f"no channel can receive the {least:,} sat that the smallest payment lacked, but "
            f"{most:,}",
            worth,
            (
                Figure("the smallest payment lacked", least, "sat"),
                Figure("most a channel can receive", most, "sat"),
            ),
        )
    if knee is None or not knee.amount_msat or not case.replay_h:
        return Reason("nothing that could be brought would have served them", worth)
    lacks = min(case.feasible_sat, round_up(knee.more_sat - there)) if there else knee.more_sat
    # Whoever leaves most of it to earn, be it that he gives less and cheaper.
    offers = [
        _Refill(case, replay.serve_beyond(there, round_down(sat)), source, sat, cost)
        for source, sat, cost in sources.offers(case.peer, lacks)
    ] or [_Refill(case, replay.serve_beyond(there, lacks), None, lacks, 0.0)]
    best = max(offers, key=lambda offer: offer.gain)
    moved, gross, turn, cost = best.served, best.gross_ppm, best.turn, best.cost_ppm
    break_even = best.break_even_ppm
    figures = [
        Figure("enough for 80% of what could be served", knee.more_sat, "sat"),
        *([Figure(CAME, there, "sat")] if there else ()),
        *([Figure(SPARE, best.spare_sat, "sat")] if best.spare_sat < lacks else ()),
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
        return Reason(
            "moving it would cost more than it earns: each sat would earn "
            f"{whole(round(gross * turn))} ppm here and earns {whole(round(cost))} where it is",
            worth,
            tuple(figures),
        )
    ceiling, brought = int(break_even) // 2, moved.more_sat * 1000
    pays = round(break_even, 3)
    figures.append(
        Figure(
            "one such refill leaves in 30 days at least", round(brought * (pays - ceiling) / 1e6),
            "msat",
            f"brought {whole(brought)} × (breaks even at {whole(pays)} − ceiling {whole(ceiling)}) "
            "÷ 1,000,000",
        )
    )  # fmt: skip
    if best.source is None:
        figures.append(Figure("note", _NO_SOURCE))
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
    return finding


class _Refill:
    """What a refill from one source would bring. Rates in ppm of what is moved."""

    def __init__(
        self, case: PeerCase, served: Served, source: int | None, spare_sat: int, cost_ppm: float
    ) -> None:
        self.served, self.source = served, source
        self.spare_sat, self.cost_ppm = spare_sat, cost_ppm
        self.gross_ppm = served.fee_msat * 1e6 / served.amount_msat if served.amount_msat else 0.0
        monthly_msat = served.amount_msat / case.replay_h * MONTH_H
        self.turn = min(1.0, monthly_msat / (served.more_sat * 1000))
        self.break_even_ppm = self.gross_ppm * self.turn - cost_ppm
        self.gain = self.break_even_ppm * served.more_sat


def _raise_fees(case: PeerCase) -> Finding | Reason:
    worth = case.causes.expected_msat["liquidity"]
    dry = case.levels.time_where(lambda level: level.spendable < DRY)
    ran_dry = Figure("watched time with under 10% to send", round(dry, 4), "")
    if dry <= 0.5:
        return Reason(
            f"its fee is not raised, since under {DRY:.0%} could be sent in {dry:.0%} of the time "
            "only",
            worth,
            (ran_dry,),
        )
    # A step, then compare: no second one within a day.
    if case.was_raised(case.ground.until_ns - DAY_NS):
        return Reason("its fee was raised within a day: wait, then compare", worth)
    out, into = case.flows(case.ground.until_ns - 7 * DAY_NS)
    # All its channels are to ask the same then, so none is to ask less than it does now.
    rate = max((c.rate_ppm for c in case.channels if c.rate_ppm is not None), default=None)
    if rate is None:
        return Reason("its fee is not raised, since what it asks now is not known", worth)
    if out.amount_msat <= into.amount_msat:
        return Reason(
            f"its fee is not raised, since no more left by it ({out.amount_msat // 1000:,} sat) "
            f"than came in ({into.amount_msat // 1000:,})",
            worth,
            (ran_dry, *_moved(case, out, into)),
        )
    # The more was refused beside what was earned, the larger the step.
    earned = case.sums.earned
    step = 0.10 + 0.15 * worth / max(1, worth + max(0, earned))
    wanted = max(rate + 1, round(rate * (1 + step)))
    return Finding(
        Kind.RAISE_FEES,
        case.peer,
        0,
        0,
        case.ids,
        [
            ran_dry,
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


def _increase_capacity(case: PeerCase) -> Finding | Reason:
    if case.ground.covered_days < _LEAST_DAYS:
        return _not_larger(case)
    largest, large = case.holds_sat, case.causes.too_large
    dry_days = case.levels.dry_days(DRY, 0.5)
    if not largest or (len(large) < _LEAST_LARGE and dry_days < _LEAST_DRY_DAYS):
        return _not_larger(case)
    out, into = case.flows(case.ground.window.from_ns)
    if len(large) < _LEAST_LARGE and 2 * into.amount_msat < out.amount_msat:
        return _not_larger(case)
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


def _not_larger(case: PeerCase) -> Reason:
    """Why no larger channel is advised where payments were too large for those there are."""
    large = case.causes.too_large
    days = int(case.ground.covered_days * 10) / 10  # what is required is not there before it is
    return Reason(
        f"the largest can hold {case.holds_sat:,} sat, and a larger one is advised after "
        f"{_LEAST_LARGE} such payments in {_LEAST_DAYS} watched days: so far {len(large):,} in "
        f"{days:.1f} days",
        case.causes.expected_msat["too_large"],
        (
            Figure("payments larger than a channel can hold", len(large), ""),
            Figure("largest of them", max((c.amount_msat for c in large), default=0), "msat"),
            Figure("most that a channel can hold", case.holds_sat, "sat"),
            Figure("watched days", round(days, 4), ""),
        ),
    )


def _moved(case: PeerCase, out: Flow, into: Flow) -> list[Figure]:
    hours = case.ground.watched.between(out.since_ns, case.ground.until_ns) / HOUR_NS
    return [
        Figure("left by it", out.amount_msat, "msat"),
        Figure("came in from it", into.amount_msat, "msat"),
        Figure("watched hours of both", round(hours, 4), "h"),
    ]
