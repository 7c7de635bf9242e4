"""A line to type into: what every widget with one has."""

from textual import events

from htlctop.ui.text import Line, Role, cut, fit, width_of
from htlctop.ui.widgets.lines import Look, Pane

_LONGEST = 400


class Typed(Pane):
    """Takes the keys while it has the focus. `label` stands before the text, `hint` behind it.

    Its bindings are those of its own focus; `changed` and `done` are what it makes of typing.
    """

    can_focus = True

    def __init__(self, look: Look, label: str, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self._label = label
        self.typed = ""
        self.hint = ""
        self.is_wrong = False

    def changed(self) -> None:
        """The text is another one."""
        raise NotImplementedError

    def done(self, text: str | None) -> None:
        """The user is done: with this text, or (None) would rather have left it as it was."""
        raise NotImplementedError

    def input_line(self, width: int) -> Line:
        """The text with its cursor, and the hint as far as there is room."""
        mark = self.look.glyphs.more
        hint = f" {self.hint} " if self.hint else ""
        role = Role.BAD if self.is_wrong else Role.DIM
        tail: Line = ((cut(hint, max(0, width * 2 // 3), mark), role),)
        room = width - width_of(tail)
        text = f"{self._label}{self.typed}"
        while text and width_of(((text, Role.TEXT),)) > max(1, room - 1):
            text = text[1:]
        head: Line = ((text, Role.STRONG), (" ", Role.CURSOR))
        return (*fit(head, max(0, room), ""), *tail)

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
        self.done(self.typed)

    def action_cancel(self) -> None:
        """As it was before."""
        self.done(None)

    def action_erase(self) -> None:
        """Without the last character; an empty one is closed."""
        if self.typed:
            self._set(self.typed[:-1])
        else:
            self.done("")

    def action_erase_word(self) -> None:
        """Without the last word."""
        self._set(self.typed.rstrip().rpartition(" ")[0])

    def action_clear(self) -> None:
        """Empty."""
        self._set("")

    def _set(self, text: str) -> None:
        self.typed = "".join(char for char in text if char.isprintable())[:_LONGEST]
        self.repaint()
        self.changed()
