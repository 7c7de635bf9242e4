"""One line that asks in which format to save; gone once it is answered."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from htlctop.export.formats import Format
from htlctop.ui.keys import Focus, bindings, key_name, of
from htlctop.ui.text import BLANK, Line, Role, fit
from htlctop.ui.widgets.lines import Look, Pane

_LEAST = 60
"""From so many cells on there is room for words."""
_SHORT = {"as_csv": "csv", "as_json": "json", "as_markdown": "md", "as_text": "txt"}


class ExportChoice(Pane):
    """Put over the bottom of a page; has the focus until the user has chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.EXPORT)]
    can_focus = True

    @dataclass
    class Chosen(Message):
        """In this format, or not at all."""

        form: Format | None

    def __init__(self, look: Look) -> None:
        super().__init__(look, id="choice")

    def on_mount(self) -> None:
        """Take the keys."""
        self.focus()
        self.show(self._paint)

    def on_key(self, event: events.Key) -> None:
        """A key that answers nothing does nothing, on the page underneath neither."""
        keys = {event.key, *event.aliases}
        if not keys & set(self._bindings.key_to_bindings) and event.key != "ctrl+c":
            event.stop()

    def action_as_csv(self) -> None:
        """CSV."""
        self._answer(Format.CSV)

    def action_as_json(self) -> None:
        """JSON."""
        self._answer(Format.JSON)

    def action_as_markdown(self) -> None:
        """Markdown."""
        self._answer(Format.MD)

    def action_as_text(self) -> None:
        """Text."""
        self._answer(Format.TEXT)

    def action_not_now(self) -> None:
        """Nothing is saved."""
        self._answer(None)

    def _answer(self, form: Format | None) -> None:
        self.screen.set_focus(None)
        self.post_message(self.Chosen(form))
        self.remove()

    def _paint(self, width: int, height: int) -> tuple[Line, ...]:
        # Where there is little room the letter and the format's name are enough.
        line: Line = () if width < _LEAST else ((" save as ", Role.STRONG),)
        for action in of(Focus.EXPORT):
            text = action.help if width >= 90 else action.help.partition(",")[0]
            if width < _LEAST:
                text = _SHORT.get(action.name, "")
            key = key_name(action.keys[0], self.look.glyphs.ascii)
            line = (*line, (f" {key}", Role.STRONG), (f" {text} ", Role.DIM)) if text else line
        return (fit(line, width, self.look.glyphs.more) or BLANK,)
