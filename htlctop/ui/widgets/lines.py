"""The base of every widget here: keeps the lines it shows and repaints those that differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from htlctop.ui.glyphs import Glyphs
from htlctop.ui.palette import Palette
from htlctop.ui.text import BLANK, Line, Role, changed, fit, line, merged, plain

Painter = Callable[[int, int], Sequence[Line]]
"""From the width and height of a pane to its lines."""


@dataclass(frozen=True, slots=True)
class Look:
    """What everything is drawn with."""

    glyphs: Glyphs
    palette: Palette


class Lines(Widget):
    """Shows lines; `put` compares them with those on screen and refreshes the changed regions."""

    ALLOW_SELECT = False
    can_focus = False

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.look = look
        self.dimmed = False
        self._shown: tuple[Line, ...] = ()

    def on_unmount(self) -> None:
        """Drop what Textual keeps of the lines: it remembers widgets that are gone, with all that
        they showed, until a thousand others have come."""
        self.refresh()

    @property
    def text(self) -> tuple[str, ...]:
        """The lines on screen, as text."""
        return tuple(plain(row) for row in self._shown)

    def put(self, lines: Sequence[Line]) -> int:
        """Show the lines, from the top; how many of them had changed."""
        width, height = self.size
        rows = [fit(row, width, self.look.glyphs.more) for row in lines[:height]]
        rows.extend([fit(BLANK, width)] * (height - len(rows)))
        if self.dimmed:
            rows = [tuple((text, _DIMMED.get(role, role)) for text, role in row) for row in rows]
        rows = [merged(row) for row in rows]
        before, self._shown = self._shown, tuple(rows)
        if len(before) != len(rows):
            self.refresh()
            return len(rows)
        regions = []
        for y, (old, new) in enumerate(zip(before, rows, strict=True)):
            if span := changed(old, new):
                regions.append(Region(span[0], y, span[1] - span[0], 1))
        if regions:
            self.refresh(*regions)
        return len(regions)

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        row = self._shown[y] if y < len(self._shown) else fit(BLANK, self.size.width)
        palette = self.look.palette
        return Strip([Segment(text, palette[role]) for text, role in row], self.size.width)


_DIMMED = {
    Role.TEXT: Role.DIM,
    Role.STRONG: Role.DIM,
    Role.GOOD: Role.DIM,
    Role.BAR: Role.DIM,
    Role.WARN: Role.DIM,
    Role.BAD: Role.DIM,
}


class Pane(Lines):
    """A widget whose lines come from a painter, asked again at each new size.

    A painter that fails shows its error here; nothing else is harmed.
    """

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self._painter: Painter | None = None

    def show(self, painter: Painter) -> None:
        """Paint with this painter from now on."""
        self._painter = painter
        self.repaint()

    def on_resize(self, event: events.Resize) -> None:
        """Paint anew for the new size."""
        self.repaint()

    def repaint(self) -> None:
        """Ask the painter again."""
        width, height = self.size
        if self._painter is not None and width and height:
            self.put(guarded(self._painter, width, height))


def guarded(painter: Painter, width: int, height: int) -> Sequence[Line]:
    """The painter's lines, or its error as a line."""
    try:
        return painter(width, height)
    except Exception as error:
        return (line(f" cannot be shown: {type(error).__name__}: {error}", Role.BAD),)
