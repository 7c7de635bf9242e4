"""What advice rests on, written out: bids, the curve, each piece with its evidence."""

from collections.abc import Iterable

from htlctop.analysis.advice.advisor import LEAST_MSAT, LEAST_PART, Advisor
from htlctop.analysis.advice.arithmetic import plus, term
from htlctop.analysis.advice.case import PeerCase
from htlctop.analysis.advice.curve import liquidity_curve
from htlctop.analysis.advice.finding import whole
from htlctop.analysis.advice.ground import HOUR_NS, MONTH_H, Ground
from htlctop.analysis.advice.interval import poisson_range
from htlctop.analysis.advice.models import CAME, Figure, Kind, NotAdvised, Opportunity, Section
from htlctop.analysis.advice.urgency import urgency_figures


def bids(case: PeerCase) -> Section:
    """What was offered by those who would not pay our fee."""
    if not case.priced_out:
        return Section("", ())
    offered = case.bids
    kinds = (
        ("a fee of ours out of date", offered.stale),
        ("under 5 ppm", offered.zero),
        ("bids", offered.bids),
    )
    figures = []
    for name, offers in kinds:
        figures.append(Figure(f"{name}: payments", len(offers), ""))
        figures.append(Figure(f"{name}: offered", sum(o.fee_msat for o in offers), "msat"))
    figures.append(
        Figure(
            "payments that offered too little",
            len(case.priced_out),
            "",
            plus([len(offers) for _, offers in kinds]),
        )
    )
    return Section(f"Priced out, of the newest {case.most:,}", tuple(figures))


def curve(case: PeerCase) -> Section:
    """What so much more on our side, moved once, would have served."""
    if not case.channels or not case.replay.count:
        return Section("", ())
    found = liquidity_curve(case.replay, case.most_sat)
    figures = [
        Figure("payments replayed", found.claims, ""),
        Figure("most a channel can receive", case.feasible_sat, "sat"),
        Figure(CAME, case.gained_sat, "sat"),
    ]
    most = found.points[-1].served_msat if found.points else 0
    for index, point in enumerate(found.points):
        knee = ", the knee" if index == found.knee else ""
        name = f"with {point.more_sat:,} sat more{knee}"
        if point.lasts_ns is not None:
            figures.append(Figure(f"{name}: lasts", round(point.lasts_ns / HOUR_NS, 6), "h"))
        figures.append(Figure(f"{name}: served", point.served_msat, "msat"))
        figures.append(
            Figure(
                f"{name}: share", round(point.share, 6), "",
                f"min(1, served {point.served_msat:,} ÷ the most {most:,})",
            )
        )  # fmt: skip
    return Section("With so much more on our side, once", tuple(figures))


def nothing(advisor: Advisor, item: NotAdvised | None) -> Section:
    """Why nothing is advised about a peer: the reason, where what was missed would be enough, and
    what is enough."""
    ground, figures = advisor.ground, list[Figure]()
    if item is not None:
        figures.append(Figure("because", item.because))
        figures.append(Figure("worth", item.worth_msat, "msat"))
        figures += item.evidence
    hours = round(ground.covered_h, 6)
    if hours:
        figures.append(
            Figure(
                "enough in 30 days", round(advisor.least_msat), "msat",
                f"max({LEAST_MSAT:,}, {LEAST_PART} × earned {term(ground.earned_msat)} ÷ "
                f"watched hours {whole(hours)} × {MONTH_H})",
            )
        )  # fmt: skip
    return Section("Why nothing is advised", tuple(figures))


def opportunity(wide: Ground, item: Opportunity) -> Section:
    """One piece of advice: its evidence, the values it names, its urgency, what a month brings."""
    figures = [Figure("worth", item.worth_msat, "msat"), *item.evidence, *_advised(item)]
    figures += urgency_figures(wide, item)
    if item.per_30d_msat is not None and item.count:
        month = wide.per_30d(item.worth_msat)
        ends = zip(("low", "high"), item.per_30d_msat, poisson_range(item.count), strict=True)
        for name, msat, mean in ends:
            figures.append(
                Figure(
                    f"per 30 days, {name}", msat, "msat",
                    f"{whole(round(month, 3))} × {whole(round(mean, 6))} ÷ "
                    f"seen {item.count:,}",
                )
            )  # fmt: skip
    return Section(f"Advice: {item.kind.value}", tuple(figures))


def _advised(item: Opportunity) -> Iterable[Figure]:
    """The values that its sentence and its command name."""
    now, then, amount_msat = item.break_even_ppm, item.ceiling_ppm, item.amount_msat
    if amount_msat is not None:
        yield Figure("advised: amount", amount_msat // 1000, "sat")
    if now is None or then is None:
        return
    if item.kind is not Kind.REBALANCE_OUTBOUND:
        yield Figure("advised: rate now", now, "ppm")
        yield Figure("advised: rate then", then, "ppm")
        return
    yield Figure("advised: ceiling", then, "ppm", f"breaks even at {now:,} ÷ 2")
    if amount_msat and item.costs_at_most_sat is not None:
        yield Figure(
            "advised: costs at most", item.costs_at_most_sat, "sat",
            f"amount {amount_msat // 1000:,} × ceiling {then:,} ÷ 1,000,000",
        )  # fmt: skip
