"""Each kind of advice just over what it takes to be given, and just under it."""

from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.analysis.advice import advisor
from htlctop.analysis.advice.models import Advice, Kind
from htlctop.analysis.query import Query
from htlctop.domain.types import NS
from htlctop.ui.paint.advice import limits
from tests.advice.made import (
    ALIAS,
    ANN,
    BEN,
    CAT,
    CAT2,
    DAN,
    Node,
    advice,
    channel,
    figure,
    kinds,
    one,
    spread,
)
from tests.support import T0

BALANCE, MAX, EXPOSURE, ADD_FAILED, OTHER = 6, 5, 1, 8, 99
WEEK_H = 168.0
ALL = Query(window="all")


async def advised(node: Node, path: Path, kind: Kind, name: str = "dan") -> bool:
    """Whether a peer is told so."""
    return kind in kinds(await advice(node, path), name)


def dry(hours: float = 72.0) -> Node:
    """Dan, 2% ours, is wanted by 40 payments that offer 500 ppm; ben has plenty."""
    node = Node(hours=hours)
    node.asks(DAN, 500)
    node.asks(BEN, 10)
    for hour in spread(40, hours - 2):
        node.refuse(hour, 200_000, 100)
    return node


@pytest.mark.parametrize(("earns_ppm", "given"), [(499, True), (500, False)])
async def test_refills_pay_from_one_ppm_on(store_file, earns_ppm, given):
    node = dry()
    for hour in spread(30):
        node.settle(hour, 100_000, earns_ppm / 10, out=BEN)
    assert await advised(node, store_file, Kind.REBALANCE_OUTBOUND) is given


async def test_a_refill_that_pays_one_ppm_costs_nothing_in_every_place(store_file):
    """Half of one ppm is none: a limit all the same, on the page as in what explains it."""
    node = dry()
    for hour in spread(30):
        node.settle(hour, 100_000, 49.9, out=BEN)
    analyst = await node.store(store_file)
    item = one(analyst.advice(ALL), Kind.REBALANCE_OUTBOUND)
    told = analyst.explain(ALL, item.peer).sections
    (part,) = [section for section in told if section.title == f"Advice: {item.kind}"]
    analyst.close()
    explained = {each.name: each.value for each in part.figures}
    assert (item.ceiling_ppm, item.costs_at_most_sat) == (0, 0)
    assert explained["advised: costs at most"] == 0
    assert "costs at most 0 sat" in limits(item)


async def test_a_refill_of_a_past_time_costs_what_the_sat_earned_where_they_were(store_file):
    node = dry()
    for hour in spread(30):
        node.settle(hour, 100_000, 10, out=BEN)
    analyst = await node.store(store_file)
    now = one(analyst.advice(ALL), Kind.REBALANCE_OUTBOUND)
    past = replace(ALL, until_ns=T0 + 71 * 3600 * NS)
    then = one(analyst.advice(past), Kind.REBALANCE_OUTBOUND)
    analyst.close()
    assert then.source == now.source is not None
    assert figure(then, "each sat earns at the source") == 100


def costly(dry_from_h: float, came_in: int) -> Node:
    """A refill of dan would cost more than it earns; 30 x 20,000 sat left by it."""
    node = dry()
    node.channels[ANN] = channel(ANN, "ann", share=0.3)
    for hour in spread(30):
        node.settle(hour, 100_000, 80, out=BEN)
        node.settle(hour + 0.1, 20_000, 10, out=DAN)
    for hour in spread(came_in, start=0.7):
        node.settle(hour, 20_000, 1, src=DAN, out=ANN)
    node.becomes(0, DAN, local_sat=1_500_000, remote_sat=3_500_000)
    node.becomes(dry_from_h, DAN, local_sat=100_000, remote_sat=4_900_000)
    return node


@pytest.mark.parametrize(
    ("dry_from_h", "came_in", "given"), [(35, 29, True), (37, 29, False), (35, 30, False)]
)
async def test_prices_are_raised_where_it_is_dry_half_the_time_and_more_leaves_than_comes(
    store_file, dry_from_h, came_in, given
):
    assert await advised(costly(dry_from_h, came_in), store_file, Kind.RAISE_FEES) is given


async def test_what_leaves_and_what_comes_in_are_compared_over_the_same_time(
    store_file, monkeypatch
):
    """Of either the newest 20 are read: what left of one day, what came in of two and a half."""
    monkeypatch.setattr(advisor, "MOST_CLAIMS", 20)
    node = costly(35, 25)
    for hour in spread(30, start=0.6):
        node.settle(hour, 20_000, 10, out=DAN)
    item = one(await advice(node, store_file), Kind.RAISE_FEES)
    out, into = (figure(item, name) for name in ("left by it", "came in from it"))
    assert out == 20 * 20_000_000
    assert into < 10 * 20_000_000
    assert 20 < figure(item, "watched hours of both") < 30


async def test_forwards_by_a_channels_other_id_count_as_its_own(store_file):
    """All of what ben earns leaves by the alias of its channel: a refill from it costs as much."""
    node = dry()
    node.channels[BEN] = replace(node.channels[BEN], other_scids=(ALIAS,))
    for hour in spread(30):
        node.settle(hour, 100_000, 10, out=ALIAS)
    item = one(await advice(node, store_file), Kind.REBALANCE_OUTBOUND)
    assert figure(item, "each sat earns at the source") == 100


@pytest.mark.parametrize(
    ("raised_h", "ppm", "given"), [(47, 550, True), (49, 550, False), (49, 450, True)]
)
async def test_prices_are_not_raised_again_within_a_day(store_file, raised_h, ppm, given):
    node = costly(35, 29)
    node.asks(DAN, ppm, hour=raised_h)
    assert await advised(node, store_file, Kind.RAISE_FEES) is given


def bid_for(bids: int = 20, sources: int = 3, earned_sat: int = 100, share: float = 0.7) -> Node:
    """Dan asks 1,000 ppm of all; each bid offers 500 ppm of 200,000 sat, 100 sat."""
    node = Node()
    node.channels |= {DAN: channel(DAN, "dan", 5_000_000, 0.7), CAT: channel(CAT, "cat")}
    node.asks(DAN, 1000)
    node.settle(1, earned_sat * 1000, earned_sat, out=DAN)
    for number, hour in enumerate(spread(bids)):
        # Amounts apart, so that none is another's retry.
        sat = 200_000 + 1_000 * number
        src = (ANN, BEN, CAT)[number % sources]
        node.refuse(hour, sat, sat * 500e-6, wire=12, detail=1, src=src)
    node.becomes(0, DAN, local_sat=int(5_000_000 * share), remote_sat=5_000_000)
    return node


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (bid_for(), True),
        (bid_for(bids=19), False),
        (bid_for(sources=2), False),
        # 20 bids come to 4.19M sat: at 500 ppm 2,095 sat and half of what is earned today.
        (bid_for(earned_sat=2_980), True),
        (bid_for(earned_sat=3_000), False),
        (bid_for(share=0.27), True),
        (bid_for(share=0.25), False),
    ],
)
async def test_prices_are_lowered_only_for_enough_bids_that_pay_a_fifth_more(
    store_file, made, given
):
    assert await advised(made, store_file, Kind.LOWER_FEES) is given


@pytest.mark.parametrize(("ppm", "given"), [(501, True), (490, False)])
async def test_bids_that_pay_what_is_asked_by_now_are_no_reason_to_ask_less(store_file, ppm, given):
    node = bid_for()
    for hour in spread(5, start=0.9):
        node.refuse(hour, 150_000, 72, wire=12, detail=1)
    node.asks(DAN, ppm, hour=71)
    assert await advised(node, store_file, Kind.LOWER_FEES) is given


@pytest.mark.parametrize(("dry_from_h", "given"), [(58, True), (57, False)])
async def test_prices_are_lowered_only_for_who_is_liquid_four_fifths_of_the_time(
    store_file, dry_from_h, given
):
    node = bid_for()
    node.becomes(dry_from_h, DAN, local_sat=200_000, remote_sat=4_800_000)
    assert await advised(node, store_file, Kind.LOWER_FEES) is given


def too_large(count: int, hours: float, sat: int = 1_000_000) -> Node:
    """Payments of so much, and dan's channel of 1,000,000 can hold 990,000 at most."""
    node = Node(hours=hours)
    node.channels[DAN] = channel(DAN, "dan", 1_000_000, 0.6)
    for hour in spread(count, hours - 2):
        node.refuse(hour, sat, 300)
    return node


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (too_large(5, WEEK_H), True),
        (too_large(4, WEEK_H), False),
        (too_large(5, WEEK_H - 1), False),
        (too_large(5, WEEK_H, sat=990_000), False),
    ],
)
async def test_channels_are_enlarged_for_five_payments_too_large_in_a_week(store_file, made, given):
    assert await advised(made, store_file, Kind.INCREASE_CAPACITY) is given


def drained(days: int, came_in: int) -> Node:
    """Dan runs dry so many days after being over half full; 20 x 50,000 sat leave by it."""
    node = Node(hours=WEEK_H)
    node.channels[ANN] = channel(ANN, "ann", share=0.3)
    # A refill would cost what ben's sat earn, and dan is not dry for long.
    for hour in spread(30, WEEK_H - 2):
        node.settle(hour, 100_000, 80, out=BEN)
        node.refuse(hour + 0.3, 200_000, 100)
    for hour in spread(20, WEEK_H - 2):
        node.settle(hour + 0.1, 50_000, 10, out=DAN)
    for hour in spread(came_in, WEEK_H - 2):
        node.settle(hour + 0.2, 50_000, 1, src=DAN, out=ANN)
    for day in range(7):
        node.becomes(24 * day, DAN, local_sat=2_600_000, remote_sat=2_400_000)
        if day < days:
            node.becomes(24 * day + 6, DAN, local_sat=100_000, remote_sat=4_900_000)
    return node


@pytest.mark.parametrize(
    ("days", "came_in", "given"), [(3, 10, True), (2, 10, False), (3, 9, False)]
)
async def test_channels_are_enlarged_that_run_dry_on_three_days_though_half_comes_back(
    store_file, days, came_in, given
):
    assert await advised(drained(days, came_in), store_file, Kind.INCREASE_CAPACITY) is given


@pytest.mark.parametrize("small", [0, 20])
async def test_nothing_is_moved_for_payments_that_no_channel_can_hold(store_file, small):
    node = too_large(12, 72, sat=1_500_000)
    node.asks(BEN, 10)
    for hour in spread(small, start=0.8):
        node.refuse(hour, 700_000, 100)
    assert not kinds(await advice(node, store_file), "dan")


async def test_where_what_fits_is_worth_more_than_what_does_not_it_is_moved(store_file):
    node = too_large(12, 72, sat=1_500_000)
    node.asks(BEN, 10)
    for hour in spread(40, start=0.8):
        node.refuse(hour, 700_000, 100)
    found = one(await advice(node, store_file), Kind.REBALANCE_OUTBOUND)
    assert figure(found, "payments refused for liquidity") == 40


def filled(share: float = 0.91, came_in: int = 10, filled_at_h: float = 6.0) -> Node:
    """Ben paid through us until so much of its 10M was on our side."""
    node = Node()
    for hour in spread(came_in, filled_at_h - 0.5, 0.1):
        node.settle(hour, 50_000, 20, src=BEN, out=ANN)
    local = int(10_000_000 * share)
    node.becomes(0, BEN, local_sat=5_000_000, remote_sat=5_000_000)
    node.becomes(filled_at_h, BEN, local_sat=local, remote_sat=10_000_000 - local)
    return node


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (filled(), True),
        (filled(share=0.90), False),
        (filled(came_in=9), False),
        (filled(filled_at_h=5.9), False),
    ],
)
async def test_room_is_made_for_who_paid_through_us_until_it_was_full(store_file, made, given):
    assert await advised(made, store_file, Kind.REBALANCE_INBOUND, "ben") is given


async def test_what_came_in_before_it_filled_is_told_of_the_time_that_was_looked_at(
    store_file, monkeypatch
):
    """Of 40 forwards in ten hours, and one since, the newest 30 are read: seven hours of them."""
    monkeypatch.setattr(advisor, "MOST_CLAIMS", 30)
    item = one(
        await advice(filled(came_in=40, filled_at_h=10.0), store_file), Kind.REBALANCE_INBOUND
    )
    assert figure(item, "earned on what came in before it filled") == 29 * 20_000
    assert 7 < figure(item, "watched hours before") < 8


def capped(sat: int = 900_000, changes: int = 0) -> Node:
    """Dan can send 970,000 sat, and takes 50,000 at most."""
    node = Node()
    node.channels[DAN] = channel(DAN, "dan", 2_000_000, 0.5)
    node.channels[BEN] = channel(BEN, "ben", 10_000_000, 0.1)
    for number in range(changes + 1):
        node.allows(DAN, 50_000 + number, 10 * number)
    for hour in spread(20):
        node.refuse(hour, sat, 100, detail=MAX)
    return node


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (capped(), True),
        (capped(sat=990_000), False),  # more than the channel has left to send
        (capped(changes=2), True),
        (capped(changes=3), False),  # a tool sets it
    ],
)
async def test_a_max_htlc_is_raised_for_what_there_was_room_for(store_file, made, given):
    assert await advised(made, store_file, Kind.RAISE_MAX_HTLC) is given


async def test_no_max_htlc_lets_through_what_is_larger_than_the_channel(store_file):
    assert not kinds(await advice(capped(sat=2_000_000), store_file), "dan")


def siblings(second: float = 0.9, ask: int = 600) -> Node:
    """Cat's named channel is empty and asks 200 ppm, the offer; what its sibling holds and asks."""
    node = Node()
    node.channels |= {
        CAT: channel(CAT, "cat", 5_000_000, 0.02),
        CAT2: channel(CAT2, "cat", 5_000_000, second),
    }
    node.asks(CAT, 200)
    node.asks(CAT2, ask)
    for hour in spread(40):
        node.refuse(hour, 200_000, 40, out=CAT)
    return node


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (siblings(), True),
        (siblings(ask=201), True),
        (siblings(ask=200), False),
        (siblings(second=0.04), False),
    ],
)
async def test_siblings_are_aligned_where_one_had_room_and_asked_more(store_file, made, given):
    assert await advised(made, store_file, Kind.ALIGN_CHANNELS, "cat") is given


@pytest.mark.parametrize(("away_h", "given"), [(4.0, True), (0.0, False)])
async def test_who_was_away_is_to_be_brought_back(store_file, away_h, given):
    node = Node()
    node.channels[DAN] = channel(DAN, "dan")
    for hour in spread(60):
        node.settle(hour, 100_000, 50, out=DAN)
    if away_h:
        node.becomes(30, DAN, active=False)
        node.becomes(30 + away_h, DAN, active=True)
    assert await advised(node, store_file, Kind.RECONNECT_PEER) is given


async def test_what_came_in_of_a_part_of_the_time_is_taken_for_the_whole(store_file, monkeypatch):
    """60 x 10 sat in 72 h, of which the newest 20 are read; in the last 10 h dan was away."""
    monkeypatch.setattr(advisor, "MOST_CLAIMS", 20)
    node = Node()
    for hour in spread(60, 62):
        node.settle(hour, 20_000, 10, src=DAN, out=ANN)
    node.becomes(62, DAN, active=False)
    item = one(await advice(node, store_file), Kind.RECONNECT_PEER)
    assert figure(item, "earned with it while online") == pytest.approx(600_000, rel=0.25)


@pytest.mark.parametrize("detail", [EXPOSURE, ADD_FAILED, OTHER])
@pytest.mark.parametrize(("count", "given"), [(5, True), (4, False)])
async def test_what_has_no_remedy_of_its_own_is_to_be_looked_into_from_five_on(
    store_file, detail, count, given
):
    node = Node()
    for hour in spread(count):
        node.refuse(hour, 0 if detail == ADD_FAILED else 200_000, 100, detail=detail)
    assert await advised(node, store_file, Kind.INVESTIGATE) is given


@pytest.mark.parametrize(("fee_sat", "given"), [(0.51, True), (0.49, False)])
async def test_what_is_worth_under_a_hundred_sat_a_month_is_hidden(store_file, fee_sat, given):
    found: Advice = await advice(_worth(fee_sat), store_file)
    assert bool(found.opportunities) is given


def _worth(fee_sat: float) -> Node:
    """Twenty payments that offer so much each, in 72 h: ten times that in 30 days."""
    node = Node()
    for hour in spread(20):
        node.refuse(hour, 1_000, fee_sat)
    return node
