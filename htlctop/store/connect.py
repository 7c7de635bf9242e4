"""Opening a store file safely: what it is, whether we may, and a clear word when we may not."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from htlctop.errors import StoreError, StoreUnavailableError
from htlctop.store.schema import APPLICATION_ID, VERSION

_NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs")


def explain(path: Path, error: BaseException) -> StoreError:
    """SQLite's or the system's complaint as one line that says what to do."""
    text = str(error).lower()
    if "malformed" in text or "not a database" in text or "disk image" in text:
        return StoreError(
            f"{path} is damaged or not a store ({error}); nothing was changed. "
            "Move it aside to start a new one, and keep it: most of it can be recovered"
        )
    if "full" in text:
        return StoreUnavailableError(f"no room left on the disk of {path}: free some")
    if "readonly" in text or "read-only" in text or "permission" in text:
        return StoreUnavailableError(f"{path} cannot be written: check who owns it, and its folder")
    if "locked" in text or "busy" in text:
        return StoreUnavailableError(f"{path} is being written by another program: {error}")
    if "disk i/o" in text:
        return StoreUnavailableError(f"the disk of {path} fails: {error}")
    return StoreError(f"cannot use {path}: {error}")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raises StoreError for what SQLite complains of inside."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(path, error) from error


def check_file(path: Path) -> None:
    """Raise StoreError if the file is not ours, not whole, newer than we are, or on a network disk.

    A file that does not exist yet, or is empty, is fine.
    """
    system = _file_system(path)
    if system in _NETWORK_FILE_SYSTEMS:
        raise StoreError(f"{path} lies on {system}, where locking is not safe; use a local disk")
    try:
        if not path.exists() or path.stat().st_size == 0:
            return
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        raise StoreError(f"{path} is not a store of htlctop; give another --store")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        (app,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        check = "PRAGMA quick_check(1)"
        if _is_cut(path, head) and connection.execute(check).fetchone() != ("ok",):
            raise sqlite3.DatabaseError("malformed: the file was cut off")
    except sqlite3.Error as error:
        raise explain(path, error) from error
    finally:
        connection.close()
    if app != APPLICATION_ID:
        # A first start that was cut off leaves a file without tables; that one is ours to finish.
        if app == 0 and version == 0 and path.stat().st_size <= 4096:
            return
        raise StoreError(f"{path} is another program's database; give another --store")
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer htlctop (store version {version}, this one knows "
            f"{VERSION}); update htlctop, or give another --store"
        )


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection to an existing store. It belongs to the calling thread."""
    try:
        is_there = path.exists()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    if not is_there:
        others = ", ".join(_stores_in(path.parent))
        raise StoreError(
            f"there is no store at {path}; `htlctop collect` or `htlctop` makes one"
            + (f" (beside it is {others}: name the one you mean with --store)" if others else "")
        )
    check_file(path)
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None
        )
        connection.execute("PRAGMA busy_timeout = 2000")
        connection.execute("PRAGMA cache_size = -16000")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise explain(path, error) from error
    if version < VERSION:
        connection.close()
        raise StoreError(f"{path} is from an older htlctop; start its collector once to update it")
    return connection


def _stores_in(folder: Path) -> list[str]:
    """The names of a few stores of ours in a folder."""
    found = []
    try:
        for path in sorted(folder.glob("*.db")):
            with path.open("rb") as file:
                if int.from_bytes(file.read(72)[68:]) == APPLICATION_ID:
                    found.append(path.name)
    except OSError:
        pass  # it is only a hint
    return found[:3]


def _is_cut(path: Path, head: bytes) -> bool:
    """Whether the file is shorter than its head says; the rest may still be in the WAL.

    SQLite itself finds out only when it comes upon a page that is missing.
    """
    page_size, pages = int.from_bytes(head[16:18]), int.from_bytes(head[28:32])
    return path.stat().st_size < pages * (65_536 if page_size == 1 else page_size)


def prepare_folder(path: Path) -> None:
    """Make the store's folder, readable by its owner only, and the file likewise."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; give another --store") from error


def _file_system(path: Path) -> str:
    """The type of the file system a path lies on, "" where the system does not tell."""
    mounts = Path("/proc/self/mounts")
    try:
        entries = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    except OSError:
        return ""
    target = path.resolve()
    best = max(
        (entry for entry in entries if target.is_relative_to(entry[0])),
        key=lambda entry: len(entry[0]),
        default=["", ""],
    )
    return best[1]
