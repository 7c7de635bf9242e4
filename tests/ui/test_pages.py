"""The views beyond tables and the drill-downs: golden screens, evidence, matrix, explanation."""

from collections.abc import AsyncIterator

import pytest
from drive import SIZES, Driver, running
from test_screens import check_golden, check_width

from htlctop.ui import subject
from htlctop.ui.messages import Open
from htlctop.ui.subject import Subject

VIEWS = {"flows": "3", "opportunities": "5", "history": "6", "node": "7"}
DRILL_DOWNS = {
    "peer": subject.peer(1),
    "channel": subject.channel(10),
    "pair": subject.pair(5, 1),
    "htlc": subject.htlc(120),
}


async def opened(driver: Driver, about: Subject) -> None:
    """Open the drill-down of something, as a page does."""
    driver.app.post_message(Open(about))
    await driver.pilot.pause(0)
    await driver.press()
    await driver.settled()


async def everywhere(driver: Driver) -> AsyncIterator[str]:
    """Every view of this module and every drill-down, one after another, by name."""
    for name, key in VIEWS.items():
        await driver.press(key)
        yield name
    await driver.press("5", "enter")
    yield "evidence"
    await driver.press("1")
    for name, about in DRILL_DOWNS.items():
        await opened(driver, about)
        yield name
        if name == "peer":
            await driver.press("i")
            yield "how"
            await driver.press("u")
        await driver.press("u")


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_looks_as_agreed(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        async for name in everywhere(driver):
            check_width(driver, *size)
            check_golden("{}-{}x{}".format(name, *size), driver.lines)
