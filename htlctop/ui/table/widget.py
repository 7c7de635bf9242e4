"""The table on screen: title, column heads, rows; keys and clicks move the cursor or ask."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from textual import events
from textual.message import Message
from textual.timer import Timer

from htlctop.analysis.query import SortKey
from htlctop.ui.paint.parts import rule
from htlctop.ui.table.columns import Column, Plan, plan
from htlctop.ui.table.roster import Entry, Key, Roster
from htlctop.ui.text import BLANK, Line, Role, fit, left, line, right
from htlctop.ui.widgets.lines import Lines, Look, guarded

Item = TypeVar("Item")

HOLD_ORDER_S = 3.0
WHEEL_LINES = 2


@dataclass(frozen=True, slots=True)
class Content(Generic[Item]):
    """What a table is to show. `question` changes when the user asked for something else.

    `keys` are the items' where they are known without looking at every item. `sort` is None where
    the order is no column's; `empty` is what it says without rows; `frozen` keeps rows that are
    there as they are; `has_more` where others follow the last one.
    """

    items: Sequence[Item]
    columns: Sequence[Column[Item]]
    title: str
    sort: SortKey | None = None
    reverse: bool = False
    empty: Sequence[str] = ()
    question: Hashable = None
    frozen: bool = False
    has_more: bool = False
    keys: Sequence[Key] | None = None


def _childless(item: object) -> tuple[()]:
    return ()


class Table(Lines, Generic[Item]):
    """Rows with a cursor that follows its row: ranked ones, or (`is_log`) a log in its own order.

    Moving the cursor holds the order for 3 s; frozen content holds everything until the user asks
    for another sort or window.
    """

    @dataclass
    class Opened(Message):
        """The user opened the line under the cursor."""

        key: Key

    @dataclass
    class SortAsked(Message):
        """The user chose a column to sort by; `turn` where it may be the one sorted by already.

        That one then means the other way round.
        """

        sort: SortKey
        turn: bool = True

    class Moved(Message):
        """The user moved the cursor or the view."""

    def __init__(
        self,
        look: Look,
        key: Callable[[Item], Key],
        children: Callable[[Item], Sequence[Item]] = _childless,
        kin: Callable[[Item], Key] | None = None,
        *,
        is_log: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(look, id=id)
        self.roster: Roster[Item] = Roster(key, children, kin, is_log=is_log)
        self._is_log = is_log
        self.has_keys = True
        self._newest: Content[Item] | None = None
        self._taken: Content[Item] | None = None
        self._hold: Timer | None = None
        self._page = 0
        self._plan: Plan[Item] | None = None
        self._with_title = self._with_heads = True

    @property
    def is_holding(self) -> bool:
        """Whether the order is held because the cursor was just moved."""
        return self._hold is not None

    def show(self, content: Content[Item]) -> int:
        """Take new content over as far as nothing is held; how many lines changed."""
        self._newest = content
        asked = self._taken is None or self._taken.question != content.question
        if content.frozen and not asked and self._taken and self._taken.items:
            return self.repaint()
        self._taken = content
        held = self.is_holding and not asked and not self._is_log
        self.roster.replace(content.items, content.keys, keep_order=held)
        return self.repaint()

    def forget(self) -> None:
        """Hold nothing: the next content is taken over, frozen or not."""
        self._taken = None

    def set_layout(self, *, title: bool, heads: bool) -> None:
        """Whether there is room for a title and for column heads."""
        self._with_title, self._with_heads = title, heads
        self._resized()

    def on_resize(self, event: events.Resize) -> None:
        """Lay out anew."""
        self._resized()

    def _resized(self) -> None:
        self.roster.resize(self.size.height - self._first_row)
        self.repaint()

    @property
    def _first_row(self) -> int:
        return int(self._with_title) + int(self._with_heads)

    # What keys do

    def move(self, lines: int) -> None:
        """Move the cursor by some lines."""
        self.roster.move_to(self.roster.cursor + lines)
        self._touched()

    def page(self, direction: int) -> None:
        """Move the cursor by half a screen."""
        self.move(direction * max(1, self.roster.height // 2))

    def home(self) -> None:
        """To the first row."""
        self.roster.home()
        self._touched()

    def end(self) -> None:
        """To the last row."""
        self.move(len(self.roster))

    def deeper(self) -> None:
        """Unfold the row; where there is nothing to unfold, the next columns."""
        if not self.roster.unfold():
            self._page = (self._page + 1) if self._plan and self._page + 1 < self._plan.pages else 0
        self._touched()

    def shallower(self) -> None:
        """Back to the columns before; on the first ones, fold the row."""
        if self._page:
            self._page -= 1
        else:
            self.roster.fold()
        self._touched()

    def step_sort(self, asked: SortKey, direction: int) -> None:
        """Ask for the sortable column beside the one asked for last, round and round."""
        columns = self._newest.columns if self._newest else ()
        keys = [column.sort for column in columns if column.sort] or [asked]
        at = keys.index(asked) if asked in keys else 0
        self.post_message(self.SortAsked(keys[(at + direction) % len(keys)], turn=False))

    def open(self) -> None:
        """Ask for what is behind the row."""
        if entry := self.roster.choose():
            self.post_message(self.Opened(entry.key))

    def _touched(self) -> None:
        if self._hold is not None:
            self._hold.stop()
        self._hold = self.set_timer(HOLD_ORDER_S, self.release, name="hold order")
        self.repaint()
        self.post_message(self.Moved())

    def release(self) -> None:
        """Let the order go, and show what was held back."""
        if self._hold is not None:
            self._hold.stop()
        self._hold = None
        if self._newest is not None:
            self.show(self._newest)

    # What the mouse does

    def on_click(self, event: events.Click) -> None:
        """A head sorts by its column; a row takes the cursor, twice opens it."""
        event.stop()
        row = event.y - self._first_row
        if row >= 0:
            index = self.roster.top + row
            if index < len(self.roster):
                self.roster.move_to(index)
                self._touched()
                if event.chain == 2:
                    self.open()
        elif self._with_heads and row == -1 and self._plan:
            for shown in self._plan.shown:
                if shown.x <= event.x < shown.x + shown.width and shown.column.sort:
                    self.post_message(self.SortAsked(shown.column.sort))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the view, not the cursor."""
        event.stop()
        self.roster.scroll(WHEEL_LINES)
        self._touched()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the view, not the cursor."""
        event.stop()
        self.roster.scroll(-WHEEL_LINES)
        self._touched()

    # Painting

    def repaint(self) -> int:
        """Paint what is in view; how many lines changed."""
        width, height = self.size
        content = self._taken
        if not width or not height or content is None:
            return 0
        return self.put(guarded(partial(self._lines, content), width, height))

    def _lines(self, content: Content[Item], width: int, height: int) -> list[Line]:
        margin = 2 if width >= 60 else 1
        self._plan = plan(content.columns, width, self._page, content.sort, margin)
        self._page = self._plan.page
        lines: list[Line] = []
        if self._with_title:
            lines.append(self._title(content, width))
        if self._with_heads:
            lines.append(self._heads(content, width))
        if not len(self.roster):
            lines.extend([BLANK, *(line(f"  {text}", Role.DIM) for text in content.empty)])
        at = self.roster.cursor - self.roster.top
        lines.extend(
            self._row(entry, width, margin, index == at and self.has_keys)
            for index, entry in enumerate(self.roster.visible)
        )
        return lines

    def _title(self, content: Content[Item], width: int) -> Line:
        glyphs = self.look.glyphs
        text = self._newest.title if self._newest else content.title
        more = "+" if content.has_more else ""
        before, after = self._page > 0, self._plan and self._page + 1 < self._plan.pages
        place = f" {self.roster.cursor + 1}/{len(self.roster)}{more} "
        place = f"{glyphs.left if before else ''}{place}{glyphs.cursor if after else ''}"
        room = width - len(place) - 1
        if not len(self.roster) or room < 12:
            return rule(text, width, glyphs)
        tail = (place + glyphs.rule, Role.TITLE)
        return (*rule(text, room, glyphs), tail)

    def _heads(self, content: Content[Item], width: int) -> Line:
        glyphs, pieces, x = self.look.glyphs, [], 0
        for shown in self._plan.shown if self._plan else ():
            column = shown.column
            text, role = column.title, Role.DIM
            if column.sort and column.sort is content.sort:
                text, role = text + (glyphs.up if content.reverse else glyphs.down), Role.STRONG
            side = left if column.to_left else right
            pieces.append((" " * (shown.x - x), Role.TEXT))
            pieces.append((side(text, shown.width, glyphs.more), role))
            x = shown.x + shown.width
        return fit(tuple(pieces), width, glyphs.more)

    def _row(self, entry: Entry[Item], width: int, margin: int, under_cursor: bool) -> Line:
        glyphs = self.look.glyphs
        mark = glyphs.cursor if under_cursor else " "
        pieces, x = [(left(mark, margin), Role.TEXT)], margin
        for shown in self._plan.shown if self._plan else ():
            if shown.x > x:
                pieces.append((" " * (shown.x - x), Role.TEXT))
            text, role = shown.column.paint(entry.item, shown.width)
            side = left if shown.column.to_left else right
            pieces.append((side(text, shown.width, glyphs.more), role))
            x = shown.x + shown.width
        row = fit(tuple(pieces), width, glyphs.more)
        return tuple((text, Role.CURSOR) for text, _ in row) if under_cursor else row
