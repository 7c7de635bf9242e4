"""The live log under the Overview; while it has the keys it stands still, a cursor on one line."""

from collections.abc import Hashable, Sequence

from textual import events
from textual.message import Message

from htlctop.analysis.models import HtlcLine
from htlctop.ui.trickle import Entry, Trickle
from htlctop.ui.widgets.lines import Look, Pane


class LiveLog(Pane):
    """Its lines are taken over by `take`; what they look like is the painter's business."""

    class Clicked(Message):
        """A line was clicked; the pane is to have the keys."""

    class Opened(Message):
        """The user opened the line under the cursor."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self.has_keys = False
        self.entries: tuple[Entry, ...] = ()
        self._trickle = Trickle()
        self._question: Hashable = None
        self._seq: int | None = None

    @property
    def room(self) -> int:
        """How many lines there is room for below the title."""
        return max(0, self.size.height - 1)

    @property
    def current(self) -> HtlcLine | None:
        """The HTLC under the cursor, None while the pane has no keys or nothing to show."""
        some, at = self._some, self._seq
        if not self.has_keys or not some:
            return None
        # One that was let go hands the cursor to the next older one.
        return next((one for one in some if at is None or one.seq <= at), some[-1])

    @property
    def _some(self) -> list[HtlcLine]:
        return [one for one in self.entries[: self.room] if isinstance(one, HtlcLine)]

    def take(self, lines: Sequence[HtlcLine], question: Hashable, room: int) -> None:
        """Take the newest lines over; while the pane has the keys, only how its own went on."""
        if self.has_keys and question == self._question and (some := self._some):
            lines = [one for one in lines if one.seq <= some[0].seq]
        self.entries = self._trickle.take(lines, question, room)
        self._question = question

    def give_keys(self, has_keys: bool) -> None:
        """Have the keys, from the newest line on, or give them back."""
        self.has_keys = has_keys
        if not has_keys:
            self._seq = None

    # What keys do

    def move(self, lines: int) -> None:
        """Move the cursor by some lines."""
        some, current = self._some, self.current
        if current is not None:
            at = some.index(current) + lines
            self._seq = some[max(0, min(at, len(some) - 1))].seq
            self.repaint()

    def page(self, direction: int) -> None:
        """Move the cursor by half the pane."""
        self.move(direction * max(1, self.room // 2))

    def home(self) -> None:
        """To the newest line."""
        self.move(-len(self.entries))

    def end(self) -> None:
        """To the oldest line shown."""
        self.move(len(self.entries))

    def open(self) -> None:
        """Ask for what is behind the line."""
        if self.current is not None:
            self.post_message(self.Opened())

    # What the mouse does

    def on_click(self, event: events.Click) -> None:
        """A line takes the cursor, twice opens it."""
        event.stop()
        if 1 <= event.y <= len(self.entries[: self.room]):
            one = self.entries[event.y - 1]
            self._seq = one.seq if isinstance(one, HtlcLine) else self._seq
            self.post_message(self.Clicked())
            if event.chain == 2:
                self.post_message(self.Opened())
