"""Why fees were missed: a pane with bars, one line of bars, or one line of words."""

from collections.abc import Sequence

from htlctop.analysis.models import CategoryRow
from htlctop.domain.codes import Category, Group
from htlctop.export.format import count, percent, sat, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.text import BLANK, Line, Part, Role, fit, indent, left, line, right
from htlctop.ui.words import SHORT

_AMOUNT = 8
"""Cells of an amount, with a blank before it."""


def lost(categories: Sequence[CategoryRow]) -> tuple[CategoryRow, ...]:
    """The causes that cost us, the dearest first; those without a known fee by their number."""
    rows = [row for row in categories if row.category.group is Group.LOST and row.count]
    return tuple(sorted(rows, key=lambda row: (-row.expected_msat, -row.count)))


def pane(
    categories: Sequence[CategoryRow], width: int, height: int, glyphs: Glyphs
) -> tuple[Line, ...]:
    """The pane beside the table: a side line, a title, a bar for each cause, then the rest."""
    body: list[Line] = []
    rows = lost(categories)
    total = sum(row.expected_msat for row in rows)
    room = max(2, width - 2 - 11 - 5 - _AMOUNT)
    for row in rows:
        label = left(row.category.label, 11, glyphs.more)
        if row.expected_msat <= 0:
            body.append(line(f"{label}{_times(row.count, glyphs)}{_unpaid(row)}", Role.TEXT))
            continue
        share = row.expected_msat / total
        body.append(
            (
                (label, Role.TEXT),
                (glyphs.bar(share, room), Role.BAR),
                (right(percent(row.expected_msat, total), 5), Role.TEXT),
                (right(_amount(row.expected_msat), _AMOUNT), Role.STRONG),
            )
        )
    body.extend(_others(categories, glyphs))
    if not body:
        body.append(line("nothing refused", Role.DIM))
    title: Line = ((glyphs.tee + glyphs.rule + " Why ", Role.TITLE),)
    title += ((glyphs.rule * max(0, width - 7), Role.TITLE),)
    side = (f"{glyphs.side} ", Role.TITLE)
    filled = [*body, *([BLANK] * max(0, height - 1 - len(body)))]
    return (title, *((side, *fit(row, max(0, width - 2), glyphs.more)) for row in filled))


def _others(categories: Sequence[CategoryRow], glyphs: Glyphs) -> list[Line]:
    offered = sum(row.offered_msat for row in categories)
    priced = _count(categories, Group.PRICED_OUT)
    found: list[Line] = []
    if priced:
        found.append(
            line(f"priced out {_times(priced, glyphs)}, {_amount(offered)} sat bid", Role.DIM)
        )
    for group, words in (
        (Group.SENDER, "by the sender's mistake"),
        (Group.CONFIG, "on channels we disabled"),
        (Group.OTHER, "for other reasons"),
    ):
        if number := _count(categories, group):
            found.append(line(f"{_times(number, glyphs)} {words}", Role.DIM))
    return found


def _count(categories: Sequence[CategoryRow], group: Group) -> int:
    return sum(row.count for row in categories if row.category.group is group)


def _times(number: int, glyphs: Glyphs) -> str:
    return f"{count(number)} {glyphs.times}"


def _amount(msat: int) -> str:
    """In sat; rounded to thousands where it takes too much room."""
    text = sat(msat)
    return text if len(text) < _AMOUNT else short_sat((msat + 500) // 1000)


def _unpaid(row: CategoryRow) -> str:
    return ", fee unknown" if row.fee_unknown else ", 0 sat"


def bars(categories: Sequence[CategoryRow], width: int, glyphs: Glyphs) -> Line:
    """The causes in one line, each with a bar."""
    rows = [row for row in lost(categories) if row.expected_msat > 0]
    if not rows:
        return words(categories, width, glyphs)
    total = sum(row.expected_msat for row in rows)
    parts = [Part("Why", Role.TITLE)]
    for rank, row in enumerate(rows, 1):
        share = row.expected_msat / total
        bar = glyphs.bar(share, 10).rstrip()
        text = f"{SHORT[row.category]} {bar} {percent(row.expected_msat, total)}"
        parts.append(Part(text, Role.TEXT, rank, f"{SHORT[row.category]} {_whole(share)}"))
    if unknown := [row for row in lost(categories) if row.expected_msat <= 0]:
        text = " ".join(f"{SHORT[r.category]} {_times(r.count, glyphs)}" for r in unknown)
        parts.append(Part(text, Role.DIM, len(rows) + 1))
    return indent(width, parts)


def words(categories: Sequence[CategoryRow], width: int, glyphs: Glyphs) -> Line:
    """The causes in one short line: liq 71 off 14 max 9, in per cent of what was missed."""
    rows = lost(categories)
    total = sum(row.expected_msat for row in rows)
    parts = [
        Part(f"{SHORT[row.category]} {_whole(row.expected_msat / total)}", Role.TEXT, rank)
        for rank, row in enumerate(rows)
        if row.expected_msat > 0
    ]
    if not parts:
        parts = [
            Part(f"{SHORT[row.category]} {_times(row.count, glyphs)}", Role.TEXT, rank)
            for rank, row in enumerate(rows)
        ]
    if not parts:
        return line(" nothing refused", Role.DIM)
    return indent(width, parts, gap=1)


def _whole(share: float) -> str:
    return percent(share, 1).rstrip("%")


def short(category: Category | None) -> str:
    """The cause as a table cell."""
    return SHORT[category] if category else ""
