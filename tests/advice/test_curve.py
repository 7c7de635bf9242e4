"""The liquidity curve by hand-made vectors, and ranges of what is counted by known tables."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htlctop.analysis.advice.curve import (
    Replay,
    Want,
    liquidity_curve,
    round_amounts,
    round_down,
    round_up,
)
from htlctop.analysis.advice.interval import poisson_range, scaled_range
from htlctop.analysis.formulas import Rate

ALWAYS, HALF = Rate(1, 1), Rate(1, 2)


def want(at: int, sat: int, fee: int, short: int) -> Want:
    return at, sat * 1000, fee, short * 1000


def test_a_payment_is_served_if_it_lacks_no_more_than_what_is_left():
    replay = Replay([want(0, 100, 10, 100), want(5, 100, 10, 100), want(9, 100, 10, 40)], ALWAYS)
    assert [replay.serve(sat).fee_msat for sat in (39, 40, 99, 100, 140, 200, 240, 300)] == [
        0, 10, 10, 10, 20, 20, 30, 30,
    ]  # fmt: skip


def test_what_is_left_falls_by_what_settles_of_a_payment():
    replay = Replay([want(at, 100, 10, 100) for at in range(4)], HALF)
    # 100 serves one of 100, and 50 are left; 150 serves two; fees are expected ones.
    assert [replay.serve(sat).fee_msat for sat in (100, 149, 150, 200, 250)] == [5, 5, 10, 15, 20]
    assert replay.serve(250).amount_msat == 4 * 50_000


def test_how_long_it_lasts_is_until_the_first_that_it_can_serve_no_more():
    replay = Replay([want(at, 100, 10, 100) for at in (3, 10, 20)], ALWAYS)
    assert replay.serve(100).lasts_ns == 7
    assert replay.serve(200).lasts_ns == 17
    assert replay.serve(300).lasts_ns is None
    assert replay.serve(50).lasts_ns is None, "it never served any"


def test_inflow_makes_good_what_was_taken_beyond_what_was_moved():
    # The first lacks 10 of 100: it takes 90 that were there, so the second lacks those too.
    wants = [want(0, 100, 10, 10), want(9, 100, 10, 10)]
    assert Replay(wants, ALWAYS).serve(20).fee_msat == 10
    assert Replay(wants, ALWAYS).serve(110).fee_msat == 20
    # Once 200 came in from the peer the debt is paid, and no more than that.
    assert Replay(wants, ALWAYS, [(5, 200_000)]).serve(20).fee_msat == 10
    assert Replay([*wants, want(10, 5, 1, 0)], ALWAYS, [(5, 200_000)]).serve(20).fee_msat == 11


def test_the_knee_serves_four_fifths_of_what_the_most_would():
    replay = Replay([want(at, 100_000, 10, 100_000) for at in range(10)], ALWAYS)
    knee = replay.knee(1_000_000)
    assert knee is not None and knee.more_sat == 800_000
    # Where less fits, it is four fifths of that.
    smaller = replay.knee(500_000)
    assert smaller is not None and smaller.more_sat == 400_000


def test_there_is_no_knee_where_nothing_can_be_served():
    replay = Replay([want(0, 100_000, 10, 100_000)], ALWAYS)
    curve = liquidity_curve(replay, 50_000)
    assert (curve.points, curve.knee, curve.claims) == ((), None, 1)
    assert liquidity_curve(Replay([], ALWAYS), 50_000).claims == 0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_curve_rises_to_the_whole_and_its_knee_is_on_it(seed):
    chance = random.Random(seed)
    wants = []
    for at in range(chance.randrange(1, 60)):
        sat = chance.randrange(1_000, 900_000)
        wants.append(want(at, sat, chance.randrange(1, 9_000), chance.randrange(1, sat + 1)))
    curve = liquidity_curve(Replay(wants, Rate(2, 3)), chance.randrange(1_000, 10_000_000))
    if curve.knee is None:
        assert curve.points == ()
        return
    amounts = [point.more_sat for point in curve.points]
    assert amounts == sorted(set(amounts)) and len(amounts) <= 8
    assert curve.points[-1].share == 1
    assert curve.points[curve.knee].share >= 0.8
    assert all(0 < point.share <= 1 for point in curve.points)


def test_amounts_have_two_leading_digits_and_the_ends_that_were_asked_for():
    assert round_amounts(97, 123) == [97, 98, 99, 100, 110, 120, 123]
    assert (round_up(1_234_567), round_down(1_234_567)) == (1_300_000, 1_200_000)
    assert (round_up(7), round_down(7), round_up(100)) == (7, 7, 100)


# Chi-square quantiles from statistical tables, halved: counts with their 80% ranges.
@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        (2, 0.53181, 5.32232),
        (3, 1.10207, 6.68078),
        (5, 2.43259, 9.27467),
        (10, 6.22130, 15.40664),
        (20, 14.52525, 27.04510),
        (50, 41.17905, 60.33),
    ],
)
def test_ranges_agree_with_the_tables_within_a_hundredth(count, low, high):
    assert poisson_range(count) == (pytest.approx(low, rel=0.01), pytest.approx(high, rel=0.01))


def test_nothing_seen_may_still_be_a_little():
    low, high = poisson_range(0)
    assert low == 0 and high == pytest.approx(2.3026, rel=0.02)
    assert scaled_range(1000, 10) == (622, 1540)
    assert scaled_range(1000, 0) == (0, 1000)
