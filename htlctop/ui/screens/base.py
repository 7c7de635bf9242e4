"""What every page has: a focus with its keys, a footer, a note over the last lines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from htlctop.analysis.advice.models import Explanation
from htlctop.export.views import View
from htlctop.ui import asking
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, of
from htlctop.ui.messages import Ask
from htlctop.ui.paint import status as status_paint
from htlctop.ui.paint.keys import footer
from htlctop.ui.parts import Need
from htlctop.ui.subject import Subject
from htlctop.ui.text import Line, Role, line, wrap
from htlctop.ui.widgets.lines import Look, Pane

NOTE_S = 8.0


@dataclass(frozen=True, slots=True)
class Copied:
    """What `y` takes, and what to say of it."""

    text: str
    what: str


@dataclass(frozen=True, slots=True)
class Marked:
    """What a note is about: a peer, or (0) the whole node."""

    peer: int = 0
    name: str = "the whole node"


class BaseScreen(Screen[None], inherit_bindings=False):
    """A page of the app. `show` gives it a new board; `note` a message, "" takes it away.

    `focus_of` names it and its keys, `needs` the parts of the board that it shows, `panes` what
    stands between the status line and the footer, `is_filtered` whether the filter chooses of that.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = ""
    ALLOW_SELECT = False
    focus_of: Focus
    is_filtered = False

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.head = Pane(look, id="head")
        self.footer = Pane(look, id="footer")
        self.banner = Pane(look, id="banner")
        self.note_pane = Pane(look, id="note")
        self.message = ""
        self._noting: Timer | None = None
        self._heights: dict[Pane, int] = {}
        self._held: Board | None = None

    def compose(self) -> Iterable[Widget]:
        """The panes from top to bottom."""
        yield self.head
        yield self.banner
        yield from self.panes()
        yield self.footer
        yield self.note_pane

    def panes(self) -> Iterable[Widget]:
        """What is the page's own."""
        raise NotImplementedError

    def show(self, board: Board) -> None:
        """Paint what changed."""
        raise NotImplementedError

    def on_unmount(self) -> None:
        """Drop what Textual keeps of the lines below the panes."""
        self.refresh()

    @property
    def focus_now(self) -> Focus:
        """Where its keys go: one of its panes may have them instead of the page."""
        return self.focus_of

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Keys of the page do nothing while a pane has them that knows no such action."""
        return any(one.method == action for one in of(self.focus_now))

    @property
    def needs(self) -> tuple[Need, ...]:
        """The parts that this page shows, besides the status."""
        return ()

    @property
    def explained(self) -> Subject | None:
        """Whose figures `i` explains, those of the row under the cursor; None is the node."""
        return None

    @property
    def explained_first(self) -> str:
        """The title of what an explanation begins with, where it has such: what a row shows."""
        return "Sums"

    def taken(self, board: Board) -> View | Explanation | None:
        """The view model that `e` saves, None while there is none."""
        return board.overview

    def copied(self, board: Board) -> Copied | None:
        """What `y` takes: a command or the id of what is shown; None where there is none."""
        return None

    def forget(self) -> None:
        """Let go what a freeze holds."""
        self._held = None

    def marked(self, board: Board) -> Marked:
        """What a note that is made on this page is about."""
        return Marked()

    def peel(self) -> bool:
        """Take a layer of the page's own away, as a prompt; whether there was one."""
        return False

    def held(self, board: Board) -> Board:
        """The board for what a freeze holds still: the one of that moment, until the user asks
        for another window, order or time and the answer is there."""
        was = self._held
        if was is None or not board.frozen or self._questions(was) != self._questions(board):
            self._held = board
        return self._held or board

    def _questions(self, board: Board) -> tuple[object, ...]:
        return tuple(board.question(*need.key) for need in self.needs)

    # Messages over the page

    def note(self, text: str) -> None:
        """Show a message over the bottom of the page for a while, or take it away."""
        if self._noting is not None:
            self._noting.stop()
        self._noting = self.set_timer(NOTE_S, lambda: self.note(""), name="note") if text else None
        self._show_note(text)

    def _show_note(self, text: str) -> None:
        self.message = text
        rows = wrap(text, max(1, self.size.width - 2), max(1, min(4, self.size.height - 1)))
        self.note_pane.display = bool(rows)
        self.note_pane.styles.height = max(1, len(rows))

        def paint(width: int, height: int) -> tuple[Line, ...]:
            return tuple(line(f" {row}".ljust(width), Role.NOTE) for row in rows)

        self.note_pane.show(paint)

    # Parts of every layout

    def show_footer(self, height: int) -> None:
        """Give the footer its line, or none."""
        self.footer.display = height > 0
        glyphs = self.look.glyphs
        self.footer.show(lambda width, _: footer(self.focus_now, width, glyphs))

    def show_status(self, board: Board, badge: str = "") -> None:
        """The status line, with a badge of the page's own, and why it is not live."""
        glyphs = self.look.glyphs
        self.head.show(lambda width, _: (status_paint.status(board, width, glyphs, badge),))
        self.show_banner(board, 2)

    def show_banner(self, board: Board, most: int) -> None:
        """Why it is not live, in as many lines as it takes up to `most`; none while it is."""
        text = status_paint.reason(board)
        self.set_height(self.banner, len(wrap(text, max(1, self.size.width - 2), most)))
        self.banner.show(partial(status_paint.banner, board, glyphs=self.look.glyphs))

    def set_height(self, pane: Pane, height: int) -> None:
        """Give a pane so many lines; none hides it."""
        if self._heights.get(pane) != height:
            self._heights[pane] = height
            pane.display = height > 0
            if height > 0:
                pane.styles.height = height

    def on_resize(self, event: events.Resize) -> None:
        """Lay out for the new size."""
        self.lay_out(event.size.width, event.size.height)
        if self.message:
            self._show_note(self.message)

    def lay_out(self, width: int, height: int) -> None:
        """Decide what there is room for."""
        raise NotImplementedError

    # Actions: looking at another window or time

    def ask(self, change: Callable[[Board], Board]) -> None:
        """Have the app look at something else."""
        self.post_message(Ask(change))

    def action_window_next(self) -> None:
        """The next longer window."""
        self.ask(partial(asking.window, step=1))

    def action_window_previous(self) -> None:
        """The next shorter window."""
        self.ask(partial(asking.window, step=-1))

    def action_earlier(self) -> None:
        """Back in time."""
        self.ask(partial(asking.time, step=-1))

    def action_later(self) -> None:
        """Forward in time."""
        self.ask(partial(asking.time, step=1))

    def action_now(self) -> None:
        """Live again."""
        self.ask(asking.live)

    def action_freeze(self) -> None:
        """Hold the tables, or let them go."""
        self.ask(asking.frozen)
