"""The figures that NUMBERS-style examples must give, one sentence each."""

import pytest

from htlctop.domain.codes import EventKind, EventType
from htlctop.domain.fees import fee_asked, fee_offered, ppm
from tests.support import CAT, CAT2, Stream, counts, fold, lost

SAT = 1000


@pytest.mark.parametrize(
    ("incoming", "outgoing", "fee"),
    [
        (436_281_795, 436_151_386, 130_409),
        (250_004_750, 250_001_250, 3_500),
        (75_002_825, 75_001_075, 1_750),
        (5_000_000, 0, None),
        (0, 0, None),
        (0, 5_000_000, None),
        (30_000_000, 30_000_000, 0),
        (29_999_000, 30_000_000, -1_000),
    ],
)
def test_the_fee_is_what_came_in_less_what_went_out(incoming, outgoing, fee):
    assert fee_offered(incoming, outgoing) == fee


def test_ppm_is_of_what_is_sent_on():
    assert round(ppm(130_409, 436_151_386), 1) == 299.0
    assert ppm(5, 0) == 0.0


@pytest.mark.parametrize(
    ("amount", "policy", "asked"),
    [
        (100_000_000, (1000, 500, 0, -200), 30_990),
        (100_000_000, (1000, 500, 0, -1000), 0),
        (100_000_000, (1000, 250, 0, -200), 5_995),
        (100_000_000, (1000, 500, 0, 0), 51_000),
        (1, (0, 999_999, 0, -1), 0),
        (999, (0, 1001, -1, 0), 0),
    ],
)
def test_the_fee_asked_is_lnds_with_the_inbound_discount_truncated_toward_zero(
    amount, policy, asked
):
    assert fee_asked(amount, *policy) == asked


def test_four_tries_one_after_another_are_one_payment():
    s = Stream()
    for i in range(4):
        s.refuse(i, 500_000 * SAT, 90 * SAT)
    figures = lost(fold(s.events))
    assert (figures.asked, figures.demand, figures.claims) == (360 * SAT, 90 * SAT, 1)


def test_halves_and_quarters_of_a_failed_payment_are_that_payment():
    s = Stream()
    for i, amount in enumerate((1_000_000, 500_000, 500_000, 250_000)):
        s.refuse(i, amount * SAT, amount // 10)
    figures = lost(fold(s.events))
    assert (figures.claims, figures.demand) == (1, 100_000)


@pytest.mark.parametrize("shards", [3, 8])
def test_shards_in_flight_together_are_claims_of_their_own(shards):
    s = Stream()
    ids = [s.refuse(i * 0.001, 300_000 * SAT, 30 * SAT, final=None) for i in range(shards)]
    for i, htlc in enumerate(ids):
        s.final(0.1 + i * 0.001, htlc)
    figures = lost(fold(s.events))
    assert (figures.claims, figures.repeats) == (shards, 0)


def test_a_rebalancer_hammering_for_hours_counts_three_times():
    s = Stream()
    for i in range(40):
        s.refuse(i * 180, 500_000 * SAT, 50 * SAT)
    figures = lost(fold(s.events))
    assert (figures.claims, figures.repeats) == (3, 37)
    assert (figures.demand, figures.asked) == (150 * SAT, 2000 * SAT)


def test_hammering_is_noticed_at_the_very_edge_of_the_tolerance():
    s = Stream()
    whole = 500_929_000
    for i, amount in enumerate((whole, whole * 998 // 1000, whole, whole)):
        s.refuse(i * 180, amount, 50 * SAT)
    assert lost(fold(s.events)).repeats == 1


def test_hammering_is_noticed_though_what_was_held_for_long_fails_meanwhile():
    s = Stream()
    held = s.forward(300, 9_000 * SAT, 10 * SAT, out=CAT)
    for at in (0, 600, 1_300, 3_000):
        s.refuse(at, 500_000 * SAT, 50 * SAT)
    s.refuse(3_650, 7_000 * SAT, 10 * SAT)
    s.fail(3_700, held, out=CAT)
    s.refuse(3_950, 7_000 * SAT, 10 * SAT)
    s.refuse(4_000, 500_000 * SAT, 50 * SAT)
    assert lost(fold(s.events)).repeats == 2


def test_hammering_that_once_got_through_is_demand():
    s = Stream()
    htlc = s.forward(-3600, 500_000 * SAT, 50 * SAT)
    s.settle(-3599, htlc)
    for i in range(10):
        s.refuse(i * 180, 500_000 * SAT, 50 * SAT)
    assert lost(fold(s.events)).repeats == 0


def test_a_payment_that_gets_through_twenty_seconds_later_is_no_loss():
    s = Stream()
    s.refuse(0, 500_000 * SAT, 50 * SAT, out=CAT)
    s.settle(21, s.forward(20, 500_000 * SAT, 50 * SAT, out=CAT2), out=CAT2)
    figures = lost(fold(s.events))
    assert (figures.net, figures.asked) == (0, 50 * SAT)


def test_what_came_back_for_less_is_lost_by_the_difference():
    s = Stream()
    s.refuse(0, 500_000 * SAT, 50 * SAT)
    s.settle(21, s.forward(20, 500_000 * SAT, 30 * SAT))
    assert lost(fold(s.events)).net == 20 * SAT


def test_several_forwards_take_back_one_claim_and_never_more_than_it_was():
    s = Stream()
    s.refuse(0, 400_000 * SAT, 40 * SAT)
    for i in range(3):
        s.settle(11 + i, s.forward(10 + i, 200_000 * SAT, 25 * SAT))
    figures = lost(fold(s.events))
    assert (figures.recovered, figures.net) == (40 * SAT, 0)


def test_a_forward_seen_before_the_claim_opened_takes_nothing_back():
    s = Stream()
    htlc = s.forward(0, 500_000 * SAT, 50 * SAT)
    s.refuse(1, 500_000 * SAT, 50 * SAT)
    s.settle(20, htlc)
    assert lost(fold(s.events)).recovered == 0


@pytest.mark.parametrize(
    ("seconds", "recovered"), [(119.9, 50 * SAT), (120.0, 50 * SAT), (120.1, 0)]
)
def test_what_settles_within_two_minutes_of_the_last_try_counts_as_back(seconds, recovered):
    s = Stream()
    s.refuse(0, 500_000 * SAT, 50 * SAT)
    s.settle(seconds, s.forward(5, 500_000 * SAT, 50 * SAT))
    assert lost(fold(s.events)).recovered == recovered


@pytest.mark.parametrize(
    ("again", "claims"), [(500_000, 1), (501_000, 1), (499_000, 1), (501_100, 2), (498_900, 2)]
)
def test_a_retry_is_within_two_per_mille_of_the_amount(again, claims):
    s = Stream()
    s.refuse(0, 500_000 * SAT, 50 * SAT)
    s.refuse(1, again * SAT, 50 * SAT)
    assert lost(fold(s.events)).claims == claims


@pytest.mark.parametrize(("pause", "claims"), [(60.0, 1), (60.1, 2)])
def test_a_retry_comes_within_a_minute(pause, claims):
    s = Stream()
    s.refuse(0, 500_000 * SAT, 50 * SAT)
    s.refuse(pause, 500_000 * SAT, 50 * SAT)
    assert lost(fold(s.events)).claims == claims


@pytest.mark.parametrize(("pause", "claims"), [(0.4, 2), (0.5, 1)])
def test_without_a_final_event_an_attempt_is_over_after_half_a_second(pause, claims):
    s = Stream()
    s.refuse(0, 500_000 * SAT, 50 * SAT, final=None)
    s.refuse(pause, 500_000 * SAT, 50 * SAT, final=None)
    assert lost(fold(s.events)).claims == claims


def test_a_retry_on_another_channel_of_the_same_peer_is_the_same_payment():
    s = Stream()
    s.refuse(0, 500_000 * SAT, 50 * SAT, out=CAT)
    s.refuse(1, 500_000 * SAT, 50 * SAT, out=CAT2)
    assert lost(fold(s.events)).claims == 1


def test_another_peer_is_another_payment():
    s = Stream()
    s.refuse(0, 500_000 * SAT, 50 * SAT, out=CAT)
    s.refuse(1, 500_000 * SAT, 50 * SAT)
    assert lost(fold(s.events)).claims == 2


def test_priced_out_tries_are_collapsed_apart_from_the_lost():
    s = Stream()
    for i in range(3):
        s.refuse(i, 500_000 * SAT, 5 * SAT, wire=12, detail=1)
    s.refuse(4, 500_000 * SAT, 50 * SAT)
    store = fold(s.events)
    assert counts(store) == {"fee": 3, "liquidity": 1}
    assert lost(store).claims == 1
    assert sum(sums[3] for key, sums in store.cells.items() if key[3] == 9) == 5 * SAT


def test_an_old_nodes_failed_add_is_about_the_channel_it_was_forwarded_to():
    s = Stream()
    htlc = s.forward(0, 500_000 * SAT, 50 * SAT)
    s.add(
        EventKind.LINK_FAIL, 60, htlc, event_type=EventType.RECEIVE, wire_failure=18,
        failure_detail=8,
    )  # fmt: skip
    s.final(60.02, htlc)
    store = fold(s.events)
    assert counts(store)["offline"] == 1
    assert lost(store).demand == 50 * SAT
