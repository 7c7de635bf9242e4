"""What pages are made of: titled lines, names, little tables of figures, side by side where there
is room."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from htlctop.analysis.models import UNKNOWN_PEER, CategoryRow, PairRow
from htlctop.domain.codes import Group
from htlctop.export.format import ascii_only, clean, count, name, sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.text import BLANK, Line, Piece, Role, cut, fit, left, line, right, wrap

SIDE_BY_SIDE = 66
_MOST_SOURCES = 12
_LONGEST = 100_000
_HARMLESS = re.compile(r"[!-~–×…→≈÷−·]+(?: [!-~–×…→≈÷−·]+)*")
"""Words and arithmetic of our own, of which nothing has to be taken away."""


def called(alias: str, pubkey: str | None, peer: int, glyphs: Glyphs) -> str:
    """What a peer is called, in signs this terminal has."""
    title = name(alias, pubkey, peer)
    return ascii_only(title) if glyphs.ascii and peer != UNKNOWN_PEER else title


def spelled(text: str, glyphs: Glyphs) -> str:
    """Words with names in them, made harmless, in signs this terminal has."""
    if not _HARMLESS.fullmatch(text):
        text = clean(text, _LONGEST)
    if not glyphs.ascii:
        return text
    return ascii_only(text.translate(_SPELLED))


_SPELLED = str.maketrans(
    {"–": "-", "×": "x", "…": "~", "→": "->", "≈": "~", "÷": "/", "−": "-", "·": "-"}
)


def rule(text: str, width: int, glyphs: Glyphs, tee_at: int | None = None) -> Line:
    """A titled line across the pane; `tee_at` joins a side line that ends above it."""
    head = f"{glyphs.rule} {cut(text, width - 3, glyphs.more)} "
    body = head + glyphs.rule * max(0, width - len(head))
    if tee_at is not None and len(head) <= tee_at < width:
        body = body[:tee_at] + glyphs.tee_up + body[tee_at + 1 :]
    return fit(line(body, Role.TITLE), width, "")


def widths(width: int, columns: int) -> tuple[int, ...]:
    """How wide each of some columns is, a side line between them."""
    room = width - (columns - 1)
    each, more = divmod(max(0, room), columns)
    return tuple(each + (1 if index >= columns - more else 0) for index in range(columns))


def beside(
    columns: Sequence[Sequence[Line]], wide: Sequence[int], glyphs: Glyphs
) -> tuple[Line, ...]:
    """Blocks of lines side by side, each as wide as told, a side line between them."""
    height = max(map(len, columns), default=0)
    lines: list[Line] = []
    for index in range(height):
        row: list[Piece] = []
        for at, (block, width) in enumerate(zip(columns, wide, strict=True)):
            if at:
                row.append((glyphs.side, Role.TITLE))
            row.extend(fit(block[index] if index < len(block) else BLANK, width, glyphs.more))
        lines.append(tuple(row))
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table of figures: what, how much in words, how often."""

    label: str
    amount: str
    number: int
    role: Role = Role.TEXT


def why(categories: Sequence[CategoryRow], width: int, glyphs: Glyphs) -> list[Line]:
    """Every reason with its net demand and how often; bids stand apart, "unknown" where untold."""
    found = [row for row in categories if row.count and row.category.group is not Group.EARNED]
    found.sort(key=lambda row: (-row.net_demand_msat, -row.offered_msat, -row.count))
    rows = []
    for one in found:
        label, group = one.category.label, one.category.group
        if group is Group.LOST:
            unpaid = one.fee_unknown and not one.net_demand_msat
            amount = "unknown" if unpaid else sat(one.net_demand_msat)
            rows.append(Row(label, amount, one.count))
        elif group is Group.PRICED_OUT:
            rows.append(Row(label, f"{sat(one.offered_msat)} bid", one.count, Role.DIM))
        else:
            rows.append(Row(label, "", one.count, Role.DIM))
    return figures("Why (demand)", rows, width, glyphs, "nothing refused")


def sources(pairs: Sequence[PairRow], width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """From whom it was refused, the largest net demand first; those beyond what a page of this
    height has room for are summed in one line."""
    pairs = [pair for pair in pairs if pair.sums.refused]
    most = max(4, min(_MOST_SOURCES, height // 4 - 1))
    rows = []
    for pair in pairs[:most]:
        title = called(pair.in_alias, pair.in_pubkey, pair.in_peer, glyphs)
        rows.append(Row(title, sat(pair.sums.net_demand_msat), pair.sums.refused))
    if len(pairs) > most:
        rest = pairs[most:]
        total = sum(pair.sums.net_demand_msat for pair in rest)
        refused = sum(pair.sums.refused for pair in rest)
        rows.append(Row(f"{len(rest)} more", sat(total), refused, Role.DIM))
    return figures("From", rows, width, glyphs, "nobody yet")


def figures(title: str, rows: Sequence[Row], width: int, glyphs: Glyphs, empty: str) -> list[Line]:
    """A table of figures under its title; the two columns are as wide as their figures."""
    amounts = max([6, *(len(row.amount) for row in rows)])
    numbers = max([4, *(len(count(row.number)) for row in rows)])
    room = max(4, width - amounts - numbers - 4)

    def lay(label: str, amount: str, number: str, role: Role) -> Line:
        text = (
            f" {left(label, room, glyphs.more)} {right(amount, amounts)} {right(number, numbers)}"
        )
        return fit(line(text, role), width, glyphs.more)

    lines = [lay(title, "sat", "n", Role.TITLE)]
    lines.extend(lay(row.label, row.amount, count(row.number), row.role) for row in rows)
    return lines if rows else [*lines, line(f" {empty}", Role.DIM)]


def field(label: str, value: str, width: int, glyphs: Glyphs, role: Role = Role.TEXT) -> list[Line]:
    """A named value, wrapped under itself where it is long."""
    room = min(20, max(9, width // 3))
    rows = wrap(value, max(1, width - room - 2), 6) or ("",)
    return [
        (
            (left(f" {label if not index else ''}", room, glyphs.more) + " ", Role.DIM),
            (row, role),
        )
        for index, row in enumerate(rows)
    ]


def paragraph(text: str, width: int, role: Role = Role.TEXT, most: int = 6) -> list[Line]:
    """Words wrapped with a blank at the left."""
    return [line(f" {row}", role) for row in wrap(text, max(1, width - 2), most)]
