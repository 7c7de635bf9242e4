"""Reading: filter, window, time, grouping and arrangement, and what the cursor does meanwhile."""

from dataclasses import replace

import pytest
from bigfoot import NOW, NS, all_peers
from drive import SIZES, Driver, running
from fake import FakeAnalyst
from test_screens import check_golden, check_width

from htlctop.analysis.advice.models import Advice
from htlctop.analysis.models import ChannelRow, LogPage, PairRow, PeerRow, SourceRow
from htlctop.analysis.query import By, Query, SortKey
from htlctop.ui.screens.tables import TableScreen
from htlctop.ui.subject import peer


def names(driver: Driver) -> list[str]:
    return [entry.item.alias for entry in driver.table.roster.entries]


def under(driver: Driver) -> object:
    current = driver.table.roster.current
    assert current is not None
    return current.key


@pytest.mark.parametrize("size", [(200, 50), *SIZES])
async def test_channels_look_as_agreed(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.press("2")
        check_golden("channels-{}x{}".format(*size), driver.lines)


@pytest.mark.parametrize("by", [By.CHANNEL, By.PAIR, By.SOURCE])
async def test_the_other_groupings_look_as_agreed(by: By) -> None:
    async with running((120, 32)) as driver:
        for _ in range(list(By).index(by)):
            await driver.press("b")
        check_golden(f"overview-by-{by.value}-120x32", driver.lines)


async def test_an_opened_prompt_looks_as_agreed() -> None:
    async with running((80, 24)) as driver:
        await driver.press("/", *"kr")
        check_golden("overview-filter-80x24", driver.lines)


# The filter


async def test_every_keystroke_filters_and_counts_and_the_filter_stays_visible() -> None:
    async with running() as driver:
        await driver.press("/")
        assert "why:liq  in:kraken" in driver.lines[-1], "what could be typed"
        for text, number in (("k", 2), ("kr", 1)):
            await driver.press(text[-1])
            assert len(names(driver)) == number
            assert f"{number} of 12" in driver.lines[-1]
        await driver.press("enter")
        assert "/kr: 1 of 12" in driver.text and names(driver) == ["Kraken"]


@pytest.mark.parametrize("size", SIZES)
async def test_a_filter_in_force_is_on_the_screen_at_every_size(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.press("/", *"kr", "enter")
        for view in ("1", "2", "3", "4"):
            await driver.press(view)
            assert "/kr: " in driver.text
            check_width(driver, *size)


async def test_what_is_no_filter_says_why_and_has_to_be_mended_or_given_up() -> None:
    async with running() as driver:
        await driver.press("/", *"kr", "enter", "/", *" colour:red")
        assert "no filter is called 'colour'" in driver.lines[-1]
        await driver.press("enter")
        page = driver.app.page
        assert isinstance(page, TableScreen) and page.prompt.is_open
        assert "no filter is called 'colour'" in driver.lines[-1]
        await driver.press("escape")
        assert driver.app.board.query.filter == "kr" and names(driver) == ["Kraken"]


async def test_escape_puts_the_filter_of_before_back_and_backspace_leaves_an_empty_prompt() -> None:
    async with running() as driver:
        await driver.press("/", *"kr", "enter", "/", *"zzz", "escape")
        assert driver.app.board.query.filter == "kr" and "1 of 12" in driver.text
        await driver.press("/", "ctrl+u", "backspace")
        page = driver.app.page
        assert isinstance(page, TableScreen) and not page.prompt.is_open
        assert driver.app.board.query.filter == "" and len(names(driver)) == 12


async def test_letters_typed_are_a_filter_and_no_commands() -> None:
    async with running() as driver:
        await driver.press("/", *"q w7?")
        assert driver.app.board.query.filter == "q w7?"
        assert driver.app.return_code is None
        await driver.press("ctrl+w", "ctrl+w")
        assert driver.app.board.query.filter == ""


async def test_back_takes_prompt_then_message_then_filter_then_view_away() -> None:
    async with running() as driver:
        page = driver.app.page
        await driver.press("2", "/", *"kr")
        page = driver.app.page
        assert isinstance(page, TableScreen) and page.prompt.is_open
        await driver.press("enter")
        page.note("a message")
        await driver.press("u")
        assert not page.message and driver.app.board.query.filter == "kr"
        await driver.press("u")
        assert driver.app.board.query.filter == "" and driver.app.page is page
        await driver.press("u")
        assert driver.app.page is not page
        await driver.press("u")
        assert "Live" in driver.text


async def test_back_from_a_drill_down_keeps_the_filter() -> None:
    async with running() as driver:
        await driver.press("/", *"kr", "enter", "enter", "u")
        assert names(driver) == ["Kraken"]


# The cursor


async def test_the_cursor_stays_on_its_row_through_filter_and_window() -> None:
    async with running() as driver:
        await driver.press("j", "j")
        assert under(driver) == peer(4)
        await driver.press("/", *"k", "enter")
        assert under(driver) == peer(4)
        await driver.press("u", "w", "w")
        assert under(driver) == peer(4) and len(names(driver)) == 12


async def test_a_filter_that_hides_its_row_hands_the_cursor_to_a_neighbour() -> None:
    async with running() as driver:
        await driver.press("j", "/", *"kappa", "enter")
        assert under(driver) == peer(3)


async def test_the_cursor_finds_the_same_peer_in_every_grouping() -> None:
    kinds = {By.CHANNEL: ChannelRow, By.PAIR: PairRow, By.SOURCE: SourceRow, By.PEER: PeerRow}
    async with running() as driver:
        await driver.press("j", "j")
        for by, kind in kinds.items():
            await driver.press("b")
            current = driver.table.roster.current
            assert current is not None and isinstance(current.item, kind)
            assert driver.app.board.query.by is by
            if isinstance(current.item, PairRow):
                assert current.item.out_peer == 4
            else:
                assert current.item.peer == 4


async def test_rows_without_a_balance_are_not_ranked_by_it() -> None:
    async with running() as driver:
        while driver.app.board.query.sort is not SortKey.LOCAL:
            await driver.press(">")
        await driver.press("r", "b")
        query = driver.app.board.query
        assert (query.by, query.sort, query.reverse) == (By.CHANNEL, SortKey.LOCAL, True)
        await driver.press("b")
        query = driver.app.board.query
        assert (query.by, query.sort, query.reverse) == (By.PAIR, SortKey.MISSED, False)


async def test_a_rank_change_while_frozen_moves_nothing_and_then_the_cursor_goes_along() -> None:
    def raise_cafe(analyst: FakeAnalyst) -> None:
        at = next(n for n, row in enumerate(analyst.peers) if row.alias == "cafe")
        sums = replace(analyst.peers[at].sums, expected_msat=900_000_000)
        analyst.peers[at] = replace(analyst.peers[at], sums=sums)

    async with running() as driver:
        await driver.press("j", "space")
        driver.table.release()
        await driver.changed(raise_cafe)
        assert names(driver)[0] == "ACINQ" and under(driver) == peer(2)
        await driver.press("space")
        assert names(driver)[0] == "cafe" and under(driver) == peer(2)


async def test_the_same_cursor_is_there_when_a_view_comes_back() -> None:
    async with running() as driver:
        await driver.press("j", "j", "4", "7", "1")
        assert under(driver) == peer(4)


# Time


async def test_back_in_time_every_pane_shows_that_time_and_the_badge_says_so() -> None:
    async with running() as driver:
        await driver.press("W", "[")  # 6 h, back by three
        assert " at 11:02 " in driver.lines[0]
        window = driver.app.board.window
        assert window is not None and not window.is_live
        assert driver.app.board.log == LogPage((), None), "the log of that time"
        await driver.press("enter")
        assert " at 11:02 " in driver.lines[0]
        assert "2% then" in driver.text and "2% now" not in driver.text
        await driver.press("u", "4")
        assert " at 11:02 " in driver.lines[0] and "no forward" in driver.text
        await driver.press("1", "]")
        assert " at " not in driver.lines[0]


async def test_a_day_ago_the_badge_names_the_day_and_a_key_returns_to_now() -> None:
    async with running() as driver:
        await driver.press("[", "[", "[")
        assert " at 2 Jul 02:02 " in driver.lines[0]
        await driver.press("}")
        assert " at " not in driver.lines[0] and driver.app.board.query.until_ns is None


async def test_the_past_does_not_go_back_before_the_first_moment() -> None:
    async with running() as driver:
        await driver.press("W", "w", "w", "w", "w")
        for _ in range(60):
            driver.app.page.action_earlier()
        await driver.press("[")
        assert driver.app.board.query.until_ns is not None
        assert 0 < driver.app.board.query.until_ns < NOW


# Arrangements


async def test_the_arrangement_can_be_chosen_by_hand_and_comes_round() -> None:
    async with running((120, 32)) as driver:
        first = driver.lines
        seen = []
        for _ in range(4):
            await driver.press("v")
            await driver.pilot.pause()
            seen.append(driver.lines)
            check_width(driver, 120, 32)
            await driver.press("u")
        assert "─ Why ─" not in "\n".join(seen[1]) and " Why  liq" in "\n".join(seen[1])
        assert "liq 74 max 14" in "\n".join(seen[2])
        assert driver.lines == first


# Advice and alarms on the Overview


async def test_what_to_do_is_on_the_overview_and_in_its_column() -> None:
    async with running() as driver:
        assert "Do: bring 1.2M sat into ACINQ" in driver.text
        assert "(5 for all 4)" in driver.text
        row = next(row for row in driver.table.text if "ACINQ" in row)
        assert row.split()[-1] == "fill"


@pytest.mark.parametrize(("minutes", "told"), [(59, False), (61, True)])
async def test_in_the_first_hour_nothing_is_told_and_while_it_is_too_early_nothing_is_urged(
    minutes: int, told: bool
) -> None:
    class Fresh(FakeAnalyst):
        def advice(self, query: Query) -> Advice:
            view = super().advice(query)
            window = replace(view.window, covered_ns=minutes * 60 * NS)
            return replace(view, window=window, too_early=f"too early: watched for {minutes} min")

    async with running(analyst=Fresh()) as driver:
        assert ("So far: bring 1.2M sat into ACINQ" in driver.text) is told
        assert (f"too early: watched for {minutes} min" in driver.text) is not told
        row = next(row for row in driver.table.text if "ACINQ" in row)
        assert (row.split()[-1] == "fill") is told
        for page in ("5", "o"):
            await driver.press(page)
            assert "So far" in driver.text and "What to do" not in driver.text
            assert "no command while it is too early" in driver.text
        await driver.press("o")
        assert " So far: bring 1.2M" in driver.text and "bos rebalance" not in driver.text


async def test_without_advice_the_reason_is_said() -> None:
    async with running(analyst=FakeAnalyst(advised=())) as driver:
        assert "nothing refused that would be worth anything" in driver.text


@pytest.mark.parametrize("size", SIZES)
async def test_an_expiry_that_is_near_is_an_alarm_on_every_page(size: tuple[int, int]) -> None:
    analyst = FakeAnalyst()
    analyst.pending = (replace(analyst.pending[0], blocks_left=12), *analyst.pending[1:])
    async with running(size, analyst=analyst) as driver:
        for view in ("1", "2", "4"):
            await driver.press(view)
            assert "an HTLC with ACINQ" in driver.text
            check_width(driver, *size)


async def test_per_30_days_stands_beside_each_row_where_there_is_room() -> None:
    async with running((140, 32), analyst=FakeAnalyst(peers=all_peers())) as driver:
        assert all(word in driver.table.text[1] for word in ("EVERY TRY", "SETTLE", "PER 30 D"))
        await driver.press("w")
        row = next(row for row in driver.table.text if "ACINQ" in row)
        view = driver.app.board.overview
        assert view is not None
        hours = view.window.covered_ns / 3.6e12
        expected = view.peers[0].sums.expected_msat * 720 / hours / 1000
        assert f"{expected:,.0f}" in row
