"""What every screen has: a focus with its keys, a footer, a note over the last lines."""

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from htlctop.ui.board import Board
from htlctop.ui.keys import Focus
from htlctop.ui.paint.keys import footer
from htlctop.ui.text import Line, Role, line, wrap
from htlctop.ui.widgets.lines import Look, Pane

NOTE_S = 8.0


class BaseScreen(Screen[None], inherit_bindings=False):
    """A page of the app. `show` gives it a new board; `note` a message, "" takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = ""
    ALLOW_SELECT = False
    focus_of: Focus

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.footer = Pane(look, id="footer")
        self.banner = Pane(look, id="banner")
        self.note_pane = Pane(look, id="note")
        self.message = ""
        self._noting: Timer | None = None
        self._heights: dict[Pane, int] = {}

    def show(self, board: Board) -> None:
        """Paint what changed."""
        raise NotImplementedError

    @property
    def log_lines(self) -> int:
        """How many lines of the log this page shows, 0 for none."""
        return 0

    def note(self, text: str) -> None:
        """Show a message over the bottom of the page for a while, or take it away."""
        if self._noting is not None:
            self._noting.stop()
        self._noting = self.set_timer(NOTE_S, lambda: self.note(""), name="note") if text else None
        self._show_note(text)

    def _show_note(self, text: str) -> None:
        self.message = text
        rows = wrap(text, max(1, self.size.width - 2), max(1, min(4, self.size.height - 1)))
        self.note_pane.display = bool(rows)
        self.note_pane.styles.height = max(1, len(rows))

        def paint(width: int, height: int) -> tuple[Line, ...]:
            return tuple(line(f" {row}".ljust(width), Role.NOTE) for row in rows)

        self.note_pane.show(paint)

    def show_footer(self, height: int) -> None:
        """Give the footer its line, or none."""
        self.footer.display = height > 0
        glyphs = self.look.glyphs
        self.footer.show(lambda width, _: footer(self.focus_of, width, glyphs))

    def set_height(self, pane: Pane, height: int) -> None:
        """Give a pane so many lines; none hides it."""
        if self._heights.get(pane) != height:
            self._heights[pane] = height
            pane.display = height > 0
            if height > 0:
                pane.styles.height = height

    def on_resize(self, event: events.Resize) -> None:
        """Lay out for the new size."""
        self.lay_out(event.size.width, event.size.height)
        if self.message:
            self._show_note(self.message)

    def lay_out(self, width: int, height: int) -> None:
        """Decide what there is room for."""
        raise NotImplementedError
