"""The drill-down of one HTLC."""

from typing import ClassVar

from textual.binding import BindingType

from htlctop.export.views import View
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import htlc as paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.base import Copied
from htlctop.ui.screens.copying import copied_id
from htlctop.ui.screens.sheets import DrillDown
from htlctop.ui.text import Line


class HtlcScreen(DrillDown):
    """One HTLC's page."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.HTLC)]
    focus_of = Focus.HTLC

    @property
    def needs(self) -> tuple[Need, ...]:
        """The HTLC and nothing else."""
        return (Need(Part.HTLC, self.about),)

    def taken(self, board: Board) -> View | None:
        """The HTLC."""
        return board.htlc(self.about)

    def copied(self, board: Board) -> Copied | None:
        """Its incoming circuit, the key that LND knows it by."""
        detail = board.htlc(self.about)
        if detail is None:
            return None
        return copied_id(f"{detail.in_channel_id} {detail.in_htlc}", "incoming circuit")

    def body(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        """The HTLC's sheet."""
        detail = board.htlc(self.about)
        return () if detail is None else paint.page(detail, width, height, self.look.glyphs)
