"""A document as plain text: notes, then tables in columns."""

from textwrap import wrap

from htlctop.export.format import cells
from htlctop.export.table import Document, Table, padded, shown

_LABEL = 10
"""The width of what stands before a note."""
_WIDTH = 100
"""Of a note's lines, cells of a terminal where every character takes one."""


def render(document: Document) -> str:
    """The document as text, its head as `# name: value` lines."""
    head = "".join(f"# {name}: {value}\n" for name, value in document.head.lines())
    return f"{head}\n{body(document)}"


def body(document: Document) -> str:
    """The same without its head."""
    blocks = [[line for note in document.notes for line in _note(*note)]]
    blocks += [
        [*([table.title] if table.title else []), *columns(table)] for table in document.tables
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _note(label: str, note: str) -> list[str]:
    """A note beside its label, wrapped."""
    return wrap(note, _WIDTH, initial_indent=f"{label:<{_LABEL}}", subsequent_indent=" " * _LABEL)


def columns(table: Table) -> list[str]:
    """The table's header and rows, words to the left and figures to the right."""
    table = table.for_people()
    if not table.rows:
        return ["(none)"]
    units = [column.unit for column in table.columns]
    rows = [[column.title for column in table.columns]]
    rows += [list(map(shown, row, units)) for row in table.rows]
    widths = [max(cells(row[at]) for row in rows) for at in range(len(units))]
    return ["  ".join(map(padded, row, widths, units)).rstrip() for row in rows]
