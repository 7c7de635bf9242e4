"""A document as Markdown to paste into a forum: notes as a list, tables with pipes that line up.

Names come from strangers: every sign that Markdown, HTML or a linking forum would act on is
escaped, so that a name is shown and nothing else.
"""

import re

from htlctop.export.format import cells
from htlctop.export.table import Cell, Document, Table, Unit, padded, shown

_ACTIVE = re.compile(r"[\\`*_{}\[\]<>#|~&@$]|[.:](?=[^\W\d]|/)|^[-+](?=\s)")
"""Signs that format, link or mention; a dot or colon only where an address could go on."""
_JOINER = "\N{WORD JOINER}"


def render(document: Document) -> str:
    """The document as text."""
    head = dict(document.head.lines())
    view = escape(document.head.view)
    lines = [f"### {view}", ""] if view else []
    lines += [_note(label, note) for label, note in document.notes]
    for table in document.tables:
        lines += _table(table.for_people())
    told = [
        f"*{escape(name)} {escape(head[name])}*"
        for name in ("htlctop", "node", "window", "coverage", "filter", "replay", "redacted")
        if name in head
    ]
    return "\n".join([*lines, "", *told]) + "\n"


def escape(text: str) -> str:
    """Text as it is, whatever a reader of Markdown makes of its signs; for one line."""
    escaped = _ACTIVE.sub(r"\\\g<0>", " ".join(text.split()))
    # Some forums look for addresses after the escapes are gone: an unseen joiner breaks those.
    return escaped.replace("\\@", f"\\@{_JOINER}").replace("\\:/", f"\\:{_JOINER}/")


def _note(label: str, note: str) -> str:
    return f"- **{escape(label)}** {escape(note)}" if label else f"- {escape(note)}"


def _table(table: Table) -> list[str]:
    lines = ["", f"**{escape(table.title)}**", ""] if table.title else [""]
    if not table.rows:
        return [*lines, "(none)"]
    units = [column.unit for column in table.columns]
    rows = [[column.title for column in table.columns]]
    rows += [list(map(_cell, row, units)) for row in table.rows]
    widths = [max(3, *(cells(row[at]) for row in rows)) for at in range(len(units))]
    rule = [_rule(width, unit) for width, unit in zip(widths, units, strict=True)]
    rows.insert(1, rule)
    return [*lines, *(f"| {' | '.join(map(padded, row, widths, units))} |" for row in rows)]


def _rule(width: int, unit: Unit) -> str:
    return "-" * width if unit.is_left else f"{'-' * (width - 1)}:"


def _cell(cell: Cell, unit: Unit) -> str:
    return escape(shown(cell, unit))
