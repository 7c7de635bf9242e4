"""Every channel with every column."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from htlctop.analysis.models import Row
from htlctop.analysis.query import By
from htlctop.export.views import View
from htlctop.ui.board import Board
from htlctop.ui.channel_columns import every_column
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint import overview as paint
from htlctop.ui.paint import status as status_paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.ranking import Context, children, first_of_each, key, keys, kin
from htlctop.ui.screens.tables import TableScreen
from htlctop.ui.table.widget import Content, Table
from htlctop.ui.text import Line
from htlctop.ui.widgets.lines import Look
from htlctop.ui.words import SORTED_BY

WITH_TOTALS = 16
"""From this height on the node's totals stand above the table."""


class ChannelsScreen(TableScreen[Row]):
    """The wide table."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.CHANNELS)]
    focus_of = Focus.CHANNELS
    shows = Part.CHANNELS

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.table: Table[Row] = Table(look, key, children, kin, id="channels")

    def panes(self) -> Iterable[Widget]:
        """The table."""
        yield self.table

    @property
    def needs(self) -> tuple[Need, ...]:
        """The ranking, and what to do about it."""
        return Need(Part.CHANNELS), Need(Part.ADVICE)

    def lay_out(self, width: int, height: int) -> None:
        """Totals, footer and the table's title where there is room."""
        self.set_height(self.head, 2 if height >= WITH_TOTALS else 1)
        self.show_footer(1 if height >= 10 else 0)
        self.table.set_layout(title=height >= 10, heads=height >= 4)
        self.show(self._board)

    def show(self, board: Board) -> None:
        """Paint what changed."""
        self._board = board
        self.show_banner(board, 2)
        self.hint()
        self.table.dimmed = status_paint.is_stale(board)
        self.head.show(lambda width, height: self._head(board, width, height))
        self.table.show(self._content(board))

    def _head(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        glyphs = self.look.glyphs
        badge = "" if self.size.height >= 10 else self.filter_badge(board)
        lines = [status_paint.status(board, width, glyphs, badge)]
        if view := board.ranking(self.shows):
            lines.append(paint.totals(view, width, glyphs))
        return tuple(lines[:height])

    def _content(self, board: Board) -> Content[Row]:
        view, question = board.ranking(self.shows), board.question(self.shows) or board.query
        context = Context(
            By.CHANNEL,
            view.window if view else None,
            first_of_each(board.advice),
            width=self.size.width,
        )
        return Content(
            items=view.rows if view else (),
            keys=keys(view.rows, By.CHANNEL) if view else (),
            columns=every_column(self.look.glyphs, context),
            title=self.titled(f"Every channel by {SORTED_BY[question.sort]}", board),
            sort=question.sort,
            reverse=question.reverse,
            empty=self.empty(board),
            question=question,
            frozen=board.frozen,
        )

    def taken(self, board: Board) -> View | None:
        """The ranking."""
        return board.ranking(self.shows)
