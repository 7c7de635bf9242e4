"""The one registry of what keys do: bindings, footer, help screen and README come from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING

from htlctop.errors import ConfigError

if TYPE_CHECKING:
    from textual.binding import Binding


class Focus(Enum):
    """Where keys go: exactly one at a time. Seven views, four drill-downs, panes within a view, the
    explanation of any of them, and what lies over."""

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
    LIVE = "Live"
    EVIDENCE = "Evidence"
    HOW = "Explanation"
    HELP = "Help"
    PROMPT = "Prompt"
    EXPORT = "Export"
    PALETTE = "Palette"


PROMPT = frozenset({Focus.PROMPT})
EXPORT = frozenset({Focus.EXPORT})
PALETTE = frozenset({Focus.PALETTE})
TYPED = PROMPT | PALETTE
"""Where letters are typed and do nothing else."""
EVERYWHERE = frozenset(Focus) - TYPED - EXPORT
DATA = EVERYWHERE - {Focus.HELP}
DRILL_DOWNS = frozenset({Focus.PEER, Focus.CHANNEL, Focus.PAIR, Focus.HTLC})
PANES = frozenset({Focus.LIVE, Focus.EVIDENCE})
"""Panes of the Overview and of Opportunities that have the keys after the table."""
HOW = frozenset({Focus.HOW})
VIEWS = DATA - DRILL_DOWNS - HOW
IN_TIME = DATA - {Focus.HTLC}
OVERVIEW = frozenset({Focus.OVERVIEW, Focus.LIVE})
RANKED = OVERVIEW | {Focus.CHANNELS}
FLOWS = frozenset({Focus.FLOWS})
TABLES = RANKED | FLOWS | {Focus.EVENTS}
CHANCES = frozenset({Focus.OPPORTUNITIES, Focus.EVIDENCE})
COLUMNS = (TABLES - FLOWS - PANES) | {Focus.OPPORTUNITIES}
OPENING = TABLES | CHANCES


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
    def method(self) -> str:
        """The method that does it, without action_ before its name."""
        return (self.call or self.name).partition("(")[0]

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
        DRILL_DOWNS | PANES | HOW | {Focus.HELP},
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
        "how each figure comes about, of what is under the cursor or the node; and back",
        DATA,
        "how",
        DATA - HOW,
        of_app=True,
    ),
    Action("sort_next", (">", "."), "sort by the next column", RANKED, "sort"),
    Action("sort_previous", ("<", ","), "sort by the column before", RANKED),
    Action("reverse", ("r",), "turn the order round", RANKED),
    Action(
        "group",
        ("b",),
        "group by peer, channel, pair, incoming peer",
        OVERVIEW,
        "group",
    ),
    Action("window_next", ("w",), "the next window: 1h 6h 24h 7d 30d all", IN_TIME, "window"),
    Action("window_previous", ("W",), "the window before", IN_TIME),
    Action("earlier", ("[",), "back in time by half a window", IN_TIME),
    Action("later", ("]",), "forward in time by half a window", IN_TIME),
    Action("now", ("}",), "return to now", IN_TIME),
    Action("freeze", ("space", "p"), "hold the tables still, and let go", DATA, "freeze"),
    Action(
        "pane",
        ("tab", "t"),
        "to the other pane: the live log, the evidence, and back",
        OVERVIEW | CHANCES,
        "pane",
    ),
    Action(
        "layout",
        ("v",),
        "arrangement: by the terminal's size, wide, middle, narrow",
        OVERVIEW,
    ),
    Action("snapshot", ("s",), "save the screen as text", EVERYWHERE, "save", of_app=True),
    Action("picture", ("S",), "save the screen as a picture, SVG", EVERYWHERE, of_app=True),
    Action("export", ("e",), "save the view as CSV, JSON or Markdown", DATA, "export", of_app=True),
    Action(
        "mark",
        ("m",),
        "note what you did, to see what it changed",
        DATA,
        "note",
        frozenset({Focus.HISTORY}),
        of_app=True,
    ),
    Action("copy", ("y",), "copy the row's key or id, or the command", DATA, of_app=True),
    Action(
        "redact", ("R",), "names, keys and ids as codes, on screen and in files", DATA, of_app=True
    ),
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
    Action(
        "suspend",
        ("Z", "ctrl+z"),
        "to the shell, and back with fg; collecting goes on",
        EVERYWHERE,
        of_app=True,
    ),
    Action("palette", (":", "ctrl+p"), "find an action by its words", EVERYWHERE, of_app=True),
    Action("accept", ("enter",), "keep the filter; in the palette, do the action", TYPED),
    Action("cancel", ("escape",), "close it, with the filter from before", TYPED),
    Action("erase", ("backspace",), "erase; where nothing is typed, close it", TYPED),
    Action("clear", ("ctrl+u",), "erase everything", TYPED),
    Action("erase_word", ("ctrl+w",), "erase a word", TYPED),
    Action("choose_next", ("down", "ctrl+n", "tab"), "the next action", PALETTE),
    Action("choose_previous", ("up", "ctrl+p"), "the action before", PALETTE),
    Action("as_csv", ("c",), "CSV, for spreadsheets", EXPORT),
    Action("as_json", ("j",), "JSON, for programs", EXPORT),
    Action("as_markdown", ("m",), "Markdown, for forums", EXPORT),
    Action("as_text", ("t",), "text", EXPORT),
    Action("not_now", ("u", "backspace", "escape"), "save nothing", EXPORT),
)
"""As they come; those in force are what `of` tells."""

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


_in_force: tuple[Action, ...] = ACTIONS


def rebind(keys: Mapping[str, Sequence[str]]) -> None:
    """Put the user's keys in force, once, before the screens are loaded. Raises: ConfigError."""
    global _in_force
    _in_force = rebound(ACTIONS, keys)


def rebound(actions: Sequence[Action], keys: Mapping[str, Sequence[str]]) -> tuple[Action, ...]:
    """The actions with other keys, by name; those named have no others.

    Raises:
        ConfigError: no such action, no such key, or two actions for a key in one place.
    """
    names = tuple(action.name for action in actions)
    for name in keys:
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
            raise ConfigError(f"keys.{name}: no such action{hint}")
    found = tuple(
        replace(action, keys=tuple(_key(name, action.name) for name in keys[action.name]))
        if action.name in keys
        else action
        for action in actions
    )
    for clash in clashes(found):
        raise ConfigError(f"keys: two actions for {clash}; give one of them another key")
    return found


def _key(name: str, action: str) -> str:
    """A key as Textual calls it, from how a person writes it."""
    if len(name) == 1 and name.isprintable() and name != " ":
        return name
    plain = name.lower().replace("ctrl-", "ctrl+").replace(" ", "space") if name != " " else "space"
    plain = _WRITTEN.get(plain, plain)
    control = plain.removeprefix("ctrl+")
    if plain in _KEYS or (plain != control and len(control) == 1 and control.isalpha()):
        return plain
    raise ConfigError(
        f"keys.{action}: {name!r} is no key; write a letter, space, enter, ctrl-d, f5"
    )


_WRITTEN = {"esc": "escape", "pgdn": "pagedown", "pgup": "pageup", "return": "enter"}
_KEYS = frozenset(
    (
        *("enter", "escape", "backspace", "tab", "space", "delete", "insert", "home", "end"),
        *("up", "down", "left", "right", "pageup", "pagedown"),
        *(f"f{number}" for number in range(1, 13)),
    )
)


def of(focus: Focus) -> tuple[Action, ...]:
    """What can be done there."""
    return tuple(action for action in _in_force if focus in action.where)


def key_of(name: str, ascii: bool = False) -> str:
    """The first key of an action, as a person reads it."""
    return next(key_name(one.keys[0], ascii) for one in _in_force if one.name == name)


def clashes(actions: Iterable[Action] = ACTIONS) -> list[str]:
    """Every key that two actions claim in one focus, as a sentence; none in a sound registry."""
    found = []
    taken: dict[tuple[Focus, str], str] = {}
    for action in actions:
        for focus in (each for each in Focus if each in action.where):
            for key in action.keys:
                other = taken.setdefault((focus, key), action.name)
                if other != action.name:
                    found.append(f"{key} in {focus.value}: {other} and {action.name}")
    return found


def bindings(focus: Focus) -> "list[Binding]":
    """The bindings of the screen that has this focus."""
    from textual.binding import Binding

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
    rows = ["| Keys | What they do | Where | Name |", "| --- | --- | --- | --- |"]
    for action in ACTIONS:
        keys = " ".join(f"`{key_name(key)}`" for key in action.keys)
        rows.append(f"| {keys} | {action.help} | {_places(action.where)} | `{action.name}` |")
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
