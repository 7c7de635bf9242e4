"""The matrix of who wanted to reach whom: sums, the cursor, what is in view."""

import re
from dataclasses import replace

import pytest
from drive import running
from fake import FakeAnalyst, matrix
from rich.cells import cell_len

from htlctop.analysis.models import PairRow, Sums
from htlctop.analysis.query import By, Query, SortKey
from htlctop.analysis.rows import Rows
from htlctop.ui.flows import Flows
from htlctop.ui.glyphs import ASCII, BLOCKS, Glyphs
from htlctop.ui.paint.flows import View, page
from htlctop.ui.screens.flows import FlowsScreen
from htlctop.ui.screens.pair import PairScreen
from htlctop.ui.text import plain


def pairs() -> list[PairRow]:
    rows = FakeAnalyst().overview(Query(by=By.PAIR, sort=SortKey.DEMAND)).rows
    return [row for row in rows if isinstance(row, PairRow)]


def ranked(*rows: PairRow) -> Rows[PairRow]:
    return Rows.of(rows, [row.sums.net_demand_msat for row in rows])


def give(made: Flows, *rows: PairRow, keep_order: bool = False) -> None:
    made.replace(ranked(*rows), matrix(rows), len(rows), keep_order=keep_order)


def flows() -> Flows:
    made = Flows()
    give(made, *pairs())
    return made


def pair(source: int, target: int, net: int) -> PairRow:
    return PairRow(source, None, f"p{source}", target, None, f"p{target}", Sums(demand_msat=net))


def text(made: Flows, width: int, height: int, view: View | None = None) -> list[str]:
    return [plain(row) for row in page(made, view or View(), (), width, height, BLOCKS)]


def test_rows_and_columns_add_up_to_the_node():
    made = flows()
    total = sum(one.sums.net_demand_msat for one in pairs())
    assert sum(end.net_msat for end in made.sources) == total
    assert sum(end.net_msat for end in made.targets) == total


@pytest.mark.parametrize("size", [(200, 40), (120, 30), (80, 12), (60, 7)])
def test_every_line_of_the_matrix_adds_up_with_the_others(size: tuple[int, int]):
    lines, names = text(flows(), *size), 2 + min(24, max(12, size[0] // 6))
    for row in lines[2:-1]:
        figures = [
            int(found.replace(",", ""))
            for found in re.findall(r"(?<![\w.])\d[\d,]*(?=[\] ]|$)", row[names:])
        ]
        if len(figures) > 1:
            assert abs(sum(figures[:-1]) - figures[-1]) <= len(figures)


def test_the_cursor_starts_on_the_largest_pair_and_stays_with_its_pair():
    made = Flows()
    give(made, pair(1, 2, 50), pair(3, 4, 40))
    assert made.at == (1, 2)
    give(made, pair(3, 4, 90), pair(1, 2, 50))
    assert made.at == (3, 4)
    made.move(0, 0)
    give(made, pair(1, 2, 99), pair(3, 4, 90))
    assert made.at == (3, 4)


def test_peers_that_vanish_give_the_cursor_to_the_pair_that_took_their_place():
    made = Flows()
    give(made, pair(1, 2, 50), pair(3, 4, 40), pair(5, 6, 30))
    made.step(1)
    give(made, pair(1, 2, 50), pair(5, 6, 30))
    assert made.at == (5, 6)
    give(made, pair(1, 2, 50))
    assert made.at == (1, 2)
    give(made)
    assert made.at is None and made.current is None and made.listed is None


def test_where_a_pair_alone_vanished_the_list_has_its_cursor_at_the_place_it_had():
    made = Flows()
    give(made, pair(1, 2, 50), pair(3, 4, 40), pair(1, 4, 30), pair(3, 2, 20))
    made.step(1)
    give(made, pair(1, 2, 50), pair(1, 4, 30), pair(3, 2, 20))
    assert made.at == (3, 4) and made.current is None
    assert made.listed is not None and made.listed.id == (1, 4)
    cursors = [row for row in text(made, 40, 12) if row.startswith("▸")]
    assert len(cursors) == 1 and "p1 → p4" in cursors[0]


async def test_the_list_opens_the_pair_its_cursor_is_on_also_after_a_cell_nobody_wanted() -> None:
    async with running() as driver:
        await driver.press("3")
        page = driver.app.screen
        assert isinstance(page, FlowsScreen)
        made = page.flows
        empty = next(
            (source.peer, target.peer)
            for source in made.sources
            for target in made.targets
            if made.cell(source.peer, target.peer) is None
        )
        made.go(empty)
        await driver.press("enter")
        assert driver.app.screen is page
        await driver.press("v", "enter")
        assert isinstance(driver.app.screen, PairScreen)


def test_the_cursor_keeps_within_the_matrix_and_the_list():
    made = flows()
    made.move(-99, -99)
    assert (made.row, made.column) == (0, 0)
    made.move(99, 99)
    assert (made.row, made.column) == (len(made.sources) - 1, len(made.targets) - 1)
    made.step(-999)
    assert made.at == made.pairs[0].id
    made.step(999)
    assert made.at == made.pairs[-1].id


def test_order_held_leaves_rows_and_columns_where_they_are():
    made = Flows()
    give(made, pair(1, 2, 50), pair(3, 4, 40))
    give(made, pair(3, 4, 90), pair(1, 2, 50), pair(5, 6, 1), keep_order=True)
    assert [end.peer for end in made.sources] == [1, 3, 5]
    assert [one.id for one in made.pairs] == [(1, 2), (3, 4), (5, 6)]


def test_the_view_follows_the_cursor_and_a_click_hits_what_is_painted():
    made, view = flows(), View()
    made.move(99, 99)
    lines = text(made, 80, 12, view)
    row, column = next((y, row.index("[")) for y, row in enumerate(lines) if "[" in row[20:])
    assert view.hit(column, row) == made.at
    assert view.hit(0, 0) is None
    text(made, 40, 12, view)
    assert view.hit(3, 2) is not None


def test_a_cell_nobody_wanted_says_so():
    made = flows()
    made.move(0, 1)
    while made.current is not None:
        made.move(1, 0)
    assert "nothing refused this way" in text(made, 120, 30)[-1]


@pytest.mark.parametrize("width", [1, 5, 24, 59, 60, 61, 79, 80, 133, 200])
def test_nothing_is_wider_or_higher_than_its_pane(width: int):
    for height in (1, 2, 5, 7, 12, 40):
        for glyphs in (BLOCKS, ASCII):
            lines = page(flows(), View(), (), width, height, glyphs)
            assert len(lines) <= height
            if width >= 60:
                assert all(cell_len(plain(row)) <= width for row in lines)
            assert glyphs is BLOCKS or all(plain(row).isascii() for row in lines)


async def test_where_a_filter_leaves_no_pair_that_is_said_and_nothing_else() -> None:
    async with running() as driver:
        await driver.press("3", "/", *"zzz", "enter")
        assert "nothing matches /zzz" in driver.text and "Watching since" not in driver.text


def test_of_many_pairs_the_list_and_the_matrix_say_how_many_they_show():
    rows = [pair(source, target, 100 - source - target) for source in (1, 2) for target in (3, 4)]
    whole = matrix(rows)
    made = Flows()
    part = replace(matrix(rows[:1]), source_count=900, target_count=2_000, net_msat=9_000_000)
    made.replace(ranked(*rows), part, 89_238)
    assert "1/900 rows, 1/2,000 columns" in text(made, 120, 20)[0]
    assert text(made, 120, 20)[-2].split()[-1] == "9,000", "all of them together"
    assert "4 of 89,238" in text(made, 50, 20)[0]
    made.step(3)
    assert made.current == rows[-1] and whole.between[-1] == rows[-1]
    assert "p2 → p4" in text(made, 120, 20)[-1], "told, though it is outside of the matrix"
    made.replace(ranked(*rows), part, 89_238)
    assert made.at == (2, 4), "it stays on what is only in the list"
    made.move(0, 0)
    assert made.at == (1, 3)


@pytest.mark.parametrize("glyphs", [BLOCKS, ASCII])
def test_a_shade_is_not_read_as_a_part_of_the_number_beside_it(glyphs: Glyphs) -> None:
    assert not any(glyphs.shade(share / 100).isalnum() for share in range(101))
