"""The drill-down of one peer: the status line, then one page that scrolls."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import peer as paint
from htlctop.ui.paint import status as status_paint
from htlctop.ui.reader import Part
from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.text import Line, Role, line, wrap
from htlctop.ui.widgets.lines import Look, Pane
from htlctop.ui.widgets.sheet import Sheet

LOG_LINES = 100


class SheetScreen(BaseScreen):
    """A page that scrolls: the keys of every screen made of a sheet."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.sheet = Sheet(look, id="sheet")

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


class PeerScreen(SheetScreen):
    """One peer's page."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.PEER)]
    focus_of = Focus.PEER

    def __init__(self, look: Look, peer: int) -> None:
        super().__init__(look)
        self.peer = peer
        self.head = Pane(look, id="head-line")
        self._board = Board()
        self._held: Board | None = None

    def compose(self) -> Iterable[Widget]:
        """The panes from top to bottom."""
        yield self.head
        yield self.banner
        yield self.sheet
        yield self.footer
        yield self.note_pane

    @property
    def log_lines(self) -> int:
        """Enough to scroll through."""
        return LOG_LINES

    def lay_out(self, width: int, height: int) -> None:
        """The footer where there is room."""
        self.show_footer(1 if height >= 10 else 0)
        self.show(self._board)

    def show(self, board: Board) -> None:
        """Paint the newest board, or the one frozen."""
        self._board = board
        held = self._held
        answered = held is None or held.detail is None or held.peer_question != board.peer_question
        if held is None or answered or not board.frozen:
            held = self._held = board
        glyphs = self.look.glyphs
        rows = len(wrap(status_paint.reason(board), max(1, self.size.width - 2), 2))
        self.set_height(self.banner, rows)
        self.banner.show(partial(status_paint.banner, board, glyphs=glyphs))
        self.head.show(lambda width, _: (status_paint.status(board, width, glyphs),))
        self.sheet.dimmed = status_paint.is_stale(board)
        self.sheet.show(partial(self._page, held))

    def _page(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        detail = board.detail
        if text := board.failures.get(Part.PEER):
            return (line(f" cannot be read: {text}", Role.BAD),)
        if detail is None or detail.row.peer != self.peer:
            return (line(" reading ...", Role.DIM),)
        log = detail.events if board.peer_log is None else board.peer_log
        return paint.page(detail, log, width, self.look.glyphs)
