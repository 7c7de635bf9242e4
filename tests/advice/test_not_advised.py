"""Why nothing is advised about a peer that misses fees: each way that can come about, in words."""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

import pytest

from htlctop import service
from htlctop.analysis.advice.models import Advice, NotAdvised
from htlctop.analysis.models import UNKNOWN_PEER
from htlctop.analysis.query import Query
from htlctop.export.advice import advice_text, notes
from htlctop.export.advice_json import advice_json
from htlctop.export.formats import Format, render
from htlctop.export.views import document
from htlctop.ui.glyphs import BLOCKS
from htlctop.ui.paint.peer import More, page
from htlctop.ui.text import Line, plain
from tests.advice.made import ANN, BEN, CAT, CAT2, DAN, Node, advice, channel, figure, kinds, spread
from tests.advice.test_opportunities import siblings
from tests.advice.test_thresholds import EXPOSURE, OTHER, bid_for, capped, costly, dry, too_large

ALL = Query(window="all")


def about(found: Advice, name: str = "dan") -> NotAdvised:
    """The only reason about a peer, about which there is nothing else."""
    (one,) = [item for item in found.not_advised if item.alias == name]
    assert not kinds(found, name)
    return one


def full() -> Node:
    """Dan can receive nothing: all but 0.5% is ours, which LND says is too little."""
    node = dry()
    node.channels[DAN] = channel(DAN, "dan", 5_000_000, 0.995)
    return node


def refilled() -> Node:
    """Three quarters of what would have been enough came after the last refusal."""
    node = dry()
    node.becomes(71, DAN, local_sat=3_200_000, remote_sat=1_800_000)
    return node


def raised_to(sat: int) -> Node:
    """Dan takes so much since the last refusal."""
    node = capped()
    node.allows(DAN, sat, 71)
    return node


def alike(field: str) -> Node:
    """Two channels that ask the same, or take enough, since the last refusal."""
    node = siblings(0, ppm=(200, 600 if field == "fee" else 200))
    if field == "fee":
        node.asks(CAT2, 200, hour=71)
    else:
        node.allows(CAT, 4_000_000)
        node.allows(CAT2, 50_000)
        node.allows(CAT2, 200_000, 71)
    return node


def made_dearer() -> Node:
    """A refill would cost more than it earns, and the price was raised in the last day."""
    node = costly(35, 29)
    node.asks(DAN, 550, hour=49)
    return node


def exposed(count: int) -> Node:
    """So many refusals for too much fee at stake, among others by the sender's mistake."""
    node = Node()
    for hour in spread(count):
        node.refuse(hour, 200_000, 100, detail=EXPOSURE)
    return node


def unnamed() -> Node:
    """Of a hundred refusals three for too much fee at stake, and one for nobody knows what."""
    node = exposed(3)
    node.refuse(5, 200_000, 100, detail=OTHER)
    for hour in spread(96, start=0.7):
        node.refuse(hour, 200_000, 1, wire=13, detail=0)
    return node


def unasked() -> Node:
    """More leaves than comes, and nobody told what is asked."""
    node = costly(35, 20)
    node.policies.clear()
    return node


def unpriced() -> Node:
    """Enough bids for a lower fee, and nobody told what is asked."""
    node = bid_for()
    node.policies.clear()
    return node


def based() -> Node:
    """Dan asks 10 sat and 10 ppm, which comes to 20 ppm of a million; small payments bid 400."""
    node = bid_for(bids=0)
    node.stream.events.clear()
    node.asks(DAN, 10, 10_000)
    node.settle(1, 1_000_000, 20, out=DAN)
    for number, hour in enumerate(spread(20, start=2)):
        sat = 20_000 + 1_000 * (number % 5)
        src = (ANN, BEN, CAT)[number % 3]
        node.refuse(hour, sat, sat * 400e-6, wire=12, detail=1, src=src)
    return node


def below_least() -> Node:
    """Forty payments of less than the channel takes."""
    node = Node()
    for hour in spread(40):
        node.refuse(hour, 50_000, 50, wire=11, detail=1)
    return node


def small(hours: float = 72.0) -> Node:
    """One payment lacked sat."""
    node = Node(hours=hours)
    node.refuse(1, 200_000, 2)
    return node


def nowhere() -> Node:
    """Payments for channels that are none of ours."""
    node = Node()
    for hour in spread(5):
        node.refuse(hour, 200_000, 100, wire=18, detail=1, out=999)
    return node


@pytest.mark.parametrize(
    ("made", "because"),
    [
        (
            too_large(4, 168.0),
            "most is too large for any channel with this peer; the largest can hold 990,000 sat, "
            "and a larger one is advised after 5 such payments in 7 watched days: so far 4 in "
            "7.0 days",
        ),
        (too_large(12, 72.0), "so far 12 in 3.0 days"),
        (too_large(12, 167.9), "7 watched days: so far 12 in 6.9 days"),
        (
            costly(37, 29),
            "moving it would cost more than it earns: each sat would earn 500 ppm here and earns "
            "800 where it is; its fee is not raised, since under 10% could be sent in 49% of the "
            "time only",
        ),
        (
            costly(35, 30),
            "its fee is not raised, since no more left by it (600,000 sat) than came in (600,000)",
        ),
        (unasked(), "its fee is not raised, since what it asks now is not known"),
        (made_dearer(), "its fee was raised within a day: wait, then compare"),
        (full(), "no channel can receive the 200,000 sat that the smallest payment lacked, but 0"),
        (
            refilled(),
            "3,100,000 sat came to our side since the last refusal, and 4,000,000 would have been "
            "enough",
        ),
        (raised_to(900_000), "its max_htlc lets through by now what it refused: 20 payments"),
        (capped(changes=3), "its max_htlc changed 3 times in 7 days"),
        (
            bid_for(bids=19),
            "19 payments from 3 peers would come for a lower fee; one is advised from 20 payments "
            "of 3 peers on",
        ),
        (bid_for(share=0.25), "over 25% could be sent in 0% of the time; one is advised over 80%"),
        (
            bid_for(earned_sat=3_000),
            "the best lower fee would have earned 3,595 sat, today's earned 3,000; a lower one is "
            "advised where it earns a fifth more",
        ),
        (bid_for(bids=1), "1 payment from 1 peer would come for a lower fee; one is advised from"),
        (unpriced(), "its fee is not lowered, since what it asks now is not known"),
        (
            based(),
            "none of 20 payments that would come for a lower fee bids less than the 20 ppm that is "
            "earned on average, since there is a base fee",
        ),
        (
            exposed(4),
            "4 of 4 refusals were for want of slots or reserve, or for too much fee at stake; "
            "looking into it is advised from 5 on, where they are a tenth of all",
        ),
        (
            unnamed(),
            "4 of 100 refusals were for want of slots or reserve, or for too much fee at stake, "
            "or for a reason that has no name here; looking into it is advised",
        ),
        (below_least(), "its min_htlc was too large for 40 payments"),
    ],
)
async def test_the_reason_has_its_figures_in_it(store_file, made, because):
    assert because in about(await advice(made, store_file)).because


@pytest.mark.parametrize(
    ("field", "because"),
    [
        ("fee", "its channels ask the same fee by now"),
        ("max_htlc", "all its channels take by now what one of them refused"),
    ],
)
async def test_channels_that_are_alike_by_now_are_said_to_be(store_file, field, because):
    assert about(await advice(alike(field), store_file), "cat").because == because


async def test_what_the_reason_rests_on_is_explained(store_file):
    analyst = await too_large(4, 168.0).store(store_file)
    item = about(analyst.advice(ALL))
    told = analyst.explain(ALL, item.peer).sections
    analyst.close()
    (part,) = [each for each in told if each.title == "Why nothing is advised"]
    explained = {each.name: each.value for each in part.figures}
    assert explained["because"] == item.because and explained["worth"] == item.worth_msat
    assert all(explained[each.name] == each.value for each in item.evidence)
    assert figure(item, "payments larger than a channel can hold") == 4
    assert explained["enough in 30 days"] == 100_000


async def test_the_page_the_report_and_the_advice_say_why(store_file):
    analyst = await too_large(4, 168.0).store(store_file)
    found = analyst.advice(ALL)
    shown = page(analyst.peer(about(found).peer, ALL), More(advice=found), 120, 32, BLOCKS)
    analyst.close()
    because = about(found).because
    assert on_page(shown, "Do: nothing: ").startswith(f"Do: nothing: {because[:60]}")
    assert ("no advice", f"dan: {because}") in list(notes(found))
    assert f"dan: {because}" in advice_text(found).splitlines()
    assert because in render(document(found, "advice"), Format.CSV)
    assert found.why_none == "nothing is worth doing yet: each peer's page says why"


@pytest.mark.parametrize(
    ("made", "name", "said"),
    [
        (Node(), "dan", "Do: nothing: no fee was missed here"),
        (
            small(),
            "dan",
            "Do: nothing: what could be done here is worth less than 100 sat a month",
        ),
        (small(hours=20.0), "dan", "So far: too early: watched for 20 h on 2 days"),
        (too_large(4, 20.0), "dan", "So far: nothing: most is too large for any channel"),
        (too_large(4, 0.9), "dan", "So far: too early: watched for 54 min on 1 day"),
        (nowhere(), "", "Do: nothing: LND did not say which peer they were for"),
    ],
)
async def test_a_page_without_advice_says_so_in_one_line(store_file, made, name, said):
    analyst = await made.store(store_file)
    peer = analyst.find_peer(name).peer if name else UNKNOWN_PEER
    shown = page(analyst.peer(peer, ALL), More(advice=analyst.advice(ALL)), 120, 32, BLOCKS)
    analyst.close()
    assert on_page(shown, said)


async def test_of_several_the_one_that_misses_most_comes_first(store_file):
    node = too_large(4, 168.0)  # 1,200 sat
    node.channels[CAT] = channel(CAT, "cat")
    for hour in spread(4, start=0.7):
        node.refuse(hour, 200_000, 10, detail=EXPOSURE)
        node.refuse(hour, 200_000, 400, detail=EXPOSURE, out=CAT)
    found = await advice(node, store_file)
    assert [item.alias for item in found.not_advised] == ["cat", "dan"]
    assert about(found).because.startswith("most is too large"), "what misses most with dan"
    assert len(list(notes(replace(found, not_advised=found.not_advised * 4)))) == 5 + len(
        list(notes(replace(found, not_advised=())))
    )


async def test_a_reason_that_is_worth_little_is_none(store_file):
    """Offers of the fee before, which is no bid."""
    node = bid_for(bids=0)
    node.asks(DAN, 500)
    node.asks(DAN, 1000, hour=1)
    for hour in spread(30, start=2):
        node.refuse(hour, 200_000, 100, wire=12, detail=1)
    found = await advice(node, store_file)
    assert not found.not_advised and "not_advised" not in advice_json(found)["advice"]


def on_page(lines: Iterable[Line], begins: str) -> str:
    """The line of a page that begins so."""
    told = [text.strip() for text in map(plain, lines)]
    (found,) = [text for text in told if text.startswith(begins)]
    return found


@pytest.mark.parametrize("made", [dry(), capped(), bid_for()])
async def test_where_only_the_sums_are_kept_it_is_said_that_the_payments_are_not(store_file, made):
    (await made.store(store_file)).close()
    with sqlite3.connect(store_file) as store:  # as they go when they are old
        store.execute("DELETE FROM htlc WHERE outcome = 2")
    analyst = service.open_analyst(store_file)
    found = analyst.advice(ALL)
    analyst.close()
    assert "the single payments are not known any more" in about(found).because


async def test_a_peer_without_an_open_channel_is_said_to_have_none(store_file):
    (await dry().store(store_file)).close()
    with sqlite3.connect(store_file) as store:  # as the next listing would find it
        store.execute("UPDATE channel SET is_open = 0, closed = opened + 1 WHERE scid = ?", [DAN])
        store.execute("UPDATE status SET books = books + 1")
    analyst = service.open_analyst(store_file)
    found = analyst.advice(ALL)
    analyst.close()
    assert about(found).because == "it has no open channel with us"


def test_of_a_peer_without_advice_and_reason_no_cause_is_worth_enough(analyst):
    found, report = analyst.advice(ALL), analyst.report(ALL)
    of_peers = [{item.peer for item in part} for part in (found.opportunities, found.not_advised)]
    assert of_peers[0].isdisjoint(of_peers[1]), "advised and not"
    hours, few = found.window.covered_ns / 3.6e12, 0
    for peer in report.overview.peers:
        if peer.peer and peer.peer not in of_peers[0] | of_peers[1]:
            few += 1
            for row in analyst.peer(peer.peer, ALL).categories:
                assert row.expected_msat / hours * 720 < found.least_msat, (peer.alias, row)
    assert few
    for item in found.not_advised:
        assert item.worth_msat / hours * 720 >= found.least_msat
