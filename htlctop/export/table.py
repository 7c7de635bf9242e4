"""What is taken away, as values: a head, and tables of plain cells that every format renders.

A cell is as the models have it (msat, ns, raw names); its column's unit says how it is written.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from htlctop import __version__
from htlctop.analysis.models import Window
from htlctop.analysis.status import NodeView
from htlctop.domain.types import NS
from htlctop.export.format import (
    LONGEST_KEY,
    LONGEST_LINE,
    cells,
    clean,
    count,
    percent,
    sat,
    span,
    stamp,
    stamp_seconds,
    utc,
)

Cell = str | int | float | bool | None
T = TypeVar("T")


class Unit(Enum):
    """What a cell holds: our own words, a name from the network, an id, a number of something.

    SHARE is 0..1, TIME ns since the epoch, MOMENT the same where seconds matter, SPAN a length in
    ns, FORMULA arithmetic of our own.
    """

    TEXT = auto()
    NAME = auto()
    ID = auto()
    COUNT = auto()
    MSAT = auto()
    SAT = auto()
    PPM = auto()
    SHARE = auto()
    TIME = auto()
    MOMENT = auto()
    SPAN = auto()
    FORMULA = auto()
    FLAG = auto()

    @property
    def is_left(self) -> bool:
        """Whether people read it from the left: words, not figures."""
        return self in _FROM_THE_LEFT


_FROM_THE_LEFT = (Unit.TEXT, Unit.NAME, Unit.ID, Unit.TIME, Unit.MOMENT, Unit.FORMULA)


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is for programs, `title` for people; where one is "", those are not shown it."""

    name: str
    title: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind. `name` is for programs, `title` for people."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def for_people(self) -> "Table":
        """Without the columns that have no title or nothing in them."""
        return self._of(
            at
            for at, column in enumerate(self.columns)
            if column.title and any(row[at] not in (None, "") for row in self.rows)
        )

    def for_programs(self) -> "Table":
        """Without the columns that are for people alone."""
        return self._of(at for at, column in enumerate(self.columns) if column.name)

    def _of(self, kept: Iterable[int]) -> "Table":
        at = tuple(kept)
        return Table(
            self.name,
            self.title,
            tuple(self.columns[i] for i in at),
            tuple(tuple(row[i] for i in at) for row in self.rows),
        )


@dataclass(frozen=True, slots=True)
class Head:
    """What every file says of itself: which view, whose, when, how much was watched, the filter."""

    view: str
    node: NodeView
    window: Window | None = None
    filter: str = ""
    is_replay: bool = False
    is_redacted: bool = False

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Name and value, in the order they are written; harmless text."""
        window = self.window
        lines = [
            ("htlctop", __version__),
            ("view", clean(self.view, LONGEST_LINE)),
            ("node", " ".join(filter(None, self._node()))),
        ]
        if window is not None:
            edges = f"{utc(window.from_ns)} .. {utc(window.until_ns)}"
            watched = f"{window.covered_ns // NS} s watched"
            lines += [
                ("window", f"{clean(window.label)} {edges}"),
                ("coverage", f"{window.coverage:.4f} ({watched})"),
            ]
        lines.append(("filter", clean(self.filter, LONGEST_LINE) or "none"))
        if self.is_replay:
            lines.append(("replay", "the times are a recording's own"))
        if self.is_redacted:
            lines.append(("redacted", "names, keys and ids are codes"))
        return tuple(lines)

    def _node(self) -> tuple[str, ...]:
        node = self.node
        key, version = clean(node.pubkey, LONGEST_KEY), clean(node.version)
        return clean(node.alias), key, clean(node.network), f"lnd {version}" if version else ""


@dataclass(frozen=True, slots=True)
class Document:
    """One view to be written: its head, its tables, the main one first, and notes for people.

    A note is a label and a sentence.
    """

    head: Head
    tables: tuple[Table, ...]
    notes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """A column and how its cell is read from what a row is of."""

    name: str
    title: str
    unit: Unit
    read: Callable[[T], Cell]


def table(name: str, title: str, fields: Sequence[Field[T]], items: Iterable[T]) -> Table:
    """One row for each item."""
    return Table(
        name,
        title,
        tuple(Column(field.name, field.title, field.unit) for field in fields),
        tuple(tuple(field.read(item) for field in fields) for item in items),
    )


def plain(cell: Cell, unit: Unit) -> Cell:
    """A cell for programs: numbers stay, times are RFC 3339 UTC, text from outside is harmless."""
    if cell is None or isinstance(cell, bool):
        return cell
    if unit in (Unit.TIME, Unit.MOMENT) and isinstance(cell, int):
        return utc(cell)
    if unit is Unit.NAME and isinstance(cell, str):
        return clean(cell)
    if isinstance(cell, str):
        return clean(cell, _longest(cell, unit))
    return round(cell, 6) if isinstance(cell, float) else cell


def shown(cell: Cell, unit: Unit) -> str:
    """A cell for people: sat instead of msat, local times, rounded."""
    match cell, unit:
        case None, _:
            return ""
        case bool(), _:
            return "yes" if cell else "no"
        case str(), Unit.NAME:
            return clean(cell)
        case str(), _:
            return clean(cell, _longest(cell, unit))
        case int(), Unit.MSAT:
            return sat(cell)
        case int(), Unit.TIME:
            return stamp(cell)
        case int(), Unit.MOMENT:
            return stamp_seconds(cell)
        case int(), Unit.SPAN:
            return span(cell)
        case _, Unit.SHARE:
            return percent(float(cell), 1)
        case int(), _:
            return count(cell)
    return f"{cell:g}"


def _longest(text: str, unit: Unit) -> int:
    """A formula is never cut off, or it would not add up."""
    return len(text) if unit is Unit.FORMULA else LONGEST_LINE


def padded(text: str, width: int, unit: Unit) -> str:
    """A shown cell in a column of so many cells of a terminal."""
    blanks = " " * (width - cells(text))
    return text + blanks if unit.is_left else blanks + text
