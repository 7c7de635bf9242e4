"""Runs the app headless on a fake, and waits for what it shows instead of for time to pass."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fake import FakeAnalyst, FakeSession
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from htlctop.ui.app import HtlctopApp
from htlctop.ui.session import UiOptions
from htlctop.ui.table.widget import Table
from htlctop.ui.takeaway import screen_text
from htlctop.ui.terminal import Manners

ANSI = Manners("ansi-dark", ansi=True, no_color=False, ascii=False)
PLAIN = Manners("ansi-dark", ansi=True, no_color=True, ascii=True)

SIZES = ((200, 50), (120, 32), (80, 24), (40, 15), (24, 6))


class Driver:
    """The running app, its pilot and its fake."""

    def __init__(self, app: HtlctopApp, pilot: Pilot[None], session: FakeSession) -> None:
        self.app, self.pilot, self.session = app, pilot, session

    @property
    def analyst(self) -> FakeAnalyst:
        return self.session.analyst

    @property
    def lines(self) -> tuple[str, ...]:
        """The screen as text."""
        return screen_text(self.app.screen)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def table(self) -> Table:
        return self.app.screen.query_one(Table)

    @property
    def cursor_line(self) -> str:
        """The text of the line under the cursor."""
        return next(row for row in self.table.text if row.startswith(("▸", ">")))

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app run until something holds."""
        for _ in range(400):
            if condition():
                await self.pilot.pause(0)
                return
            await self.pilot.pause(0.005)
        raise AssertionError(f"it never came about; the screen is\n{self.text}")

    async def shows(self, text: str) -> None:
        """Let the app run until the screen shows a text."""
        await self.until(lambda: text in self.text)

    async def press(self, *keys: str) -> None:
        """Press keys, and let what they ask for be answered."""
        for key in keys:
            self._send(key)
            for _ in range(3):  # a key, the message it posts, the question that asks
                await self.pilot.pause(0)
            await self.settled()

    def _send(self, key: str) -> None:
        """A key as the terminal driver sends it; the pilot's own way sleeps over each one."""
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        assert self.app._driver is not None
        event = events.Key(name, key if len(key) == 1 else None)
        event.set_sender(self.app)
        self.app._driver.send_message(event)

    async def settled(self) -> None:
        """Let every question be answered and painted."""
        await self.until(
            lambda: (
                not self.app.pump.is_reading
                and not self.app.is_due
                and (self.app.is_leaving or self.app.pump.reader._serial == self.app.serial)
            )
        )
        await self.pilot.pause(0)

    async def changed(self, change: Callable[[FakeAnalyst], None]) -> None:
        """Change the fake's data and hand the app an answer that has it, as a tick would."""
        change(self.analyst)
        self.analyst.bump()
        self.app.serial += 1
        self.app.ask()
        await self.settled()


@asynccontextmanager
async def running(
    size: tuple[int, int] = (120, 32),
    analyst: FakeAnalyst | None = None,
    *,
    manners: Manners = ANSI,
    folder: Path = Path("/dev/null/snapshots"),  # which not even root can make
    owns_collector: bool = False,
    session: FakeSession | None = None,
    ready: bool = True,
) -> AsyncIterator[Driver]:
    """The app on a fake, its first answer on the screen unless `ready` is false."""
    session = session or FakeSession(analyst, owns_collector)
    app = HtlctopApp(session, UiOptions(snapshot_dir=folder), manners)
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot, session)
        if ready:
            await driver.until(lambda: app.board.overview is not None)
            await driver.settled()
        try:
            yield driver
        finally:
            app._stop.set()
