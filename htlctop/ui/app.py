"""The Textual app: asks the reader, keeps the board, turns pages, leaves in good order.

Everything slow runs elsewhere: reading in one reader thread, the collector in a thread worker.
"""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.worker import Worker, WorkerState

from htlctop.errors import HtlctopError
from htlctop.export.format import clean
from htlctop.export.redaction import Redaction
from htlctop.ui import keys, memory
from htlctop.ui.board import Board
from htlctop.ui.glyphs import ASCII, BLOCKS
from htlctop.ui.jobs import Job
from htlctop.ui.mask import Mask
from htlctop.ui.messages import Ask, NeedsChanged, Open
from htlctop.ui.pages import Pages
from htlctop.ui.palette import MONO, Colourless, ansi, themed
from htlctop.ui.pump import Pump
from htlctop.ui.reader import Answer, Want
from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.session import Session, UiOptions
from htlctop.ui.takeaway import Taking
from htlctop.ui.terminal import Manners, Screenfile, has_hung_up
from htlctop.ui.widgets.choice import ExportChoice
from htlctop.ui.widgets.finder import Finder
from htlctop.ui.widgets.lines import Look
from htlctop.ui.widgets.marking import MarkLine

TICK_S = 0.25
_LONGEST_MARK = 200
COLLECTOR_STOPS_WITHIN_S = 10.0
HANG_UP = 129


class _NeverAgain(Exception):
    """The terminal was not given back."""


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
        job: Job | None = None,
    ) -> None:
        super().__init__()
        self.theme = manners.theme
        self.session = session
        self.options = options
        self.manners = manners
        self.exit_code = 0
        found, self._forgot = memory.load(options.state_path)
        self.memory = found.with_key()
        self.board = Board(
            title=session.title,
            query=self.memory.query(options.window),
            templates=options.templates,
        )
        self.mask = Mask(Redaction(self.memory.key))
        self.taking = Taking(options.snapshot_dir, self.mask, self._send)
        self._screenfile, self._job = screenfile, job
        self.pump = Pump(session.open_analyst, partial(self.call_later, self._answered))
        self.pages = Pages(self, self._look())
        self.serial = self._asked = 0
        self.is_due = False
        self._stop = threading.Event()
        self._collecting: Worker[None] | None = None
        self._leaving = False
        if manners.no_color:
            self._filters = [Colourless()]

    @property
    def page(self) -> BaseScreen | None:
        """The page on top, None before the first."""
        return self.pages.top

    def on_mount(self) -> None:
        """Paint first; read and connect once that is on the screen."""
        self.pages.begin(self.memory.view)
        if self._job is not None:
            self._job.heed(self._suspend_soon)
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
        self._turn(self.board)
        self._note(self._forgot)
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
        if self._is_abandoned:
            self.leave(HANG_UP)
        else:
            self.ask()

    @property
    def _is_abandoned(self) -> bool:
        """Whether the terminal, or the process that the shell knows, is gone."""
        if self._job is not None and self._job.is_orphan:
            return True
        stdin = sys.__stdin__.fileno() if sys.__stdin__ else 0
        screenfile = self._screenfile
        return screenfile is not None and (screenfile.is_gone or has_hung_up(stdin))

    def ask(self) -> None:
        """Have the reader read for the page that shows data, unless it is reading."""
        needs = self.pages.needs
        if self._leaving or not needs:
            return
        want = Want(self.board.query, int(time.time() // 60), needs, self.serial)
        if self.pump.ask(want):
            self._asked = self.serial

    def _answered(self, answer: Answer) -> None:
        """Take an answer over, and ask again at once where the user asked meanwhile."""
        self.is_due = answer.is_partial
        if answer.tried:
            board, query = self.board.answered(answer), self.board.query
            board = replace(board, attached=self.session.is_attached)
            if not query.window:
                board = replace(board, query=replace(query, window=answer.query.window))
            self._turn(board)
        if self._asked != self.serial or answer.is_partial:
            self.ask()

    def _turn(self, board: Board) -> None:
        """Show a new board, with codes for names where that was asked for."""
        self.board = board
        self.pages.show(self.mask.board(board))

    def question(self, board: Board) -> None:
        """The user asked for something else: break off a running read and ask for it now."""
        self.serial += 1
        self._turn(board)
        if self.pump.is_reading:
            self.pump.interrupt()
        else:
            self.ask()

    def _turned_page(self) -> None:
        """Another page is on top: let go what none shows any more, and read what it needs."""
        self.question(self.board.keeping(self.pages.keys))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A collector that failed is said so; the stored data stays."""
        if event.worker is self._collecting and event.state is WorkerState.ERROR:
            error = event.worker.error
            self._turn(replace(self.board, collector=str(error) or repr(error)))

    # Messages of the pages

    def on_ask(self, message: Ask) -> None:
        """Look at something else; where only the showing of it changes, nothing is read."""
        board = message.change(self.board)
        if board.query == self.board.query:
            self._turn(board)
        else:
            self.question(board)

    def on_open(self, message: Open) -> None:
        """Drill down."""
        if self.pages.open(message.about):
            self._turned_page()

    def on_needs_changed(self, message: NeedsChanged) -> None:
        """Read what the page needs now, after what is being read."""
        self.serial += 1
        self.ask()

    # Actions: what the keys of the app do

    def action_help(self) -> None:
        """Show the keys of the page; once more puts them away."""
        self.pages.help()

    async def action_back(self) -> None:
        """Take one layer away: a message, what is the page's own, then the page."""
        page = self.page
        if page is None:
            return
        if page.message:
            page.note("")
        elif not page.peel() and self.pages.back():
            self._turned_page()

    def action_view(self, name: str) -> None:
        """Go to one of the views."""
        if self.pages.go(name):
            self._turned_page()

    # Taking away

    def action_snapshot(self) -> None:
        """Save the screen as text."""
        self._take(self.taking.snapshot)

    def action_picture(self) -> None:
        """Save the screen as a picture."""
        self._take(self.taking.picture)

    def action_export(self) -> None:
        """Ask in which format to save the view."""
        if page := self.page:
            page.note("")
            page.mount(ExportChoice(page.look))

    def on_export_choice_chosen(self, message: ExportChoice.Chosen) -> None:
        """Save the view."""
        if message.form is not None:
            self._take(partial(self.taking.view, form=message.form))

    def action_copy(self) -> None:
        """Copy the key or id of what is under the cursor, or the command."""
        self._take(self.taking.copy)

    def _take(self, how: Callable[[BaseScreen, Board], str]) -> None:
        """Once no message lies over the page; then say what was taken."""
        if page := self.page:
            page.note("")
            self.call_after_refresh(lambda: page.note(how(page, self.board)))

    def _send(self, text: str) -> None:
        if self._driver is not None:
            self._driver.write(text)

    def action_redact(self) -> None:
        """Codes for names, keys and ids, and back."""
        self.mask.is_on = not self.mask.is_on
        memory.save(self.options.state_path, self.memory)
        self.pages.forget()
        self._turn(self.board)
        again = keys.key_of("redact", self.manners.ascii)
        state = "codes now" if self.mask.is_on else "themselves again"
        self._note(f"names, keys and ids are {state}, on screen and in files ({again})")

    # Notes

    def action_mark(self) -> None:
        """Ask what was done, about the peer that is open or the whole node."""
        if page := self.page:
            page.note("")
            about = page.marked(self.mask.board(self.board))
            page.mount(MarkLine(page.look, about.peer, about.name))

    async def on_mark_line_written(self, message: MarkLine.Written) -> None:
        """Write it beside the collector, which another process may be."""
        text, now = clean(message.text, _LONGEST_MARK), self.board.status
        if not text:
            return
        at_ns = now.now_ns if now and now.replay else time.time_ns()
        try:
            await asyncio.to_thread(self.session.mark, text, at_ns, message.peer)
        except HtlctopError as error:
            self._note(f"not noted: {error}")
        else:
            self._note(f"noted: {text}. {keys.key_of('history')} shows what it changed")

    # The palette

    def action_palette(self) -> None:
        """Every action of this page, by its words."""
        if page := self.page:
            page.note("")
            some = (one for one in keys.of(page.focus_of) if one.name != "palette")
            page.mount(Finder(page.look, tuple(some)))

    async def on_finder_chosen(self, message: Finder.Chosen) -> None:
        """Do it, as its key would."""
        if message.action is not None and (page := self.page):
            await self.run_action(message.action.does, page)

    # The shell

    def action_suspend(self) -> None:
        """Give the terminal to the shell until it is given back; the collector goes on."""
        if self._job is None or self._screenfile is None or self._leaving:
            return
        terminal, screenfile = self._screenfile.fileno(), self._screenfile
        with suppress(_NeverAgain), self.suspend():
            if not self._job.stop(terminal, lambda: screenfile.is_hurried):
                raise _NeverAgain
            return
        # The terminal is the shell's: what ends an app would be written across it, or stop us.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        screenfile.is_gone = True
        vars(self._driver)["attrs_before"] = None
        if not screenfile.is_hurried:  # else a signal has said with which code
            self.leave(HANG_UP)

    def _suspend_soon(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.call_later, self.action_suspend)

    def _note(self, text: str) -> None:
        if page := self.page:
            page.note(text)

    # Leaving

    @property
    def _question(self) -> str:
        stay, leave = keys.key_of("back"), keys.key_of("quit")
        return (
            "This htlctop is the collector: quitting ends the watching, and the time until it is "
            f"started again will be a gap. {leave} quits, {stay} stays. (htlctop collect watches "
            "without a screen.)"
        )

    async def action_quit(self) -> None:
        """Leave; where that ends the watching, say so and ask once."""
        page = self.page
        asked = page is not None and page.message == self._question
        if self.session.owns_collector and not asked and page is not None:
            self._note(self._question)
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
        self.memory = self.memory.left(self.pages.view, self.board.query)
        memory.save(self.options.state_path, self.memory)
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
