"""The palette: every action of the page by its words; typing narrows it, enter does the action."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from htlctop.ui.keys import Action, Focus, bindings, key_name
from htlctop.ui.paint.parts import rule
from htlctop.ui.text import Line, Role, fit, left
from htlctop.ui.widgets.lines import Look
from htlctop.ui.widgets.typed import Typed

_MOST_ROWS = 12
_NAME_WIDTH, _KEY_WIDTH = 17, 9


class Finder(Typed):
    """Put over the bottom of a page; has the focus until the user has chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Focus.PALETTE)]

    @dataclass
    class Chosen(Message):
        """Do this, or nothing."""

        action: Action | None

    def __init__(self, look: Look, actions: Sequence[Action]) -> None:
        super().__init__(look, ":", id="finder")
        self._actions = actions
        self._at = 0

    def on_mount(self) -> None:
        """Take the keys, and as many lines as there is room for."""
        self.styles.height = max(1, min(_MOST_ROWS + 2, self.screen.size.height - 1))
        self.focus()
        self.show(self._paint)

    @property
    def matches(self) -> tuple[Action, ...]:
        """The actions that have every word typed, those whose name begins so first."""
        words = self.typed.casefold().split()
        found = [action for action in self._actions if all(word in _said(action) for word in words)]
        return tuple(sorted(found, key=lambda one: not one.name.startswith("_".join(words))))

    def changed(self) -> None:
        """Another text, another choice."""
        self._at = 0
        self.repaint()

    def done(self, text: str | None) -> None:
        """Do what is chosen; nothing where nothing matches."""
        matches = self.matches
        self.screen.set_focus(None)
        self.post_message(self.Chosen(matches[self._at] if text is not None and matches else None))
        self.remove()

    def action_erase(self) -> None:
        """Without the last character; where there is none, nothing is done."""
        if self.typed:
            super().action_erase()
        else:
            self.done(None)

    def action_choose_next(self) -> None:
        """The next one."""
        self._move(1)

    def action_choose_previous(self) -> None:
        """The one before."""
        self._move(-1)

    def _move(self, step: int) -> None:
        self._at = max(0, min(self._at + step, len(self.matches) - 1))
        self.repaint()

    def _paint(self, width: int, height: int) -> tuple[Line, ...]:
        matches, room = self.matches, max(0, height - 2)
        self.hint = f"{len(matches)} of {len(self._actions)}"
        first = max(0, min(self._at - room + 1, len(matches) - room)) if room else 0
        shown = matches[first : first + room]
        lines = [self._row(each, width, at == self._at) for at, each in enumerate(shown, first)]
        lines += [fit((), width)] * (room - len(lines))
        title = (rule("Actions", width, self.look.glyphs),) if height > 1 else ()
        return (*title, *lines, self.input_line(width))

    def _row(self, action: Action, width: int, chosen: bool) -> Line:
        glyphs = self.look.glyphs
        keys = " ".join(key_name(key, glyphs.ascii) for key in action.keys[:2])
        mark = glyphs.cursor if chosen else " "
        name = left(action.name.replace("_", " "), _NAME_WIDTH, glyphs.more)
        role = Role.CURSOR if chosen else Role.TEXT
        text = f"{mark}{name} {left(keys, _KEY_WIDTH, glyphs.more)} {action.help}"
        return ((left(text, width, glyphs.more), role),)


def _said(action: Action) -> str:
    return f"{action.name.replace('_', ' ')} {action.help}".casefold()
