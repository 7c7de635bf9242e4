"""The view Node."""

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from htlctop.export.views import View
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import node as paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.sheets import SheetScreen
from htlctop.ui.text import Line


class NodeScreen(SheetScreen):
    """The node, its collector and its store."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.NODE)]
    focus_of = Focus.NODE

    @property
    def needs(self) -> tuple[Need, ...]:
        """The node; the status, which every page has, is the newer one of the two."""
        return (Need(Part.NODE),)

    def taken(self, board: Board) -> View | None:
        """The node."""
        return board.node_detail

    def body(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        """The sheet."""
        view = board.node_detail
        if view is None:
            return ()
        # The store's size is read with its WAL's: it grows while nothing happens.
        status = replace(board.status or view.status, store_bytes=view.status.store_bytes)
        newest = replace(view, status=status)
        collects = not board.attached and not board.collector
        glyphs, access = self.look.glyphs, board.access
        return paint.page(newest, width, height, glyphs, collects=collects, access=access)
