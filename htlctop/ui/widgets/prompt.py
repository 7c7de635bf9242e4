"""The filter's prompt, shown over the bottom of a page; says at once what is wrong with it."""

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from htlctop.ui.keys import Focus, bindings
from htlctop.ui.text import Line
from htlctop.ui.widgets.typed import Typed


class Prompt(Typed):
    """Hidden until opened; takes the keys from then until it is closed.

    What happens is told by messages: Changed at every keystroke, then Closed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.PROMPT)]

    @dataclass
    class Changed(Message):
        """The text is another one."""

        text: str

    @dataclass
    class Closed(Message):
        """The user is done: with this text, or (None) would rather have left it as it was."""

        text: str | None

    @property
    def is_open(self) -> bool:
        """Whether it takes the keys."""
        return bool(self.display)

    def open(self, text: str) -> None:
        """Begin with this text."""
        self.typed, self.hint, self.is_wrong = text, "", False
        self.display = True
        self.focus()
        self.show(self._paint)

    def close(self) -> None:
        """Give the keys back."""
        self.display = False
        self.screen.set_focus(None)

    def say(self, hint: str, *, wrong: bool = False) -> None:
        """What stands behind the text: how many match, or what is wrong."""
        self.hint, self.is_wrong = hint, wrong
        self.repaint()

    def changed(self) -> None:
        """Tell the page."""
        self.post_message(self.Changed(self.typed))

    def done(self, text: str | None) -> None:
        """Tell the page."""
        self.post_message(self.Closed(text))

    def _paint(self, width: int, height: int) -> tuple[Line, ...]:
        return (self.input_line(width),)
