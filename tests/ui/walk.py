"""Random walks: keys of whatever page is on top, data that changes meanwhile, and what must hold.

python tests/ui/walk.py [WALKS] takes some by hand; HTLCTOP_SEED=N begins at another seed.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bigfoot import total
from drive import Driver, running
from fake import FakeAnalyst
from rich.cells import cell_len

from htlctop.ui import keys
from htlctop.ui.parts import Part
from htlctop.ui.screens.tables import TableScreen

KEYS = 200
STEP = 16
"""Keys pressed in one go, before the app is looked at."""
SIZES = ((200, 50), (120, 32), (80, 24), (40, 15), (24, 6))
LEFT_OUT = {"quit", "leave"}
TYPED = "kar:>1/!w"


def press(driver: Driver, dice: random.Random) -> str:
    """One key that does something where the user is, now and then one that is typed."""
    page = driver.app.page
    assert page is not None
    focus = page.focus_now
    if isinstance(page, TableScreen) and page.prompt.is_open:
        if dice.random() < 0.7:
            key = dice.choice(TYPED)
            driver._send(key)
            return key
        focus = keys.Focus.PROMPT
    actions = [action for action in keys.of(focus) if action.name not in LEFT_OUT]
    key = dice.choice(dice.choice(actions).keys)
    driver._send(key)
    return key


def stir(analyst: FakeAnalyst, dice: random.Random) -> None:
    """Peers miss more, one may go or come back, an HTLC arrives."""
    rows = list(analyst.peers)
    at = dice.randrange(len(rows))
    channels = list(rows[at].channels)
    more = dice.randrange(10) * 100_000
    first = channels[0]
    channels[0] = replace(
        first, sums=replace(first.sums, expected_msat=first.sums.expected_msat + more)
    )
    rows[at] = replace(
        rows[at],
        channels=tuple(channels),
        sums=total([channel.sums for channel in channels]),
    )
    dice.shuffle(rows)
    analyst.peers = rows
    newest = analyst.lines[0]
    analyst.lines = (replace(newest, seq=newest.seq + 1), *analyst.lines)
    analyst.bump()


def check(driver: Driver, size: tuple[int, int]) -> None:
    """One cursor, nothing wider than the terminal, totals equal the store's."""
    width, height = size
    lines = driver.lines
    assert len(lines) <= height and all(cell_len(row) <= width for row in lines)
    page = driver.app.page
    assert page is not None
    if isinstance(page, TableScreen) and page.table.size.height > 2 and page.table.size.width > 4:
        roster = page.table.roster
        marks = sum(row.startswith("▸") for row in page.table.text)
        seen = roster.top <= roster.cursor < roster.top + roster.height
        assert marks == int(bool(len(roster)) and seen and page.in_focus is page.table)
    view = driver.app.board.overview
    if view is not None and not driver.app.board.failure(Part.OVERVIEW):
        whole = sum(peer.sums.expected_msat for peer in driver.analyst.peers)
        assert view.totals.sums.expected_msat <= whole, "only ever more is missed"
    assert driver.app.return_code is None


async def walk(seed: int, folder: Path, number: int = KEYS) -> list[str]:
    """One walk; the keys that were pressed."""
    dice = random.Random(seed)
    size = SIZES[seed % len(SIZES)]
    pressed: list[str] = []
    async with running(size, folder=folder) as driver:
        try:
            while len(pressed) < number:
                for _ in range(STEP):
                    pressed.append(press(driver, dice))
                    await driver.pilot.pause(0)
                if dice.random() < 0.3:
                    stir(driver.analyst, dice)
                if dice.random() < 0.1:
                    size = dice.choice(SIZES)
                    await driver.pilot.resize_terminal(*size)
                await driver.settled()
                check(driver, size)
            driver.app.serial += 1
            driver.app.ask()
            await driver.settled()
            for key in ("escape", "escape", "1", "escape", "escape", "}"):
                driver._send(key)
                await driver.pilot.pause(0)
                await driver.settled()
            view = driver.app.board.overview
            assert view is not None
            whole = sum(peer.sums.expected_msat for peer in driver.analyst.peers)
            assert view.totals.sums.expected_msat == whole
        except BaseException as error:
            error.add_note(f"seed {seed}, keys {' '.join(pressed)}")
            raise
    return pressed


async def main(walks: int) -> None:
    first = int(os.environ.get("HTLCTOP_SEED", "0"))
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + walks):
            began = time.process_time()
            await walk(seed, Path(folder))
            print(f"seed {seed}: {time.process_time() - began:.1f} s", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
