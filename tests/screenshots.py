"""`python -m tests.screenshots` makes the pictures in screenshots/ with the program itself.

Of every view and drill-down that there is, of the help and of the side-pane, while the made-up
node is live and has eight days behind it.
"""

import asyncio
import re
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from htlctop import service
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import PairRow
from htlctop.analysis.query import By, LogQuery, Query
from htlctop.analysis.status import State
from htlctop.cli.demo import DAY_S, DemoSession, SyntheticPlay
from htlctop.domain.types import Access
from htlctop.ui import subject
from htlctop.ui.app import HtlctopApp
from htlctop.ui.messages import Open
from htlctop.ui.session import UiOptions
from htlctop.ui.subject import Of, Subject
from htlctop.ui.takeaway import screen_picture, screen_text
from htlctop.ui.terminal import Manners
from htlctop.ui.views import DRILL_DOWNS, VIEWS

FOLDER = Path(__file__).parent.parent / "screenshots"
COLOURS = Manners("textual-dark", ansi=False, no_color=False, ascii=False)
WINDOW, DAYS, SEED = "7d", 8, 3
WIDE, SIDE_PANE = (120, 32), (40, 15)
QUIET = 12
"""So many looks without a change, and what was asked for is on the screen."""

Ask = Callable[[HtlctopApp], object]


class StoredSession:
    """A sitting at a store that another one collects into."""

    title = "tidewater"
    owns_collector = False
    is_attached = False

    def __init__(self, store: Path) -> None:
        self._store = store

    def access(self) -> Access | None:
        return None

    def open_analyst(self) -> StoreAnalyst:
        return service.open_analyst(self._store)

    def run_collector(self, stop: threading.Event) -> None:
        stop.wait()


ELSEWHERE = "~/htlctop/demo.db"


async def shoot(store: Path, name: str, ask: Ask | None = None, size=WIDE) -> None:
    """One picture, taken when what was asked for is on the screen."""
    app = HtlctopApp(StoredSession(store), UiOptions(window=WINDOW), COLOURS)
    async with app.run_test(size=size) as pilot:
        await _settled(app, pilot)
        if ask is not None:
            ask(app)
            await _settled(app, pilot)
        picture = screen_picture(app)
        app.let_go()
    # The ids in the picture are made anew each time, and its store lies elsewhere; the same screen
    # should be the same file.
    picture = re.sub(r"terminal-\d+", "terminal", picture)
    room = len(str(store)) - len(ELSEWHERE)
    picture = picture.replace(str(store), ELSEWHERE + room * "&#160;")
    (FOLDER / f"{name}.svg").write_text(picture)
    print(f"screenshots/{name}.svg")


async def _settled(app: HtlctopApp, pilot: Pilot[None]) -> None:
    """Wait until nothing is read and the screen stays as it is."""
    seen, same = (), 0
    while same < QUIET:
        await pilot.pause(0.05)
        shown = screen_text(app.screen)
        same = same + 1 if shown == seen and not app.pump.is_reading and not app.is_due else 0
        seen = shown


def opening(about: Subject) -> Ask:
    """Opens a drill-down."""
    return lambda app: app.post_message(Open(about))


def subjects(store: Path) -> dict[Of, Subject]:
    """What is shown of each kind: the worst peer, its channel and pair, and its newest miss."""
    analyst = service.open_analyst(store)
    try:
        worst = analyst.overview(Query(window=WINDOW)).peers[0]
        pairs = analyst.overview(Query(window=WINDOW, by=By.PAIR)).rows
        pair = next(r for r in pairs if isinstance(r, PairRow) and r.out_peer == worst.peer)
        (htlc,) = analyst.log(LogQuery(1, peer=worst.peer, filter="why:liq")).lines
        return {
            Of.PEER: subject.peer(worst.peer),
            Of.CHANNEL: subject.channel(worst.channels[0].channel),
            Of.PAIR: subject.pair(pair.in_peer, worst.peer),
            Of.HTLC: subject.htlc(htlc.seq),
        }
    finally:
        analyst.close()


async def main() -> None:
    """All of them."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        node = DemoSession(Path(folder), SyntheticPlay(SEED, 60, "1", DAYS * DAY_S))
        stop = threading.Event()
        collector = threading.Thread(target=node.run_collector, args=(stop,))
        collector.start()
        try:
            node.open_analyst().close()
            await _live(node.store)
            await _shoot_all(node.store)
        finally:
            stop.set()
            collector.join()


async def _live(store: Path) -> None:
    """Wait until its collector listens."""
    analyst = service.open_analyst(store)
    while analyst.status().state is not State.LIVE:
        await asyncio.sleep(0.1)
    analyst.close()


async def _shoot_all(store: Path) -> None:
    await shoot(store, "side-pane", size=SIDE_PANE)
    for name in VIEWS:
        await shoot(store, name, lambda app, name=name: app.action_view(name))
    for of, about in subjects(store).items():
        if of in DRILL_DOWNS:
            await shoot(store, of.value, opening(about))
    await shoot(store, "explanation", lambda app: app.action_how())
    await shoot(store, "help", lambda app: app.action_help())


if __name__ == "__main__":
    asyncio.run(main())
