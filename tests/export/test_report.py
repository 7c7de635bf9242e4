"""The report in every format, and a saved one read back."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from htlctop.analysis.models import PeerRow, Report
from htlctop.analysis.rows import Rows
from htlctop.analysis.status import State
from htlctop.cli import cli
from htlctop.domain.types import NS
from htlctop.errors import UsageError
from htlctop.export.format import sat, stamp
from htlctop.export.formats import Format
from htlctop.export.report import report as render
from htlctop.export.report import report_json
from htlctop.export.saved import read_report
from tests.export.made import Maker


def made(seed: int) -> Report:
    """A report whose channels stand under their peers, as the analysis makes them."""
    maker = Maker(random.Random(seed))
    report = maker.make(Report)
    peers = []
    for at in range(4):
        peer = maker.make(PeerRow)
        pubkey = peer.pubkey or f"02{at:064x}"
        channels = tuple(replace(row, pubkey=pubkey) for row in peer.channels)
        peers.append(replace(peer, peer=at + 1, pubkey=pubkey, channels=channels))
    pairs = tuple(
        replace(pair, in_peer=int(bool(pair.in_pubkey)), out_peer=int(bool(pair.out_pubkey)))
        for pair in report.pairs
    )
    overview = replace(report.overview, rows=Rows.of(peers), first_event_ns=1_000_000)
    return replace(report, overview=overview, pairs=pairs)


@pytest.mark.parametrize("seed", range(20))
def test_a_saved_report_read_back_writes_the_same_json(seed: int) -> None:
    text = report_json(made(seed))
    assert report_json(read_report(text)) == text


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("seed", range(8))
def test_a_saved_report_reads_as_the_one_it_was_saved_from(form: Format, seed: int) -> None:
    report = made(seed)
    assert render(read_report(report_json(report)), form) == render(report, form)


def test_a_peer_whose_refusals_have_no_fee_missed_what_nobody_knows_and_not_nothing() -> None:
    report = made(4)
    known = report.overview.peers[0]
    sums = replace(known.sums, refused=12, fee_unknown=12, asked_msat=0)
    priced_out = replace(sums, fee_unknown=0)
    for of, said in ((sums, True), (priced_out, False)):
        rows = Rows.of([replace(known, sums=of)])
        one = replace(report, overview=replace(report.overview, rows=rows, categories=()))
        assert ("fee unknown" in render(one, Format.TEXT)) is said


def test_a_collector_that_is_silent_is_said_so_with_since_when() -> None:
    report = made(4)
    status = replace(report.overview.status, state=State.SILENT, alive_ns=1_783_087_000 * 10**9)
    one = replace(report, overview=replace(report.overview, status=status))
    for each in (one, read_report(report_json(one))):
        assert f"told nothing since {stamp(status.alive_ns)}" in " ".join(
            render(each, Format.TEXT).split()
        )


@pytest.mark.parametrize("form", [Format.TEXT, Format.MD])
def test_a_window_with_a_gap_is_never_all_watched(form: Format) -> None:
    view = made(5).overview
    length_ns = 24 * 3600 * NS
    window = replace(
        view.window, from_ns=0, until_ns=length_ns, covered_ns=length_ns - 23 * NS,
    )  # fmt: skip
    said = render(replace(made(5), overview=replace(view, window=window)), form)
    assert "(99%)" in " ".join(said.split()) and "100%)" not in said


def test_a_node_behind_its_chain_is_said_so_while_it_is_watched() -> None:
    report = made(4)
    for state, synced, said in (
        (State.LIVE, False, True), (State.LIVE, True, False), (State.LIVE, None, False),
        (State.STOPPED, False, False),
    ):  # fmt: skip
        status = replace(report.overview.status, state=state, synced=synced)
        one = replace(report, overview=replace(report.overview, status=status))
        for each in (one, read_report(report_json(one))):
            assert ("behind its chain" in render(each, Format.TEXT)) is said


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("window", ["all", "24h"])
@pytest.mark.parametrize("made_up", [False, True])
def test_the_command_writes_a_saved_report_as_it_would_have_been_written(
    form: Format, window: str, made_up: bool, traffic_store: Path, made_up_store: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    store, saved = made_up_store if made_up else traffic_store, str(tmp_path / "saved.json")
    asked = ["report", "--store", str(store), "--window", window, "--format"]
    run = CliRunner().invoke
    assert run(cli, [*asked, "json", "-o", saved]).exit_code == 0
    again = run(cli, ["report", saved, "--format", form.value, "-o", "-"])
    straight = run(cli, [*asked, form.value])
    assert again.exit_code == straight.exit_code == 0
    assert again.output == straight.output


_LATER = {
    "": ("collector", "first_event"),
    "node": ("synced",),
    "window": ("label",),
    "totals": ("sends", "receives"),
    "peers": ("why", "capacity_sat", "local_sat", "fee_unknown", "repeats"),
    "channels": (
        *("why", "open", "capacity_sat", "local_sat", "remote_sat", "fee_base_msat"),
        *("fee_rate_ppm", "fee_unknown", "repeats"),
    ),
    "pairs": ("in_alias", "out_alias", "fee_unknown", "repeats"),
}


def test_a_report_that_an_earlier_htlctop_saved_is_read_without_what_it_left_out() -> None:
    report = made(4)
    document = json.loads(report_json(report))
    for place, names in _LATER.items():
        rows = document[place] if place else document
        for row in rows if isinstance(rows, list) else [rows]:
            for name in names:
                del row[name]
    found = read_report(json.dumps(document))
    assert sat(report.overview.peers[0].sums.expected_msat) in render(found, Format.TEXT)
    assert {peer.why for peer in found.overview.peers} == {None}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda document: document.pop("schema"), "no schema"),
        (lambda document: document.update(schema="htlctop-report/9"), "htlctop-report/9"),
        (lambda document: document.pop("totals"), "totals is missing"),
        (lambda document: document.update(peers={}), "peers is not a list"),
        (
            lambda document: document["totals"].update(forwards="7"),
            "totals.forwards is not a whole",
        ),
        (lambda document: document["totals"].update(forwards=True), "totals.forwards is not"),
        (lambda document: document["totals"].update(claims=10**30), "totals.claims is not"),
        (lambda document: document["window"].update({"to": "noon"}), "window.to is not a time"),
        (lambda document: document["pairs"][0].pop("lost"), "pairs[0].lost is missing"),
        (
            lambda document: document["categories"][0].update(category="gremlins"),
            "'gremlins'",
        ),
        (lambda document: document["peers"].insert(0, 5), "peers[0] is not an object"),
    ],
)
def test_a_report_that_is_not_whole_is_refused_with_the_place(change, said: str) -> None:
    document = json.loads(report_json(made(4)))
    change(document)
    with pytest.raises(UsageError) as caught:
        read_report(json.dumps(document))
    assert said in str(caught.value)


def test_fuzzed_reports_are_read_or_refused_and_never_crash() -> None:
    chance = random.Random(1)
    text = report_json(made(4))
    read = refused = 0
    for _ in range(300):
        at = chance.randrange(len(text))
        cut = (
            text[:at]
            + chance.choice(("", "0", "null", '"', "[", "-", "9e999", "NaN"))
            + text[at + chance.randrange(8) :]
        )
        try:
            render(read_report(cut), Format.TEXT)
            read += 1
        except UsageError:
            refused += 1
    assert read > 10 and refused > 100


def test_the_command_renders_a_saved_report_and_names_the_file_that_is_none(tmp_path) -> None:
    saved = tmp_path / "saved.json"
    saved.write_text(report_json(made(4)), encoding="utf-8")
    for form, sign in (("md", "### "), ("csv", "kind,pubkey"), ("json", "htlctop-report/1")):
        done = CliRunner().invoke(cli, ["report", str(saved), "--format", form])
        assert done.exit_code == 0 and sign in done.output
    saved.write_bytes(b"\xff\xfe\x00")
    for path, said in ((saved, "is no text"), (tmp_path / "none", "cannot read")):
        done = CliRunner().invoke(cli, ["report", str(path)])
        assert done.exit_code == 2 and said in done.output and str(path) in done.output
    done = CliRunner().invoke(cli, ["report", str(saved), "--window", "24h"])
    assert done.exit_code == 2 and "its own window" in done.output
