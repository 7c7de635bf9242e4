"""How every figure comes about: of a row, of what was opened, or of the node."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from htlctop.analysis.advice.models import Explanation
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import how as paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.base import BaseScreen, Copied, Marked
from htlctop.ui.screens.sheets import SheetScreen
from htlctop.ui.text import Line, Unrolling
from htlctop.ui.widgets.lines import Look


class HowScreen(SheetScreen):
    """Lies on the page that it was asked for on, which knows what it is about."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.HOW)]
    focus_of = Focus.HOW

    def __init__(self, look: Look, page: BaseScreen) -> None:
        super().__init__(look)
        self._page, self.about, self._first = page, page.explained, page.explained_first
        self._laid: tuple[Explanation, int, Sequence[Line]] | None = None

    @property
    def needs(self) -> tuple[Need, ...]:
        """The explanation."""
        return (Need(Part.EXPLAIN, self.about),)

    def taken(self, board: Board) -> Explanation | None:
        """The explanation."""
        return board.explanation(self.about)

    def copied(self, board: Board) -> Copied | None:
        """What the page underneath gives."""
        return self._page.copied(board)

    def marked(self, board: Board) -> Marked:
        """What the page underneath is about."""
        return self._page.marked(board)

    def body(self, board: Board, width: int, height: int) -> Sequence[Line]:
        """The explanation, which may have ten thousand figures: laid out as far as it is looked
        at, once for each that is read."""
        found, laid = board.explanation(self.about), self._laid
        if found is None:
            return ()
        if laid is None or laid[0] is not found or laid[1] != width:
            lines = paint.page(found, width, self.look.glyphs, self._first, self.about is None)
            laid = self._laid = found, width, Unrolling(lines)
        return laid[2]
