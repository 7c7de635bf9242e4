"""A document as CSV: its head as `# name: value` lines, then each table under a header row.

Amounts are integer msat, times RFC 3339 UTC, ids text. Cells that a spreadsheet would run as a
formula are given an apostrophe.
"""

import csv
import io
import re

from htlctop.export.table import Cell, Document, Table, plain

_FORMULA = re.compile(r"(^|[,;\t\"]\s*)(?=[=+\-@＝＋－＠])")
"""Where a spreadsheet begins a cell, by its own comma or by a semicolon, and finds a formula."""


def render(document: Document) -> str:
    """The document as text, lines ending in LF. Tables but the first are named in a `#` line."""
    out = io.StringIO()
    for name, value in document.head.lines():
        out.write(f"# {name}: {_comment(value)}\n")
    for at, table in enumerate(document.tables):
        if at:
            out.write(f"\n# table: {table.name}\n")
        _write(out, table.for_programs())
    return out.getvalue()


def _write(out: io.StringIO, table: Table) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.name for column in table.columns)
    units = [column.unit for column in table.columns]
    for row in table.rows:
        writer.writerow(_safe(plain(cell, unit)) for cell, unit in zip(row, units, strict=True))


def _safe(cell: Cell) -> Cell:
    return _FORMULA.sub(r"\1'", cell) if isinstance(cell, str) else cell


def _comment(text: str) -> str:
    """Text that stays in one cell, or in a comment, whoever reads the file."""
    return _FORMULA.sub(r"\1'", re.sub(r"[,;\t\"]", " ", text))
