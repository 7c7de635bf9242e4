"""Pages that are one sheet of lines which scrolls, and those of one thing that was opened."""

from collections.abc import Iterable, Sequence
from functools import partial

from textual.widget import Widget

from htlctop.ui.board import Board
from htlctop.ui.paint import status as status_paint
from htlctop.ui.paint.parts import paragraph
from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.subject import Subject
from htlctop.ui.text import Line, Role, line
from htlctop.ui.widgets.lines import Look
from htlctop.ui.widgets.sheet import Sheet

LOG_LINES = 100
"""How much of its log a drill-down shows: enough to scroll through."""


class SheetScreen(BaseScreen):
    """A page that scrolls: the status line, then one sheet. Give it a `body`.

    Without the first of its needs there is nothing to show.
    """

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.sheet = Sheet(look, id="sheet")
        self._board = Board()

    def panes(self) -> Iterable[Widget]:
        """The sheet."""
        yield self.sheet

    def body(self, board: Board, width: int, height: int) -> Sequence[Line]:
        """The whole sheet, as long as it gets; () while there is nothing to show yet."""
        raise NotImplementedError

    def page(self, board: Board, width: int, height: int) -> Sequence[Line]:
        """The sheet, or why there is none."""
        if text := board.failure(*self.needs[0].key):
            return tuple(paragraph(f"cannot be read: {text}", width, Role.BAD))
        return self.body(board, width, height) or (line(" reading ...", Role.DIM),)

    def lay_out(self, width: int, height: int) -> None:
        """The footer where there is room."""
        self.show_footer(1 if height >= 10 else 0)
        self.show(self._board)

    def show(self, board: Board) -> None:
        """Paint the newest board, or the one frozen."""
        self._board = board
        self.show_status(board)
        self.sheet.dimmed = status_paint.is_stale(board)
        self.sheet.show(partial(self.page, self.held(board)))

    # Actions: what the keys of such a page do

    def action_down(self) -> None:
        """A line down."""
        self.sheet.scroll_by(1)

    def action_up(self) -> None:
        """A line up."""
        self.sheet.scroll_by(-1)

    def action_first(self) -> None:
        """To the top."""
        self.sheet.scroll_home_or_end(end=False)

    def action_last(self) -> None:
        """To the end."""
        self.sheet.scroll_home_or_end(end=True)

    def action_page_down(self) -> None:
        """Half a screen down."""
        self.sheet.scroll_by(self.sheet.page_height)

    def action_page_up(self) -> None:
        """Half a screen up."""
        self.sheet.scroll_by(-self.sheet.page_height)


class DrillDown(SheetScreen):
    """The sheet of one thing that was opened."""

    def __init__(self, look: Look, about: Subject) -> None:
        super().__init__(look)
        self.about = about

    @property
    def explained(self) -> Subject:
        """The thing."""
        return self.about
