"""Faults of the disk, from outside the collecting process: no room, and somebody else's lock."""

import resource
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

_SMALL = 64 * 1024


class NoRoom:
    """While it holds, a process cannot write beyond the first 64 kB of any file (EFBIG)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        _, self._most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (_SMALL, self._most))

    def end(self) -> None:
        """There is room again, if the process is still there."""
        with suppress(ProcessLookupError):
            resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (self._most, self._most))


def hold_the_write_lock(store: Path, seconds: float) -> threading.Thread:
    """Keep every other writer of the store waiting (SQLITE_BUSY); in a thread of its own."""

    def hold() -> None:
        try:
            with closing(sqlite3.connect(store, isolation_level=None, timeout=2)) as db:
                db.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                db.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # the collector holds it, or is making the store

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    return thread
