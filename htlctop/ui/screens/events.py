"""The log as a table: live at the top, and back through the store as far as it goes."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from htlctop.analysis.models import HtlcLine, LogPage
from htlctop.analysis.query import Query
from htlctop.export.views import Events, View
from htlctop.ui.board import Board
from htlctop.ui.htlcs import NARROW, columns, key
from htlctop.ui.keys import Focus, bindings, key_of
from htlctop.ui.messages import NeedsChanged
from htlctop.ui.paint import status as status_paint
from htlctop.ui.parts import Need, Part
from htlctop.ui.reel import PAGE_LINES, Reel
from htlctop.ui.screens.tables import TableScreen
from htlctop.ui.table.roster import View as Sight
from htlctop.ui.table.widget import Content, Table
from htlctop.ui.widgets.lines import Look


class EventsScreen(TableScreen[HtlcLine]):
    """Every HTLC, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.EVENTS)]
    focus_of = Focus.EVENTS
    shows = Part.LOG

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.table: Table[HtlcLine] = Table(look, key, is_log=True, id="events")
        self._reel = Reel()
        self._reel_of: Query | None = None
        self._wanted: int | None = None

    def panes(self) -> Iterable[Widget]:
        """The table."""
        yield self.table

    @property
    def needs(self) -> tuple[Need, ...]:
        """The newest, and the older ones that come into view; of those in view that were in
        flight, how they went on."""
        newest = Need(Part.LOG, lines=PAGE_LINES)
        older = self._wanted
        if older is None and not self._board.frozen:
            older = self._reel.hanging(*self._in_view)
        if older is None:
            return (newest,)
        return newest, Need(Part.PAGE, lines=PAGE_LINES, before_seq=older)

    @property
    def _in_view(self) -> tuple[int, int]:
        """The first and the last line in view, by their places in what is loaded."""
        roster = self.table.roster
        return roster.top, roster.top + roster.height - 1

    @property
    def is_following(self) -> bool:
        """Whether the newest is at the top, and stays there."""
        return self.table.roster.view is Sight.TOP

    def lay_out(self, width: int, height: int) -> None:
        """The footer and the table's title where there is room."""
        self.show_footer(1 if height >= 10 else 0)
        self.table.set_layout(title=height >= 10, heads=height >= 8)
        self.show(self._board)

    def show(self, board: Board) -> None:
        """Take over what came in, as far as the view is not standing still."""
        self._board = board
        self.show_status(board, "" if self.size.height >= 10 else self.filter_badge(board))
        self.hint()
        self.table.dimmed = status_paint.is_stale(board)
        self._take(board)
        self._show_lines(board)

    def _take(self, board: Board) -> None:
        newest, question = board.log, board.question(Part.LOG)
        if newest is None or question is None:
            return
        of = Query(until_ns=question.until_ns, filter=question.filter)
        is_other = of != self._reel_of
        if is_other:
            self._reel, self._reel_of, self._wanted = Reel(), of, None
        if is_other or (self.is_following and not board.frozen):
            self._reel.follow(newest)
        elif not board.frozen:
            self._reel.stand(newest)
        page = board.page
        if page and page.need.before_seq is not None and self._answers(page.query, of):
            found = page.value
            assert isinstance(found, LogPage)
            if page.need.before_seq == self._wanted:
                self._reel.add(self._wanted, found)
                self._wanted = None
            else:
                self._reel.renew(page.need.before_seq, found.lines)

    @staticmethod
    def _answers(query: Query, of: Query) -> bool:
        return (query.until_ns, query.filter) == (of.until_ns, of.filter)

    def _show_lines(self, board: Board) -> None:
        glyphs, lines = self.look.glyphs, self._reel.lines
        now_ns = board.status.now_ns if board.status else 0
        title = "Events, newest first" if self.size.width >= NARROW else "Events"
        if self._reel.has_newer and not self.is_following:
            title += f" {glyphs.rule} newer ones above, {key_of('first', glyphs.ascii)}"
        if text := board.failure(Part.PAGE):
            title = f"cannot be read: {text}"
        self.table.show(
            Content(
                items=lines,
                columns=columns(lines, now_ns, self.size.width, glyphs),
                title=self.titled(title, board),
                empty=self.empty(board),
                question=self._reel_of,
                has_more=self._reel.has_more,
            )
        )
        self._look_ahead()

    def empty(self, board: Board) -> tuple[str, ...]:
        """What is said in the place of lines where there are none."""
        if board.log is None:
            return ("reading ...",)
        if not (text := board.filter):
            return ("no forward seen yet",)
        if self._reel.has_more:
            return (f"looking for /{text} further back ...",)
        return (f"nothing matches /{text}",)

    def _look_ahead(self) -> None:
        """Want the page that the view comes near to."""
        wanted, roster = self._reel.wanted(*self._in_view), self.table.roster
        if self.is_following and not roster.cursor and len(roster) >= roster.height:
            wanted = None
        if wanted is not None and wanted != self._wanted:
            self._wanted = wanted
            self.post_message(NeedsChanged())

    def matches(self, board: Board) -> str:
        """How many of those loaded; how many there are in all is not known until the end."""
        if text := board.failure(Part.LOG):
            return text
        more = "+" if self._reel.has_more else ""
        return f"{len(self._reel.lines)}{more}"

    def taken(self, board: Board) -> View | None:
        """What is loaded."""
        if board.node is None or board.status is None:
            return None
        return Events(board.node, board.status, board.window, self._reel.lines)

    def on_table_moved(self, message: "Table.Moved") -> None:
        """Where the cursor went, more may be wanted; back at the top, the newest is shown."""
        message.stop()
        if self.is_following:
            self.show(self._board)
        else:
            self._look_ahead()
