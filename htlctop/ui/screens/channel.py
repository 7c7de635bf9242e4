"""The drill-down of one channel."""

from typing import ClassVar

from textual.binding import BindingType

from htlctop.export.views import View
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import channel as paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.base import Copied
from htlctop.ui.screens.copying import copied_id
from htlctop.ui.screens.sheets import LOG_LINES, DrillDown
from htlctop.ui.text import Line


class ChannelScreen(DrillDown):
    """One channel's page."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.CHANNEL)]
    focus_of = Focus.CHANNEL

    @property
    def needs(self) -> tuple[Need, ...]:
        """The channel with its log; what changed comes later."""
        return (
            Need(Part.CHANNEL, self.about),
            Need(Part.LOG, self.about, lines=LOG_LINES),
            Need(Part.HISTORY),
        )

    def taken(self, board: Board) -> View | None:
        """The channel, with as much of its log as was read."""
        return board.channel(self.about)

    def copied(self, board: Board) -> Copied | None:
        """The channel's id, LND's integer."""
        detail = board.channel(self.about)
        return copied_id(detail.row.channel_id, "channel id") if detail else None

    def body(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        """The channel's sheet."""
        detail = board.channel(self.about)
        if detail is None:
            return ()
        changes = board.history.changes if board.history else ()
        mine = tuple(one for one in changes if one.peer in (0, detail.row.peer))
        return paint.page(detail, mine, width, height, self.look.glyphs)
