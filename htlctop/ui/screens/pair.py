"""The drill-down of one pair: who wanted to reach whom."""

from typing import ClassVar

from textual.binding import BindingType

from htlctop.export.views import View
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import pair as paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.base import Copied
from htlctop.ui.screens.copying import copied_pair
from htlctop.ui.screens.sheets import LOG_LINES, DrillDown
from htlctop.ui.text import Line


class PairScreen(DrillDown):
    """One pair's page."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.PAIR)]
    focus_of = Focus.PAIR

    @property
    def needs(self) -> tuple[Need, ...]:
        """The pair with its log."""
        return (
            Need(Part.PAIR, self.about),
            Need(Part.LOG, self.about, lines=LOG_LINES),
        )

    def taken(self, board: Board) -> View | None:
        """The pair, with as much of its log as was read."""
        return board.pair(self.about)

    def copied(self, board: Board) -> Copied | None:
        """The public keys of both, from and to."""
        detail = board.pair(self.about)
        return copied_pair(detail.row) if detail else None

    def body(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        """The pair's sheet."""
        detail = board.pair(self.about)
        return () if detail is None else paint.page(detail, width, height, self.look.glyphs)
