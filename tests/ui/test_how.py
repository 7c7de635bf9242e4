"""How figures come about: one key from wherever a figure stands, and back to that place."""

import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from bigfoot import STATUS
from drive import SIZES, running
from fake import FakeAnalyst
from test_explained import shown
from test_screens import check_golden, check_width
from test_taking import files

from htlctop.analysis.advice.models import Explanation, Figure, Section
from htlctop.analysis.query import Query
from htlctop.export.format import clean
from htlctop.ui import subject
from htlctop.ui.glyphs import BLOCKS
from htlctop.ui.paint import advice as paint
from htlctop.ui.paint import how
from htlctop.ui.paint.parts import spelled
from htlctop.ui.screens.how import HowScreen
from htlctop.ui.text import Unrolling, line, plain

NODE = (None, None, None)
FROM = {
    "a peer of the Overview": ("1", (1, None, None)),
    "a channel under its peer": ("1lj", (None, 10, None)),
    "a channel of the Overview": ("1b", (None, 10, None)),
    "a pair of the Overview": ("1bb", (1, None, 5)),
    "who sends, of the Overview": ("1bbb", (6, None, None)),
    "a channel": ("2", (None, 10, None)),
    "a pair of the matrix": ("3", (1, None, 5)),
    "a pair of the list": ("3vj", (1, None, 9)),
    "whom to advise": ("5j", (2, None, None)),
    "whom to advise, from the evidence": ("5tj", (1, None, None)),
    "History": ("6", NODE),
    "Node": ("7", NODE),
    "a peer's page": ("1o", (1, None, None)),
    "a pair's page": ("3o", (1, None, 5)),
}


@pytest.mark.parametrize("where", FROM)
async def test_one_key_explains_what_is_under_the_cursor_and_comes_back_to_it(where: str) -> None:
    keys, about = FROM[where]
    async with running((120, 32)) as driver:
        await driver.press(*keys)
        before, page = driver.text, driver.app.page
        await driver.press("i")
        assert driver.analyst.explained == [about]
        assert "how each figure comes about" in driver.lines[1]
        for back in ("i", "u", "backspace", "escape"):
            await driver.press(back)
            assert driver.app.page is page and driver.text == before, back
            await driver.press("i")
        assert "how each figure comes about" in driver.text


@pytest.mark.parametrize("keys", ["4j", "1tj", "4jo"])
async def test_of_a_line_of_the_log_that_htlc_is_explained(keys: str) -> None:
    async with running((120, 32)) as driver:
        await driver.press(*keys)
        page = driver.app.page
        assert page is not None
        assert page.explained == subject.htlc(driver.analyst.lines[1].seq)
        before = driver.text
        await driver.press("i")
        assert "explain_htlc" in driver.analyst.calls and "an HTLC: how each" in driver.text
        await driver.press("i")
        assert driver.text == before


@pytest.mark.parametrize("view", "12345")
async def test_without_a_row_the_node_is_explained(view: str) -> None:
    empty = FakeAnalyst(peers=[], lines=(), advised=())
    async with running((80, 24), analyst=empty) as driver:
        await driver.press(view, "i")
        assert driver.analyst.explained == [NODE]


async def test_the_way_to_the_nodes_own_figures_is_told_where_others_are() -> None:
    async with running((120, 32)) as driver:
        await driver.press("i")
        assert "(the whole node's: 7, then i)" in driver.text
        await driver.press("7", "i")
        assert "the node: how each" in driver.text and "whole node's" not in driver.text


@pytest.mark.parametrize("keys", ["5", "5t", "5o"])
async def test_of_advice_its_own_arithmetic_comes_first(keys: str, made_up_store: Path) -> None:
    async with shown(made_up_store) as driver:
        await driver.press(*keys)
        advice = driver.app.board.advice
        assert advice is not None and advice.opportunities
        await driver.press("i")
        await driver.shows("how each figure")
        first = next(row for row in driver.lines if row.startswith("─"))
        assert first.startswith(f"─ Advice: {advice.opportunities[0].kind.value} ")


@pytest.mark.parametrize("view", "1234567")
@pytest.mark.parametrize("made_up", [False, True])
async def test_everything_that_a_store_can_show_can_be_explained(
    made_up: bool, view: str, traffic_store: Path, made_up_store: Path
) -> None:
    async with shown(made_up_store if made_up else traffic_store) as driver:
        await driver.press(view)
        groups = 4 if view == "1" else 1
        for _ in range(groups):
            for _ in range(12):
                await driver.press("i")
                assert "how each figure comes about" in driver.text, driver.text
                await driver.press("u", "j")
            if groups > 1:
                await driver.press("b", "g")


async def test_the_screen_waits_for_no_explanation() -> None:
    wait, begun = threading.Event(), threading.Event()

    def slowly(name: str) -> None:
        if name == "explain":
            begun.set()
            wait.wait()

    async with running((80, 24), analyst=FakeAnalyst(meanwhile=slowly)) as driver:
        try:
            driver._send("i")
            await driver.until(begun.is_set)
            await driver.shows("reading ...")
            driver._send("u")
            await driver.shows("WHY")
            assert not wait.is_set()
        finally:
            wait.set()


async def test_a_long_explanation_stays_where_it_was_scrolled_to_when_it_is_read_again() -> None:
    async with running((80, 12)) as driver:
        await driver.press("6", "i")
        page = driver.app.page
        assert isinstance(page, HowScreen)
        await driver.press("j", "j", "J")
        top, first = page.sheet.top, driver.lines[1]
        assert top > 2
        was = driver.app.board.explanation(None)
        driver.app.pump.reader._seen.clear()
        await driver.changed(lambda analyst: None)
        assert driver.app.board.explanation(None) is not was
        assert page.sheet.top == top and driver.lines[1] == first
        await driver.press("G", "g")
        assert page.sheet.top == 0


def test_lines_are_made_as_far_as_they_are_looked_at() -> None:
    made: list[int] = []
    lines = Unrolling(line(str(number)) for number in range(1000) if not made.append(number))
    assert [plain(each) for each in lines[:2]] == ["0", "1"]
    assert lines and plain(lines[1]) == "1" and made == [0, 1]
    assert len(lines) == 1000 and plain(lines[-1]) == "999"
    assert lines[998:] == [line("998"), line("999")] and lines[1000:] == []


def test_a_page_of_ten_thousand_figures_is_made_a_section_at_a_time() -> None:
    analyst = FakeAnalyst()
    window = analyst._window(Query())
    some = tuple(Section(f"From peer {n}", (Figure("lost", n),)) for n in range(10_000))
    found = Explanation(analyst.identity, STATUS, window, "ACINQ", some)
    rows = how.page(found, 80, BLOCKS, "From peer 9", is_nodes=False)
    assert "ACINQ: how each" in plain(next(rows)) and "whole node" in plain(next(rows))
    assert "From peer 9 " in plain(next(rows)) and "9" in plain(next(rows))
    assert "From peer 0 " in plain(next(rows))


def test_a_formula_with_a_summand_for_each_of_two_thousand_peers_is_whole() -> None:
    formula = " + ".join(f"{7_919 * number:,}" for number in range(2_000))
    for width in (24, 120):
        rows = paint.figures((Figure("missed", 1, "msat", formula),), width, BLOCKS)
        text = " ".join(plain(row).strip() for row in rows)
        assert text.endswith(f"= {formula}")


def test_a_figure_of_many_words_is_whole() -> None:
    words = "most is too large for any channel with this peer; " * 4
    for width in (24, 40, 80, 120):
        rows = [plain(row).strip() for row in paint.figures((Figure("why", words),), width, BLOCKS)]
        assert " ".join(rows).replace("why:", "why").startswith(f"why {words.strip()}")
        assert max(map(len, rows)) <= width


def test_words_of_our_own_are_spelled_as_they_are_and_others_made_harmless() -> None:
    chance = random.Random(6)
    signs = "09azAZ +,.÷×−–≈→…(é\u202e\x1b\u200d\ufe0f\n\t日\U0001f3fd"
    for _ in range(3_000):
        text = "".join(chance.choices(signs, k=chance.randrange(12)))
        assert spelled(text, BLOCKS) == clean(text, 100)


async def test_an_explanation_is_saved_in_any_format(tmp_path: Path) -> None:
    async with running((80, 24), folder=tmp_path) as driver:
        await driver.press("i")
        for form in "cjmt":
            await driver.press("e", form)
        await driver.until(lambda: len(files(tmp_path)) == 4)
        for path in files(tmp_path):
            text = path.read_text(encoding="utf-8")
            assert path.name.startswith("htlctop-explanation-")
            assert "explain ACINQ" in text and "gaps 6,600" in text, path.name


@pytest.mark.parametrize("size", SIZES)
async def test_the_nodes_explanation_looks_as_agreed(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.press("6", "i")
        check_width(driver, *size)
        check_golden("how-node-{}x{}".format(*size), driver.lines)


async def test_once_laid_out_an_explanation_is_not_laid_out_again_until_it_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laid: list[int] = []
    figures = how.figures

    def counted(*given):
        laid.append(1)
        return figures(*given)

    class Long(FakeAnalyst):
        def explain(self, query: Query, peer=None, channel=None, source=None) -> Explanation:
            found = super().explain(query, peer, channel, source)
            return replace(found, sections=found.sections * 500)

    monkeypatch.setattr(how, "figures", counted)
    async with running((80, 24), analyst=Long()) as driver:
        await driver.press("i")
        seen = len(laid)
        assert 0 < seen < 20
        for _ in range(3):
            await driver.changed(lambda analyst: None)
        assert len(laid) == seen
        await driver.press("G")
        assert len(laid) > 1000
