"""The drill-down of one peer."""

from typing import ClassVar

from textual.binding import BindingType

from htlctop.export.views import View
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import peer as paint
from htlctop.ui.paint.parts import called
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.base import Copied, Marked
from htlctop.ui.screens.copying import command_for, copied_advice, copied_key
from htlctop.ui.screens.sheets import LOG_LINES, DrillDown
from htlctop.ui.text import Line


class PeerScreen(DrillDown):
    """One peer's page."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.PEER)]
    focus_of = Focus.PEER

    @property
    def needs(self) -> tuple[Need, ...]:
        """The peer with its log; its curve, what is advised and what changed come later."""
        return (
            Need(Part.PEER, self.about),
            Need(Part.LOG, self.about, lines=LOG_LINES),
            Need(Part.CURVE, self.about),
            Need(Part.ADVICE),
            Need(Part.HISTORY),
        )

    def taken(self, board: Board) -> View | None:
        """The peer, with as much of its log as was read."""
        return board.peer(self.about)

    def copied(self, board: Board) -> Copied | None:
        """The command that does what is advised, else the peer's public key."""
        detail = board.peer(self.about)
        if detail is None:
            return None
        advised = paint.of_peer(board.advice, detail.row.peer)
        return copied_advice(advised[0], board) if advised else copied_key(detail.row.pubkey)

    def marked(self, board: Board) -> Marked:
        """The peer."""
        detail = board.peer(self.about)
        if detail is None:
            return Marked()
        row = detail.row
        return Marked(row.peer, called(row.alias, row.pubkey, row.peer, self.look.glyphs))

    def body(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        """The peer's sheet."""
        detail = board.peer(self.about)
        if detail is None:
            return ()
        history, peer = board.history, detail.row.peer
        advised = paint.of_peer(board.advice, peer)
        more = paint.More(
            curve=board.curve(self.about),
            curve_read=board.has(Part.CURVE, self.about),
            advice=board.advice,
            changes=tuple(c for c in history.changes if c.peer in (0, peer)) if history else (),
            command=command_for(advised[0], board) if advised else "",
        )
        return paint.page(detail, more, width, height, self.look.glyphs)
