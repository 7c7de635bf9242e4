"""Columns with a rank: which of them fit into a width, and how they are laid out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from htlctop.analysis.query import SortKey
from htlctop.ui.text import Piece

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Column(Generic[Item]):
    """One column. The lowest `rank` stays longest; what `stretches` always stays, and so does
    what stands before it: the first column, where none says so.

    `paint` gives the cell's text and role in the width it is told.
    """

    key: str
    title: str
    width: int
    rank: int
    paint: Callable[[Item, int], Piece]
    sort: SortKey | None = None
    to_left: bool = False
    stretches: bool = False


@dataclass(frozen=True, slots=True)
class Shown(Generic[Item]):
    """A column as laid out: where it starts and how wide it is."""

    column: Column[Item]
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Plan(Generic[Item]):
    """The columns of one page; `pages` tells how many there are to go through."""

    shown: tuple[Shown[Item], ...]
    page: int
    pages: int


def plan(
    columns: Sequence[Column[Item]],
    width: int,
    page: int,
    sort: SortKey | None,
    margin: int,
    widest_name: int = 32,
) -> Plan[Item]:
    """Lay the columns out in `width` cells, `margin` of them kept free at the left.

    The first page holds those of the lowest rank that fit, and always the one sorted by; further
    pages hold the others in their order. The name takes what is left over, up to `widest_name`.
    Without columns, as before anything is read, there is one empty page.
    """
    if not columns:
        return Plan((), 0, 1)
    at = next((index for index, column in enumerate(columns) if column.stretches), 0)
    before, name, others = columns[:at], columns[at], columns[at + 1 :]
    indent = margin + sum(column.width + 1 for column in before)
    least = max(8, min(name.width, width * (45 if name.stretches else 30) // 100))
    room = max(0, width - indent - least)
    by_rank = sorted(
        others, key=lambda column: (sort is None or column.sort is not sort, column.rank)
    )
    chosen = _fitting(by_rank, room)
    pages = [[column for column in others if column in chosen]]
    rest = [column for column in others if column not in chosen]
    while rest:
        some = _fitting(rest, room, in_order=True)
        if not some:
            break
        pages.append(some)
        rest = rest[len(some) :]
    page = min(page, len(pages) - 1)
    used = sum(column.width + 1 for column in pages[page])
    widest = max(least, min(widest_name, width - indent - used))
    name_width = max(1, min(widest, width - indent))
    shown, x = [], margin
    for column in before:
        shown.append(Shown(column, x, column.width))
        x += column.width + 1
    shown.append(Shown(name, x, name_width))
    x += name_width
    for column in pages[page]:
        shown.append(Shown(column, x + 1, column.width))
        x += column.width + 1
    return Plan(tuple(shown), page, len(pages))


def _fitting(
    columns: Sequence[Column[Item]], room: int, in_order: bool = False
) -> list[Column[Item]]:
    chosen = []
    for column in columns:
        if column.width + 1 > room:
            if in_order:
                break
            continue
        chosen.append(column)
        room -= column.width + 1
    return chosen
