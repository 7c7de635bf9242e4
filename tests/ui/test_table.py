"""The table in the running app: cursor, order, freezing, sorting, unfolding, mouse."""

from dataclasses import replace

import pytest
from bigfoot import NS
from drive import SIZES, Driver, running
from fake import FakeAnalyst

from htlctop.analysis.models import UNKNOWN_PEER
from htlctop.analysis.query import SortKey
from htlctop.ui.ranking import per_30d
from htlctop.ui.table.widget import Table


def raise_missed(alias: str, msat: int):
    """Give a peer so much more missed fee, and the same demand."""

    def change(analyst: FakeAnalyst) -> None:
        for index, row in enumerate(analyst.peers):
            if row.alias == alias:
                sums = replace(row.sums, expected_msat=row.sums.expected_msat + msat)
                analyst.peers[index] = replace(row, sums=sums)

    return change


def drop(alias: str):
    """Take a peer away."""

    def change(analyst: FakeAnalyst) -> None:
        analyst.peers = [row for row in analyst.peers if row.alias != alias]

    return change


def gone(alias: str, to_nobody: bool):
    """The one channel with a peer is not open; or its id is nobody's that we know."""

    def change(analyst: FakeAnalyst) -> None:
        at = next(at for at, row in enumerate(analyst.peers) if row.alias == alias)
        row = analyst.peers[at]
        known = {"peer": UNKNOWN_PEER, "pubkey": ""} if to_nobody else {}
        (channel,) = row.channels
        row = replace(row, channels=(replace(channel, is_open=False, **known),), **known)
        analyst.peers[at] = row

    return change


def names(driver: Driver) -> list[str]:
    return [entry.item.alias for entry in driver.table.roster.entries]


async def test_the_cursor_follows_its_peer_when_the_ranking_changes_under_it() -> None:
    async with running() as driver:
        await driver.press("j", "j")
        assert "Kraken" in driver.cursor_line
        driver.table.release()
        await driver.changed(raise_missed("kappa", 900_000_000))
        assert names(driver)[0] == "kappa"
        assert "Kraken" in driver.cursor_line


async def test_the_order_is_held_after_moving_and_figures_go_on_changing() -> None:
    async with running() as driver:
        await driver.press("j")
        assert driver.table.is_holding
        await driver.changed(raise_missed("kappa", 900_000_000))
        assert names(driver)[:4] == ["ACINQ", "Boltz", "Kraken", "kappa"]
        assert "900,433" in driver.text
        driver.table.release()
        assert names(driver)[0] == "kappa"


async def test_a_peer_that_vanishes_hands_the_cursor_to_its_neighbour() -> None:
    async with running() as driver:
        await driver.press("j")
        await driver.changed(drop("Boltz"))
        assert "Kraken" in driver.cursor_line
        await driver.press("G")
        await driver.changed(drop("quiet"))
        assert "cafe" in driver.cursor_line


async def test_frozen_tables_hold_still_while_header_and_totals_run_on() -> None:
    async with running() as driver:
        await driver.press("space")
        assert "FROZEN" in driver.text
        before = driver.table.text
        await driver.changed(raise_missed("kappa", 900_000_000))
        assert driver.table.text == before
        assert "903,820" in driver.text
        await driver.press("space")
        assert "FROZEN" not in driver.text
        assert names(driver)[0] == "kappa"


async def test_a_frozen_table_still_answers_the_user_who_sorts_it() -> None:
    async with running() as driver:
        await driver.press("p")
        await driver.changed(raise_missed("cafe", 900_000_000))
        await driver.press(">")
        assert driver.app.board.query.sort is SortKey.DEMAND
        assert "by net demand" in driver.text
        await driver.press("<", "r")
        assert names(driver)[0] == "quiet"


async def test_every_sort_key_can_be_reached_and_its_column_is_always_shown() -> None:
    async with running((40, 15)) as driver:
        seen = set()
        for _ in range(9):
            seen.add(driver.app.board.query.sort)
            assert "▾" in driver.table.text[0]
            await driver.press(">")
        assert seen == set(SortKey)


async def test_a_click_on_a_head_sorts_and_a_second_click_turns_it_round() -> None:
    async with running() as driver:
        at = driver.table.text[1].index("REFUSED")
        await driver.pilot.click("#peers", offset=(at + 2, 1))
        await driver.settled()
        assert driver.app.board.query.sort is SortKey.REFUSED
        assert names(driver)[0] == "ACINQ"
        await driver.pilot.click("#peers", offset=(at + 2, 1))
        await driver.settled()
        assert names(driver)[0] == "quiet"


async def test_a_click_moves_the_cursor_and_a_double_click_opens_the_peer() -> None:
    async with running() as driver:
        await driver.pilot.click("#peers", offset=(5, 4))
        await driver.pilot.pause()
        assert "Kraken" in driver.cursor_line
        await driver.pilot.click("#peers", offset=(5, 5), times=2)
        await driver.shows("kappa  801200x44x1")


async def test_the_wheel_scrolls_the_view_and_leaves_the_cursor() -> None:
    async with running((80, 12)) as driver:
        table = driver.table
        table.on_mouse_scroll_down(_wheel(table))
        assert table.roster.top == 2 and table.roster.cursor == 0
        table.on_mouse_scroll_up(_wheel(table))
        assert table.roster.top == 0


def _wheel(table: Table):
    from textual import events

    return events.MouseScrollDown(table, 1, 1, 0, 1, 0, False, False, False)


async def test_an_unfolded_channel_has_its_whole_id() -> None:
    def renamed(analyst: FakeAnalyst) -> None:
        first = analyst.peers[0]
        channel, *others = first.channels
        long = replace(channel, scid="873927x1388x0")
        analyst.peers[0] = replace(first, channels=(long, *others))

    async with running() as driver:
        await driver.changed(renamed)
        await driver.press("right")
        assert "873927x1388x0 " in driver.text


async def test_a_short_gap_in_a_day_does_not_take_away_what_a_month_brings() -> None:
    async with running() as driver:
        board = driver.app.board.overview
        assert board is not None
        row, window = board.rows[0], board.window
        day = replace(window, covered_ns=24 * 3600 * NS - 23 * NS)
        assert per_30d(row, day) is not None
        assert per_30d(row, replace(window, covered_ns=23 * 3600 * NS)) is None


async def test_right_unfolds_a_peer_then_goes_through_the_columns_and_left_comes_back() -> None:
    async with running((80, 24)) as driver:
        await driver.press("l")
        assert "└ 801000x12x1" in driver.text and "1/14" in driver.text
        await driver.press("right")
        assert "EVERY TRY" in driver.text and "DEMAND" not in driver.table.text[1]
        await driver.press("h")
        assert "DEMAND" in driver.table.text[1]
        await driver.press("left")
        assert "└" not in driver.text


async def test_the_table_sums_to_the_totals_above_it() -> None:
    async with running() as driver:
        view = driver.app.board.overview
        assert view is not None
        assert sum(row.sums.expected_msat for row in view.peers) == (view.totals.sums.expected_msat)
        assert sum(row.expected_msat for row in view.categories) == view.totals.sums.expected_msat
        assert sum(bar.expected_msat for bar in view.series.slices) == (
            view.totals.sums.expected_msat
        )


@pytest.mark.parametrize("size", SIZES)
async def test_a_change_of_five_rows_repaints_only_those_rows(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        table = driver.table
        rows = list(driver.analyst.peers)
        for index in range(5):
            sums = replace(rows[index].sums, expected_msat=rows[index].sums.expected_msat + 1000)
            rows[index] = replace(rows[index], sums=sums)
        rows.sort(key=lambda row: -row.sums.expected_msat)
        content = table._newest
        assert content is not None
        assert table.show(replace(content, items=tuple(rows))) <= 5
        assert table.show(replace(content, items=tuple(rows))) == 0


async def test_a_channel_that_was_closed_is_told_from_an_id_that_was_never_ours() -> None:
    async with running((200, 50)) as driver:
        await driver.changed(gone("kappa", to_nobody=False))
        await driver.changed(gone("Boltz", to_nobody=True))
        await driver.press("2")
        (ours,) = (line for line in driver.lines if "kappa" in line)
        (nobodys,) = (line for line in driver.lines if "(unknown peer)" in line)
        assert " closed " in ours and " unknown " in nobodys


async def test_where_lnd_named_no_channel_a_row_says_so() -> None:
    def unnamed(analyst: FakeAnalyst) -> None:
        gone("Boltz", to_nobody=True)(analyst)
        at = next(at for at, row in enumerate(analyst.peers) if row.alias == "Boltz")
        (channel,) = analyst.peers[at].channels
        analyst.peers[at] = replace(analyst.peers[at], channels=(replace(channel, scid=""),))

    async with running((200, 50)) as driver:
        await driver.changed(unnamed)
        for view in ("1", "2"):
            await driver.press(view)
            (nobodys,) = (line for line in driver.lines if "(unknown peer)" in line)
            assert " none named " in nobodys
