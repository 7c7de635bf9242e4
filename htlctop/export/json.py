"""A document as JSON: `{"schema": "htlctop-view/1", …head…, "tables": {name: [row, …]}}`.

Amounts are integer msat, times RFC 3339 UTC, ids text; nothing is rounded for people.
"""

import json

from htlctop import __version__
from htlctop.export.format import LONGEST_KEY, LONGEST_LINE, clean, utc
from htlctop.export.table import Document, Head, Table, plain

SCHEMA = "htlctop-view/1"


def render(document: Document) -> str:
    """The document as text."""
    tables = {table.name: _rows(table.for_programs()) for table in document.tables}
    whole = {"schema": SCHEMA, "htlctop": __version__, **_head(document.head), "tables": tables}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _head(head: Head) -> dict[str, object]:
    node, window = head.node, head.window
    return {
        "view": clean(head.view, LONGEST_LINE),
        "node": {
            "pubkey": clean(node.pubkey, LONGEST_KEY),
            "alias": clean(node.alias),
            "network": clean(node.network),
            "version": clean(node.version),
            "replay": head.is_replay,
        },
        "window": window
        and {
            "label": clean(window.label),
            "from": utc(window.from_ns),
            "to": utc(window.until_ns),
            "covered_s": round(window.covered_ns / 1e9, 3),
        },
        "filter": clean(head.filter, LONGEST_LINE),
        "redacted": head.is_redacted,
    }


def _rows(table: Table) -> list[dict[str, object]]:
    return [
        {
            column.name: plain(cell, column.unit)
            for column, cell in zip(table.columns, row, strict=True)
        }
        for row in table.rows
    ]
