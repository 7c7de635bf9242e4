"""The one registry of what keys do: bindings, footer, help screen and README come from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding


class Focus(Enum):
    """Where keys go: exactly one at a time."""

    OVERVIEW = "Overview"
    PEER = "Peer"
    HELP = "Help"


EVERYWHERE = frozenset(Focus)
TABLES = frozenset({Focus.OVERVIEW, Focus.PEER})
OVERVIEW = frozenset({Focus.OVERVIEW})


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do. `name` is the action method and what a config file rebinds.

    `footer` is the word in the footer of `footer_in`, "" keeps it out; the first key stands there.
    `of_app` tells actions of the app from those of the screen in focus.
    """

    name: str
    keys: tuple[str, ...]
    help: str
    where: frozenset[Focus]
    footer: str = ""
    footer_in: frozenset[Focus] = EVERYWHERE
    of_app: bool = False

    @property
    def shown_keys(self) -> str:
        """The keys as a person reads them."""
        return " ".join(key_name(key) for key in self.keys)


ACTIONS = (
    Action("help", ("?",), "this help", EVERYWHERE, "help", of_app=True),
    Action("open", ("enter", "o"), "open the peer under the cursor", OVERVIEW, "open"),
    Action(
        "back",
        ("u", "backspace", "escape"),
        "back by one step: a message, then the page",
        EVERYWHERE,
        "back",
        frozenset({Focus.PEER, Focus.HELP}),
        of_app=True,
    ),
    Action("down", ("j", "down"), "down", EVERYWHERE),
    Action("up", ("k", "up"), "up", EVERYWHERE),
    Action("first", ("g", "home"), "to the top", EVERYWHERE),
    Action("last", ("G", "end"), "to the end", EVERYWHERE),
    Action("page_down", ("J", "ctrl+d", "pagedown"), "down half a screen", EVERYWHERE),
    Action("page_up", ("K", "ctrl+u", "pageup"), "up half a screen", EVERYWHERE),
    Action("deeper", ("l", "right"), "unfold the peer's channels, then more columns", OVERVIEW),
    Action("shallower", ("h", "left"), "fewer columns, then fold the channels", OVERVIEW),
    Action("sort_next", (">", "."), "sort by the next column", OVERVIEW, "sort"),
    Action("sort_previous", ("<", ","), "sort by the column before", OVERVIEW),
    Action("reverse", ("r",), "turn the order round", OVERVIEW),
    Action(
        "window_next",
        ("w",),
        "the next window: 1h 6h 24h 7d 30d all",
        TABLES,
        "window",
        of_app=True,
    ),
    Action("window_previous", ("W",), "the window before", TABLES, of_app=True),
    Action(
        "freeze", ("space", "p"), "hold the tables still, and let go", TABLES, "freeze", of_app=True
    ),
    Action("snapshot", ("s",), "save the screen as text", EVERYWHERE, "save", of_app=True),
    Action("export", ("e",), "save the view as CSV", TABLES, "export", of_app=True),
    Action(
        "quit",
        ("q",),
        "quit; asks once where that ends the watching",
        EVERYWHERE,
        "quit",
        of_app=True,
    ),
    Action("leave", ("Q", "ctrl+c"), "quit without asking", EVERYWHERE, of_app=True),
)

_NAMES = {
    "enter": "⏎",
    "backspace": "⌫",
    "escape": "esc",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "pagedown": "pgdn",
    "pageup": "pgup",
}
_ASCII_NAMES = {"⏎": "enter", "⌫": "backsp", "↓": "down", "↑": "up", "←": "left", "→": "right"}


def key_name(key: str, ascii: bool = False) -> str:
    """A key as a person reads it."""
    shown = _NAMES.get(key, key.replace("ctrl+", "ctrl-"))
    return _ASCII_NAMES.get(shown, shown) if ascii else shown


def of(focus: Focus) -> tuple[Action, ...]:
    """What can be done there."""
    return tuple(action for action in ACTIONS if focus in action.where)


def clashes(actions: Iterable[Action] = ACTIONS) -> list[str]:
    """Every key that two actions claim in one focus, as a sentence; none in a sound registry."""
    found = []
    taken: dict[tuple[Focus, str], str] = {}
    for action in actions:
        for focus in action.where:
            for key in action.keys:
                other = taken.setdefault((focus, key), action.name)
                if other != action.name:
                    found.append(f"{key} in {focus.value}: {other} and {action.name}")
    return found


def bindings(focus: Focus) -> list[Binding]:
    """The bindings of the screen that has this focus."""
    return [
        Binding(
            ",".join("comma" if key == "," else key for key in action.keys),
            f"app.{action.name}" if action.of_app else action.name,
            action.help,
            show=False,
        )
        for action in of(focus)
    ]


def markdown() -> str:
    """The table of keys for the README."""
    rows = ["| Keys | What they do | Where |", "| --- | --- | --- |"]
    for action in ACTIONS:
        keys = " ".join(f"`{key_name(key)}`" for key in action.keys)
        where = "everywhere"
        if action.where != EVERYWHERE:
            where = ", ".join(focus.value for focus in Focus if focus in action.where)
        rows.append(f"| {keys} | {action.help} | {where} |")
    return "\n".join(rows)
