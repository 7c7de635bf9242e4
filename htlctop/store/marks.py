"""Notes of the operator's: written beside a collector, in one short transaction."""

import sqlite3
from pathlib import Path

from htlctop.domain.evidence import LONGEST_MARK
from htlctop.errors import StoreError
from htlctop.store.connect import check_file, explained
from htlctop.store.schema import VERSION


def add_mark(path: Path, text: str, at_ns: int, peer: int = 0) -> None:
    """Note something at a time, about a peer or the whole node.

    Raises:
        StoreError: there is no store, or it cannot be written.
    """
    if not path.exists():
        raise StoreError(f"there is no store at {path}; `htlctop collect` or `htlctop` makes one")
    check_file(path)
    with explained(path):
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None
        )
        try:
            connection.execute("PRAGMA busy_timeout = 2000")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version < VERSION:
                raise StoreError(
                    f"{path} is from an older htlctop; start its collector once to update it"
                )
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO mark (at, peer, text) VALUES (?, ?, ?)",
                (at_ns, peer, text[:LONGEST_MARK]),
            )
            connection.execute("UPDATE status SET generation = generation + 1")
            connection.execute("COMMIT")
        finally:
            connection.close()
