"""Pages around one table: the keys that move its cursor, order, filter and open its rows."""

from collections.abc import Iterable
from functools import partial
from typing import Generic, Protocol, TypeVar

from textual.widget import Widget

from htlctop.analysis.filters import parse
from htlctop.errors import UsageError
from htlctop.export.format import clean, count
from htlctop.ui import asking
from htlctop.ui.board import Board
from htlctop.ui.messages import Open
from htlctop.ui.paint.overview import expectation
from htlctop.ui.parts import Part
from htlctop.ui.screens.base import BaseScreen, Copied
from htlctop.ui.screens.copying import copied_row
from htlctop.ui.subject import Subject
from htlctop.ui.table.widget import Table
from htlctop.ui.widgets.lines import Look
from htlctop.ui.widgets.prompt import Prompt

EXAMPLES = "kraken  why:liq  in:kraken  !out:acinq  /a.*z/"

Item = TypeVar("Item")


class FilteredScreen(BaseScreen):
    """A page with a prompt to filter it by: `shows` is the part that the filter chooses from.

    The filter is the app's: every view goes by it until it is removed.
    """

    shows: Part
    is_filtered = True

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.prompt = Prompt(look, "/", id="prompt")
        self._board = Board()
        self._filter_before = ""

    def compose(self) -> Iterable[Widget]:
        """The panes from top to bottom, the prompt over them."""
        yield from super().compose()
        yield self.prompt

    def action_filter(self) -> None:
        """Begin to type a filter, from the one there is; from none where that is not to be seen."""
        self._filter_before = self._board.query.filter
        self.prompt.open("" if self._board.is_masked else self._filter_before)
        self.hint()

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """Filter by what is typed so far, as soon as it can be understood."""
        message.stop()
        if why := _wrong(message.text):
            self.prompt.say(why, wrong=True)
        else:
            self.prompt.is_wrong = False
            self.ask(partial(asking.filtered, text=message.text))

    def on_prompt_closed(self, message: Prompt.Closed) -> None:
        """Keep the filter, or the one from before; what is none has to be mended first."""
        message.stop()
        text = self._filter_before if message.text is None else message.text
        if message.text is None or not _wrong(text):
            self.prompt.close()
            self.ask(partial(asking.filtered, text=text))

    def hint(self) -> None:
        """Say in the open prompt how many rows match, or what could be typed."""
        if self.prompt.is_open and not self.prompt.is_wrong:
            self.prompt.say(self.matches(self._board) if self.prompt.typed else EXAMPLES)

    def matches(self, board: Board) -> str:
        """How many rows the filter lets through, in words."""
        if text := board.failure(self.shows):
            return text
        view = board.ranking(self.shows)
        return f"{count(view.count)} of {count(view.unfiltered)}" if view else ""

    def empty(self, board: Board) -> tuple[str, ...]:
        """What is said in the place of rows where there are none."""
        view, question = board.ranking(self.shows), board.question(self.shows)
        if view is None or question is None:
            return ("reading ...",)
        if question.filter:
            return (f"nothing matches /{board.seen(question)}",)
        return expectation(view)

    def titled(self, title: str, board: Board) -> str:
        """A title with the filter before it; why nothing can be read in the place of both."""
        if text := board.failure(self.shows):
            return f"cannot be read: {text}"
        badge = self.filter_badge(board)
        return f"{badge} {self.look.glyphs.rule} {title}" if badge else title

    def filter_badge(self, board: Board) -> str:
        """The filter and how many rows match, "" without one; it stays on the screen."""
        text = board.filter
        return f"/{clean(text)}: {self.matches(board)}" if text else ""

    def peel(self) -> bool:
        """The prompt, then the filter."""
        if self.prompt.is_open:
            self.prompt.action_cancel()
        elif self._board.query.filter:
            self.ask(partial(asking.filtered, text=""))
        else:
            return False
        return True


class Movable(Protocol):
    """What the keys of such a page move in."""

    def move(self, lines: int) -> None: ...

    def page(self, direction: int) -> None: ...

    def home(self) -> None: ...

    def end(self) -> None: ...

    def open(self) -> None: ...


class TableScreen(FilteredScreen, Generic[Item]):
    """A page with a table that is filtered."""

    table: Table[Item]

    @property
    def in_focus(self) -> Movable:
        """The pane that has the keys."""
        return self.table

    def forget(self) -> None:
        """Let go what a freeze holds, in the table too."""
        super().forget()
        self.table.forget()

    def copied(self, board: Board) -> Copied | None:
        """The key or id of the row under the cursor."""
        entry = self.table.roster.current
        return copied_row(entry.item) if entry else None

    @property
    def explained(self) -> Subject | None:
        """The row's peer, channel, pair or HTLC."""
        entry = self.table.roster.current
        return entry.key if entry and isinstance(entry.key, Subject) else None

    # What the table asks for

    def on_table_opened(self, message: "Table.Opened") -> None:
        """Drill down."""
        message.stop()
        if isinstance(message.key, Subject):
            self.post_message(Open(message.key))

    def on_table_sort_asked(self, message: "Table.SortAsked") -> None:
        """Sort by another column, or the same the other way."""
        message.stop()
        self.ask(partial(asking.sort, key=message.sort, turn=message.turn))

    # Actions: what the keys of such a page do

    def action_down(self) -> None:
        """The cursor down."""
        self.in_focus.move(1)

    def action_up(self) -> None:
        """The cursor up."""
        self.in_focus.move(-1)

    def action_first(self) -> None:
        """The cursor to the first row."""
        self.in_focus.home()

    def action_last(self) -> None:
        """The cursor to the last row."""
        self.in_focus.end()

    def action_page_down(self) -> None:
        """The cursor down half a screen."""
        self.in_focus.page(1)

    def action_page_up(self) -> None:
        """The cursor up half a screen."""
        self.in_focus.page(-1)

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
        self.ask(_turned)

    def action_open(self) -> None:
        """Open what is under the cursor."""
        self.in_focus.open()


def _wrong(text: str) -> str:
    """Why this is no filter, "" where it is one."""
    try:
        parse(text)
    except UsageError as error:
        return str(error)
    return ""


def _turned(board: Board) -> Board:
    return asking.sort(board, board.query.sort, True)
