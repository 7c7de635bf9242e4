"""A note of what the operator did, typed over the bottom of a page."""

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from htlctop.ui.keys import Focus, bindings
from htlctop.ui.text import Line
from htlctop.ui.widgets.lines import Look
from htlctop.ui.widgets.typed import Typed


class MarkLine(Typed):
    """Has the focus until the note is written, or given up. `about` says in words what of."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.PROMPT)]

    @dataclass
    class Written(Message):
        """The note, about a peer or (0) the whole node; "" where it was given up."""

        text: str
        peer: int

    def __init__(self, look: Look, peer: int, about: str) -> None:
        super().__init__(look, "note: ", id="marking")
        self._peer = peer
        self.hint = f"what you did, about {about}"

    def on_mount(self) -> None:
        """Take the keys."""
        self.focus()
        self.show(self._paint)

    def changed(self) -> None:
        """Nothing goes by it."""
        self.repaint()

    def done(self, text: str | None) -> None:
        """Tell the app, and go."""
        self.screen.set_focus(None)
        self.post_message(self.Written((text or "").strip(), self._peer))
        self.remove()

    def _paint(self, width: int, height: int) -> tuple[Line, ...]:
        return (self.input_line(width),)
