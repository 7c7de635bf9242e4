"""What keys of the app do besides turning pages and leaving: take, hide, note, find, stop."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from textual.app import App

from htlctop.domain.evidence import LONGEST_MARK
from htlctop.errors import HtlctopError
from htlctop.export.format import clean
from htlctop.ui import keys, memory
from htlctop.ui.board import Board
from htlctop.ui.jobs import Job
from htlctop.ui.mask import Mask
from htlctop.ui.pages import Pages
from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.session import Session, UiOptions
from htlctop.ui.takeaway import Taking
from htlctop.ui.terminal import Manners, Screenfile
from htlctop.ui.widgets.choice import ExportChoice
from htlctop.ui.widgets.finder import Finder
from htlctop.ui.widgets.lines import Lines
from htlctop.ui.widgets.marking import MarkLine

HANG_UP = 129


class _NeverAgain(Exception):
    """The terminal was not given back."""


class Actions(App[None], inherit_bindings=False):
    """The app's half that reads nothing; the other half shows boards and leaves."""

    session: Session
    options: UiOptions
    manners: Manners
    memory: memory.Memory
    board: Board
    pages: Pages
    mask: Mask
    taking: Taking
    screenfile: Screenfile | None
    job: Job | None
    is_leaving: bool

    @property
    def page(self) -> BaseScreen | None:
        """The page on top, None before the first."""
        return self.pages.top

    def turn(self, board: Board) -> None:
        """Show a board."""
        raise NotImplementedError

    def leave(self, code: int) -> None:
        """Leave with this exit code."""
        raise NotImplementedError

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
            self._lay_over(page, ExportChoice(page.look))

    def _lay_over(self, page: BaseScreen, line: Lines) -> None:
        """Put a line that takes the keys over a page; a key pressed twice at once does it once."""
        if not page.query(type(line)):
            page.mount(line)

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

    def send(self, text: str) -> None:
        """To the terminal, past the screen."""
        if self._driver is not None:
            self._driver.write(text)

    def action_redact(self) -> None:
        """Codes for names, keys and ids, and back."""
        self.mask.is_on = not self.mask.is_on
        memory.save(self.options.state_path, self.memory)
        self.pages.forget()
        self.turn(self.board)
        again = keys.key_of("redact", self.manners.ascii)
        state = "codes now" if self.mask.is_on else "themselves again"
        self.say(f"names, keys and ids are {state}, on screen and in files ({again})")

    # Notes

    def action_mark(self) -> None:
        """Ask what was done, about the peer that is open or the whole node."""
        if page := self.page:
            page.note("")
            about = page.marked(self.mask.board(self.board))
            self._lay_over(page, MarkLine(page.look, about.peer, about.name))

    async def on_mark_line_written(self, message: MarkLine.Written) -> None:
        """Write it beside the collector, which another process may be."""
        text, now = clean(message.text, LONGEST_MARK), self.board.status
        if not text:
            return
        at_ns = now.now_ns if now and now.replay else time.time_ns()
        try:
            await asyncio.to_thread(self.session.mark, text, at_ns, message.peer)
        except HtlctopError as error:
            self.say(f"not noted: {error}")
        else:
            self.say(f"noted: {text}. {keys.key_of('history')} shows what it changed")

    # The palette

    def action_palette(self) -> None:
        """Every action of this page, by its words."""
        if page := self.page:
            page.note("")
            some = (one for one in keys.of(page.focus_now) if one.name != "palette")
            self._lay_over(page, Finder(page.look, tuple(some)))

    async def on_finder_chosen(self, message: Finder.Chosen) -> None:
        """Do it, as its key would."""
        if message.action is not None and (page := self.page):
            await self.run_action(message.action.does, page)

    # The shell

    def action_suspend(self) -> None:
        """Give the terminal to the shell until it is given back; the collector goes on."""
        if self.job is None or self.screenfile is None or self.is_leaving:
            return
        terminal, screenfile = self.screenfile.fileno(), self.screenfile
        with suppress(_NeverAgain), self.suspend():
            if not self.job.stop(terminal, lambda: screenfile.is_hurried):
                raise _NeverAgain
            return
        # The terminal is the shell's: what ends an app would be written across it, or stop us.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        screenfile.is_gone = True
        vars(self._driver)["attrs_before"] = None
        if not screenfile.is_hurried:  # else a signal has said with which code
            self.leave(HANG_UP)

    def suspend_soon(self) -> None:
        """The same from outside, as a signal asks for it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.call_later, self.action_suspend)

    def say(self, text: str) -> None:
        """A message over the page on top."""
        if page := self.page:
            page.note(text)
