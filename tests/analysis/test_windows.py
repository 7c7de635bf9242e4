"""Windows begin on buckets that are kept, and their parts add up to the whole."""

import asyncio
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htlctop import service
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.formulas import Rate, settle_rates, share_out
from htlctop.analysis.models import Sums
from htlctop.analysis.query import Query
from htlctop.analysis.status import State
from htlctop.analysis.windows import align, duration_ns
from htlctop.domain.coverage import Interval, gaps
from htlctop.domain.records import Progress
from htlctop.domain.types import NS
from htlctop.errors import UsageError
from htlctop.sim.recordings import TRAFFIC
from htlctop.store.reader import StoreReader
from htlctop.store.writer import StoreWriter
from tests.support import CHANNELS, T0, Stream

MINUTE, HOUR, DAY = 60 * NS, 3600 * NS, 86_400 * NS
NOW = 1_795_301_015 * NS
ADDITIVE = (
    "settled", "refused", "lost", "downstream", "fee_unknown", "asked_msat", "demand_msat",
    "recovered_msat", "offered_msat", "earned_msat", "claims", "repeats",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("30s", 30 * NS), ("5m", 5 * MINUTE), ("48h", 48 * HOUR), ("30d", 30 * DAY)],
)
def test_durations_are_read(text, wanted):
    assert duration_ns(text) == wanted


@pytest.mark.parametrize("text", ["", "5", "h", "-5m", "5x", "1.5h", "0m", "٣h", "all"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UsageError, match="30s, 5m, 48h or 30d"):
        duration_ns(text)


@pytest.mark.parametrize("text", ["36501d", "999999999d", "9" * 5000 + "s"])
def test_what_no_clock_holds_is_no_duration_either(text):
    with pytest.raises(UsageError, match="longer than anything"):
        duration_ns(text)


@pytest.mark.parametrize(
    ("ago", "width"),
    [(5 * MINUTE, MINUTE), (47 * HOUR, MINUTE), (49 * HOUR, HOUR), (61 * DAY, DAY)],
)
def test_an_edge_lies_on_the_finest_bucket_that_is_kept(ago, width):
    edge = align(NOW - ago, NOW)
    assert edge % width == 0
    assert 0 <= NOW - ago - edge < width
    assert align(NOW - ago, NOW, up=True) - edge in (0, width)


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> StoreAnalyst:
    store: Path = tmp_path_factory.mktemp("traffic") / "store.db"
    asyncio.run(service.ingest([TRAFFIC], store))
    return service.open_analyst(store)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True))
def test_any_partition_of_a_window_adds_up_to_it(analyst, cuts):
    start = (NOW - 6 * MINUTE) // MINUTE * MINUTE
    end = start + 7 * MINUTE
    edges = [start, *sorted(start + cut * MINUTE for cut in cuts), end]
    query = Query(since_ns=start, until_ns=end)
    whole = analyst.overview(query).totals.sums
    parts = [
        analyst.overview(replace(query, since_ns=a, until_ns=b)).totals.sums
        for a, b in pairwise(edges)
    ]
    for name in ADDITIVE:
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name), name


def test_a_window_that_holds_everything_equals_all(analyst):
    everything, day = analyst.overview(Query(window="all")), analyst.overview(Query(window="24h"))
    assert everything.totals == day.totals
    assert day.totals.sums != Sums()


@pytest.mark.parametrize(
    ("ages_h", "wanted"),
    [
        ([], "24h"),
        ([1, 2, 3], "24h"),
        ([1, 100, 400], "30d"),
        ([1, *[100] * 40], "7d"),
        ([*[1] * 30, 400], "24h"),
        ([1, 400, *[100] * 28], "30d"),
        ([1, 100], "7d"),
    ],
)
async def test_the_first_window_is_the_smallest_that_has_something_to_say(
    store_file, ages_h, wanted
):
    stream = Stream()
    for age_h in sorted(ages_h, reverse=True):
        stream.refuse(-3600 * age_h, 1_000_000, 1_000)
    await stored(store_file, stream)
    reader = StoreAnalyst(StoreReader(store_file), wall_ns=lambda: T0)
    assert reader.smallest_window() == wanted
    reader.close()


async def stored(path: Path, stream: Stream) -> None:
    """Write the events of a stream, as a collector would at T0."""
    progress = Progress(events=0, ignored=0, last_event_ns=T0, covered_until_ns=None)
    async with StoreWriter(path) as writer:
        fold = writer.restore_fold()
        fold.channels.update(CHANNELS, ())
        for event in stream.events:
            fold.apply(event, T0)
        await writer.commit(fold.take(), progress)


async def test_a_collector_silent_for_want_of_room_is_told_of_by_whoever_reads(
    store_file, monkeypatch
):
    await stored(store_file, Stream())
    async with StoreWriter(store_file) as writer:
        await writer.set_state("live")
        await writer.alive(Progress(0, 0, 0, None, alive_ns=T0))
    room = os.statvfs(store_file)
    full = SimpleNamespace(f_flag=room.f_flag, f_bavail=1, f_frsize=4096)
    reader = StoreAnalyst(StoreReader(store_file), wall_ns=lambda: T0 + 16 * NS)
    assert (reader.status().state, reader.status().reason) == (State.SILENT, "")
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    assert "no room left on the disk" in reader.status().reason
    reader.close()


def test_the_seconds_since_the_last_sign_of_life_are_not_called_not_running():
    watched = [Interval(T0, T0 + 60 * NS, None)]
    assert gaps(watched, T0, T0 + 70 * NS)[-1].reason == "not confirmed yet"
    assert gaps(watched, T0, T0 + 90 * NS)[-1].reason == "not running"
    assert (
        gaps([*watched, Interval(T0 + 65 * NS, T0 + 70 * NS, None)], T0, T0 + 70 * NS)[-1].reason
        == "not running"
    )


def test_the_chart_adds_up_to_the_net_demand(analyst):
    view = analyst.overview(Query(window="1h"))
    assert sum(s.net_demand_msat for s in view.series.slices) == view.totals.sums.net_demand_msat


def test_a_peers_settle_rate_leans_on_the_nodes_until_it_has_its_own():
    rates, default = settle_rates({1: (80, 20), 2: (0, 0), 3: (0, 1)})
    assert float(default) == 80 / 101
    assert float(rates[2]) == float(default)
    assert float(rates[1]) == pytest.approx((80 + 20 * 80 / 101) / 120)
    assert float(rates[3]) < float(default)


def test_without_data_the_settle_rate_is_a_half():
    assert float(settle_rates({})[1]) == 0.5


@pytest.mark.parametrize(("msat", "wanted"), [(3, 2), (1, 1), (2, 1), (0, 0), (5, 3)])
def test_expected_is_rounded_half_up(msat, wanted):
    assert Rate(1, 2).of_amount(msat) == wanted


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), max_size=20))
def test_shares_add_up_to_what_is_shared(total, weights):
    shares = share_out(total, weights)
    assert sum(shares) == (total if sum(weights) else 0)
    for share, weight in zip(shares, weights, strict=True):
        if sum(weights):
            assert abs(share - total * weight / sum(weights)) < 1.001
