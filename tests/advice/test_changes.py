"""Before and after: what is noticed, what is marked, and what it changed."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest
from click.testing import CliRunner

from htlctop.analysis.details import Change, ChangeKind
from htlctop.analysis.query import Query
from htlctop.cli import cli
from htlctop.domain.types import NS
from htlctop.errors import StoreError, UsageError
from htlctop.store.marks import add_mark
from htlctop.store.writer import StoreWriter
from tests.advice.made import ALIAS, ANN, BEN, DAN, Node, spread
from tests.support import T0

ALL = Query(window="all")


async def noticed(node: Node, path) -> list[Change]:
    analyst = await node.store(path)
    try:
        return list(analyst.history(ALL).changes)
    finally:
        analyst.close()


def refused_before_and_after(hour: float) -> Node:
    """Toward dan 40 payments are refused in the 20 hours before, and 4 in the 20 after."""
    node = Node(hours=40)
    for at in spread(40, hour - 0.2, 0.2):
        node.refuse(at, 200_000, 100)
    for at in spread(4, hour + 19, hour + 0.5):
        node.refuse(at, 200_000, 100)
    return node


async def test_a_refill_stands_beside_what_was_missed_before_and_after_it(store_file):
    node = refused_before_and_after(20.0)
    node.becomes(20.0, DAN, local_sat=3_000_000, remote_sat=2_000_000)
    (change,) = await noticed(node, store_file)
    assert (change.kind, change.alias) == (ChangeKind.REFILL, "dan")
    assert (change.before, change.after) == ("100,000 sat", "3,000,000 sat")
    # 40 payments of 100 sat in 20 hours, and 4 in 20; every forward of this node settles.
    assert change.rate_before_msat == pytest.approx(200_000, rel=0.02)
    assert change.rate_after_msat == pytest.approx(20_000, rel=0.02)


@pytest.mark.parametrize("src", [DAN, ALIAS])
async def test_what_came_in_by_forwards_is_no_refill(store_file, src):
    node = Node(hours=40)
    node.channels[DAN] = replace(node.channels[DAN], other_scids=(ALIAS,))
    for hour in spread(30, 19, 18):
        node.settle(hour, 100_000, 10, src=src, out=ANN)
    node.becomes(20.0, DAN, local_sat=3_000_000, remote_sat=2_000_000)
    assert await noticed(node, store_file) == []


async def test_what_failed_and_came_back_to_us_is_no_refill(store_file):
    node = Node(hours=40)
    # 2,200,000 sat of ours were in flight when the balances were told, and then were not.
    node.becomes(20.0, BEN, local_sat=8_800_000, remote_sat=1_200_000)
    node.becomes(20.1, BEN, local_sat=6_600_000, remote_sat=1_200_000)
    node.becomes(20.2, BEN, local_sat=8_800_000, remote_sat=1_200_000)
    assert await noticed(node, store_file) == []


async def test_new_fees_and_limits_are_told_in_figures(store_file):
    node = Node(hours=40)
    node.asks(DAN, 250)
    node.asks(DAN, 300, 1000, hour=10)
    node.allows(DAN, 40_000)
    node.allows(DAN, 400_000, hour=30)
    fee, limit = await noticed(node, store_file)
    assert (fee.kind, fee.before, fee.after) == (
        ChangeKind.FEE, "250 ppm", "1,000 msat + 300 ppm",
    )  # fmt: skip
    assert (limit.kind, limit.before, limit.after) == (
        ChangeKind.MAX_HTLC, "40,000 sat", "400,000 sat",
    )  # fmt: skip


async def test_a_rate_of_less_than_an_hour_is_none(store_file):
    node = Node(hours=40)
    node.asks(DAN, 250)
    node.asks(DAN, 300, hour=0.5)
    (change,) = await noticed(node, store_file)
    assert change.rate_before_msat is None and change.rate_after_msat == 0


async def test_between_two_changes_each_rate_is_of_its_own_time(store_file):
    node = refused_before_and_after(20.0)
    node.asks(DAN, 250)
    node.asks(DAN, 300, hour=20)
    node.asks(DAN, 350, hour=30)
    first, second = await noticed(node, store_file)
    assert first.rate_after_msat == second.rate_before_msat
    assert first.rate_before_msat == pytest.approx(200_000, rel=0.02)


async def test_a_mark_is_noted_while_a_collector_runs_and_shown_with_its_rates(store_file):
    analyst = await refused_before_and_after(20.0).store(store_file)
    before = analyst.generation()
    async with StoreWriter(store_file):
        at = "2026-11-23T02:26:40Z"
        done = await asyncio.to_thread(
            CliRunner().invoke, cli,
            ["mark", "opened", "a\x1b[31m", "channel", "--peer", "dan", "--at", at,
             "--store", str(store_file)],
        )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.output == "noted about dan: opened a[31m channel\n"
    assert analyst.generation() == before + 1, "every viewer sees that there is news"
    (change,) = analyst.history(ALL).changes
    analyst.close()
    assert (change.kind, change.alias, change.text) == (
        ChangeKind.MARK, "dan", "opened a[31m channel",
    )  # fmt: skip
    assert change.at_ns == T0 + 28 * 3600 * NS


async def test_a_mark_of_the_node_compares_the_whole_node(store_file):
    await refused_before_and_after(20.0).store(store_file)
    add_mark(store_file, "new firmware", T0 + 20 * 3600 * NS)
    (change,) = await _again(store_file)
    assert change.peer == 0 and change.rate_before_msat == pytest.approx(200_000, rel=0.02)


async def _again(path) -> list[Change]:
    from htlctop import service

    analyst = service.open_analyst(path)
    try:
        return list(analyst.history(ALL).changes)
    finally:
        analyst.close()


def test_there_is_nothing_to_mark_without_a_store_and_nothing_is_made(tmp_path):
    with pytest.raises(StoreError, match="there is no store"):
        add_mark(tmp_path / "none.db", "x", T0)
    assert not list(tmp_path.iterdir())
    done = CliRunner().invoke(cli, ["mark", "x", "--store", str(tmp_path / "none.db")])
    assert done.exit_code == StoreError.exit_code


async def test_a_mark_waits_two_seconds_for_a_writer_at_most(store_file, monkeypatch):
    await Node(hours=2).store(store_file)
    waited: list[str] = []
    with sqlite3.connect(store_file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        real = sqlite3.connect

        class Impatient(sqlite3.Connection):
            def execute(self, sql, *values):
                if "busy_timeout" in sql:
                    waited.append(sql)
                    sql = "PRAGMA busy_timeout = 1"
                return super().execute(sql, *values)

        monkeypatch.setattr(
            "htlctop.store.marks.sqlite3.connect",
            lambda *args, **kw: real(*args, **{**kw, "factory": Impatient}),
        )
        with pytest.raises(StoreError, match="is being written by another program"):
            add_mark(store_file, "x", T0)
    assert waited == ["PRAGMA busy_timeout = 2000"]


async def test_a_mark_needs_a_text_and_a_peer_that_there_is(store_file):
    await Node(hours=2).store(store_file)
    store = ["--store", str(store_file)]
    for arguments, said in ((["\x1b"], "nothing to note"), (["x", "--peer", "zed"], "no peer")):
        done = CliRunner().invoke(cli, ["mark", *arguments, *store])
        assert done.exit_code == UsageError.exit_code and said in done.output
