"""The Overview: status, totals and chart above, the ranked table with Why, the live log below."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from htlctop.analysis.models import CategoryRow, Overview, Row
from htlctop.ui import asking
from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings, key_of
from htlctop.ui.layout import WHY_WIDTH, Form, Layout, layout, next_form
from htlctop.ui.messages import Open
from htlctop.ui.paint import live as live_paint
from htlctop.ui.paint import overview as paint
from htlctop.ui.paint import status as status_paint
from htlctop.ui.paint import why as why_paint
from htlctop.ui.paint.parts import rule
from htlctop.ui.parts import Need, Part
from htlctop.ui.ranking import Context, children, columns, first_of_each, key, keys, kin
from htlctop.ui.screens.base import Copied
from htlctop.ui.screens.copying import copied_row
from htlctop.ui.screens.tables import Movable, TableScreen
from htlctop.ui.subject import Subject, htlc
from htlctop.ui.table.widget import Content, Table
from htlctop.ui.text import Line, Role, line
from htlctop.ui.trickle import LOOK_BACK
from htlctop.ui.widgets.lines import Look, Pane
from htlctop.ui.widgets.live import LiveLog
from htlctop.ui.words import GROUPED, SORTED_BY


class OverviewScreen(TableScreen[Row]):
    """The first page."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.OVERVIEW)]
    focus_of = Focus.OVERVIEW
    shows = Part.OVERVIEW

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.chart = Pane(look, id="chart")
        self.table: Table[Row] = Table(look, key, children, kin, id="peers")
        self.why = Pane(look, id="why")
        self.why_line = Pane(look, id="why-line")
        self.live = LiveLog(look, id="live")
        self._plan: Layout | None = None

    def panes(self) -> Iterable[Widget]:
        """The chart, the table with Why beside it, or below it in one line, and the live log."""
        yield self.chart
        with Container(id="middle"):
            yield self.table
            yield self.why
        yield self.why_line
        yield self.live

    @property
    def focus_now(self) -> Focus:
        """The live log has the keys, or the table."""
        return Focus.LIVE if self.live.has_keys else self.focus_of

    @property
    def in_focus(self) -> Movable:
        """The live log, or the table."""
        return self.live if self.live.has_keys else self.table

    @property
    def needs(self) -> tuple[Need, ...]:
        """The ranking, what to do, and as much of the log as the live pane has room for."""
        lines = max(0, self._plan.live - 1) if self._plan else 0
        return (
            *((Need(Part.LOG, lines=lines + LOOK_BACK),) if lines else ()),
            Need(Part.OVERVIEW),
            Need(Part.ADVICE),
        )

    def lay_out(self, width: int, height: int) -> None:
        """Give each pane its height."""
        plan = self._plan = layout(width, height, self._board.form)
        self.set_height(self.head, plan.header)
        self.set_height(self.chart, plan.chart)
        self.set_height(self.why_line, plan.why_line)
        self.set_height(self.live, plan.live)
        self.why.display = plan.why_pane
        self.table.set_layout(title=plan.title, heads=plan.heads)
        if not plan.live:
            self.live.give_keys(False)
        self.show_footer(plan.footer)
        self.show(self._board)

    def show(self, board: Board) -> None:
        """Hand every pane its painter; what is frozen keeps the board it had."""
        was, self._board = self._board, board
        if self._plan is None:
            return
        if board.form is not was.form:
            self.lay_out(*self.size)
            return
        self.show_banner(board, self._plan.banner)
        self.hint()
        glyphs, view, held = self.look.glyphs, board.overview, self.held(board)
        stale = status_paint.is_stale(board)
        for pane in (self.chart, self.why, self.why_line, self.live, self.table):
            pane.dimmed = stale
        self.table.has_keys = not self.live.has_keys
        badge = "" if self._plan.title else self.filter_badge(board)
        self.head.show(
            partial(paint.head, board, glyphs=glyphs, advice=self._plan.advice, badge=badge)
        )
        tee_at = self.size.width - WHY_WIDTH if self._plan.why_pane else None
        self._take_live(held)
        self.live.show(partial(_live, held, self.live, tee_at=tee_at))
        if view is None:
            self._show_nothing(board)
            return
        self.chart.show(lambda width, _: (paint.missed(view, width, glyphs),))
        self.why.show(partial(why_paint.pane, view.categories, glyphs=glyphs))
        self.why_line.show(partial(_why_line, view.categories, self._plan.form, look=self.look))
        self.table.show(self._content(view, board))

    def _take_live(self, board: Board) -> None:
        """What the live pane shows: a few new ones at a time."""
        question = board.question(Part.LOG)
        room = max(0, self._plan.live - 1) if self._plan else 0
        of = (question.until_ns, question.filter) if question else None
        self.live.take(board.log.lines if board.log else (), of, room)

    def _show_nothing(self, board: Board) -> None:
        text = board.failure(Part.OVERVIEW)
        empty = (f"cannot be read: {text}",) if text else ()
        self.table.show(
            Content((), (), "Channels", board.query.sort, board.query.reverse, empty, board.query)
        )

    def copied(self, board: Board) -> Copied | None:
        """The key or id of the row or line under the cursor."""
        return copied_row(self.live.current) if self.live.has_keys else super().copied(board)

    @property
    def explained(self) -> Subject | None:
        """That of the row or line under the cursor."""
        one = self.live.current
        return htlc(one.seq) if one else super().explained

    def peel(self) -> bool:
        """Out of the live log, then as on every page with a table."""
        if not self.live.has_keys or self.prompt.is_open:
            return super().peel()
        self._give_keys(False)
        return True

    def _give_keys(self, to_live: bool) -> None:
        self.live.give_keys(to_live)
        self.lay_out(*self.size)

    def on_table_moved(self, message: "Table.Moved") -> None:
        """Who moves in the table by mouse has its keys too."""
        message.stop()
        if self.live.has_keys:
            self._give_keys(False)

    def on_live_log_clicked(self, message: LiveLog.Clicked) -> None:
        """The log has the keys."""
        message.stop()
        self._give_keys(True)

    def on_live_log_opened(self, message: LiveLog.Opened) -> None:
        """Drill down."""
        message.stop()
        if one := self.live.current:
            self.post_message(Open(htlc(one.seq)))

    # Actions: what the keys of this screen do

    def action_pane(self) -> None:
        """To the live log and back, where it is shown."""
        if self._plan is None or not self._plan.live:
            self.note(f"the live log has no room here; {key_of('events')} shows it")
        else:
            self._give_keys(not self.live.has_keys)

    def action_group(self) -> None:
        """Other rows."""
        self.ask(asking.group)

    def action_layout(self) -> None:
        """Another arrangement."""
        form = next_form(self._board.form)
        self.ask(partial(asking.arranged, form=form))
        self.note(f"arrangement: {form.value if form else 'by size'}")

    def _content(self, view: Overview, board: Board) -> Content[Row]:
        question = board.question(Part.OVERVIEW) or board.query
        title = GROUPED[question.by].format(SORTED_BY[question.sort])
        context = Context(
            question.by, view.window, first_of_each(board.advice), width=self.size.width
        )
        return Content(
            items=view.rows,
            keys=keys(view.rows, question.by),
            has_more=view.count > len(view.rows),
            columns=columns(self.look.glyphs, context),
            title=self.titled(title, board),
            sort=question.sort,
            reverse=question.reverse,
            empty=self.empty(board),
            question=question,
            frozen=board.frozen,
        )


def _live(
    board: Board, pane: LiveLog, width: int, height: int, tee_at: int | None
) -> tuple[Line, ...]:
    glyphs = pane.look.glyphs
    held = f", standing still; {key_of('pane', glyphs.ascii)} goes back" if pane.has_keys else ""
    title = rule(f"Live{held}", width, glyphs, tee_at)
    if text := board.failure(Part.LOG):
        return title, line(f" cannot be read: {text}", Role.BAD)
    if board.log is None or not board.log.lines:
        return title, line(f" {_no_forward(board)}", Role.DIM)
    return title, *live_paint.live(pane.entries, width, height - 1, glyphs, pane.current)


def _no_forward(board: Board) -> str:
    """Why the live log is empty, "" before it was read."""
    if board.log is None:
        return ""
    if not board.query.filter:
        return "no forward seen yet"
    among = "" if board.log.older_seq is None else " of late"
    return f"no forward{among} matches the filter"


def _why_line(
    categories: tuple[CategoryRow, ...], form: Form, width: int, height: int, look: Look
) -> tuple[Line, ...]:
    painter = why_paint.words if form is Form.NARROW else why_paint.bars
    return (painter(categories, width, look.glyphs),)
