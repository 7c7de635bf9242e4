"""What would have let refused payments through: more on our side, a larger channel, a larger
max_htlc, or what a sibling channel asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htlctop.analysis.advice.bids import Policies
from htlctop.analysis.advice.peer_sums import LIQUIDITY, ROOM
from htlctop.analysis.formulas import share_out
from htlctop.domain.codes import Category
from htlctop.domain.evidence import LostClaim

if TYPE_CHECKING:
    from htlctop.analysis.advice.case import PeerCase

_LIQUIDITY, _TOO_LARGE, _MAX_HTLC, _ALIGN = "liquidity", "too_large", "max_htlc", "align"
_BY_FEE, _BY_MAX_HTLC = "fee of a sibling", "max_htlc of a sibling"
_FIELDS = {_BY_FEE: "fee", _BY_MAX_HTLC: "max_htlc"}


@dataclass(frozen=True, slots=True)
class Causes:
    """The payments refused for want of room, apart by what would have let them through: more on
    our side, a larger channel, a larger max_htlc, the settings of a sibling channel that had room
    (by the field that differed).

    Each has its share of what the peer expects of these categories; they never overlap.
    """

    liquidity: Sequence[LostClaim]
    too_large: Sequence[LostClaim]
    max_htlc: Sequence[LostClaim]
    align: Mapping[str, Sequence[LostClaim]]
    expected_msat: dict[str, int]


def causes_of(case: "PeerCase") -> Causes:
    """A peer's refused payments by what would have let them through."""
    parts: dict[str, list[LostClaim]] = defaultdict(list)
    known = _judged(case)
    for claim in case.refused:
        parts[known[claim.seq]].append(claim)
    align = {field: parts[name] for name, field in _FIELDS.items() if name in parts}
    apart = {name: parts[name] for name in (_LIQUIDITY, _TOO_LARGE, _MAX_HTLC)}
    expected = _shared_out(case, {**apart, _ALIGN: [c for each in align.values() for c in each]})
    return Causes(**apart, align=align, expected_msat=expected)


def _shared_out(case: "PeerCase", parts: Mapping[str, Sequence[LostClaim]]) -> dict[str, int]:
    """What the peer is expected to have missed of each category, by the parts of it."""
    expected = dict.fromkeys(parts, 0)
    for category in ROOM:
        msat = case.expected(category)
        weights = [
            sum([fee - back for _, _, of, _, _, _, _, fee, back, _ in claims
                 if of == category and fee > back])
            for claims in parts.values()
        ]  # fmt: skip
        if not any(weights):
            expected[_LIQUIDITY if category == LIQUIDITY else _MAX_HTLC] += msat
        for name, share in zip(parts, share_out(msat, weights), strict=True):
            expected[name] += share
    return expected


def _judged(case: "PeerCase") -> Mapping[int, str]:
    """What would have let each refused payment through: what differed on a sibling channel
    that is known to have had room, else by its size."""
    known = case.ground.evidence.causes
    new = [claim for claim in case.refused if claim.seq not in known]
    if not new:
        return known
    found: dict[int, str] = {}
    largest_msat = case.holds_sat * 1000
    for claim in new:
        if claim.amount_msat > largest_msat > 0:
            found[claim.seq] = _TOO_LARGE
        elif claim.category == Category.MAX_HTLC and _has_room(claim):
            found[claim.seq] = _MAX_HTLC
        else:
            found[claim.seq] = _LIQUIDITY
    if len(case.channels) > 1:
        new = [c for c in new if c.best_msat is not None and _has_room(c)]
        policies = case.policies_of(new)
        for claim in new:
            field = _differing(case, claim, policies)
            if field:
                found[claim.seq] = field
    known.update(found)  # only now: a read that is broken off leaves nothing half judged
    return known


def _differing(case: "PeerCase", claim: LostClaim, policies: Policies) -> str | None:
    """The field by which a sibling channel refused what it had room for; None for none."""
    named = case.ground.book.main_of(claim.out_channel)
    amount, at_ns = claim.amount_msat, claim.at_ns
    for sibling in case.ids:
        if sibling == named:
            continue
        largest = case.max_htlc_at(sibling, at_ns)
        if claim.category == Category.LIQUIDITY and largest is not None and largest < amount:
            return _BY_MAX_HTLC
        if claim.category == Category.MAX_HTLC and (largest is None or largest < amount):
            continue
        asked = policies.asked_msat(sibling, claim.in_channel, amount, at_ns)
        if asked is not None and asked > claim.fee_msat:
            return _BY_FEE
    return None


def _has_room(claim: LostClaim) -> bool:
    """Whether, by what was known, the peer's best channel could have sent it."""
    return claim.best_msat is None or claim.best_msat >= claim.amount_msat
