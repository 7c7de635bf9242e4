"""Offers that were too low, apart: out of date, next to nothing, bids."""

import pytest

from htlctop.analysis.advice.bids import Policies, judge, sort_bids
from htlctop.domain.evidence import LostClaim, PolicyPoint
from htlctop.domain.types import NS

DAY = 86_400 * NS
OUT, IN = 1, 2
NOW = 1_000 * DAY
AMOUNT = 100_000_000


def claim(fee_msat: int) -> LostClaim:
    return LostClaim(1, NOW, 9, 7, IN, OUT, AMOUNT, fee_msat, 0, None)


def sorted_as(fee_msat: int, *points: PolicyPoint) -> tuple[int, int, int]:
    found = sort_bids([judge(claim(fee_msat), Policies(points))])
    return len(found.stale), len(found.zero), len(found.bids)


TODAY = PolicyPoint(OUT, NOW - DAY, 1000, 500, 0, 0)
LAST_WEEK = PolicyPoint(OUT, NOW - 10 * DAY, 0, 300, 0, 0)
LAST_MONTH = PolicyPoint(OUT, NOW - 30 * DAY, 0, 200, 0, 0)
BETWEEN = PolicyPoint(OUT, NOW - 20 * DAY, 0, 300, 0, 0)
INBOUND = PolicyPoint(IN, NOW - 40 * DAY, 0, 0, 0, 200)
STALE, ZERO, BID = (1, 0, 0), (0, 1, 0), (0, 0, 1)


@pytest.mark.parametrize(
    ("fee", "points", "wanted"),
    [
        (30_000, (LAST_WEEK, TODAY), STALE),
        (30_001, (LAST_WEEK, TODAY), STALE),
        (30_030, (LAST_WEEK, TODAY), STALE),
        (30_031, (LAST_WEEK, TODAY), BID),
        (20_000, (LAST_MONTH, BETWEEN, TODAY), BID),
        # Ended within the 14 days, so it was in force in them.
        (20_000, (LAST_MONTH, TODAY), STALE),
        (51_000, (TODAY, INBOUND), STALE),
        (499, (TODAY,), ZERO),
        (500, (TODAY,), BID),
        (0, (TODAY,), ZERO),
        (-10, (TODAY,), ZERO),
        (40_000, (), BID),
    ],
)
def test_an_offer_is_what_it_comes_from(fee, points, wanted):
    assert sorted_as(fee, *points) == wanted


def test_what_was_asked_then_counts_the_inbound_part_and_the_policy_of_that_time():
    discount = PolicyPoint(IN, NOW - 40 * DAY, 0, 0, 0, -200)
    policies = Policies([LAST_WEEK, TODAY, discount])
    assert policies.asked_msat(OUT, IN, AMOUNT, NOW) == 30_990
    assert policies.asked_msat(OUT, 99, AMOUNT, NOW) == 51_000
    assert policies.asked_msat(OUT, 99, AMOUNT, NOW - 5 * DAY) == 30_000
    assert policies.asked_msat(98, IN, AMOUNT, NOW) is None
