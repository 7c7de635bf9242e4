"""The rows of a table in order: what is unfolded, where the cursor is, what is in view.

The cursor belongs to a row's key and goes where that row goes. Pure; knows no screen.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = Hashable
"""The identity of a row, whatever its figures are."""


class View(Enum):
    """What the view does when rows move: stay at the top, keep the cursor in it, stay put."""

    TOP = 1
    CURSOR = 2
    FREE = 3


@dataclass(frozen=True, slots=True)
class Entry(Generic[Item]):
    """One line of the table. `unfolded` is None where there is nothing to unfold."""

    key: Key
    item: Item
    parent: Key | None = None
    unfolded: bool | None = None


class Roster(Generic[Item]):
    """Ranked items with their children, seen through a window of lines.

    Until the user moves the cursor, or does something to its row, it stays on the first line and
    the view at the top; from then on it goes with its row, and stays in view. Where the row is
    gone it goes to its next of kin, else to its nearest neighbour. A log stands still as a whole
    once the cursor was moved: what comes and goes above does not move the lines in view.
    """

    def __init__(
        self,
        key: Callable[[Item], Key],
        children: Callable[[Item], Sequence[Item]],
        kin: Callable[[Item], Key] | None = None,
        *,
        is_log: bool = False,
    ) -> None:
        self._key = key
        self._children = children
        self._kin = kin
        self._is_log = is_log
        self._items: Sequence[Item] = ()
        self._item_keys: Sequence[Key] = ()
        self._places: dict[Key, int] = {}
        self._unfolded: set[Key] = set()
        self._keys: Sequence[Key] = ()
        self._unfolded_from: dict[Key, tuple[Key, Item]] = {}
        self.cursor = 0
        self.top = 0
        self.height = 1
        self.view = View.TOP
        self._is_chosen = False

    def __len__(self) -> int:
        return len(self._keys)

    def replace(
        self,
        items: Sequence[Item],
        keys: Sequence[Key] | None = None,
        *,
        keep_order: bool = False,
    ) -> None:
        """Take over new items; `keep_order` leaves known ones where they are.

        Items are looked at only where they are in view or unfolded, if their `keys` are given.
        """
        under = self.current
        if keys is None:
            keys = [self._key(item) for item in items]
        self._items = items
        self._places = {key: index for index, key in enumerate(keys)}
        if keep_order:
            before = {key: index for index, key in enumerate(self._item_keys)}
            keys = sorted(keys, key=lambda key: before.get(key, len(before)))
        self._item_keys = keys
        self._rebuild(under.item if under else None)

    @property
    def entries(self) -> list[Entry[Item]]:
        """Every line. Costly in a long table; painting takes only `visible`."""
        return [self._entry(index) for index in range(len(self))]

    @property
    def current(self) -> Entry[Item] | None:
        """The line under the cursor, None in an empty table."""
        return self._entry(self.cursor) if self._keys else None

    @property
    def visible(self) -> Sequence[Entry[Item]]:
        """The lines in view."""
        return [
            self._entry(index) for index in range(self.top, min(self.top + self.height, len(self)))
        ]

    def _entry(self, index: int) -> Entry[Item]:
        key = self._keys[index]
        parent, item = self._unfolded_from.get(key) or (None, self._items[self._places[key]])
        foldable = parent is None and len(self._children(item)) > 1
        return Entry(key, item, parent, key in self._unfolded if foldable else None)

    def resize(self, height: int) -> None:
        """Tell how many lines there is room for."""
        self.height = max(1, height)
        self._look()

    def move_to(self, index: int) -> None:
        """Put the cursor on a line, the nearest there is."""
        self.view = View.CURSOR
        self._is_chosen = True
        self.cursor = max(0, min(index, len(self) - 1))
        self._look()

    def home(self) -> None:
        """To the first line, and stay at the top from then on."""
        self.move_to(0)
        self.view = View.TOP
        self._is_chosen = not self._is_log
        self._look()

    def choose(self) -> Entry[Item] | None:
        """The line under the cursor, which stays with it from then on; None in an empty table."""
        self._is_chosen = True
        self.view = View.CURSOR
        return self.current

    def scroll(self, lines: int) -> None:
        """Move the view and leave the cursor where it is."""
        self.view = View.FREE
        self.top = max(0, min(self.top + lines, len(self) - self.height))

    def unfold(self) -> bool:
        """Show the children of the cursor's line; whether there were any to show."""
        entry = self.current
        if entry is None or entry.unfolded is not False:
            return False
        self._is_chosen = True
        self._unfolded.add(entry.key)
        self._rebuild()
        self._show_children()
        return True

    def fold(self) -> bool:
        """Hide the children around the cursor, which goes to their parent; whether it did."""
        entry = self.current
        if entry is None:
            return False
        key = entry.key if entry.unfolded else entry.parent
        if key is None or key not in self._unfolded:
            return False
        self._unfolded.discard(key)
        self.cursor = self._keys.index(key)
        self._rebuild()
        return True

    def _rebuild(self, under: Item | None = None) -> None:
        before, at = self._keys, self.cursor
        first = before[self.top] if self.top < len(before) else None
        self._keys, self._unfolded_from = self._item_keys, {}
        if self._unfolded:
            self._keys = [line for key in self._item_keys for line in (key, *self._unfold(key))]
        self.cursor = self._follow(before, at, under) if self._is_chosen else 0
        if self._is_log and self.view is not View.TOP and first in self._keys:
            self.top = self._keys.index(first)
        self._look()

    def _unfold(self, parent: Key) -> Sequence[Key]:
        """The children of an item that is unfolded, where there are several."""
        if parent not in self._unfolded:
            return ()
        children = self._children(self._items[self._places[parent]])
        found = {self._key(child): (parent, child) for child in children}
        if len(found) < 2:
            return ()
        self._unfolded_from |= found
        return tuple(found)

    def _follow(self, before: Sequence[Key], at: int, under: Item | None) -> int:
        """Where the cursor's row is now; where it vanished, its next of kin, or the nearest
        neighbour that did not."""
        if not before:
            return 0
        if at < len(self._keys) and self._keys[at] == before[at]:
            return at
        places = {key: index for index, key in enumerate(self._keys)}
        if self._kin and under is not None and before[at] not in places:
            kin = self._kin(under)
            for index in range(len(self)):
                if self._kin(self._entry(index).item) == kin:
                    return index
        for key in (*before[at:], *reversed(before[:at])):
            if key in places:
                return places[key]
        return 0

    def _look(self) -> None:
        if self.view is View.TOP:
            self.top = 0
        elif self.view is View.CURSOR:
            self.top = max(min(self.top, self.cursor), self.cursor - self.height + 1)
        self.top = max(0, min(self.top, len(self) - self.height))

    def _show_children(self) -> None:
        """Bring the lines just unfolded into view, as far as they fit."""
        self.view = View.CURSOR
        last = self.cursor
        while last + 1 < len(self) and self._keys[last + 1] in self._unfolded_from:
            last += 1
        self.top = min(self.cursor, max(self.top, last - self.height + 1))
        self._look()
