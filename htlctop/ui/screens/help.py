"""The help: every key of the page underneath, and the words on it."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from htlctop.ui.board import Board
from htlctop.ui.keys import Focus, bindings
from htlctop.ui.paint.keys import help_page
from htlctop.ui.screens.sheets import SheetScreen
from htlctop.ui.widgets.lines import Look


class HelpScreen(SheetScreen):
    """Painted from the registry, so it cannot be out of date."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.HELP)]
    focus_of = Focus.HELP

    def __init__(self, look: Look, about: Focus) -> None:
        super().__init__(look)
        self.about = about

    def compose(self) -> Iterable[Widget]:
        """One page."""
        yield self.sheet
        yield self.footer
        yield self.note_pane

    def lay_out(self, width: int, height: int) -> None:
        """The footer where there is room."""
        self.show_footer(1 if height >= 10 else 0)
        glyphs, about = self.look.glyphs, self.about
        self.sheet.show(lambda wide, _: help_page(about, wide, glyphs))

    def show(self, board: Board) -> None:
        """Nothing on it changes."""
