"""A page that is longer than the screen: scrolled by lines, keeps its place while it changes."""

from collections.abc import Sequence

from textual import events

from htlctop.ui.text import Line
from htlctop.ui.widgets.lines import Pane, guarded


class Sheet(Pane):
    """A pane whose painter may give more lines than fit."""

    top = 0
    _length = 0

    def repaint(self) -> None:
        """Ask the painter again and show the part scrolled to."""
        width, height = self.size
        if self._painter is None or not width or not height:
            return
        lines: Sequence[Line] = guarded(self._painter, width, height)
        self._length = len(lines)
        self.top = max(0, min(self.top, self._length - height))
        self.put(lines[self.top : self.top + height])

    def scroll_by(self, lines: int) -> None:
        """Move by some lines, down if positive, within the page."""
        self.top = max(0, min(self.top + lines, self._length - self.size.height))
        self.repaint()

    def scroll_home_or_end(self, end: bool) -> None:
        """To the first or the last line."""
        self.scroll_by(self._length if end else -self._length)

    @property
    def page_height(self) -> int:
        """Half a screen, at least a line."""
        return max(1, self.size.height // 2)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the page."""
        event.stop()
        self.scroll_by(2)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the page."""
        event.stop()
        self.scroll_by(-2)
