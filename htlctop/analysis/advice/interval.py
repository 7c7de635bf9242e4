"""How far a count that was seen may lie from what is usual: Poisson ranges of 80%."""

_Z_90 = 1.2815515655446004
"""The 90% quantile of the normal distribution."""


def poisson_range(count: int) -> tuple[float, float]:
    """The 80% range of the mean behind a count (Garwood): a tenth lies below, a tenth above.

    Half the chi-square quantiles of 2n and 2n + 2 degrees of freedom, by Wilson and Hilferty's
    approximation, which is within 1% from a count of 2 on.
    """
    low = _chi_square(2 * count, -_Z_90) / 2 if count > 0 else 0.0
    return low, _chi_square(2 * count + 2, _Z_90) / 2


def scaled_range(amount: float, count: int) -> tuple[int, int]:
    """The range of an amount that `count` events made."""
    if count <= 0:
        return 0, round(amount)
    low, high = poisson_range(count)
    return round(amount * low / count), round(amount * high / count)


def _chi_square(degrees: int, z: float) -> float:
    part = 2 / (9 * degrees)
    return float(degrees * max(0.0, 1 - part + z * part**0.5) ** 3)
