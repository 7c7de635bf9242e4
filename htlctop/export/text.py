"""A document as plain text: notes, then tables in columns."""

from unicodedata import combining, east_asian_width

from htlctop.export.table import Document, Table, Unit, shown

_LABEL = 10
"""The width of what stands before a note."""


def render(document: Document) -> str:
    """The document as text, its head as `# name: value` lines."""
    head = "".join(f"# {name}: {value}\n" for name, value in document.head.lines())
    return f"{head}\n{body(document)}"


def body(document: Document) -> str:
    """The same without its head."""
    blocks = [[f"{label:<{_LABEL}}{note}".rstrip() for label, note in document.notes]]
    blocks += [
        [*([table.title] if table.title else []), *columns(table)] for table in document.tables
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def columns(table: Table) -> list[str]:
    """The table's header and rows, words to the left and figures to the right."""
    table = table.for_people()
    if not table.rows:
        return ["(none)"]
    units = [column.unit for column in table.columns]
    rows = [[column.title for column in table.columns]]
    rows += [list(map(shown, row, units)) for row in table.rows]
    widths = [max(cells(row[at]) for row in rows) for at in range(len(units))]
    return ["  ".join(map(_padded, row, widths, units)).rstrip() for row in rows]


def _padded(text: str, width: int, unit: Unit) -> str:
    blanks = " " * (width - cells(text))
    return text + blanks if unit.is_left else blanks + text


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )
