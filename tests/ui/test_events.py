"""The Events view: live at the top, standing still when scrolled, endless to the oldest."""

from dataclasses import replace

import pytest
from bigfoot import NOW, NS, line, log
from drive import SIZES, Driver, running
from fake import FakeAnalyst
from test_screens import check_golden, check_width

from htlctop.domain.codes import Category, Outcome
from htlctop.ui.glyphs import BLOCKS
from htlctop.ui.htlcs import columns
from htlctop.ui.reel import MOST_PAGES, PAGE_LINES

CAUSES = (Category.LIQUIDITY, Category.SETTLED, Category.DOWNSTREAM, Category.FEE)


def long_log(length: int) -> tuple:
    """HTLCs, newest first, one every 40 s."""
    return tuple(line(length - n, 40 * n, CAUSES[n % len(CAUSES)]) for n in range(length))


def arrived(analyst: FakeAnalyst) -> None:
    """One more HTLC."""
    newest = analyst.lines[0]
    analyst.lines = (replace(newest, seq=newest.seq + 1, at_ns=NOW), *analyst.lines)


def shown(driver: Driver) -> list[int]:
    """The arrival numbers of the lines in view."""
    return [entry.item.seq for entry in driver.table.roster.visible]


def under(driver: Driver) -> int:
    current = driver.table.roster.current
    assert current is not None
    return current.item.seq


@pytest.mark.parametrize("size", [(200, 50), *SIZES])
async def test_events_look_as_agreed(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.press("4")
        check_golden("events-{}x{}".format(*size), driver.lines)


async def test_at_the_top_the_newest_comes_in_and_the_cursor_stays_on_it() -> None:
    async with running() as driver:
        await driver.press("4")
        await driver.changed(arrived)
        assert under(driver) == 121 and shown(driver)[0] == 121


async def test_what_is_rare_is_looked_for_to_the_oldest_and_not_given_up_before() -> None:
    rare, lines = (3, 555, 801), long_log(900)
    lines = tuple(replace(one, in_alias="rarebird") if one.seq in rare else one for one in lines)
    analyst = FakeAnalyst(lines=lines, looks_at=100)
    async with running(analyst=analyst) as driver:
        await driver.press("4", "/", *"rarebird", "enter")
        await driver.until(lambda: shown(driver) == [801, 555, 3])
        assert "/rarebird: 3 " in driver.text
        newest = replace(lines[0], seq=901, in_alias="rarebird")
        analyst.lines = (newest, *lines)
        await driver.changed(lambda _: None)
        assert shown(driver) == [901, 801, 555, 3]


async def test_nothing_found_is_said_when_all_was_looked_at() -> None:
    async with running(analyst=FakeAnalyst(lines=long_log(900), looks_at=100)) as driver:
        await driver.press("4", "/", *"nobody", "enter")
        await driver.shows("nothing matches /nobody")
        assert "/nobody: 0 " in driver.text
        oldest = min(driver.analyst.looked_at)
        assert oldest <= 100, "nothing is said before the oldest was looked at"


async def test_scrolled_it_stands_still_says_that_there_is_more_and_g_goes_there() -> None:
    async with running((80, 24), analyst=FakeAnalyst(lines=long_log(300))) as driver:
        await driver.press("4", "j", "J")
        before, at = shown(driver), under(driver)
        for _ in range(3):
            await driver.changed(arrived)
        assert shown(driver) == before and under(driver) == at
        assert "newer ones above" in driver.text
        await driver.press("g")
        assert shown(driver)[0] == 303 and under(driver) == 303
        assert "newer ones above" not in driver.text


async def test_it_scrolls_back_to_the_oldest_and_up_again_line_by_line_the_same() -> None:
    length = PAGE_LINES * (MOST_PAGES + 2) + 5
    async with running((60, 20), analyst=FakeAnalyst(lines=long_log(length))) as driver:
        await driver.press("4")
        seen = []
        for _ in range(40):
            await driver.press("G")
            seen.append(under(driver))
            if seen[-1] == 1:
                break
        assert seen[-1] == 1 and seen == sorted(seen, reverse=True)
        assert len(driver.table.roster) <= PAGE_LINES * MOST_PAGES
        for _ in range(80):
            before = under(driver)
            driver.table.move(-90)
            await driver.pilot.pause(0)
            await driver.settled()
            assert under(driver) == min(length, before + 90) or len(driver.table.roster) == 0
            if under(driver) == length:
                break
        assert under(driver) == length


async def test_a_line_opens_its_htlc_and_back_is_the_same_line() -> None:
    async with running() as driver:
        await driver.press("4", "j", "j", "enter")
        assert driver.app.page is not None and driver.app.page.focus_of.value == "HTLC"
        await driver.changed(arrived)
        await driver.press("u")
        assert under(driver) == 118


async def test_a_filter_shows_what_matches_and_the_cursor_stays_where_it_can() -> None:
    async with running() as driver:
        await driver.press("4", "j")
        assert under(driver) == 119
        await driver.press("/", *"wos", "enter")
        assert shown(driver) == [119, 117] and under(driver) == 119
        assert "/wos: 2" in driver.text
        await driver.press("u")
        assert len(shown(driver)) == len(log()) and "/wos" not in driver.text


async def test_frozen_events_hold_still() -> None:
    async with running() as driver:
        await driver.press("4", "space")
        await driver.changed(arrived)
        assert shown(driver)[0] == 120
        await driver.press("space")
        assert shown(driver)[0] == 121


async def test_frozen_events_scroll_back_all_the_same() -> None:
    analyst = FakeAnalyst(lines=long_log(PAGE_LINES + 50))
    async with running((80, 24), analyst=analyst) as driver:
        await driver.press("4", "space", "G")
        await driver.changed(arrived)
        await driver.press("G")
        assert under(driver) == 1


async def test_at_a_past_time_it_begins_there() -> None:
    lines = long_log(300)
    async with running(analyst=FakeAnalyst(lines=lines)) as driver:
        await driver.press("4", "W", "W", "[")  # back by half an hour
        first = next(one for one in lines if one.at_ns <= NOW - 1800 * NS)
        assert shown(driver)[0] == first.seq
        await driver.press("}")
        assert shown(driver)[0] == 300


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (24, 6), (300, 90)])
async def test_it_fits_any_terminal(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.press("4", "l", "G", "h")
        check_width(driver, *size)


async def test_an_old_htlc_that_was_in_flight_shows_in_place_how_it_ended() -> None:
    lines = list(long_log(3 * PAGE_LINES))
    old = PAGE_LINES + 40
    lines[old] = replace(lines[old], outcome=Outcome.NONE, category=None, ended_ns=None)
    async with running((120, 32), analyst=FakeAnalyst(lines=tuple(lines))) as driver:
        await driver.press("4")
        for _ in range(18):
            await driver.press("J")
        seq = lines[old].seq
        assert seq in shown(driver) and "in flight" in driver.text
        before = shown(driver)

        def ended(analyst: FakeAnalyst) -> None:
            analyst.lines = tuple(
                replace(one, outcome=Outcome.SETTLED, category=Category.SETTLED)
                if one.seq == seq
                else one
                for one in analyst.lines
            )

        await driver.press("space")
        await driver.changed(ended)
        assert "in flight" in driver.text, "frozen it holds still"
        await driver.press("space")
        await driver.changed(arrived)
        await driver.until(lambda: "in flight" not in driver.text)
        assert shown(driver) == before
        driver.analyst.calls.clear()
        await driver.changed(arrived)
        assert driver.analyst.calls.count("log") == 1, "nothing hangs, and no page is read again"


async def test_after_midnight_what_is_of_the_day_before_has_its_day() -> None:
    midnight = NOW - NOW % (86_400 * NS)
    night = tuple(
        replace(line(seq, 0, Category.FEE), at_ns=midnight + after_s * NS)
        for seq, after_s in ((2, 1), (1, -1))
    )
    for width, days in ((120, [" 3 Jul 00:00:01", " 2 Jul 23:59:59"]), (40, ["00:00", "2 Jul"])):
        assert times(night, midnight + 60 * NS, width) == days
        assert times(night[:1], midnight + 60 * NS, width) == [days[0].removeprefix(" 3 Jul ")]


def times(lines: tuple, now_ns: int, width: int) -> list[str]:
    """What the log has in its first column."""
    time = columns(lines, now_ns, width, BLOCKS)[0]
    return [time.paint(one, time.width)[0] for one in lines]
