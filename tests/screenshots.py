"""`python -m tests.screenshots` makes the pictures in screenshots/ with the program itself."""

import asyncio
import re
import tempfile
import threading
from pathlib import Path

from htlctop import service
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.sim.recordings import TRAFFIC
from htlctop.ui.app import HtlctopApp
from htlctop.ui.session import UiOptions
from htlctop.ui.terminal import Manners

FOLDER = Path(__file__).parent.parent / "screenshots"
COLOURS = Manners("textual-dark", ansi=False, no_color=False, ascii=False)
SHOTS = (
    ("overview", (120, 32), ()),
    ("peer", (120, 32), ("enter",)),
    ("help", (120, 32), ("question_mark",)),
    ("side-pane", (40, 15), ()),
)
"""(name, columns and rows, keys pressed first)."""


class StoredSession:
    """A sitting at a store that nobody collects into."""

    title = "hub"
    owns_collector = False
    is_attached = False

    def __init__(self, store: Path) -> None:
        self._store = store

    def open_analyst(self) -> StoreAnalyst:
        return service.open_analyst(self._store)

    def run_collector(self, stop: threading.Event) -> None:
        stop.wait()


async def shoot(store: Path, name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    """One picture, taken when what was asked for is on the screen."""
    app = HtlctopApp(StoredSession(store), UiOptions(window="1h"), COLOURS)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(1.0)
        await pilot.press(*keys)
        await pilot.pause(1.0)
        picture = app.export_screenshot(title="htlctop")
        app.let_go()
    # The ids in the picture are made anew each time; the same screen should be the same file.
    (FOLDER / f"{name}.svg").write_text(re.sub(r"terminal-\d+", "terminal", picture))


async def main() -> None:
    """All of them, from the packaged traffic."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.db"
        await service.ingest([TRAFFIC], store)
        for name, size, keys in SHOTS:
            await shoot(store, name, size, keys)


if __name__ == "__main__":
    asyncio.run(main())
