"""The view History."""

from typing import ClassVar

from textual.binding import BindingType

from htlctop.export.views import View
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import history as paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.sheets import SheetScreen
from htlctop.ui.text import Line


class HistoryScreen(SheetScreen):
    """The chart over the window with what changed in it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.HISTORY)]
    focus_of = Focus.HISTORY

    @property
    def needs(self) -> tuple[Need, ...]:
        """The history of the window."""
        return (Need(Part.HISTORY),)

    def taken(self, board: Board) -> View | None:
        """The history of the window."""
        return board.history

    def body(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        """The sheet."""
        view = board.history
        return () if view is None else paint.page(view, width, height, self.look.glyphs)
