"""Each kind of advice: when it is given, when it is not, and what it says."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from htlctop import service
from htlctop.analysis.advice.advisor import reconcile
from htlctop.analysis.advice.finding import Finding
from htlctop.analysis.advice.models import Confidence, Kind
from htlctop.analysis.query import Query
from htlctop.domain.evidence import LostClaim
from htlctop.export.advice import advice_text, sentence
from htlctop.export.handoff import commands
from htlctop.store.writer import StoreWriter
from htlctop.ui.paint.advice import limits
from tests.advice.made import (
    ANN,
    BEN,
    CAT,
    CAT2,
    DAN,
    USUAL,
    Node,
    advice,
    channel,
    figure,
    kinds,
    one,
    spread,
)

TEMPORARY, BALANCE, MAX = 15, 6, 5


def runs_dry(count: int = 40, sat: int = 200_000, fee: float = 100.0) -> Node:
    """Payments toward dan, who has 2% left, are refused; ben has plenty."""
    node = Node()
    node.asks(DAN, 500)
    node.asks(BEN, 10)
    for hour in spread(count):
        node.refuse(hour, sat, fee)
    return node


async def test_a_peer_that_runs_dry_is_to_be_refilled_from_one_that_has_plenty(store_file):
    item = one(await advice(runs_dry(), store_file), Kind.REBALANCE_OUTBOUND)
    assert (item.alias, item.source_alias) == ("dan", "ben")
    # At most 4.85M fit on our side and serve 24 payments of 200,000: 20 of them are 80%.
    assert figure(item, "each sat brought would earn") == 500
    assert item.break_even_ppm == 500 and item.ceiling_ppm == 250
    assert item.amount_msat == 4_000_000_000
    # 4M sat at 500 ppm are 2,000 sat, of which half may be paid for them.
    assert figure(item, "one such refill leaves in 30 days at least") == 1_000_000
    assert item.confidence is Confidence.MEDIUM
    assert item.per_30d_msat is not None
    low, high = item.per_30d_msat
    month = 40 * 100_000 / 72 * 720
    assert low < month < high


async def test_a_refill_that_lasts_longer_than_was_watched_leaves_what_a_month_makes_of_it(
    store_file,
):
    """Few settle: of what is brought a quarter is used in 72 h, and all of it in 30 days."""
    node = runs_dry(count=3, sat=1_000_000, fee=500)
    for hour in spread(200, start=0.7):
        sat = 10_000 + round(hour * 1_000)
        htlc = node.stream.forward(hour * 3600, sat * 1000, 5_000)
        node.stream.fail(hour * 3600 + 1, htlc)
    for hour in spread(20, start=0.9):
        node.settle(hour, 9_000, 5)
    item = one(await advice(node, store_file), Kind.REBALANCE_OUTBOUND)
    served, brought = figure(item, "amount served by it"), item.amount_msat
    assert isinstance(served, int) and brought is not None and 4 * served < brought
    left = figure(item, "one such refill leaves in 30 days at least")
    half = brought * ((item.break_even_ppm or 0) - (item.ceiling_ppm or 0)) // 10**6
    assert left == pytest.approx(half, rel=0.01) and half > 0


async def test_a_source_that_has_less_to_spare_than_is_lacked_is_said_to(store_file):
    node = runs_dry()
    node.channels[ANN] = channel(ANN, "ann", share=0.3)
    node.channels[BEN] = channel(BEN, "ben", 5_000_000, 0.86)
    item = one(await advice(node, store_file), Kind.REBALANCE_OUTBOUND)
    # A quarter of the channel and its reserve stay where they are.
    assert figure(item, "the source has to spare") == item.spare_sat == 3_000_000
    assert item.amount_msat == 3_000_000_000 < 4_000_000_000
    assert limits(item).endswith("; the source has 3.0M to spare")


async def test_where_no_peer_has_enough_to_spare_that_is_said(store_file):
    node = runs_dry()
    node.channels[BEN] = channel(BEN, "ben", 10_000_000, 0.3)
    node.channels[ANN] = channel(ANN, "ann", share=0.3)
    item = one(await advice(node, store_file), Kind.REBALANCE_OUTBOUND)
    assert item.source is None
    assert str(figure(item, "note")).startswith("no peer has enough to spare")


async def test_what_was_brought_since_the_last_refusal_is_not_advised_again(store_file):
    node = runs_dry()
    node.becomes(71, DAN, local_sat=1_500_000, remote_sat=3_500_000)
    item = one(await advice(node, store_file), Kind.REBALANCE_OUTBOUND)
    # Of the 4M that would have been enough 1.4M are there, and serve 7 of the 20 payments.
    assert figure(item, "on our side since the last refusal") == item.came_sat == 1_400_000
    assert limits(item).endswith("each time; 1.4M of the knee came since the last refusal")
    assert item.amount_msat == 2_600_000_000
    assert figure(item, "fee served by it") == 13 * 100_000


@pytest.mark.parametrize(("brought", "given"), [(3_000_000, True), (3_100_000, False)])
async def test_where_most_of_it_was_brought_nothing_is_advised(store_file, brought, given):
    node = runs_dry()
    for hour in spread(30):  # else a higher price would be, too
        node.settle(hour + 0.1, 20_000, 10, out=DAN)
    node.becomes(71, DAN, local_sat=100_000 + brought, remote_sat=4_900_000 - brought)
    assert bool(kinds(await advice(node, store_file), "dan")) is given


async def test_a_source_is_asked_for_what_its_sat_would_have_earned(store_file):
    node = runs_dry()
    for hour in spread(30):
        node.settle(hour, 100_000, 30, out=BEN)
    item = one(await advice(node, store_file), Kind.REBALANCE_OUTBOUND)
    assert figure(item, "each sat earns at the source") == 300
    assert figure(item, "break-even") == pytest.approx(
        figure(item, "each sat brought would earn") - 300,
        abs=0.001,
    )


async def test_where_moving_costs_more_than_it_earns_the_price_is_raised(store_file):
    node = runs_dry()
    for hour in spread(30):
        node.settle(hour, 100_000, 80, out=BEN)
        node.settle(hour + 0.1, 20_000, 10, out=DAN)
    found = await advice(node, store_file)
    assert kinds(found, "dan") == {Kind.RAISE_FEES}
    item = one(found, Kind.RAISE_FEES)
    assert item.break_even_ppm == 500 and 550 <= (item.ceiling_ppm or 0) <= 625
    assert figure(item, "not refilled") == (
        "moving it would cost more than it earns: each sat would earn 500 ppm here and earns "
        "1,000 where it is"
    )


async def test_nothing_is_moved_to_a_peer_that_can_receive_nothing(store_file):
    node = runs_dry()
    node.channels[DAN] = channel(DAN, "dan", 5_000_000, 0.995)
    found = await advice(node, store_file)
    assert Kind.REBALANCE_OUTBOUND not in kinds(found, "dan")


async def test_a_channel_too_small_for_what_is_asked_is_to_be_larger_after_a_week(store_file):
    node = Node(hours=200)
    node.channels[DAN] = channel(DAN, "dan", 1_000_000, 0.6)
    for hour in spread(12, 190):
        node.refuse(hour, 1_500_000, 300, detail=MAX)
    found = await advice(node, store_file)
    item = one(found, Kind.INCREASE_CAPACITY)
    assert item.alias == "dan" and (item.amount_msat or 0) >= 1_500_000_000
    assert figure(item, "payments larger than a channel can hold") == 12


async def test_the_same_is_not_said_before_a_week_is_over(store_file):
    node = Node(hours=100)
    node.channels[DAN] = channel(DAN, "dan", 1_000_000, 0.6)
    for hour in spread(12, 90):
        node.refuse(hour, 1_500_000, 300, detail=MAX)
    assert kinds(await advice(node, store_file), "dan") == set()


def capped() -> Node:
    node = Node()
    node.channels[DAN] = channel(DAN, "dan", 5_000_000, 0.7)
    node.allows(DAN, 50_000)
    for hour, sat in zip(spread(40), range(80_000, 480_000, 10_000), strict=True):
        node.refuse(hour, sat, 100, detail=MAX)
    return node


async def test_a_max_htlc_that_turns_payments_away_is_to_be_raised_to_let_most_through(store_file):
    item = one(await advice(capped(), store_file), Kind.RAISE_MAX_HTLC)
    # Every payment is worth the same: nine tenths of them are up to 430,000 sat.
    assert item.amount_msat == 430_000_000
    assert item.channels == (str(DAN),)


async def test_a_max_htlc_that_was_raised_is_advised_for_what_it_still_refuses(store_file):
    node = capped()
    node.allows(DAN, 240_000, 71)
    item = one(await advice(node, store_file), Kind.RAISE_MAX_HTLC)
    assert figure(item, "payments refused by max_htlc") == 23, "of 250,000 to 470,000 sat"
    assert item.worth_msat == 23 * 100_000


async def test_a_max_htlc_that_was_raised_enough_is_not_advised_again(store_file):
    node = capped()
    node.allows(DAN, 480_000, 71)
    assert kinds(await advice(node, store_file), "dan") == set()


async def test_siblings_that_are_alike_by_now_are_not_to_be_aligned(store_file):
    node = siblings(0)
    node.asks(CAT2, 200, hour=71)
    assert kinds(await advice(node, store_file), "cat") == set()


async def test_siblings_that_all_take_enough_by_now_are_not_to_be_aligned(store_file):
    node = siblings(0, ppm=(200, 200))
    node.allows(CAT, 4_000_000)
    node.allows(CAT2, 50_000)
    node.allows(CAT2, 200_000, 71)
    assert kinds(await advice(node, store_file), "cat") == set()


async def test_a_max_htlc_that_a_tool_keeps_changing_is_left_to_it(store_file):
    node = capped()
    for hour in (10, 20, 30, 40):
        node.allows(DAN, 50_000 + int(hour), hour)
    assert kinds(await advice(node, store_file), "dan") == set()


async def test_too_large_for_max_htlc_and_for_what_is_there_is_want_of_liquidity(store_file):
    node = runs_dry()
    for hour in spread(20, start=0.7):
        node.refuse(hour, 300_000, 150, detail=MAX)
    found = await advice(node, store_file)
    assert kinds(found, "dan") == {Kind.REBALANCE_OUTBOUND}
    assert figure(one(found, Kind.REBALANCE_OUTBOUND), "payments refused for liquidity") == 60


async def test_siblings_of_which_only_one_had_room_and_asked_more_are_to_be_aligned(store_file):
    node = Node()
    node.channels |= {
        CAT: channel(CAT, "cat", 5_000_000, 0.02),
        CAT2: channel(CAT2, "cat", 5_000_000, 0.9),
    }
    node.asks(CAT, 200)
    node.asks(CAT2, 600)
    for hour in spread(40):
        node.refuse(hour, 200_000, 40, out=CAT)
    found = await advice(node, store_file)
    assert kinds(found, "cat") == {Kind.ALIGN_CHANNELS}
    item = one(found, Kind.ALIGN_CHANNELS)
    assert figure(item, "field that differs") == "fee"
    assert (item.break_even_ppm, item.ceiling_ppm) == (600, 200)
    assert set(item.channels) == {str(CAT), str(CAT2)}


def siblings(settled: int, bases: tuple[int, int] = (0, 0), ppm: tuple[int, int] = (200, 600)):
    """Cat's named channel is empty and offered 40 x 40 sat; so much settles by the dearer one."""
    node = Node()
    node.channels |= {
        CAT: channel(CAT, "cat", 5_000_000, 0.02),
        CAT2: channel(CAT2, "cat", 5_000_000, 0.9),
    }
    for scid, rate, base in zip((CAT, CAT2), ppm, bases, strict=True):
        node.asks(scid, rate, base)
    for hour in spread(40):
        node.refuse(hour, 200_000, 40, out=CAT)
    for hour in spread(settled):
        node.settle(hour + 0.3, 200_000, 120, out=CAT2)
    return node


async def test_what_pays_more_today_is_taken_off_what_aligning_brings(store_file):
    item = one(await advice(siblings(9), store_file), Kind.ALIGN_CHANNELS)
    assert figure(item, "what the cheapest fee everywhere would lose") == 9 * 80_000
    assert item.worth_msat == 40 * 40_000 - 9 * 80_000 == figure(item, "left of it")
    assert "on all channels to cat: 200 ppm, like the cheapest" in sentence(item)


async def test_where_that_takes_more_than_half_all_are_to_be_like_the_dearest(store_file):
    item = one(await advice(siblings(11), store_file), Kind.ALIGN_CHANNELS)
    assert (item.break_even_ppm, item.ceiling_ppm) == (200, 600)
    assert item.confidence is Confidence.LOW and item.worth_msat == 40 * 40_000
    assert "on all channels to cat: 600 ppm, like the dearest" in sentence(item)


async def test_siblings_that_differ_in_the_base_fee_alone_get_that_of_the_cheaper(store_file):
    made = siblings(0, bases=(0, 50_000), ppm=(200, 200))
    item = one(await advice(made, store_file), Kind.ALIGN_CHANNELS)
    rules = commands(item, "charge-lnd")
    assert [rule.splitlines()[3:] for rule in rules] == [["base_fee_msat = 0", "fee_ppm = 200"]] * 2
    assert commands(item, "bos") == (), "it sets no base fee"


async def test_siblings_that_differ_in_max_htlc_are_to_be_aligned_by_that(store_file):
    node = Node()
    node.channels |= {
        CAT: channel(CAT, "cat", 5_000_000, 0.02),
        CAT2: channel(CAT2, "cat", 5_000_000, 0.9),
    }
    node.allows(CAT, 4_000_000)
    node.allows(CAT2, 50_000)
    for hour in spread(40):
        node.refuse(hour, 200_000, 40, out=CAT)
    item = one(await advice(node, store_file), Kind.ALIGN_CHANNELS)
    assert figure(item, "field that differs") == "max_htlc"
    assert item.amount_msat == 200_000_000


async def test_a_peer_that_was_away_costs_what_it_earns_an_hour_online(store_file):
    node = Node()
    node.channels[DAN] = channel(DAN, "dan", 5_000_000, 0.5)
    for hour in spread(60, 36):
        node.settle(hour, 100_000, 50, out=DAN)
    node.becomes(36, DAN, active=False)
    item = one(await advice(node, store_file), Kind.RECONNECT_PEER)
    # 3,000 sat in 36 hours, and 36 hours away.
    assert item.worth_msat == pytest.approx(3_000_000, rel=0.01)
    assert figure(item, "away now") == "yes"


async def test_while_a_peer_is_away_nothing_else_is_advised_about_it(store_file):
    node = runs_dry()
    for hour in spread(60, 36):
        node.settle(hour, 20_000, 50, out=DAN)
    node.becomes(36, DAN, active=False)
    assert kinds(await advice(node, store_file), "dan") == {Kind.RECONNECT_PEER}


def priced_out(bids: int, sources: tuple[int, ...] = (ANN, BEN, CAT)) -> Node:
    node = Node()
    node.channels |= {DAN: channel(DAN, "dan", 5_000_000, 0.7), CAT: channel(CAT, "cat")}
    node.asks(DAN, 1000)
    node.settle(1, 100_000, 100, out=DAN)
    for number, hour in enumerate(spread(bids)):
        src = sources[number % len(sources)]
        # Amounts apart, so that none is another's retry.
        node.refuse(hour, 200_000 + 5_000 * number, 100, wire=12, detail=1, src=src)
    return node


async def test_the_price_is_lowered_only_where_bids_make_up_for_it(store_file):
    item = one(await advice(priced_out(30), store_file), Kind.LOWER_FEES)
    assert item.break_even_ppm == 1000 and 280 <= (item.ceiling_ppm or 0) <= 500
    income = figure(item, "income at the new rate")
    assert isinstance(income, int) and income >= 120_000
    assert item.worth_msat == income - 100_000


@pytest.mark.parametrize(("bids", "sources"), [(19, (ANN, BEN, CAT)), (30, (ANN, BEN))])
async def test_few_bids_or_bids_of_few_peers_prove_nothing(store_file, bids, sources):
    found = await advice(priced_out(bids, sources), store_file)
    assert Kind.LOWER_FEES not in kinds(found, "dan")


async def test_a_peer_short_of_liquidity_is_not_made_cheaper(store_file):
    node = priced_out(30)
    node.channels[DAN] = USUAL[DAN]
    for hour in spread(40, start=0.7):
        node.refuse(hour, 150_000, 150)
    found = kinds(await advice(node, store_file), "dan")
    assert Kind.REBALANCE_OUTBOUND in found and Kind.LOWER_FEES not in found


async def test_a_peer_that_used_to_send_until_our_side_was_full_is_a_guess(store_file):
    node = Node()
    for hour in spread(40, 30):
        node.settle(hour, 50_000, 20, src=BEN, out=ANN)
    node.becomes(0.0, BEN, local_sat=5_000_000, remote_sat=5_000_000)
    node.becomes(32, BEN, local_sat=9_700_000, remote_sat=300_000)
    item = one(await advice(node, store_file), Kind.REBALANCE_INBOUND)
    assert item.alias == "ben" and item.confidence is Confidence.LOW
    # 800 sat in 32 hours, and next to nothing in the 40 since.
    assert item.worth_msat == pytest.approx(1_000_000, rel=0.02)


async def test_slots_that_are_full_are_to_be_looked_into_though_their_fee_is_unknown(store_file):
    node = Node()
    for hour in spread(20):
        node.refuse(hour, 0, 0, detail=8)
    item = one(await advice(node, store_file), Kind.INVESTIGATE)
    assert figure(item, "refused: add_failed") == 20
    assert item.worth_msat == 0 and item.per_30d_msat is None


async def test_what_is_worth_little_is_hidden_and_counted(store_file):
    node = runs_dry(count=12, sat=10_000, fee=0.5)
    found = await advice(node, store_file)
    assert not found.opportunities and found.hidden == 0, "too little even to be looked at"
    assert "nothing was missed in this time that you could do something about" in found.why_none


async def test_a_cause_that_is_a_small_part_of_a_peers_loss_does_not_count(store_file):
    node = runs_dry(count=60, fee=400)
    for hour in spread(5, start=0.7):
        node.refuse(hour, 20_000, 40, detail=MAX)
    assert kinds(await advice(node, store_file), "dan") == {Kind.REBALANCE_OUTBOUND}


async def test_an_hour_of_data_is_too_early_to_speak_of_a_month(store_file):
    node = runs_dry()
    node.hours = 1.0
    node.stream.events.clear()
    for hour in spread(12, 0.9, 0.01):
        node.refuse(hour, 200_000, 100)
    found = await advice(node, store_file)
    assert found.too_early.startswith("too early: watched for 1 h")
    assert all(item.per_30d_msat is None for item in found.opportunities)
    assert all(item.confidence is Confidence.LOW for item in found.opportunities)


async def test_a_day_window_rests_on_the_week_it_ends(store_file):
    found = await advice(runs_dry(), store_file, window="24h")
    assert one(found, Kind.REBALANCE_OUTBOUND).count == 40
    assert found.window.label == "7d"


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ((), "no open channel"),
        ((channel(DAN, "dan"), channel(ANN, "dan")), "all its channels are with one peer"),
        (
            tuple(replace(USUAL[scid], private=True) for scid in (DAN, ANN)),
            "all its channels are private",
        ),
        ((USUAL[DAN], USUAL[ANN]), "nobody has asked this node"),
    ],
)
async def test_a_node_that_forwards_nothing_is_told_why(store_file, channels, said):
    node = Node(hours=2, channels={c.scid: c for c in channels})
    node._in_order = lambda: []
    found = await advice(node, store_file)
    assert not found.opportunities and said in found.why_none


async def test_who_is_asked_for_channels_of_others_only_is_not_told_that_nobody_asked(store_file):
    node = Node(hours=2)
    node.refuse(1, 200_000, 100, wire=18, detail=1, out=999)
    node._in_order = lambda: [(1.0, event) for event in node.stream.events]
    found = await advice(node, store_file)
    assert "asked this node to forward anything over its channels in" in found.why_none


async def test_a_store_that_saw_nothing_yet_says_how_to_begin(store_file):
    async with StoreWriter(store_file):
        pass
    analyst = service.open_analyst(store_file)
    found = analyst.advice(Query())
    analyst.close()
    assert not found.opportunities and "`htlctop collect`" in found.why_none
    assert advice_text(found).startswith("no node yet: what to do")


def two_dry() -> Node:
    """Dan and cat are to be refilled from ben, which filled up."""
    node = runs_dry(count=60, sat=200_000)
    node.channels |= {CAT: channel(CAT, "cat", 5_000_000, 0.02)}
    node.channels[ANN] = channel(ANN, "ann", 1_000_000, 0.5)
    node.channels[BEN] = channel(BEN, "ben", 8_000_000, 0.92)
    for hour in spread(40, start=0.6):
        node.refuse(hour, 210_000, 90, out=CAT)
    return node


async def test_what_explains_a_peer_gives_it_the_advice_it_has_among_all(store_file):
    node = two_dry()
    for hour in spread(40, 30):
        node.settle(hour, 50_000, 20, src=BEN, out=ANN)
    node.becomes(0.0, BEN, local_sat=4_000_000, remote_sat=4_000_000)
    node.becomes(32, BEN, local_sat=7_360_000, remote_sat=640_000)
    analyst = await node.store(store_file)
    query = Query(window="all")
    every = analyst.advice(query).opportunities
    assert {Kind.REBALANCE_OUTBOUND, Kind.REBALANCE_INBOUND} <= {item.kind for item in every}
    for peer in {item.peer for item in every}:
        mine = {f"Advice: {o.kind}": {f.name: f.value for f in o.evidence}
                for o in every if o.peer == peer}  # fmt: skip
        told = {
            section.title: {figure.name: figure.value for figure in section.figures}
            for section in analyst.explain(query, peer).sections
            if section.title.startswith("Advice: ")
        }
        assert told.keys() == mine.keys()
        assert all(evidence.items() <= told[title].items() for title, evidence in mine.items())
    analyst.close()


async def test_a_refill_promises_a_sources_sat_only_once(store_file):
    found = await advice(two_dry(), store_file)
    moved = [
        item.amount_msat or 0
        for item in found.opportunities
        if item.kind is Kind.REBALANCE_OUTBOUND and item.source_alias == "ben"
    ]
    assert moved and sum(moved) <= 7_360_000_000 - 2_000_000_000


async def test_a_raised_price_is_less_on_none_of_the_channels(store_file):
    node = siblings(0)
    node.channels[CAT2] = channel(CAT2, "cat", 3_000_000, 0.02)
    for hour in spread(30):
        node.settle(hour, 100_000, 80, out=BEN)
        node.settle(hour + 0.1, 20_000, 10, out=CAT)
    item = one(await advice(node, store_file), Kind.RAISE_FEES)
    assert item.break_even_ppm == 600 and (item.ceiling_ppm or 0) > 600


@pytest.mark.parametrize(
    ("kind", "by", "left"),
    [
        (Kind.RAISE_FEES, None, {Kind.RAISE_FEES}),
        (Kind.RAISE_FEES, 1000, {Kind.RAISE_FEES, Kind.ALIGN_CHANNELS}),
        (Kind.RAISE_MAX_HTLC, 1000, {Kind.RAISE_MAX_HTLC}),
        (Kind.RAISE_MAX_HTLC, None, {Kind.RAISE_MAX_HTLC, Kind.ALIGN_CHANNELS}),
        (Kind.REBALANCE_OUTBOUND, None, {Kind.REBALANCE_OUTBOUND, Kind.ALIGN_CHANNELS}),
    ],
)
def test_one_setting_of_a_peers_channels_is_told_one_value(kind, by, left):
    case = SimpleNamespace(is_away=False)
    found = [
        Finding(kind, 1, 200, 5, (1, 2), []),
        Finding(Kind.ALIGN_CHANNELS, 1, 100, 5, (1, 2), [], amount_msat=by),
    ]
    assert {f.kind for f in reconcile(case, found)} == left


def test_a_claims_net_fee_is_what_did_not_come_back():
    assert LostClaim(1, 0, 3, 1, 1, 2, 1000, 90, 40, None).net_msat == 50
