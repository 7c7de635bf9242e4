"""The one registry of what keys do: bindings, footer, help screen and README come from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding


class Focus(Enum):
    """Where keys go: exactly one at a time. Seven views, four drill-downs, and what lies over."""

    OVERVIEW = "Overview"
    CHANNELS = "Channels"
    FLOWS = "Flows"
    EVENTS = "Events"
    OPPORTUNITIES = "Opportunities"
    HISTORY = "History"
    NODE = "Node"
    PEER = "Peer"
    CHANNEL = "Channel"
    PAIR = "Pair"
    HTLC = "HTLC"
    HELP = "Help"
    PROMPT = "Prompt"


PROMPT = frozenset({Focus.PROMPT})
EVERYWHERE = frozenset(Focus) - PROMPT
DATA = EVERYWHERE - {Focus.HELP}
DRILL_DOWNS = frozenset({Focus.PEER, Focus.CHANNEL, Focus.PAIR, Focus.HTLC})
VIEWS = DATA - DRILL_DOWNS
IN_TIME = DATA - {Focus.HTLC}
RANKED = frozenset({Focus.OVERVIEW, Focus.CHANNELS})
TABLES = RANKED | {Focus.FLOWS, Focus.EVENTS}
FLOWS = frozenset({Focus.FLOWS})
COLUMNS = (TABLES - FLOWS) | {Focus.OPPORTUNITIES}
OPENING = TABLES | {Focus.OPPORTUNITIES}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do. `name` is what a config file rebinds it by.

    `footer` is the word in the footer of `footer_in`, "" keeps it out; the first key stands there.
    `of_app` tells actions of the app from those of the screen in focus; `call` is the method with
    its arguments where it is not the name alone.
    """

    name: str
    keys: tuple[str, ...]
    help: str
    where: frozenset[Focus]
    footer: str = ""
    footer_in: frozenset[Focus] = EVERYWHERE
    of_app: bool = False
    call: str = ""

    @property
    def shown_keys(self) -> str:
        """The keys as a person reads them."""
        return " ".join(key_name(key) for key in self.keys)

    @property
    def does(self) -> str:
        """The action as Textual runs it."""
        return ("app." if self.of_app else "") + (self.call or self.name)


def _view(number: int, focus: Focus, help: str) -> Action:
    name, title = focus.name.lower(), focus.value
    return Action(
        name, (str(number),), f"{title}: {help}", EVERYWHERE, of_app=True, call=f"view({name!r})"
    )


ACTIONS = (
    Action("help", ("?",), "this help", EVERYWHERE, "help", of_app=True),
    Action("filter", ("/",), "show only what matches", TABLES, "filter"),
    Action("open", ("enter", "o"), "open what is under the cursor", OPENING, "open"),
    Action(
        "back",
        ("u", "backspace", "escape"),
        "back by one step: a message, a drill-down, the filter, then the view",
        EVERYWHERE,
        "back",
        DRILL_DOWNS | {Focus.HELP},
        of_app=True,
    ),
    Action("down", ("j", "down"), "down", EVERYWHERE),
    Action("up", ("k", "up"), "up", EVERYWHERE),
    Action("first", ("g", "home"), "to the top", EVERYWHERE),
    Action("last", ("G", "end"), "to the end", EVERYWHERE),
    Action("page_down", ("J", "ctrl+d", "pagedown"), "down half a screen", EVERYWHERE),
    Action("page_up", ("K", "ctrl+u", "pageup"), "up half a screen", EVERYWHERE),
    Action("deeper", ("l", "right"), "unfold the row, then more columns", COLUMNS),
    Action("shallower", ("h", "left"), "fewer columns, then fold the row", COLUMNS),
    Action("to_right", ("l", "right"), "to the next out-peer", FLOWS),
    Action("to_left", ("h", "left"), "to the out-peer before", FLOWS),
    Action("as_list", ("v",), "as a matrix, or as a ranked list", FLOWS, "list"),
    Action(
        "how",
        ("i",),
        "how each figure comes about, and back",
        frozenset({Focus.PEER, Focus.CHANNEL}),
        "how",
    ),
    Action("sort_next", (">", "."), "sort by the next column", RANKED, "sort"),
    Action("sort_previous", ("<", ","), "sort by the column before", RANKED),
    Action("reverse", ("r",), "turn the order round", RANKED),
    Action(
        "group",
        ("b",),
        "group by peer, channel, pair, incoming peer",
        frozenset({Focus.OVERVIEW}),
        "group",
    ),
    Action("window_next", ("w",), "the next window: 1h 6h 24h 7d 30d all", IN_TIME, "window"),
    Action("window_previous", ("W",), "the window before", IN_TIME),
    Action("earlier", ("[",), "back in time by half a window", IN_TIME),
    Action("later", ("]",), "forward in time by half a window", IN_TIME),
    Action("now", ("}",), "return to now", IN_TIME),
    Action("freeze", ("space", "p"), "hold the tables still, and let go", DATA, "freeze"),
    Action(
        "layout",
        ("v",),
        "arrangement: by the terminal's size, wide, middle, narrow",
        frozenset({Focus.OVERVIEW}),
    ),
    Action("snapshot", ("s",), "save the screen as text", EVERYWHERE, "save", of_app=True),
    Action("export", ("e",), "save the view as CSV", DATA, "export", of_app=True),
    _view(1, Focus.OVERVIEW, "what is missed, and why"),
    _view(2, Focus.CHANNELS, "every channel with every column"),
    _view(3, Focus.FLOWS, "who wanted to reach whom"),
    _view(4, Focus.EVENTS, "the log, back to the first HTLC stored"),
    _view(5, Focus.OPPORTUNITIES, "what to do about it"),
    _view(6, Focus.HISTORY, "the chart, and what changed"),
    _view(7, Focus.NODE, "the node, its collector and its store"),
    Action(
        "quit",
        ("q",),
        "quit; asks once where that ends the watching",
        EVERYWHERE,
        "quit",
        of_app=True,
    ),
    Action("leave", ("Q", "ctrl+c"), "quit without asking", EVERYWHERE, of_app=True),
    Action("accept", ("enter",), "keep the filter and close the prompt", PROMPT),
    Action("cancel", ("escape",), "close the prompt, with the filter from before", PROMPT),
    Action("erase", ("backspace",), "erase; in an empty prompt, close it", PROMPT),
    Action("clear", ("ctrl+u",), "erase everything", PROMPT),
    Action("erase_word", ("ctrl+w",), "erase a word", PROMPT),
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
            action.does,
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
        rows.append(f"| {keys} | {action.help} | {_places(action.where)} |")
    return "\n".join(rows)


def _places(where: frozenset[Focus]) -> str:
    if where == EVERYWHERE:
        return "everywhere"
    if where == DATA:
        return "every view"
    if len(where) > len(DATA) // 2:
        return f"every view but {_named(DATA - where)}"
    return _named(where)


def _named(where: frozenset[Focus]) -> str:
    return ", ".join(focus.value for focus in Focus if focus in where)
