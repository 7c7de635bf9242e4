"""A line to type into, shown over the bottom of a page; says at once what is wrong with it."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from htlctop.ui.keys import Focus, bindings
from htlctop.ui.text import Line, Role, cut, fit, width_of
from htlctop.ui.widgets.lines import Look, Pane

_LONGEST = 400


class Prompt(Pane):
    """Hidden until opened; takes the keys from then until it is closed.

    `label` stands before the text. What happens is told by messages: Changed at every keystroke,
    then Closed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.PROMPT)]
    can_focus = True

    @dataclass
    class Changed(Message):
        """The text is another one."""

        text: str

    @dataclass
    class Closed(Message):
        """The user is done: with this text, or (None) would rather have left it as it was."""

        text: str | None

    def __init__(self, look: Look, label: str, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self._label = label
        self.typed = ""
        self.hint = ""
        self.is_wrong = False

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

    def _paint(self, width: int, height: int) -> tuple[Line, ...]:
        mark = self.look.glyphs.more
        hint = f" {self.hint} " if self.hint else ""
        role = Role.BAD if self.is_wrong else Role.DIM
        tail: Line = ((cut(hint, max(0, width * 2 // 3), mark), role),)
        room = width - width_of(tail)
        text = f"{self._label}{self.typed}"
        while text and width_of(((text, Role.TEXT),)) > max(1, room - 1):
            text = text[1:]
        head: Line = ((text, Role.STRONG), (" ", Role.CURSOR))
        return ((*fit(head, max(0, room), ""), *tail),)

    # What keys do

    def on_key(self, event: events.Key) -> None:
        """A character that can be seen is typed."""
        if event.is_printable and event.character:
            event.stop()
            self._set(self.typed + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is typed, on one line."""
        event.stop()
        self._set(self.typed + " ".join(event.text.split()))

    def action_accept(self) -> None:
        """Done."""
        self.post_message(self.Closed(self.typed))

    def action_cancel(self) -> None:
        """As it was before."""
        self.post_message(self.Closed(None))

    def action_erase(self) -> None:
        """Without the last character; an empty one is closed."""
        if self.typed:
            self._set(self.typed[:-1])
        else:
            self.post_message(self.Closed(""))

    def action_erase_word(self) -> None:
        """Without the last word."""
        self._set(self.typed.rstrip().rpartition(" ")[0])

    def action_clear(self) -> None:
        """Empty."""
        self._set("")

    def _set(self, text: str) -> None:
        self.typed = "".join(char for char in text if char.isprintable())[:_LONGEST]
        self.repaint()
        self.post_message(self.Changed(self.typed))
