"""Every channel with every column."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from htlctop.analysis.models import By, Row
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
from htlctop.ui.widgets.lines import Look, Pane
from htlctop.ui.words import SORTED_BY

WITH_TOTALS = 16
"""From this height on the node's totals stand above the table."""


class ChannelsScreen(TableScreen):
    """The wide table."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.CHANNELS)]
    focus_of = Focus.CHANNELS

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.head = Pane(look, id="head")
        self.table: Table[Row] = Table(look, key, children, kin, id="channels")

    def compose(self) -> Iterable[Widget]:
        """The panes from top to bottom."""
        yield self.head
        yield self.banner
        yield self.table
        yield self.footer
        yield self.note_pane
        yield self.prompt

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
        if board.channels:
            lines.append(paint.totals(board.channels, width, glyphs))
        return tuple(lines[:height])

    def _content(self, board: Board) -> Content[Row]:
        view, question = board.channels, board.question(Part.CHANNELS) or board.query
        title = f"Every channel by {SORTED_BY[question.sort]}"
        if badge := self.filter_badge(board):
            title = f"{badge} {self.look.glyphs.rule} {title}"
        if text := board.failure(Part.CHANNELS):
            title = f"cannot be read: {text}"
        empty: tuple[str, ...] = ("reading ...",) if view is None else paint.expectation(view)
        if view is not None and question.filter:
            empty = (f"nothing matches /{board.seen(question)}",)
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
            title=title,
            sort=question.sort,
            reverse=question.reverse,
            empty=empty,
            question=question,
            frozen=board.frozen,
        )

    def matches(self, board: Board) -> str:
        """How many channels the filter lets through."""
        if text := board.failure(Part.CHANNELS):
            return text
        view = board.channels
        return f"{len(view.rows)} of {view.unfiltered}" if view else ""

    def taken(self, board: Board) -> View | None:
        """The ranking."""
        return board.channels
