"""The Overview: status, totals and chart above, the ranked table with Why, the live log below."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from htlctop.analysis.models import CategoryRow, Overview, Query
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.layout import WHY_WIDTH, Form, Layout, layout
from htlctop.ui.paint import live as live_paint
from htlctop.ui.paint import overview as paint
from htlctop.ui.paint import status as status_paint
from htlctop.ui.paint import why as why_paint
from htlctop.ui.peers import Row, children, columns, key
from htlctop.ui.reader import Part
from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.table.widget import Content, Table
from htlctop.ui.text import Line, Role, line, wrap
from htlctop.ui.widgets.lines import Look, Pane
from htlctop.ui.words import SORTED_BY


class OverviewScreen(BaseScreen):
    """The first page."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.OVERVIEW)]
    focus_of = Focus.OVERVIEW

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.head = Pane(look, id="head")
        self.chart = Pane(look, id="chart")
        self.table: Table[Row] = Table(look, columns(look.glyphs), key, children, id="peers")
        self.why = Pane(look, id="why")
        self.why_line = Pane(look, id="why-line")
        self.live = Pane(look, id="live")
        self._plan: Layout | None = None
        self._board = Board()
        self._held: Board | None = None

    def compose(self) -> Iterable[Widget]:
        """The panes from top to bottom."""
        yield self.head
        yield self.banner
        yield self.chart
        with Container(id="middle"):
            yield self.table
            yield self.why
        yield self.why_line
        yield self.live
        yield self.footer
        yield self.note_pane

    @property
    def log_lines(self) -> int:
        """As many as the live pane has room for."""
        return max(0, self._plan.live - 1) if self._plan else 0

    def lay_out(self, width: int, height: int) -> None:
        """Give each pane its height."""
        plan = self._plan = layout(width, height)
        self.set_height(self.head, plan.header)
        self.set_height(self.chart, plan.chart)
        self.set_height(self.why_line, plan.why_line)
        self.set_height(self.live, plan.live)
        self.why.display = plan.why_pane
        self.table.set_layout(title=plan.title, heads=plan.heads)
        self.show_footer(plan.footer)
        self.show(self._board)

    def show(self, board: Board) -> None:
        """Hand every pane its painter; what is frozen keeps the board it had."""
        self._board = board
        if not board.frozen:
            self._held = None
        elif self._held is None:
            self._held = board
        if self._plan is None:
            return
        self._show_banner(board, self._plan)
        glyphs, view = self.look.glyphs, board.overview
        stale = status_paint.is_stale(board)
        for pane in (self.chart, self.why, self.why_line, self.live, self.table):
            pane.dimmed = stale
        self.head.show(partial(paint.head, board, glyphs=glyphs))
        tee_at = self.size.width - WHY_WIDTH if self._plan.why_pane else None
        self.live.show(partial(_live, self._held or board, look=self.look, tee_at=tee_at))
        if view is None:
            self._show_nothing(board)
            return
        self.chart.show(lambda width, _: (paint.missed(view, width, glyphs),))
        self.why.show(partial(why_paint.pane, view.categories, glyphs=glyphs))
        self.why_line.show(partial(_why_line, view.categories, self._plan.form, look=self.look))
        self.table.show(_content(view, board))

    def _show_banner(self, board: Board, plan: Layout) -> None:
        glyphs = self.look.glyphs
        text = status_paint.reason(board)
        rows = len(wrap(text, max(1, self.size.width - 2), plan.banner))
        self.set_height(self.banner, rows)
        self.banner.show(partial(status_paint.banner, board, glyphs=glyphs))

    def _show_nothing(self, board: Board) -> None:
        text = board.failures.get(Part.OVERVIEW, "")
        empty = (f"cannot be read: {text}",) if text else ()
        query = board.query
        content: Content[Row] = Content((), query.sort, query.reverse, "Channels", empty, query)
        self.table.show(content)

    # Actions: what the keys of this screen do

    def action_down(self) -> None:
        """The cursor down."""
        self.table.move(1)

    def action_up(self) -> None:
        """The cursor up."""
        self.table.move(-1)

    def action_first(self) -> None:
        """The cursor to the first row."""
        self.table.home()

    def action_last(self) -> None:
        """The cursor to the last row."""
        self.table.end()

    def action_page_down(self) -> None:
        """The cursor down half a screen."""
        self.table.page(1)

    def action_page_up(self) -> None:
        """The cursor up half a screen."""
        self.table.page(-1)

    def action_deeper(self) -> None:
        """Unfold, or more columns."""
        self.table.deeper()

    def action_shallower(self) -> None:
        """Fewer columns, or fold."""
        self.table.shallower()

    def action_sort_next(self) -> None:
        """Sort by the column to the right."""
        self.table.step_sort(self._board.query.sort, 1)

    def action_sort_previous(self) -> None:
        """Sort by the column to the left."""
        self.table.step_sort(self._board.query.sort, -1)

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.post_message(Table.SortAsked(self._board.query.sort))

    def action_open(self) -> None:
        """Open the peer under the cursor."""
        self.table.open()


def _content(view: Overview, board: Board) -> Content[Row]:
    question: Query = board.question
    title = f"Channels by {SORTED_BY[question.sort]}, under their peers"
    if text := board.failures.get(Part.OVERVIEW):
        title = f"cannot be read: {text}"
    return Content(
        items=view.peers,
        sort=question.sort,
        reverse=question.reverse,
        title=title,
        empty=paint.expectation(view),
        question=question,
        frozen=board.frozen,
    )


def _live(
    board: Board, width: int, height: int, look: Look, tee_at: int | None
) -> tuple[Line, ...]:
    title = live_paint.rule("Live", width, look.glyphs, tee_at)
    if text := board.failures.get(Part.LOG):
        return title, line(f" cannot be read: {text}", Role.BAD)
    if not board.log:
        return title, line(" no forward seen yet" if board.log is not None else "", Role.DIM)
    return title, *live_paint.live(board.log, width, height - 1, look.glyphs)


def _why_line(
    categories: tuple[CategoryRow, ...], form: Form, width: int, height: int, look: Look
) -> tuple[Line, ...]:
    painter = why_paint.words if form is Form.NARROW else why_paint.bars
    return (painter(categories, width, look.glyphs),)
