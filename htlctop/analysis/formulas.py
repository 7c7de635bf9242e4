"""The formulas between buckets and figures: settle rate, expected, and sharing out exactly.

Rates are kept as integer fractions, so that every figure can be computed again to the msat.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from htlctop.domain.types import DEFAULTS, Settings


class Rate(NamedTuple):
    """A settle rate as a fraction; `settled` and `failed`: the claims of its own that it is of."""

    part: int
    of: int
    settled: int = 0
    failed: int = 0

    def __float__(self) -> float:
        return self.part / self.of

    def of_amount(self, amount_msat: int) -> int:
        """amount x rate, rounded half up, msat."""
        return (2 * amount_msat * self.part + self.of) // (2 * self.of)

    def of_amounts(self, amounts_msat: Iterable[int]) -> list[int]:
        """The same of each of thousands, without the steps on the way to each."""
        twice, of = 2 * self.part, self.of
        return [(amount * twice + of) // (2 * of) for amount in amounts_msat]


ALWAYS = Rate(1, 1)


def settle_rates(
    claims: Mapping[int, tuple[int, int]], settings: Settings = DEFAULTS
) -> tuple[dict[int, Rate], Rate]:
    """(settled, failed) claims by peer -> each peer's rate, and the one of a peer without claims.

    (S + prior·p0) / (S + F + prior), where p0 is the node's own S / (S + F), or a half.
    """
    all_settled = sum(settled for settled, _ in claims.values())
    all_claims = all_settled + sum(failed for _, failed in claims.values())
    if not all_claims:
        all_settled, all_claims = 1, 2
    prior = settings.rate_prior
    rates = {
        peer: Rate(
            settled * all_claims + prior * all_settled,
            (settled + failed + prior) * all_claims,
            settled,
            failed,
        )
        for peer, (settled, failed) in claims.items()
    }
    return rates, Rate(all_settled, all_claims)


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Share a total in proportion to weights, to the unit: the largest remainders get the rest.

    All shares are 0 when the weights are.
    """
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in order[: total - sum(shares)]:
        shares[index] += 1
    return shares
