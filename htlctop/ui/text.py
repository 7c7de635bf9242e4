"""Lines of text with meaning: measured, cut, filled, compared. No widget, no colour in here.

A line is a tuple of (text, role) pieces; every piece measures what the terminal will show.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import overload

from rich.cells import cell_len, set_cell_size


class Role(Enum):
    """What a piece of text is; the palette says how that looks."""

    TEXT = "text"
    DIM = "dim"
    TITLE = "title"
    STRONG = "strong"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    BAR = "bar"
    BADGE = "badge"
    CURSOR = "cursor"
    NOTE = "note"


_BARE = frozenset(set(Role) - {Role.BADGE, Role.CURSOR, Role.NOTE})
"""Roles under which a blank looks like a blank."""

Piece = tuple[str, Role]
Line = tuple[Piece, ...]
BLANK: Line = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A piece that may be left out: the highest `rank` goes first; `short` is tried before."""

    text: str
    role: Role = Role.TEXT
    rank: int = 0
    short: str = ""


def line(text: str, role: Role = Role.TEXT) -> Line:
    """One piece as a line."""
    return ((text, role),)


def width_of(pieces: Line) -> int:
    """How many cells the line takes."""
    return sum(cell_len(text) for text, _ in pieces)


def plain(pieces: Line) -> str:
    """The line's text alone."""
    return "".join(text for text, _ in pieces)


def merged(pieces: Line) -> Line:
    """The same line in as few pieces as can be: blanks join whatever is beside them."""
    found: list[Piece] = []
    for text, role in pieces:
        if not text:
            continue
        if found:
            before, role_before = found[-1]
            if role is role_before or (role in _BARE and not text.strip()):
                if role_before in _BARE or role is role_before:
                    found[-1] = (before + text, role_before)
                    continue
            elif role_before in _BARE and role in _BARE and not before.strip():
                found[-1] = (before + text, role)
                continue
        found.append((text, role))
    return tuple(found)


def cut(text: str, width: int, mark: str = "…") -> str:
    """At most `width` cells of the text; what is cut off leaves a mark."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    if width <= len(mark):
        return set_cell_size(text, width)
    return set_cell_size(text, width - len(mark)).rstrip() + mark


def left(text: str, width: int, mark: str = "…") -> str:
    """Exactly `width` cells, the text at the left."""
    shown = cut(text, width, mark)
    return shown + " " * (width - cell_len(shown))


def right(text: str, width: int, mark: str = "…") -> str:
    """Exactly `width` cells, the text at the right."""
    shown = cut(text, width, mark)
    return " " * (width - cell_len(shown)) + shown


def fit(pieces: Line, width: int, mark: str = "…") -> Line:
    """The line in exactly `width` cells: cut with a mark, or filled with blanks."""
    if width <= 0:
        return BLANK
    total = width_of(pieces)
    if total <= width:
        return (*pieces, (" " * (width - total), Role.TEXT)) if total < width else pieces
    if not plain(pieces).rstrip() or cell_len(plain(pieces).rstrip()) <= width:
        mark = ""
    kept: list[Piece] = []
    room = width
    for text, role in pieces:
        cells = cell_len(text)
        if cells >= room:
            kept.append(
                (left(text if cells == room and not mark else text + mark, room, mark), role)
            )
            break
        kept.append((text, role))
        room -= cells
    return tuple(kept)


def arrange(width: int, lefts: Sequence[Part], rights: Sequence[Part] = (), gap: int = 2) -> Line:
    """Parts in a row of exactly `width` cells, `rights` at its end.

    While they do not fit they are shortened, the highest rank first; where that is not enough the
    part of the highest rank is left out. The last one left is cut.
    """
    parts = [part for part in (*lefts, *rights) if part.text]
    texts = _chosen(sorted(parts, key=lambda part: part.rank), width, gap)
    heads = _joined(lefts, texts, gap)
    tails = _joined(rights, texts, gap)
    space = width - width_of(heads) - width_of(tails)
    return fit((*heads, (" " * max(0, space), Role.TEXT), *tails) if tails else heads, width)


def _chosen(parts: list[Part], width: int, gap: int) -> dict[int, str]:
    """The text of each part that stays, by its id; `parts` come in the order of their rank."""
    texts: dict[int, str] = {}
    while parts:
        texts = {id(part): part.text for part in parts}
        for part in (None, *reversed(parts)):
            if part is not None:
                texts[id(part)] = part.short or part.text
            if sum(map(cell_len, texts.values())) + gap * (len(texts) - 1) <= width:
                return texts
        parts = parts[:-1]
    return texts


def indent(width: int, lefts: Sequence[Part], rights: Sequence[Part] = (), gap: int = 2) -> Line:
    """`arrange` with a blank at the left, and at the right where there is room for it."""
    if width < 12:
        return arrange(width, lefts, rights, gap)
    edge = (" ", Role.TEXT)
    if width < 40:
        return (edge, *arrange(width - 1, lefts, rights, gap))
    return (edge, *arrange(width - 2, lefts, rights, gap), edge)


def _joined(parts: Iterable[Part], texts: dict[int, str], gap: int) -> Line:
    pieces: list[Piece] = []
    for part in parts:
        if id(part) not in texts:
            continue
        if pieces:
            pieces.append((" " * gap, Role.TEXT))
        pieces.append((texts[id(part)], part.role))
    return tuple(pieces)


class Unrolling(Sequence[Line]):
    """Lines that are made as far as somebody looks. Its length, and an end, take all of them."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._rest = lines
        self._made: list[Line] = []

    def __bool__(self) -> bool:
        return bool(self[:1])

    def __len__(self) -> int:
        self._made.extend(self._rest)
        return len(self._made)

    @overload
    def __getitem__(self, at: int) -> Line: ...

    @overload
    def __getitem__(self, at: slice) -> list[Line]: ...

    def __getitem__(self, at: int | slice) -> Line | list[Line]:
        stop = at.stop if isinstance(at, slice) else at + 1
        if stop is None or stop <= 0:
            len(self)
        else:
            self._made.extend(islice(self._rest, max(0, stop - len(self._made))))
        return self._made[at]


def wrap(text: str, width: int, most: int) -> tuple[str, ...]:
    """The text broken at blanks into at most `most` rows of `width` cells; the last is cut."""
    rows: list[str] = []
    words = text.split()
    row = ""
    while words and width > 0:
        word = words[0]
        longer = f"{row} {word}" if row else word
        if len(rows) == most - 1:
            rows.append(cut(" ".join(filter(None, [row, *words])), width))
            return tuple(rows)
        if cell_len(longer) <= width:
            row = longer
            words.pop(0)
        elif row:
            rows.append(row)
            row = ""
        else:
            head = set_cell_size(word, width).rstrip() or word[:1]
            rows.append(head)
            words[0] = word[len(head) :]
    return (*rows, row) if row else tuple(rows)


def changed(old: Line, new: Line) -> tuple[int, int] | None:
    """The cells [start, end) in which two lines of one width differ, None where they are equal."""
    if old == new:
        return None
    total = width_of(new)
    if width_of(old) != total:
        return 0, max(total, width_of(old))
    start = _same(old, new)
    end = _same(tuple(reversed(old)), tuple(reversed(new)))
    return start, max(start, total - end)


def _same(old: Line, new: Line) -> int:
    cells = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        cells += cell_len(one[0])
    return cells
