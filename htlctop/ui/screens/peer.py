"""The drill-down of one peer."""

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from htlctop.export.views import View
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import peer as paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.sheets import DrillDown
from htlctop.ui.text import Line, Role, line

LOG_LINES = 100


class PeerScreen(DrillDown):
    """One peer's page."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.PEER)]
    focus_of = Focus.PEER

    @property
    def needs(self) -> tuple[Need, ...]:
        """The peer, and enough of its log to scroll through."""
        return Need(Part.PEER, self.about), Need(Part.LOG, self.about, lines=LOG_LINES)

    def taken(self, board: Board) -> View | None:
        """The peer, with as much of its log as was read."""
        detail = board.peer(self.about)
        log = board.log_of(self.about)
        return replace(detail, events=log or detail.events) if detail else None

    def page(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        """The peer's sheet."""
        if text := board.failure(Part.PEER, self.about):
            return (line(f" cannot be read: {text}", Role.BAD),)
        detail = board.peer(self.about)
        if detail is None:
            return (line(" reading ...", Role.DIM),)
        log = board.log_of(self.about)
        return paint.page(detail, detail.events if log is None else log, width, self.look.glyphs)
