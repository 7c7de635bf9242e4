"""Every view in every format: complete, exact, and harmless whatever the names in it."""

import csv
import io
import json
import random
import re
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from htlctop import __version__
from htlctop.analysis.advice.models import Advice
from htlctop.analysis.details import PairDetail
from htlctop.analysis.models import HtlcLine, Overview
from htlctop.domain.codes import Category, Outcome
from htlctop.export import text as text_format
from htlctop.export.files import write_private
from htlctop.export.format import ago, moment
from htlctop.export.formats import Format, render
from htlctop.export.markdown import escape
from htlctop.export.table import Column, Document, Head, Table, Unit
from htlctop.export.views import View, document
from htlctop.ui.words import outcome
from tests.export.made import HOSTILE, VIEWS, Maker

SEEDS = range(12)


def made(kind: type[View], seed: int) -> Document:
    maker = Maker(random.Random(seed))
    return document(maker.make(kind), "Some view", "in:kraken amt>1m")


def sections(text: str) -> list[list[list[str]]]:
    """The tables of a CSV, each with its header row."""
    body = [line for line in text.splitlines() if not re.match(r"# (?!table)", line)]
    parts = re.split(r"^# table: \w+$", "\n".join(body), flags=re.M)
    return [list(csv.reader(io.StringIO(part.strip("\n")))) for part in parts]


@pytest.mark.parametrize("kind", VIEWS)
def test_csv_holds_every_row_under_its_columns(kind: type[View]) -> None:
    for seed in SEEDS:
        whole = made(kind, seed)
        tables = sections(render(whole, Format.CSV))
        assert len(tables) == len(whole.tables)
        for rows, table in zip(tables, whole.tables, strict=True):
            wanted = [column.name for column in table.columns if column.name]
            assert rows[0] == wanted
            assert len(rows) == len(table.rows) + 1
            assert {len(row) for row in rows} == {len(wanted)}


@pytest.mark.parametrize("kind", VIEWS)
def test_json_and_csv_hold_the_same(kind: type[View]) -> None:
    for seed in SEEDS:
        whole = made(kind, seed)
        read = json.loads(render(whole, Format.JSON))
        assert read["schema"] == "htlctop-view/1"
        tables = sections(render(whole, Format.CSV))
        for rows, (name, items) in zip(tables, read["tables"].items(), strict=True):
            for row, item in zip(rows[1:], items, strict=True):
                assert rows[0] == list(item), name
                for cell, value in zip(row, item.values(), strict=True):
                    as_text = "" if value is None else str(value)
                    assert cell.replace("'", "") == as_text.replace("'", "")


@pytest.mark.parametrize("kind", VIEWS)
def test_amounts_stay_whole_msat_and_ids_text_for_programs(kind: type[View]) -> None:
    whole = made(kind, 1)
    for items in json.loads(render(whole, Format.JSON))["tables"].values():
        for item in items:
            for name, value in item.items():
                if name.endswith(("_msat", "_sat")):
                    assert value is None or type(value) is int, name
                if name.endswith(("pubkey", "scid", "channel_id")):
                    assert value is None or isinstance(value, str), name
                if name in ("at", "from", "to", "start", "ended"):
                    assert value is None or re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z", value)


@pytest.mark.parametrize("kind", VIEWS)
def test_no_cell_is_a_formula_by_comma_or_by_semicolon(kind: type[View]) -> None:
    for seed in SEEDS:
        for line in render(made(kind, seed), Format.CSV).splitlines():
            for cell in [*next(csv.reader([line]), []), *re.split(r"[,;\t]", line)]:
                assert not re.match(r"[\s\"]*[=+@＝＋－＠]", cell), line
                assert re.match(r"[\s\"]*-(?!\d+$)", cell) is None, line


@pytest.mark.parametrize("kind", VIEWS)
def test_markdown_tables_keep_their_shape_and_hold_nothing_active(kind: type[View]) -> None:
    for seed in SEEDS:
        text = render(made(kind, seed), Format.MD)
        width = 0
        for line in text.splitlines():
            bars = len(re.findall(r"(?<!\\)\|", line))
            assert not bars or bars == width or not width, line
            width = bars
            bare = re.sub(r"\\[^\w\s]", "", line)
            assert not re.search(r"[<>`\[\]~$@]|://|www\.", bare), line
        assert "\x1b" not in text and "\N{RIGHT-TO-LEFT OVERRIDE}" not in text


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("kind", VIEWS)
def test_everything_taken_away_says_of_what_it_is(kind: type[View], form: Format) -> None:
    maker = Maker(random.Random(3), aliases=("bigfoot",))
    text = render(document(maker.make(kind), "Some view", "in:kraken"), form)
    for word in ("bigfoot", __version__, "kraken", "Some view"):
        assert word in text.replace("\\", ""), form
    assert text.encode("utf-8").decode("utf-8") == text


def test_a_redacted_view_says_so_and_a_replay_too() -> None:
    view = Maker(random.Random(1)).make(Overview)
    view = replace(view, status=replace(view.status, replay=True))
    text = render(document(view, "Overview", is_redacted=True), Format.TEXT)
    assert "# redacted: names, keys and ids are codes" in text
    assert "# replay: " in text


def test_a_view_with_nothing_in_it_still_has_its_header_row() -> None:
    view = replace(Maker(random.Random(1)).make(Advice), opportunities=())
    rows = sections(render(document(view, "Opportunities"), Format.CSV))
    assert len(rows) == 1 and rows[0][0][0] == "kind"
    assert "(none)" in render(document(view, "Opportunities"), Format.MD)


@pytest.mark.parametrize("name", HOSTILE)
def test_escaped_text_reads_as_the_same_text(name: str) -> None:
    plain = " ".join(name.split())
    assert escape(name).replace("\N{WORD JOINER}", "").replace("\\\\", "\0").replace(
        "\\", ""
    ).replace("\0", "\\") == plain.replace("\\\\", "\\")


def test_text_columns_line_up_under_wide_names() -> None:
    columns = (Column("", "PEER", Unit.NAME), Column("", "MISSED", Unit.MSAT))
    table = Table("rows", "", columns, (("日本ライトニング", 1000), ("ACINQ", 12_345_000)))
    lines = text_format.columns(table)
    assert lines == [
        "PEER              MISSED",
        "日本ライトニング   1.000",
        "ACINQ             12,345",
    ]


def test_markdown_columns_line_up_under_wide_names() -> None:
    columns = (Column("", "PEER", Unit.NAME), Column("", "MISSED", Unit.MSAT))
    table = Table("rows", "", columns, (("日本ライトニング", 1000), ("a|b", 12_345_000)))
    whole = Document(Head("x", Maker(random.Random(1)).make(Overview).node), (table,))
    lines = [line for line in render(whole, Format.MD).splitlines() if line.startswith("|")]
    assert lines == [
        "| PEER             | MISSED |",
        "| ---------------- | -----: |",
        "| 日本ライトニング |  1.000 |",
        "| a\\|b             | 12,345 |",
    ]


def test_a_long_note_is_wrapped_beside_its_label_for_a_terminal() -> None:
    node = Maker(random.Random(1)).make(Overview).node
    whole = Document(Head("x", node), (), (("do 1", "bring more " * 15),))
    first, second = text_format.body(whole).splitlines()
    assert first.startswith("do 1      bring") and second.startswith("          bring")
    assert len(first) <= 100 >= len(second)


def test_columns_without_anything_in_them_are_left_out_for_people_only() -> None:
    columns = (Column("a", "A", Unit.TEXT), Column("b", "B", Unit.COUNT))
    node = Maker(random.Random(1)).make(Overview).node
    whole = Document(Head("x", node), (Table("rows", "", columns, (("one", None),)),))
    assert "| A   |\n" in render(whole, Format.MD)
    assert "a,b\none,\n" in render(whole, Format.CSV)


def test_the_log_in_a_file_tells_what_the_screen_does_to_the_second() -> None:
    maker = Maker(random.Random(3))
    line = replace(maker.make(HtlcLine), at_ns=1_783_087_035 * 10**9, retry_of_ns=None)
    ended = [
        replace(line, outcome=Outcome.NONE, category=None),
        replace(line, outcome=Outcome.UNSEEN, category=None),
        replace(line, outcome=Outcome.REFUSED, category=Category.OTHER, wire_failure=9,
                failure_detail=2),
    ]  # fmt: skip
    whole = document(replace(maker.make(PairDetail), events=tuple(ended)), "Pair")
    said = render(whole, Format.TEXT)
    for each, word in zip(ended, ("in flight", "unknown", "other 9/2"), strict=True):
        assert said.count(word) == 1 and outcome(each)[0] == word
    assert said.count(":57:15 ") == 3


def test_a_file_is_private_and_never_overwrites_another(tmp_path: Path) -> None:
    paths = [write_private(tmp_path / "new", "htlctop-x", ".csv", "text") for _ in range(2)]
    assert [path.name for path in paths] == ["htlctop-x.csv", "htlctop-x-2.csv"]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}


def test_an_age_changes_when_the_clock_does_and_not_in_between() -> None:
    minute = 60 * 10**9
    began = 1_000 * minute + 34 * 10**9
    seen = [
        {ago(began, (1_000 + later) * minute + second * 10**9) for second in range(60)}
        for later in range(1, 5)
    ]
    assert seen == [{"<1 min"}, {"1 min"}, {"2 min"}, {"3 min"}]


def test_a_time_that_is_not_todays_has_its_day_so_that_none_reads_as_still_to_come() -> None:
    now = 1_783_087_320 * 10**9  # 2026-07-03 14:02 UTC
    hour = 3600 * 10**9
    assert moment(now - 14 * hour, now, UTC) == "00:02"
    assert moment(now - 15 * hour, now, UTC) == "2 Jul 23:02"
    assert moment(now - 23 * hour, now, UTC) == "2 Jul 15:02"
