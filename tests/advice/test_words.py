"""Advice in words, and the commands that print it."""

import asyncio
import json
import random
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from htlctop import service
from htlctop.analysis.advice.kept import KeptAdvice
from htlctop.analysis.advice.models import Advice, Kind, Opportunity, Urgency
from htlctop.analysis.query import Query
from htlctop.analysis.status import StatusView
from htlctop.cli import cli
from htlctop.export.advice import advice_text, month_range, notes, sentence, short_word
from htlctop.export.format import cells
from htlctop.export.handoff import TOOLS
from tests.export.made import Maker
from tests.synthetic import lived


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (28_000_000, 45_000_000, "28–45k"),
        (950_000, 1_200_000, "950–1.2k"),
        (120, 300, "<1"),
        (999_600, 1_000_400, "1k"),
        (4_460_000, 5_540_000, "4.5–5.5k"),
        (120_000_000_000, 150_000_000_000, "120–150M"),
    ],
)
def test_a_range_has_its_unit_once(low, high, said):
    assert month_range(low, high) == said


@pytest.mark.parametrize(("hidden", "said"), [(1, "1 more is worth"), (2, "2 more are worth")])
def test_what_is_hidden_is_counted_in_words(hidden, said):
    advice = replace(Maker(random.Random(1)).make(Advice), hidden=hidden)
    assert said in advice_text(advice)
    assert any(said in note for _, note in notes(advice))


def test_advice_says_what_it_costs_at_most_and_what_its_urgency_is_made_of():
    maker = Maker(random.Random(1))
    item = replace(
        maker.make(Opportunity), kind=Kind.REBALANCE_OUTBOUND, amount_msat=4_700_000_000,
        ceiling_ppm=290, urgency=Urgency(96, 40, 30, 26),
    )  # fmt: skip
    raised = replace(item, kind=Kind.RAISE_FEES)
    said = advice_text(replace(maker.make(Advice), opportunities=(item, raised))).splitlines()
    parts = f"urgency 96 = 40 revenue + 30 frequency + 26 rate, confidence {item.confidence.value}"
    assert f"   costs at most 1,363 sat each time; {parts}" in said
    assert f"   {parts}" in said


def test_every_kind_has_a_word_of_its_own_of_five_letters_at_most():
    words = [short_word(kind) for kind in Kind]
    assert len(set(words)) == len(words) and all(0 < len(word) <= 5 for word in words)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_a_sentence_is_one_harmless_line_whatever_it_is_made_of(seed):
    item = Maker(random.Random(seed)).make(Opportunity)
    text = sentence(item)
    assert text and "\n" not in text and "\x1b" not in text
    assert advice_text(Maker(random.Random(seed)).make(Advice)).endswith("\n")


@pytest.mark.parametrize(
    ("kind", "now", "then", "said"),
    [
        (Kind.REBALANCE_OUTBOUND, 3, 1, "bring 4.7M sat into ann below 1 ppm"),
        (Kind.REBALANCE_OUTBOUND, 1, 0, "bring 4.7M sat into ann if it costs nothing"),
        (Kind.RAISE_FEES, 1_000, 1_250, "raise the fee toward ann from 1,000 to 1,250 ppm: "),
        (Kind.LOWER_FEES, 3_708, 533, "lower the fee toward ann from 3,708 to 533 ppm: "),
    ],
)
def test_a_sentence_names_its_rates_as_people_write_them(kind, now, then, said):
    item = replace(
        Maker(random.Random(1)).make(Opportunity), kind=kind, alias="ann", source=None,
        amount_msat=4_700_000_000, break_even_ppm=now, ceiling_ppm=then, per_30d_msat=None,
    )  # fmt: skip
    assert sentence(item).startswith(said)


def test_advise_says_each_with_what_it_rests_on(made_up_store):
    run = CliRunner().invoke
    store = ["--store", str(made_up_store), "--window", "all"]
    said = run(cli, ["advise", *store])
    assert said.exit_code == 0
    assert "1. bring " in said.output and "a month" in said.output and "break-even" in said.output
    document = json.loads(run(cli, ["advise", *store, "--json"]).output)
    first = document["opportunities"][0]
    assert first["kind"] == "rebalance_outbound" and first["sentence"] in said.output
    assert set(first) >= {
        "kind", "peer", "channels", "worth_msat", "per_30d_msat", "urgency", "confidence",
        "amount_msat", "break_even_ppm", "ceiling_ppm", "evidence",
    }  # fmt: skip
    assert (
        sum(first["urgency"][part] for part in ("revenue", "frequency", "rate"))
        == (first["urgency"]["total"])
    )
    for form in ("csv", "md"):
        assert run(cli, ["advise", *store, "--format", form]).exit_code == 0


def test_advise_writes_the_commands_of_a_tool_and_of_the_users_own(made_up_store, tmp_path):
    store = ["--store", str(made_up_store), "--window", "all"]
    run = CliRunner().invoke
    said = run(cli, ["advise", "--for", "bos", *store])
    assert said.exit_code == 0 and "\nbos rebalance --in 0" in said.output
    config = tmp_path / "config.toml"
    config.write_text('[templates.mine]\nrebalance_outbound = "fill {pubkey} {max_fee_sat}"\n')
    said = run(cli, ["advise", "--for", "mine", "--config", str(config), *store])
    assert said.exit_code == 0 and "\nfill 0" in said.output
    config.write_text('[templates.mine]\nrebalance_outbound = "fill {alias}"\n')
    said = run(cli, ["advise", "--for", "mine", "--config", str(config), *store])
    assert said.exit_code == 3 and "names alias" in said.output
    said = run(cli, ["advise", "--for", "zed", *store])
    assert said.exit_code == 2 and "use one of bos, lncli, charge-lnd" in said.output


def test_minutes_of_watching_are_too_early_for_any_command(tmp_path):
    store = tmp_path / "store.db"
    asyncio.run(lived(3, 0.3, store))
    run = CliRunner().invoke
    for tool in TOOLS:
        said = run(cli, ["advise", "--for", tool, "--store", str(store)])
        assert said.exit_code == 0 and "after 24 h on 2 days" in said.output
        assert all(line.startswith("# ") for line in said.output.splitlines())
    said = run(cli, ["advise", "--store", str(store)]).output
    assert said.splitlines()[1].startswith("too early: ") and "nothing to act on yet" in said
    said = run(cli, ["report", "--store", str(store)]).output
    assert "\nso far 1  bring " in said and "\ndo 1" not in said
    before = ["--since", "2026-01-01", "--until", "2026-01-02"]
    said = run(cli, ["advise", *before, "--store", str(store)]).output
    assert "too early: nothing of this time was watched; " in said


@pytest.mark.parametrize("by", ["peer", "channel", "pair", "source"])
@pytest.mark.parametrize("form", ["text", "json", "csv", "md"])
def test_analyze_ranks_in_every_format(traffic_store, by, form):
    arguments = ["analyze", "--by", by, "--format", form, "--top", "3", "--window", "all"]
    said = CliRunner().invoke(cli, [*arguments, "--store", str(traffic_store)])
    legend = "MISSED is what would have been earned: " in said.output
    assert legend is (form in ("text", "md")), "for people alone"
    assert said.exit_code == 0, said.output
    if form == "json":
        missed = [row["expected_msat"] for row in json.loads(said.output)["tables"]["rows"]
                  if row["kind"] != "channel" or by == "channel"]  # fmt: skip
        assert 0 < len(missed) <= 3 and missed == sorted(missed, reverse=True)


def test_a_report_says_what_to_do_and_reads_it_back(made_up_store, tmp_path):
    run = CliRunner().invoke
    said = run(cli, ["report", "--store", str(made_up_store), "--window", "all"])
    assert "\ndo 1      bring " in said.output and "What changed" in said.output
    assert " sat would have been earned: net demand " in said.output
    assert "\nadvice    of what was seen since 2027-01-01 00:01 +0000, watched " in said.output
    saved = tmp_path / "saved.json"
    done = run(cli, ["report", "--store", str(made_up_store), "--window", "all", "--json",
                     "-o", str(saved)])  # fmt: skip
    assert done.exit_code == 0
    document = json.loads(saved.read_text())
    assert document["opportunities"] and document["changes"] and document["advice"]["hidden"] >= 0
    again = run(cli, ["report", str(saved), "--json"])
    assert again.output == saved.read_text()
    for line in run(cli, ["report", str(saved)]).output.splitlines():
        if line.startswith("do 1 "):
            assert line in said.output
            break
    else:
        raise AssertionError("the first thing to do is not in the report")


def test_a_report_for_people_has_no_wide_line_and_a_forums_tables_line_up(made_up_store):
    run = CliRunner().invoke
    store = ["--store", str(made_up_store), "--window", "all"]
    lines = run(cli, ["report", *store]).output.splitlines()
    assert max(map(cells, lines)) <= 140
    text = run(cli, ["report", *store, "--format", "md"]).output
    assert "\x1b" not in text
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) >= 4
    for table in tables:
        assert len({cells(line) for line in table}) == 1 and cells(table[0]) <= 160


def test_a_saved_report_with_wrong_advice_is_refused_with_the_place(traffic_store):
    run = CliRunner().invoke
    whole = run(cli, ["report", "--store", str(traffic_store), "--window", "all", "--json"]).output

    def refused(change) -> str:
        document = json.loads(whole)
        change(document["opportunities"][0])
        done = run(cli, ["report", "-"], input=json.dumps(document))
        assert done.exit_code == 2
        return done.output

    assert "opportunities[0].kind is not one of" in refused(lambda o: o.update(kind="dance"))
    assert "opportunities[0].channels is not" in refused(lambda o: o.update(channels=[1]))
    assert "opportunities[0].per_30d_msat" in refused(lambda o: o.update(per_30d_msat=[1]))
    assert "opportunities[0].evidence" in refused(lambda o: o.update(evidence={"x": {}}))


def test_advice_is_drawn_anew_when_there_is_news_but_rests_where_it_is_costly():
    maker = Maker(random.Random(2))
    advice, status = maker.make(Advice), maker.make(StatusView)
    now, drawn = [0.0], [0]

    def draw(cost: float = 0.0) -> Advice:
        now[0] += cost
        drawn[0] += 1
        return advice

    kept, query = KeptAdvice(lambda: now[0]), Query()
    kept.get(query, 1, status, draw)
    assert kept.get(query, 1, status, draw).status is status and drawn[0] == 1
    kept.get(query, 2, status, draw)
    assert drawn[0] == 2, "cheap: at once"
    kept.get(Query(window="7d"), 2, status, lambda: draw(0.2))
    now[0] += 3.9
    kept.get(Query(window="7d"), 3, status, draw)
    assert drawn[0] == 3, "rests for twenty times as long as it took"
    now[0] += 0.2
    kept.get(Query(window="7d"), 3, status, draw)
    assert drawn[0] == 4
    now[0] += 61
    kept.get(Query(window="7d"), 3, status, draw)
    assert drawn[0] == 5, "time goes on though nothing arrives"


def test_a_curve_is_told_for_who_lacks_liquidity_and_for_nobody_else(made_up_store):
    analyst = service.open_analyst(made_up_store)
    query = Query(window="all")
    first = analyst.advice(query).opportunities[0]
    curve = analyst.curve(first.peer, query)
    assert curve is not None and curve.knee is not None
    knees = [f.value for f in first.evidence if f.name == "enough for 80% of what could be served"]
    assert knees == [curve.points[curve.knee].more_sat]
    healthy = max(analyst.overview(query).peers, key=lambda peer: (not peer.sums.lost, peer.peer))
    assert analyst.curve(healthy.peer, query) is None
    analyst.close()
