"""Every view adds up, whatever it is grouped by, filtered by, or looked at from."""

import asyncio
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis import moment, pairs
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import Sums
from htlctop.analysis.query import By, LogQuery, Query, SortKey
from htlctop.analysis.sums import figures
from htlctop.domain.codes import Category, Outcome
from htlctop.domain.types import NS
from htlctop.errors import UsageError
from htlctop.sim.recordings import TRAFFIC

ALL = Query(window="all")
SHOWN = {
    SortKey.MISSED: "expected_msat",
    SortKey.DEMAND: "net_demand_msat",
    SortKey.REFUSED: "refused",
    SortKey.ASKED: "asked_msat",
    SortKey.EARNED: "earned_msat",
    SortKey.SETTLED: "settled",
}
FILTERS = ("", "why:liq", "in:ann", "in:ann why:off", "out:cat", "!why:liq !why:settled")


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> StoreAnalyst:
    store: Path = tmp_path_factory.mktemp("views") / "store.db"
    asyncio.run(service.ingest([TRAFFIC], store))
    return service.open_analyst(store)


def total(rows) -> dict[str, int]:
    return {name: sum(getattr(r.sums, name) for r in rows) for name in asdict(Sums())}


@pytest.mark.parametrize("by", By)
def test_rows_add_up_to_the_node_whatever_they_are(analyst, by):
    view = analyst.overview(replace(ALL, by=by))
    assert total(view.rows) == asdict(view.totals.sums)
    assert view.unfiltered == len(view.rows)


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("sort", SortKey)
def test_rows_are_sorted_by_what_was_asked_and_known_by_their_ids(analyst, by, sort):
    rows = analyst.overview(replace(ALL, by=by, sort=sort)).rows
    assert len(rows) > 2 and list(rows.ids) == [row.id for row in rows]
    if sort in SHOWN:
        figures = [getattr(row.sums, SHOWN[sort]) for row in rows]
        assert figures == sorted(figures, reverse=True) and figures[0] > 0
    elif sort is SortKey.LOCAL and by in (By.PEER, By.CHANNEL):
        shares = [(row.local_sat or 0) / row.capacity_sat for row in rows if row.capacity_sat]
        assert shares == sorted(shares, reverse=True) and all(r.capacity_sat for r in rows[:2])
    turned = analyst.overview(replace(ALL, by=by, sort=sort, reverse=True)).rows
    assert set(turned.ids) == set(rows.ids)


@pytest.mark.parametrize("sort", SortKey)
@pytest.mark.parametrize("reverse", [False, True])
def test_so_many_pairs_are_the_first_of_all(analyst, sort, reverse):
    query = replace(ALL, by=By.PAIR, sort=sort, reverse=reverse)
    every, some = analyst.overview(query), analyst.overview(replace(query, most=3))
    assert (len(some.rows), some.count, some.unfiltered) == (3, len(every.rows), len(every.rows))
    if sort in SHOWN:
        figures = [[getattr(r.sums, SHOWN[sort]) for r in v.rows] for v in (some, every)]
        assert figures[0] == figures[1][:3]
    else:
        assert tuple(some.rows) == every.rows[:3]


@pytest.mark.parametrize("text", ["", "in:ann", "why:liq", "cat", "!cat"])
def test_the_matrix_holds_the_pairs_and_adds_up(analyst, text):
    view = analyst.flows(replace(ALL, filter=text))
    matrix, net = view.matrix, total(view.rows)["demand_msat"] - total(view.rows)["recovered_msat"]
    assert sum(end.net_msat for end in matrix.sources) == net == matrix.net_msat
    assert sum(end.net_msat for end in matrix.targets) == net
    assert (len(matrix.sources), len(matrix.targets)) == (matrix.source_count, matrix.target_count)
    ends = [{end.peer for end in ends} for ends in (matrix.sources, matrix.targets)]
    assert tuple(matrix.between) == tuple(
        row for row in view.rows if row.in_peer in ends[0] and row.out_peer in ends[1]
    )
    assert all(row in tuple(matrix.between) for row in view.rows if row.sums.lost)
    assert len(view.rows) == view.count


def test_a_matrix_of_the_largest_leaves_the_others_to_the_sums(analyst, monkeypatch):
    whole = analyst.flows(ALL).matrix
    monkeypatch.setattr(pairs, "MOST_SOURCES", 2)
    monkeypatch.setattr(pairs, "MOST_TARGETS", 2)
    matrix = analyst.flows(ALL).matrix
    assert (matrix.sources, matrix.targets) == (whole.sources[:2], whole.targets[:2])
    assert (matrix.source_count, matrix.net_msat) == (len(whole.sources), whole.net_msat)
    among = {(source.peer, target.peer) for source in matrix.sources for target in matrix.targets}
    assert set(matrix.between.ids) == among & set(whole.between.ids)


def test_a_window_of_many_htlcs_is_rounded_less_often_and_nearly_the_same(analyst, monkeypatch):
    exact = analyst.overview(ALL)
    monkeypatch.setattr(moment, "EXACT_UP_TO", 0)
    view, cells = analyst.overview(ALL), len(analyst.overview(replace(ALL, by=By.PAIR)).rows) * 5
    assert asdict(view.totals.sums) | {"expected_msat": 0} == (
        asdict(exact.totals.sums) | {"expected_msat": 0}
    )
    assert abs(view.totals.sums.expected_msat - exact.totals.sums.expected_msat) <= cells
    assert total(view.rows) == asdict(view.totals.sums)


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_leaves_the_same_sums_whatever_the_rows_are(analyst, text):
    sums = [total(analyst.overview(replace(ALL, by=by, filter=text)).rows) for by in By]
    assert sums[0] == sums[1] == sums[2] == sums[3]
    assert any(sums[0].values())


def test_the_totals_stay_the_whole_nodes_under_a_filter(analyst):
    view = analyst.overview(replace(ALL, filter="cat why:liq"))
    assert view.totals == analyst.overview(ALL).totals
    assert [row.alias for row in view.rows] == ["cat"]


def test_a_text_chooses_rows_and_its_negation_the_others(analyst):
    every = {row.peer for row in analyst.overview(ALL).rows}
    some = {row.peer for row in analyst.overview(replace(ALL, filter="/^(ann|cat)$/")).rows}
    rest = {row.peer for row in analyst.overview(replace(ALL, filter="!/^(ann|cat)$/")).rows}
    assert len(some) == 2
    assert (some | rest, some & rest) == (every, set())


def test_a_bare_scid_in_any_form_finds_its_channel_and_its_peer(analyst):
    channel = next(c for row in analyst.overview(ALL).peers for c in row.channels if c.scid)
    colons = channel.scid.replace("x", ":")
    for text in (channel.scid, colons, channel.channel_id):
        (row,) = analyst.overview(replace(ALL, by=By.CHANNEL, filter=text)).rows
        assert row.channel == channel.channel
        (peer,) = analyst.overview(replace(ALL, filter=text)).rows
        assert peer.peer == channel.peer


def test_every_drill_down_is_the_row_it_was_opened_from(analyst):
    for row in analyst.overview(ALL).peers:
        detail = analyst.peer(row.peer, ALL)
        assert detail.row == row
        assert total(detail.sources) == asdict(row.sums)
        assert sum(s.net_demand_msat for s in detail.series.slices) == row.sums.net_demand_msat
        assert sum(c.expected_msat for c in detail.categories) == row.sums.expected_msat
        assert total(row.channels) == asdict(row.sums)
        for channel in row.channels:
            one = analyst.channel(channel.channel, ALL)
            assert one.row == channel
            assert total(one.sources) == asdict(channel.sums)
        for source in detail.sources:
            pair = analyst.pair(source.in_peer, source.out_peer, ALL)
            assert pair.row == source
            assert sum(s.net_demand_msat for s in pair.series.slices) == source.sums.net_demand_msat


def test_what_the_store_does_not_know_is_a_usage_error(analyst):
    for ask in (
        lambda: analyst.peer(999, ALL),
        lambda: analyst.channel(999, ALL),
        lambda: analyst.pair(999, 1, ALL),
        lambda: analyst.htlc(10**9),
        lambda: analyst.overview(replace(ALL, filter="why:?")),
        lambda: analyst.log(LogQuery(1, filter="foo:")),
    ):
        with pytest.raises(UsageError):
            ask()


@pytest.mark.parametrize(
    "text",
    ["", "state:refused", "in:ann", "why:liq", "cat", "!cat", "in:ann out:dan amt>100k", "fee<1"],
)
def test_reading_on_through_the_log_meets_every_htlc_once(analyst, text):
    whole = [line.seq for line in analyst.log(LogQuery(10_000, filter=text)).lines]
    found, before = [], None
    while True:
        page = analyst.log(LogQuery(61, before_seq=before, filter=text))
        found += [line.seq for line in page.lines]
        if page.older_seq is None:
            break
        before = page.older_seq
    assert found == whole == sorted(set(found), reverse=True)
    assert found


def test_the_log_holds_what_its_filter_says(analyst):
    every = analyst.log(LogQuery(10_000)).lines
    kept = analyst.log(
        LogQuery(10_000, filter="in:ann out:dan amt>=100k why:liq state:refused")
    ).lines
    assert {line.seq for line in kept} == {
        line.seq
        for line in every
        if line.in_alias == "ann" and line.out_alias == "dan"
        and (line.amount_msat or 0) >= 100_000_000
        and line.category is Category.LIQUIDITY and line.outcome is Outcome.REFUSED
    }  # fmt: skip
    peer = analyst.find_peer("cat").peer
    assert {line.seq for line in analyst.log(LogQuery(10_000, peer=peer)).lines} == {
        line.seq for line in every if peer in (line.in_peer, line.out_peer)
    }


def test_an_htlc_is_among_the_attempts_of_its_payment(analyst):
    retry = next(line for line in analyst.log(LogQuery(10_000)).lines if line.retry_of_ns)
    detail = analyst.htlc(retry.seq)
    assert detail.line == retry
    assert retry in detail.attempts
    assert detail.attempts[0].at_ns == retry.retry_of_ns
    assert detail.fee_asked_msat is not None


def test_the_past_has_its_own_window_log_balances_and_policies(analyst):
    now = analyst.overview(ALL)
    then_ns = now.window.from_ns + (now.window.until_ns - now.window.from_ns) // 2
    then_ns = then_ns // (60 * NS) * 60 * NS
    past = analyst.overview(replace(ALL, until_ns=then_ns))
    assert not past.window.is_live
    assert past.window.until_ns == then_ns
    assert 0 < past.totals.forwards < now.totals.forwards
    assert all(gap.until_ns <= then_ns for gap in past.window.gaps)
    lines = analyst.log(LogQuery(10_000, until_ns=then_ns)).lines
    assert [x.seq for x in lines] == [
        x.seq for x in analyst.log(LogQuery(10_000)).lines if x.at_ns < then_ns
    ]
    peer = analyst.find_peer("dan").peer
    detail = analyst.peer(peer, replace(ALL, until_ns=then_ns))
    assert max(b.at_ns for b in detail.balance) <= then_ns
    assert detail.row.local_sat != analyst.peer(peer, ALL).row.local_sat
    before_all = analyst.overview(replace(ALL, until_ns=now.window.from_ns - 1))
    assert all(c.local_sat is None for row in before_all.peers for c in row.channels)


def test_before_anything_was_listed_no_channel_is_dry_and_no_peer_is_away(analyst):
    first_ns = analyst.overview(ALL).window.from_ns
    before = analyst.overview(replace(ALL, until_ns=first_ns - 1))
    assert before.peers and all(row.online is None for row in before.peers)
    assert all(row.local_sat is None for row in before.peers)
    assert (before.dry, before.offline) == (0, 0)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        ({}, None),
        ({Category.DOWNSTREAM: (9, 0)}, None),
        ({Category.FEE: (9, 0), Category.TIMELOCK: (2, 0)}, Category.FEE),
        ({Category.FEE: (9, 0), Category.ADD_FAILED: (1, 0)}, Category.ADD_FAILED),
        ({Category.LIQUIDITY: (1, 5), Category.OFFLINE: (9, 4)}, Category.LIQUIDITY),
    ],
)
def test_why_is_what_cost_most_and_where_nothing_was_lost_what_was_refused_most(refused, why):
    cells = [(c, (n, 0, 0, 0, 0, 0, 0), worth) for c, (n, worth) in refused.items()]
    assert figures(cells).why is why
