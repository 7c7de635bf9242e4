"""The Textual app: asks the reader, keeps the board, turns pages, leaves in good order.

Everything slow runs elsewhere: reading in one reader thread, the collector in a thread worker.
"""

import asyncio
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.worker import Worker, WorkerState

from htlctop.analysis.status import State
from htlctop.domain.types import Access
from htlctop.export.redaction import Redaction
from htlctop.ui import keys, memory
from htlctop.ui.actions import HANG_UP, Actions
from htlctop.ui.board import Board
from htlctop.ui.glyphs import ASCII, BLOCKS
from htlctop.ui.jobs import Job
from htlctop.ui.mask import Mask
from htlctop.ui.messages import Ask, NeedsChanged, Open
from htlctop.ui.pages import Pages
from htlctop.ui.palette import MONO, Colourless, ansi, themed
from htlctop.ui.pump import Pump
from htlctop.ui.reader import Answer, Want
from htlctop.ui.session import Session, UiOptions
from htlctop.ui.takeaway import Taking
from htlctop.ui.terminal import Manners, Screenfile, has_hung_up
from htlctop.ui.widgets.lines import Look

TICK_S = 0.25
COLLECTOR_STOPS_WITHIN_S = 10.0


class HtlctopApp(Actions, inherit_bindings=False):
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
            form=self.memory.form,
            templates=options.templates,
        )
        self.mask = Mask(Redaction(self.memory.key))
        self.taking = Taking(options.snapshot_dir, self.mask, self.send)
        self.screenfile, self.job = screenfile, job
        self.pump = Pump(session.open_analyst, partial(self.call_later, self._answered))
        self.pages = Pages(self, self._look())
        self.serial = self._asked = 0
        self.is_due = False
        self._stop = threading.Event()
        self._collecting: Worker[None] | None = None
        self.is_leaving = False
        if manners.no_color:
            self._filters = [Colourless()]

    def on_mount(self) -> None:
        """Paint first; read and connect once that is on the screen."""
        self.pages.begin(self.memory.view)
        if self.job is not None:
            self.job.heed(self.suspend_soon)
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
        self.turn(self.board)
        self.say(self._forgot)
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
        if self.job is not None and self.job.is_orphan:
            return True
        stdin = sys.__stdin__.fileno() if sys.__stdin__ else 0
        screenfile = self.screenfile
        return screenfile is not None and (screenfile.is_gone or has_hung_up(stdin))

    def ask(self) -> None:
        """Have the reader read for the page that shows data, unless it is reading."""
        needs = self.pages.needs
        if self.is_leaving or not needs:
            return
        want = Want(self.board.query, int(time.time() // 60), needs, self.serial)
        if self.pump.ask(want):
            self._asked = self.serial

    def _answered(self, answer: Answer) -> None:
        """Take an answer over, and ask again at once where the user asked meanwhile."""
        self.is_due = answer.is_partial
        if answer.tried:
            board, query = self.board.answered(answer), self.board.query
            board = replace(board, attached=self.session.is_attached, access=self._access(board))
            if not query.window:
                board = replace(board, query=replace(query, window=answer.query.window))
            self.turn(board)
        if self._asked != self.serial or answer.is_partial:
            self.ask()

    def _access(self, board: Board) -> Access | None:
        """What the macaroon permits: asked when a connection is there, and kept as long as it."""
        if board.status is None or board.status.state is not State.LIVE:
            return None
        return board.access or self.session.access()

    def turn(self, board: Board) -> None:
        """Show a new board, with codes for names where that was asked for."""
        self.board = board
        self.pages.show(self.mask.board(board))

    def question(self, board: Board) -> None:
        """The user asked for something else: break off a running read and ask for it now."""
        self.serial += 1
        self.turn(board)
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
            self.turn(replace(self.board, collector=str(error) or repr(error)))

    # Messages of the pages

    def on_ask(self, message: Ask) -> None:
        """Look at something else; where only the showing of it changes, nothing is read."""
        board = message.change(self.board)
        if board.query == self.board.query:
            self.turn(board)
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

    def action_how(self) -> None:
        """Show how the figures come about; once more goes back."""
        self.pages.how()
        self._turned_page()

    def action_view(self, name: str) -> None:
        """Go to one of the views."""
        if self.pages.go(name):
            self._turned_page()

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
        watches = self.session.owns_collector and not self.board.collector
        if watches and not asked and page is not None:
            self.say(self._question)
        else:
            self.leave(0)

    def action_leave(self) -> None:
        """Leave without asking."""
        self.leave(0)

    def leave(self, code: int) -> None:
        """Stop collecting and reading, then exit with this code. Once; later calls do nothing."""
        if self.is_leaving:
            return
        self.is_leaving = True
        self.exit_code = code
        self.memory = self.memory.left(self.pages.view, self.board.query, self.board.form)
        memory.save(self.options.state_path, self.memory)
        self._stop.set()
        self.pump.interrupt()
        if code != HANG_UP and self._collecting is not None and self._collecting.is_running:
            self.say("stopping the collector ...")
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
