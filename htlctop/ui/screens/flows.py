"""The view Flows: who wanted to reach whom."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar, cast

from textual import events
from textual.binding import BindingType
from textual.timer import Timer
from textual.widget import Widget

from htlctop.analysis.models import PairRow
from htlctop.analysis.rows import Rows
from htlctop.export.views import View as Taken
from htlctop.ui import subject
from htlctop.ui.board import Board
from htlctop.ui.flows import Flows
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.messages import Open
from htlctop.ui.paint import flows as paint
from htlctop.ui.paint import status as status_paint
from htlctop.ui.paint.parts import paragraph
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.base import Copied
from htlctop.ui.screens.copying import copied_pair
from htlctop.ui.screens.tables import FilteredScreen
from htlctop.ui.subject import Subject
from htlctop.ui.table.widget import HOLD_ORDER_S
from htlctop.ui.text import Line, Role
from htlctop.ui.widgets.lines import Look, Pane


class FlowsPane(Pane):
    """The matrix or the list: a click moves the cursor, a second one opens, the wheel steps."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self.view = paint.View()

    def on_click(self, event: events.Click) -> None:
        """Tell the page where it was."""
        event.stop()
        assert isinstance(self.screen, FlowsScreen)
        self.screen.clicked(event.x, event.y, twice=event.chain == 2)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor."""
        event.stop()
        assert isinstance(self.screen, FlowsScreen)
        self.screen.action_down()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor."""
        event.stop()
        assert isinstance(self.screen, FlowsScreen)
        self.screen.action_up()


class FlowsScreen(FilteredScreen):
    """Pairs as a matrix with a cursor, or ranked in a list where there is no room for one."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.FLOWS)]
    focus_of = Focus.FLOWS
    shows = Part.FLOWS

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.pane = FlowsPane(look, id="flows")
        self.flows = Flows()
        self.as_list = False
        self._hold: Timer | None = None
        self._question: object = None
        self._taken: object = None

    def panes(self) -> Iterable[Widget]:
        """The matrix or the list."""
        yield self.pane

    @property
    def needs(self) -> tuple[Need, ...]:
        """The pairs."""
        return (Need(Part.FLOWS),)

    def taken(self, board: Board) -> Taken | None:
        """The pairs."""
        return board.ranking(self.shows)

    def copied(self, board: Board) -> Copied | None:
        """The public keys of the pair under the cursor."""
        pair = self._current
        return copied_pair(pair) if pair else None

    @property
    def explained(self) -> Subject | None:
        """The pair under the cursor."""
        pair = self._current
        return subject.pair(pair.in_peer, pair.out_peer) if pair else None

    def lay_out(self, width: int, height: int) -> None:
        """The footer where there is room."""
        self.show_footer(1 if height >= 10 else 0)
        self.show(self._board)

    def show(self, board: Board) -> None:
        """Take the newest pairs over, unless they are frozen."""
        self._board = board
        self.show_status(board, self.filter_badge(board))
        self.hint()
        self.pane.dimmed = status_paint.is_stale(board)
        held = self.held(board)
        self._take(held)
        self.pane.show(partial(self._page, held))

    def _take(self, board: Board) -> None:
        """Take the pairs over where there are new ones, in their old order while it is held."""
        view, question = board.ranking(self.shows), board.question(self.shows)
        taken = view, self._hold is not None
        if view is None or view.matrix is None or taken == self._taken:
            return
        keep_order = self._hold is not None and question == self._question
        pairs = cast("Rows[PairRow]", view.rows)
        self.flows.replace(pairs, view.matrix, view.count, keep_order=keep_order)
        self._taken, self._question = taken, question

    def _page(self, board: Board, width: int, height: int) -> tuple[Line, ...]:
        if text := board.failure(Part.FLOWS):
            return tuple(paragraph(f"cannot be read: {text}", width, Role.BAD))
        empty, glyphs = self.empty(board), self.look.glyphs
        return paint.page(self.flows, self.pane.view, empty, width, height, glyphs, self.as_list)

    @property
    def _current(self) -> PairRow | None:
        return self.flows.listed if self.pane.view.is_list else self.flows.current

    def _touched(self) -> None:
        """Show where the cursor is, and hold the order for a while."""
        if self._hold is not None:
            self._hold.stop()
        self._hold = self.set_timer(HOLD_ORDER_S, self._release, name="hold order")
        self.pane.repaint()

    def _release(self) -> None:
        self._hold = None
        self.show(self._board)

    def clicked(self, x: int, y: int, twice: bool) -> None:
        """Put the cursor where the mouse clicked; twice opens it."""
        at = self.pane.view.hit(x, y)
        if at is not None:
            self.flows.go(at)
            self._touched()
            if twice:
                self.action_open()

    # Actions: what the keys of this page do

    def _move(self, rows: int, columns: int = 0) -> None:
        if self.pane.view.is_list:
            self.flows.step(rows)
        else:
            self.flows.move(rows, columns)
        self._touched()

    def action_down(self) -> None:
        """To the next in-peer, or pair of the list."""
        self._move(1)

    def action_up(self) -> None:
        """To the in-peer or pair before."""
        self._move(-1)

    def action_to_right(self) -> None:
        """To the next out-peer."""
        self._move(0, 1)

    def action_to_left(self) -> None:
        """To the out-peer before."""
        self._move(0, -1)

    def action_first(self) -> None:
        """To the first row."""
        self._move(-len(self.flows.pairs))

    def action_last(self) -> None:
        """To the last row."""
        self._move(len(self.flows.pairs))

    def action_page_down(self) -> None:
        """Half a screen down."""
        self._move(max(1, self.pane.size.height // 2))

    def action_page_up(self) -> None:
        """Half a screen up."""
        self._move(-max(1, self.pane.size.height // 2))

    def action_as_list(self) -> None:
        """The other form, where there is room for both."""
        if not paint.has_room(*self.pane.size):
            size = f"{paint.MATRIX_FROM} columns and {paint.MATRIX_LINES + 1} lines"
            self.note(f"the matrix has no room here; it needs {size}")
            return
        self.as_list = not self.as_list
        self.pane.repaint()

    def action_open(self) -> None:
        """Open the pair under the cursor."""
        if about := self.explained:
            self.post_message(Open(about))
