"""Panes that have the keys after the table: the live log, the evidence."""

from dataclasses import replace

import pytest
from drive import SIZES, Driver, running
from fake import FakeAnalyst

from htlctop.domain.codes import Outcome
from htlctop.ui.screens.overview import OverviewScreen


def cursors(driver: Driver) -> list[str]:
    """Every line with a cursor on it."""
    return [row for row in driver.lines if row.startswith("▸")]


def arrive(analyst: FakeAnalyst) -> None:
    newest = analyst.lines[0]
    analyst.lines = (replace(newest, seq=newest.seq + 1, in_alias="newcomer"), *analyst.lines)


async def test_tab_goes_to_the_live_log_and_back_and_one_cursor_shows_where_keys_go() -> None:
    async with running() as driver:
        await driver.press("j", "tab")
        assert cursors(driver) == [row for row in driver.lines if row.startswith("▸14:01:30")]
        assert "standing still; tab goes back" in driver.text
        assert "u back" in driver.lines[-1], "the footer is that of the log"
        await driver.press("j", "j", "j")
        assert cursors(driver)[0].startswith("▸14:01:15  WoS → ACINQ")
        await driver.press("l", "?")
        assert "Keys in Live" in driver.text and "unfold the row" not in driver.text
        await driver.press("u", "tab")
        assert [row[:10] for row in cursors(driver)] == ["▸ Boltz   "]


async def test_enter_in_the_live_log_opens_the_htlc_under_the_cursor() -> None:
    async with running() as driver:
        await driver.press("tab", "j", "enter")
        assert driver.app.page is not None and driver.app.page.focus_of.value == "HTLC"
        assert "WoS" in driver.text and "Boltz" in driver.text
        await driver.press("u")
        assert cursors(driver)[0].startswith("▸14:01:29"), "the log still has the keys"
        await driver.press("u")
        assert cursors(driver)[0].startswith("▸ ACINQ")


async def test_the_log_stands_still_under_its_cursor_but_tells_how_its_own_went_on() -> None:
    async with running() as driver:
        await driver.press("tab")
        await driver.changed(arrive)
        assert "newcomer" not in driver.text and cursors(driver)[0].startswith("▸14:01:30")

        def resolve(analyst: FakeAnalyst) -> None:
            analyst.lines = tuple(
                replace(one, outcome=Outcome.SETTLED) if one.outcome is Outcome.NONE else one
                for one in analyst.lines
            )

        assert "in flight" in driver.lines[-2]
        await driver.changed(resolve)
        assert driver.lines[-2].rstrip().endswith("settled")
        await driver.press("tab")
        await driver.changed(lambda analyst: None)
        assert "newcomer" in driver.text


async def test_a_click_gives_a_pane_the_keys_and_a_double_click_opens() -> None:
    async with running() as driver:
        await driver.pilot.click("#live", offset=(5, 2))
        await driver.settled()
        assert cursors(driver)[0].startswith("▸14:01:29")
        await driver.pilot.click("#peers", offset=(5, 4))
        await driver.settled()
        assert [row[:8] for row in cursors(driver)] == ["▸ Kraken"]
        await driver.pilot.click("#live", offset=(5, 2), times=2)
        await driver.shows("in by")
        assert driver.app.page is not None and driver.app.page.focus_of.value == "HTLC"


async def test_where_the_log_has_no_room_tab_says_where_it_is() -> None:
    async with running((80, 24)) as driver:
        await driver.press("tab")
        assert cursors(driver)[0].startswith("▸14:01")
        await driver.pilot.resize_terminal(40, 15)
        await driver.settled()
        assert cursors(driver)[0].startswith("▸ACINQ")
        await driver.press("tab")
        assert "has no room here; 4 shows" in driver.text and cursors(driver)[0].startswith(
            "▸ACINQ"
        )


async def test_an_empty_log_can_have_the_keys_too() -> None:
    async with running(analyst=FakeAnalyst(lines=())) as driver:
        await driver.press("tab", "j", "G", "enter", "y")
        page = driver.app.page
        assert isinstance(page, OverviewScreen) and page.live.current is None


@pytest.mark.parametrize("size", SIZES)
async def test_tab_in_opportunities_goes_to_the_evidence_which_then_scrolls(
    size: tuple[int, int],
) -> None:
    async with running(size) as driver:
        await driver.press("5", "tab")
        assert "▸ What" in driver.text and not cursors(driver)
        assert ("WORTH" in driver.text) == (size[1] >= 18), "both where there is room"
        before = driver.lines
        await driver.press("G", "g")
        assert driver.lines == before
        await driver.press("tab")
        assert "▸ What" not in driver.text and cursors(driver)[0].strip("▸ ").startswith("ACINQ")


async def test_of_a_line_of_the_log_the_channel_it_was_for_is_copied() -> None:
    async with running() as driver:
        await driver.press("tab", "y")
        assert "outgoing channel: 801000x12x1" in driver.text
        await driver.press("u", "4", "y")
        assert "outgoing channel: 801000x12x1" in driver.text


async def test_a_line_that_is_let_go_hands_the_cursor_to_its_neighbour() -> None:
    async with running() as driver:
        await driver.press("tab", "j", "j")
        assert cursors(driver)[0].startswith("▸14:01:28")
        page = driver.app.page
        assert isinstance(page, OverviewScreen)
        page.live.entries = tuple(one for one in page.live.entries if one.seq != 118)
        page.live.repaint()
        await driver.pilot.pause()
        assert cursors(driver)[0].startswith("▸14:01:15")
