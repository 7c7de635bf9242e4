"""The view Opportunities: what to do about it, and the evidence of each."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from htlctop.analysis.advice.models import Advice, Opportunity
from htlctop.export.views import View
from htlctop.ui import subject
from htlctop.ui.board import Board
from htlctop.ui.chances import columns, key
from htlctop.ui.keys import Focus, bindings, key_of
from htlctop.ui.messages import Open
from htlctop.ui.paint import advice as paint
from htlctop.ui.paint import status as status_paint
from htlctop.ui.paint.parts import paragraph, rule
from htlctop.ui.parts import Need, Part
from htlctop.ui.screens.base import BaseScreen, Copied
from htlctop.ui.screens.copying import command_for, copied_advice
from htlctop.ui.subject import Subject
from htlctop.ui.table.columns import Column
from htlctop.ui.table.widget import Content, Table
from htlctop.ui.text import Line, Role, line
from htlctop.ui.widgets.lines import Look, Pane
from htlctop.ui.widgets.sheet import Sheet

_BESIDE_FROM = 18
"""From this height on the evidence of the row under the cursor stands below the table."""

_TOLD_FROM = 10
"""Below this height the list has what room there is."""


class OpportunitiesScreen(BaseScreen):
    """Ranked advice; ⏎ turns to the evidence of a row, ⏎ again opens its peer, u goes back.

    `is_evidence`: the evidence has the keys; `_is_alone`: and the whole page, for reading.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.OPPORTUNITIES)]
    focus_of = Focus.OPPORTUNITIES

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.told = Pane(look, id="told")
        self.table: Table[Opportunity] = Table(look, key, id="opportunities")
        self._columns = columns(look.glyphs)
        self.sheet = Sheet(look, id="evidence")
        self.is_evidence = self._is_alone = False
        self._board = Board()

    def panes(self) -> Iterable[Widget]:
        """What is to be said of it all, the list, and the evidence of one."""
        yield self.told
        yield self.table
        yield self.sheet

    @property
    def focus_now(self) -> Focus:
        """The evidence has the keys, or the table."""
        return Focus.EVIDENCE if self.is_evidence else self.focus_of

    @property
    def needs(self) -> tuple[Need, ...]:
        """The advice."""
        return (Need(Part.ADVICE),)

    def taken(self, board: Board) -> View | None:
        """The advice."""
        return board.advice

    def copied(self, board: Board) -> Copied | None:
        """The command of the row under the cursor."""
        one = self._current()
        return copied_advice(one, board) if one else None

    def _current(self) -> Opportunity | None:
        entry = self.table.roster.current
        return entry.item if entry else None

    @property
    def explained(self) -> Subject | None:
        """The peer that the row under the cursor is about."""
        one = self._current()
        return subject.peer(one.peer) if one else None

    @property
    def explained_first(self) -> str:
        """The arithmetic of that advice."""
        one = self._current()
        return f"Advice: {one.kind.value}" if one else super().explained_first

    def lay_out(self, width: int, height: int) -> None:
        """The table, the evidence, or both where there is room."""
        self.show_footer(1 if height >= 10 else 0)
        self.table.has_keys = not self.is_evidence
        self.table.set_layout(title=height >= 8, heads=height >= 5)
        self.show(self._board)

    def show(self, board: Board) -> None:
        """The newest advice, or the one frozen."""
        self._board = board
        self.show_status(board)
        held = self.held(board)
        for pane in (self.told, self.table, self.sheet):
            pane.dimmed = status_paint.is_stale(board)
        view = held.advice
        rows = len(view.opportunities) if view else 0
        both = bool(rows) and self.size.height >= _BESIDE_FROM and not self._is_alone
        self.table.display = not self.is_evidence or both
        self.sheet.display = self.is_evidence or both
        self._show_told(view)
        self.table.styles.height = self._table_height(rows)
        self.table.show(_content(view, held, self._columns, self.size.width))
        self._show_evidence()

    def _table_height(self, rows: int) -> str | int:
        """Where the evidence stands below, no more than the rows take, and at most half."""
        if not (self.table.display and self.sheet.display):
            return "1fr"
        return min(max(rows, 3) + 2, self.size.height // 2)

    def _show_told(self, view: Advice | None) -> None:
        text = paint.told(view) if view else ""
        most = 2 if self.size.width >= 60 else 4
        rows = paragraph(text, self.size.width, Role.WARN, most)
        is_shown = self.table.display and self.size.height >= _TOLD_FROM
        self.set_height(self.told, len(rows) if is_shown else 0)
        self.told.show(lambda width, _: paragraph(text, width, Role.WARN, most))

    def _show_evidence(self) -> None:
        self.sheet.show(partial(self._evidence, self._current(), self.held(self._board)))

    def _evidence(
        self, one: Opportunity | None, board: Board, width: int, height: int
    ) -> tuple[Line, ...]:
        view = board.advice
        glyphs = self.look.glyphs
        hint = f"; {key_of('back', glyphs.ascii)} back"
        if width >= 60:
            hint += f", {key_of('open', glyphs.ascii)} opens the peer"
        text = f"{paint.heading(view)}, and why"
        title = rule(f"{glyphs.cursor} {text}{hint}" if self.is_evidence else text, width, glyphs)
        if one is None or view is None:
            return title, line(" nothing under the cursor", Role.DIM)
        return title, *paint.evidence(one, view, command_for(one, board), width, glyphs)

    def peel(self) -> bool:
        """Back from the evidence to the list."""
        if not self.is_evidence:
            return False
        self._turn(False)
        return True

    def _turn(self, to_evidence: bool, alone: bool = False) -> None:
        self.is_evidence, self._is_alone = to_evidence, alone
        self.sheet.scroll_home_or_end(end=False)
        self.lay_out(self.size.width, self.size.height)

    def on_table_moved(self, message: "Table.Moved") -> None:
        """The evidence is that of the row under the cursor, by key and by mouse."""
        message.stop()
        if self.is_evidence:
            self._turn(False)
        self._show_evidence()

    def on_table_opened(self, message: "Table.Opened") -> None:
        """Turn to the evidence."""
        message.stop()
        self._turn(True, alone=True)

    # Actions: what the keys of this page do

    def action_pane(self) -> None:
        """To the evidence and back; beside each other where there is room."""
        self._turn(not self.is_evidence)

    def _move(self, lines: int) -> None:
        if self.is_evidence:
            self.sheet.scroll_by(lines)
        else:
            self.table.move(lines)

    def action_down(self) -> None:
        """The next row, or line of the evidence."""
        self._move(1)

    def action_up(self) -> None:
        """The row or line before."""
        self._move(-1)

    def action_first(self) -> None:
        """To the top."""
        if self.is_evidence:
            self.sheet.scroll_home_or_end(end=False)
        else:
            self.table.home()

    def action_last(self) -> None:
        """To the end."""
        if self.is_evidence:
            self.sheet.scroll_home_or_end(end=True)
        else:
            self.table.end()

    def action_page_down(self) -> None:
        """Half a screen down."""
        self._move(self.sheet.page_height if self.is_evidence else self.table.roster.height // 2)

    def action_page_up(self) -> None:
        """Half a screen up."""
        self._move(-(self.sheet.page_height if self.is_evidence else self.table.roster.height // 2))

    def action_deeper(self) -> None:
        """More columns."""
        self.table.deeper()

    def action_shallower(self) -> None:
        """Fewer columns."""
        self.table.shallower()

    def action_open(self) -> None:
        """The evidence of the row under the cursor; from there its peer."""
        if not self.is_evidence:
            self.table.open()
        elif about := self.explained:
            self.post_message(Open(about))


def _content(
    view: Advice | None, board: Board, columns: Sequence[Column[Opportunity]], width: int
) -> Content[Opportunity]:
    title = f"{paint.heading(view)}, by {'what it is worth' if width >= 60 else 'worth'}"
    empty: tuple[str, ...] = ("reading ...",)
    if text := board.failure(Part.ADVICE):
        title, empty = f"cannot be read: {text}", ()
    elif view is not None:
        title += f" in {view.window.label}"
        empty = paint.none(view)
    return Content(
        items=view.opportunities if view else (),
        columns=columns,
        title=title,
        empty=empty,
        question=board.question(Part.ADVICE),
        frozen=board.frozen,
    )
