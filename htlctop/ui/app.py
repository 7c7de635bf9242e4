"""The Textual app: asks the reader, keeps the board, turns pages, leaves in good order.

Everything slow runs elsewhere: reading in one reader thread, the collector in a thread worker.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.worker import Worker, WorkerState

from htlctop.analysis.models import Query
from htlctop.errors import HtlctopError
from htlctop.export.formats import Format
from htlctop.ui.board import Board
from htlctop.ui.glyphs import ASCII, BLOCKS
from htlctop.ui.palette import MONO, Colourless, ansi, themed
from htlctop.ui.pump import Pump
from htlctop.ui.reader import Answer, Want
from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.screens.help import HelpScreen
from htlctop.ui.screens.overview import OverviewScreen
from htlctop.ui.screens.peer import PeerScreen
from htlctop.ui.session import Session, UiOptions
from htlctop.ui.table.widget import Table
from htlctop.ui.takeaway import save_screen, save_view
from htlctop.ui.terminal import Manners, Screenfile, has_hung_up
from htlctop.ui.widgets.lines import Look
from htlctop.ui.words import WINDOWS

TICK_S = 0.25
COLLECTOR_STOPS_WITHIN_S = 10.0
HANG_UP = 129


class HtlctopApp(App[None], inherit_bindings=False):
    """One viewer on one session."""

    CSS_PATH = "styles.tcss"
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        session: Session,
        options: UiOptions,
        manners: Manners,
        screenfile: Screenfile | None = None,
    ) -> None:
        super().__init__()
        self.theme = manners.theme
        self.session = session
        self.options = options
        self.manners = manners
        self.exit_code = 0
        self.board = Board(title=session.title, query=Query(window=options.window or ""))
        self._screenfile = screenfile
        self.pump = Pump(session.open_analyst, partial(self.call_later, self._answered))
        self.serial = self._asked = 0
        self._stop = threading.Event()
        self._collecting: Worker[None] | None = None
        self._leaving = False
        if manners.no_color:
            self._filters = [Colourless()]

    @property
    def page(self) -> BaseScreen | None:
        """The page on top, None before the first."""
        stack = self.screen_stack
        return stack[-1] if stack and isinstance(stack[-1], BaseScreen) else None

    def on_mount(self) -> None:
        """Paint first; read and connect once that is on the screen."""
        self.push_screen(OverviewScreen(self._look()))
        self.call_after_refresh(self._begin)

    def _look(self) -> Look:
        if self.manners.no_color:
            palette = MONO
        elif self.manners.ansi:
            palette = ansi()
        else:
            palette = themed(self.theme_variables)
        return Look(ASCII if self.manners.ascii else BLOCKS, palette)

    def _begin(self) -> None:
        if page := self.page:
            page.show(self.board)
        self._collecting = self.run_worker(
            partial(self.session.run_collector, self._stop),
            name="collector",
            thread=True,
            exit_on_error=False,
        )
        self.set_interval(TICK_S, self._tick, name="tick")
        self.ask()

    # Reading

    def _tick(self) -> None:
        if self._screenfile is not None and (
            self._screenfile.is_gone or has_hung_up(sys.__stdin__.fileno() if sys.__stdin__ else 0)
        ):
            self.leave(HANG_UP)
        else:
            self.ask()

    def ask(self) -> None:
        """Have the reader read for the page that shows data, unless it is reading."""
        page = next((p for p in reversed(self.screen_stack) if not isinstance(p, HelpScreen)), None)
        if self._leaving or not isinstance(page, BaseScreen):
            return
        want = Want(
            query=self.board.query,
            minute=int(time.time() // 60),
            lines=page.log_lines,
            peer=page.peer if isinstance(page, PeerScreen) else None,
            serial=self.serial,
        )
        if self.pump.ask(want):
            self._asked = self.serial

    def _answered(self, answer: Answer) -> None:
        """Take an answer over, and ask again at once where the user asked meanwhile."""
        if answer.tried:
            board, query = self.board.answered(answer), self.board.query
            if not query.window:
                board = replace(board, query=replace(query, window=answer.query.window))
            self._turn(board)
        if self._asked != self.serial:
            self.ask()

    def _turn(self, board: Board) -> None:
        """Show a new board on every page, so that one underneath is right when it comes up."""
        self.board = board
        for page in self.screen_stack:
            if isinstance(page, BaseScreen):
                page.show(board)

    def _question(self, board: Board) -> None:
        """The user asked for something else: break off a running read and ask for it now."""
        self.serial += 1
        self._turn(board)
        if self.pump.is_reading:
            self.pump.interrupt()
        else:
            self.ask()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A collector that failed is said so; the stored data stays."""
        if event.worker is self._collecting and event.state is WorkerState.ERROR:
            error = event.worker.error
            self._turn(replace(self.board, collector=str(error) or repr(error)))

    # Messages of the pages

    def on_table_opened(self, message: "Table.Opened") -> None:
        """Drill down."""
        kind, peer = message.key
        if kind == "peer":
            self.push_screen(PeerScreen(self._look(), peer))
            self._question(self.board.without_peer())

    def on_table_sort_asked(self, message: "Table.SortAsked") -> None:
        """Sort by another column, or the same the other way."""
        query = self.board.query
        same = message.sort is query.sort
        reverse = query.reverse != message.turn if same else False
        self._question(
            replace(self.board, query=replace(query, sort=message.sort, reverse=reverse))
        )

    # Actions: what the keys of the app do

    def action_help(self) -> None:
        """Show the keys of the page; once more puts them away."""
        page = self.page
        if isinstance(page, HelpScreen):
            self.pop_screen()
        elif page is not None:
            self.push_screen(HelpScreen(self._look(), page.focus_of))

    async def action_back(self) -> None:
        """Take one layer away: a message, else the page; the first page stays."""
        page = self.page
        if page is not None and page.message:
            page.note("")
        elif isinstance(page, HelpScreen):
            self.pop_screen()
        elif isinstance(page, PeerScreen):
            self.pop_screen()
            self._question(self.board.without_peer())

    def action_window_next(self) -> None:
        """The next longer window."""
        self._window(1)

    def action_window_previous(self) -> None:
        """The next shorter window."""
        self._window(-1)

    def _window(self, step: int) -> None:
        query = self.board.query
        at = WINDOWS.index(query.window) if query.window in WINDOWS else 1
        window = WINDOWS[(at + step) % len(WINDOWS)]
        self._question(replace(self.board, query=replace(query, window=window)))

    def action_freeze(self) -> None:
        """Hold the tables, or let them go."""
        self._turn(replace(self.board, frozen=not self.board.frozen))

    def action_snapshot(self) -> None:
        """Save the screen as text."""
        page = self.page
        if page is not None:
            page.note("")
            self.call_after_refresh(self._saved, partial(save_screen, page, self.board))

    def action_export(self) -> None:
        """Save the view as CSV."""
        page = self.page
        if page is not None:
            self._saved(partial(save_view, page, self.board, form=Format.CSV))

    def _saved(self, save: Callable[[Path], Path]) -> None:
        try:
            self._note(f"saved {save(self.options.snapshot_dir)}")
        except HtlctopError as error:
            self._note(str(error))

    def _note(self, text: str) -> None:
        if page := self.page:
            page.note(text)

    # Leaving

    _QUESTION = (
        "This htlctop is the collector: quitting ends the watching, and the time until it is "
        "started again will be a gap. q quits, u stays. (htlctop collect watches without a screen.)"
    )

    async def action_quit(self) -> None:
        """Leave; where that ends the watching, say so and ask once."""
        page = self.page
        asked = page is not None and page.message == self._QUESTION
        if self.session.owns_collector and not asked and page is not None:
            self._note(self._QUESTION)
        else:
            self.leave(0)

    def action_leave(self) -> None:
        """Leave without asking."""
        self.leave(0)

    def leave(self, code: int) -> None:
        """Stop collecting and reading, then exit with this code. Once; later calls do nothing."""
        if self._leaving:
            return
        self._leaving = True
        self.exit_code = code
        self._stop.set()
        self.pump.interrupt()
        if code != HANG_UP and self._collecting is not None and self._collecting.is_running:
            self._note("stopping the collector ...")
        self._parting = asyncio.get_running_loop().create_task(self._part())

    def let_go(self) -> None:
        """Tell the threads to end, however the app ended: nothing waits for them in vain."""
        self._stop.set()
        self.pump.let_go()

    async def _part(self) -> None:
        """The order of leaving: the collector flushes and closes, the reader closes, the screen."""
        if self._collecting is not None and self._collecting.is_running:
            with suppress(Exception):
                async with asyncio.timeout(COLLECTOR_STOPS_WITHIN_S):
                    await self._collecting.wait()
        await self.pump.close()
        self.exit(return_code=self.exit_code)
