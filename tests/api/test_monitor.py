"""`htlctop monitor` as it is run: lines, totals, signals and pipes that close."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.analysis.models import HtlcLine
from htlctop.config import Connection
from htlctop.domain.codes import Category, EventType, Outcome
from htlctop.export.monitor import HEADING, Tally, is_shown, line_json, line_text, totals_text
from htlctop.sim.recordings import TRAFFIC
from tests.collector.test_command import environment
from tests.nodes import simulated
from tests.support import T0

REFUSED = HtlcLine(
    seq=7, at_ns=T0, ended_ns=T0 + 10**9, event_type=EventType.FORWARD, outcome=Outcome.REFUSED,
    category=Category.LIQUIDITY, in_peer=1, in_alias="ann", in_scid="1x1x1", out_peer=2,
    out_alias="ACINQ\x1b[31m", out_scid="2x2x2", amount_msat=1_250_000_000, fee_msat=312_500,
    wire_failure=15, failure_detail=6, short_msat=1_062_900_000, retry_of_ns=T0 - 10**9,
)  # fmt: skip
SETTLED = replace(
    REFUSED, outcome=Outcome.SETTLED, category=Category.SETTLED, wire_failure=0, failure_detail=0,
    short_msat=None, retry_of_ns=None, fee_msat=11_200,
)  # fmt: skip


def monitor(node: Connection, store: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            sys.executable, "-m", "htlctop", "monitor", "--store", str(store),
            "--rpcserver", node.rpcserver, "--tlscertpath", str(node.tls_cert_path),
            "--macaroonpath", str(node.macaroon_path), *options,
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip


def test_lines_come_as_it_happens_and_the_totals_are_theirs(tmp_path, store_file):
    options = ("--recording", str(TRAFFIC), "--speed", "5")
    with (
        simulated(tmp_path / "node", *options) as node,
        monitor(node, store_file, "--json") as running,
    ):
        assert running.stdout is not None
        lines = [json.loads(next(running.stdout)) for _ in range(40)]
        with monitor(node, store_file) as beside:
            assert beside.stdout is not None and beside.stderr is not None
            assert " → " in next(beside.stdout)
            beside.stdout.close()
            assert beside.wait(20) == 0, "nobody reads any more, and that is no error"
            said = beside.stderr.read()
            # It may have ended before it came to say anything.
            assert said in ("", "htlctop: live (another htlctop collects)\n")
        running.send_signal(signal.SIGINT)
        lines += map(json.loads, running.stdout)
        assert running.wait(20) == 0
    first, last = lines[0], lines[-1]
    assert (first["type"], first["schema"], first["store"]) == (
        "start", "htlctop-monitor/1", str(store_file),
    )  # fmt: skip
    assert [line["state"] for line in lines if line["type"] == "status"][-1] == "live"
    told = [line for line in lines if line["type"] == "htlc"]
    settled = [line for line in told if line["outcome"] == "settled"]
    refused = [line for line in told if line["outcome"] == "refused"]
    assert last["type"] == "totals"
    assert last["settled"] == len(settled) > 0
    assert last["refused"] == sum(last["categories"].values()) == len(refused) > 0
    assert last["earned_msat"] == sum(line["fee_msat"] for line in settled)
    lost = [line["fee_msat"] or 0 for line in refused if line["group"] == "lost"]
    assert last["asked_msat"] == sum(lost)
    assert len({line["seq"] for line in told}) == len(told), "each once"


def test_a_node_that_was_never_reached_is_an_error_when_the_time_is_over(tmp_path, store_file):
    (tmp_path / "macaroon").write_bytes(b"\x02")
    with simulated(tmp_path / "made") as made:
        pass
    away = replace(made, rpcserver="127.0.0.1:1")
    with monitor(away, store_file, "--duration", "1s") as running:
        out, err = running.communicate(timeout=20)
    assert running.returncode == 4
    assert "refused  0" in out
    assert "nothing listens at 127.0.0.1:1: start LND" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, True),
        ({"category": Category.FEE}, True),
        ({"category": Category.OTHER}, True),
        ({"category": Category.RECEIVE}, False),
        ({"category": Category.SEND}, False),
        ({"outcome": Outcome.NONE, "category": None}, False),
        ({"outcome": Outcome.DOWNSTREAM, "category": Category.DOWNSTREAM}, False),
        ({"outcome": Outcome.SETTLED, "category": Category.SEND}, False),
        ({"outcome": Outcome.SETTLED, "category": Category.SETTLED}, True),
    ],
)
def test_forwards_that_settled_or_were_refused_here_are_shown(changed, shown):
    assert is_shown(replace(REFUSED, **changed)) is shown


def test_columns_are_aligned_whatever_the_names_are():
    lines = [
        REFUSED,
        SETTLED,
        replace(SETTLED, in_alias="東京ルーティングノード", out_alias=""),
        replace(REFUSED, in_alias="a" * 200, amount_msat=None, fee_msat=None),
    ]
    texts = [line_text(line) for line in lines]
    assert "1,250,000      312.5  liquidity" in texts[0]
    assert texts[0].endswith("short 1,062,900  retry of " + texts[0].rsplit(" ", 1)[1])
    assert "\x1b" not in texts[0] and "ACINQ[31m" in texts[0]
    assert "2x2x2" in texts[2]
    assert "unknown  liquidity" in texts[3]
    places = {text.index("→") for text in (texts[0], texts[1], texts[3])}
    assert places == {HEADING.index("TO") - 2}
    assert texts[1].endswith("settled")
    assert texts[1].index("settled") == HEADING.index("WHAT")


def test_a_json_line_is_one_line_of_clean_text():
    text = line_json(replace(REFUSED, in_alias='a"\n\x00b'))
    assert "\n" not in text
    line = json.loads(text)
    assert (line["in"]["alias"], line["out"]) == (
        'a" b', {"alias": "ACINQ[31m", "scid": "2x2x2"},
    )  # fmt: skip
    assert (line["amount_msat"], line["fee_msat"]) == (1_250_000_000, 312_500)
    assert line["at"].endswith("Z") and line["retry_of"] < line["at"] < line["ended"]


def test_what_is_added_up_is_kept_apart_by_what_it_means():
    tally = Tally()
    for line in (
        REFUSED,
        replace(REFUSED, fee_msat=None, category=Category.ADD_FAILED),
        replace(REFUSED, category=Category.FEE, fee_msat=1_000),
        replace(REFUSED, category=Category.TIMELOCK, fee_msat=9_999),
        SETTLED,
    ):
        tally.add(line)
    assert (tally.settled, tally.earned_msat) == (1, 11_200)
    assert (tally.refused, tally.asked_msat, tally.fee_unknown) == (4, 312_500, 1)
    assert tally.offered_msat == 1_000
    text = totals_text(tally, T0, T0 + 90 * 10**9, dropped=3)
    assert "every try 312.5 sat (1 of unknown fee); priced out 1.000 sat offered" in text
    assert "not shown: 3 HTLCs" in text
