"""What a channel's own settings turn away: a max_htlc too small, a min_htlc too large, siblings
that differ."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from htlctop.analysis.advice.case import PeerCase
from htlctop.analysis.advice.curve import round_up
from htlctop.analysis.advice.finding import FORGOTTEN, Finding, Reason, many, whole
from htlctop.analysis.advice.ground import DAY_NS
from htlctop.analysis.advice.models import Figure, Kind
from htlctop.domain.codes import Category
from htlctop.domain.evidence import LostClaim
from htlctop.domain.fees import fee_asked

_MOST_OF_THE_FEE = 0.9
_OFTEN = 3
"""A max_htlc that changed so many times in a week is set by a tool."""


def about_max_htlc(case: PeerCase) -> Finding | Reason | None:
    """raise_max_htlc: the value that lets most of the refused fee through, of the payments that
    would be refused by what is in force now as well."""
    every, all_worth = case.causes.max_htlc, case.causes.expected_msat["max_htlc"]
    claims, worth = _still_refused(case)
    if not all_worth or not case.channels:
        return None
    if not every:
        return Reason(FORGOTTEN, all_worth)
    refused = (
        Figure("missed by max_htlc while there was room", all_worth, "msat"),
        Figure("payments refused by max_htlc", len(every), ""),
        Figure("of these still too large for it", len(claims), ""),
    )
    if not worth or not claims:
        because = f"its max_htlc lets through by now what it refused: {many(len(every), 'payment')}"
        return Reason(because, all_worth, refused)
    changes = max((_changes(case, channel) for channel in case.ids), default=0)
    if changes >= _OFTEN:
        because = (
            f"its max_htlc changed {changes:,} times in 7 days: a tool that sets it would undo a "
            "larger one"
        )
        changed = Figure("changes of max_htlc in 7 days", changes, "")
        return Reason(because, all_worth, (*refused, changed))
    largest_msat = max((c.capacity_sat or 0) for c in case.channels) * 990
    named = tuple(sorted({case.ground.book.main_of(claim.out_channel) for claim in claims}))
    enough = _enough(claims)
    value = min(enough, largest_msat) if largest_msat else enough
    figures = [
        Figure("missed by max_htlc while there was room", worth, "msat"),
        Figure("payments refused by max_htlc", len(claims), ""),
        Figure("largest of them", max(claim.amount_msat for claim in claims), "msat"),
        Figure("enough for 90% of their fees", enough, "msat"),
        Figure("value to set", value, "msat"),
    ]
    for channel in named:
        now = case.max_htlc_at(channel, case.ground.until_ns)
        figures.append(Figure(f"max_htlc of {case.ground.book.scid_of(channel)}", now, "msat"))
    return Finding(
        Kind.RAISE_MAX_HTLC, case.peer, worth, len(claims), named, figures, amount_msat=value
    )


def about_min_htlc(case: PeerCase) -> Reason | None:
    """Nothing is advised for payments that were too small, but it is said that they were."""
    offered, count = (of(Category.MIN_HTLC) for of in (case.sums.demand, case.sums.claims))
    if not offered or not case.channels:
        return None
    return Reason(
        f"its min_htlc was too large for {many(count, 'payment')}",
        offered,
        (
            Figure("payments smaller than min_htlc", count, ""),
            Figure("offered by them", offered, "msat"),
        ),
    )


def _still_refused(case: PeerCase) -> tuple[Sequence[LostClaim], int]:
    """The payments refused by a max_htlc that is in the way of them today, and their worth."""
    every, worth = case.causes.max_htlc, case.causes.expected_msat["max_htlc"]
    claims = []
    for claim in every:
        named = case.ground.book.main_of(claim.out_channel)
        largest = case.max_htlc_at(named, case.ground.until_ns)
        if largest is None or largest < claim.amount_msat:
            claims.append(claim)
    if len(claims) < len(every):
        worth = worth * _net(claims) // max(1, _net(every))
    return claims, worth


def _net(claims: Iterable[LostClaim]) -> int:
    return sum(max(0, claim.net_msat) for claim in claims)


def about_alignment(case: PeerCase) -> Finding | Reason | None:
    """align_channels: one channel was named and had too little, its sibling had and refused."""
    by_field = case.causes.align
    claims = [claim for found in by_field.values() for claim in found]
    worth = case.causes.expected_msat["align"]
    if not worth or not claims:
        return None
    field = max(by_field, key=lambda name: (len(by_field[name]), name))
    finding = Finding(
        Kind.ALIGN_CHANNELS,
        case.peer,
        worth,
        len(claims),
        case.ids,
        [
            Figure("missed though a sibling channel had room", worth, "msat"),
            Figure("payments refused though a sibling had room", len(claims), ""),
            Figure("field that differs", field),
        ],
    )
    if field == "max_htlc":
        finding.amount_msat = value = _enough(claims)
        limits = {c: case.max_htlc_at(c, case.ground.until_ns) for c in case.ids}
        if all(now is not None and now >= value for now in limits.values()):
            because = "all its channels take by now what one of them refused"
            return Reason(because, worth, tuple(finding.evidence))
        for channel, now in limits.items():
            finding.evidence.append(
                Figure(f"max_htlc of {case.ground.book.scid_of(channel)}", now, "msat")
            )
    elif because := _align_fees(case, finding):
        return Reason(because, worth, tuple(finding.evidence))
    return finding


def _align_fees(case: PeerCase, finding: Finding) -> str:
    """All like the cheapest where that brings at least twice what it takes from those who pay
    more today; else like the dearest, a guess: some will not pay that. Returns why there is
    nothing left to align, "" where there is."""
    asked = {c.id: (c.rate_ppm, c.base_msat or 0) for c in case.channels if c.rate_ppm is not None}
    for channel, (rate, base) in asked.items():
        scid = case.ground.book.scid_of(channel)
        finding.evidence += [
            Figure(f"rate of {scid}", rate, "ppm"), Figure(f"base of {scid}", base, "msat")
        ]  # fmt: skip
    if not asked:
        return ""
    (low, low_base), (high, high_base) = min(asked.values()), max(asked.values())
    if (low, low_base) == (high, high_base):
        return "its channels ask the same fee by now"
    flow, given_up = case.outflow, 0
    for one in case.settled(case.ground.window.from_ns, incoming=False):
        rate, base = asked.get(case.ground.book.main_of(one.channel), (low, low_base))
        less = fee_asked(one.amount_msat, base, rate) - fee_asked(one.amount_msat, low_base, low)
        given_up += max(0, min(less, one.fee_msat))
    if flow.fee_msat > 0:  # of the newest forwards: as much of all that was earned
        given_up = given_up * max(0, case.sums.earned) // flow.fee_msat
    missed = finding.worth_msat
    finding.evidence.append(Figure("what the cheapest fee everywhere would lose", given_up, "msat"))
    if low < high and 2 * given_up > missed:
        finding.break_even_ppm, finding.ceiling_ppm, finding.guess = low, high, True
        finding.evidence.append(Figure("note", "some of them may not pay the higher fee"))
        return ""
    finding.break_even_ppm, finding.ceiling_ppm = high, low
    finding.worth_msat = missed - given_up
    finding.evidence.append(
        Figure(
            "left of it", finding.worth_msat, "msat",
            f"missed {whole(missed)} − less {whole(given_up)}",
        )
    )  # fmt: skip
    if finding.worth_msat <= 0:
        return "what the cheapest fee on all its channels would bring it would lose again"
    return ""


def _changes(case: PeerCase, channel: int) -> int:
    """How often a channel's max_htlc changed in the last week."""
    since_ns = case.ground.until_ns - 7 * DAY_NS
    values = [p.max_htlc_msat for p in case.limits.get(channel, ()) if p.at_ns >= since_ns]
    return sum(1 for before, after in pairwise(values) if before != after)


def _enough(claims: Iterable[LostClaim]) -> int:
    """The amount, rounded up, that lets most of the claims' fee through, msat."""
    through, ordered = 0, sorted(claims, key=lambda claim: claim.amount_msat)
    total = _net(ordered)
    for claim in ordered:
        through += max(0, claim.net_msat)
        if through >= _MOST_OF_THE_FEE * total:
            return round_up(-(-claim.amount_msat // 1000)) * 1000
    return round_up(-(-ordered[-1].amount_msat // 1000)) * 1000
