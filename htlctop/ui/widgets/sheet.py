"""A page that is longer than the screen: scrolled by lines, keeps its place while it changes."""

from collections.abc import Sequence

from textual import events

from htlctop.ui.text import Line
from htlctop.ui.widgets.lines import Pane, guarded


class Sheet(Pane):
    """A pane whose painter may give more lines than fit."""

    top = 0
    _painted: Sequence[Line] = ()

    def repaint(self) -> None:
        """Ask the painter again and show the part scrolled to."""
        width, height = self.size
        if self._painter is None or not width or not height:
            return
        self._painted = guarded(self._painter, width, height)
        self._put()

    def _put(self) -> None:
        """Show the part scrolled to of what is painted."""
        self.put(guarded(self._in_view, *self.size))

    def _in_view(self, width: int, height: int) -> Sequence[Line]:
        """Asks how long the page is only where it ends, which a long one need not know before."""
        self.top = max(0, self.top)
        shown = self._painted[self.top : self.top + height]
        if len(shown) < height:
            self.top = max(0, len(self._painted) - height)
            shown = self._painted[self.top :]
        return shown

    def scroll_by(self, lines: int) -> None:
        """Move by some lines, down if positive, within the page."""
        self.top += lines
        self._put()

    def scroll_home_or_end(self, end: bool) -> None:
        """To the first or the last line."""
        self.scroll_by(len(self._painted) if end else -self.top)

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
