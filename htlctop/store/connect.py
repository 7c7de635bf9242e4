"""Opening a store file safely: what it is, whether we may, and a clear word when we may not.

Only SQLite opens a store that is there. Closing a descriptor of our own would drop every lock this
process has on the file (POSIX), and whoever closes it next would delete the WAL under our writer.
"""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from htlctop.errors import StoreError, StoreUnavailableError
from htlctop.store.schema import APPLICATION_ID, VERSION

LEAST_ROOM = 256 * 2**10
"""Bytes a batch may need; a disk with less left takes nothing more."""
_HEAD_BYTES = 100
_GROWS_WITHIN_S, _LOOK_EVERY_S = 2.0, 0.05
"""A checkpoint writes the head, which tells the new length, before the rest: a file that is too
short is looked at again before it is read whole, which takes long."""
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
        return StoreUnavailableError(
            f"{path} cannot be written: check who owns it and its folder, "
            "or run htlctop as the user who collects into it"
        )
    if "unable to open" in text:
        return StoreError(
            f"{path} cannot be opened: run htlctop as the user who collects into it, "
            "or copy it, with its -wal if there is one, to a folder of yours"
        )
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


def disk_trouble(path: Path) -> str:
    """Why the disk of a store takes nothing now, as a line that says what to do; "" if it does."""
    try:
        disk = os.statvfs(path)
    except OSError as error:
        return f"the disk of {path} cannot be asked: {error.strerror}"
    if disk.f_flag & os.ST_RDONLY:
        return f"the disk of {path} is mounted read-only: check dmesg, and mount it anew"
    if disk.f_bavail * disk.f_frsize < LEAST_ROOM:
        return f"no room left on the disk of {path}: free some"
    return ""


def check_file(path: Path) -> None:
    """Raise StoreError if the file is not ours, not whole, newer than we are, or on a network disk.

    A file that does not exist yet, or is empty, is fine.
    """
    check_kind(path)
    check_whole(path)


def check_kind(path: Path) -> None:
    """The same, but whether it is whole; nothing of it is read but its head."""
    system = _file_system(path)
    if system in _NETWORK_FILE_SYSTEMS:
        raise StoreError(f"{path} lies on {system}, where locking is not safe; use a local disk")
    try:
        if _is_empty(path):
            return
        is_head_there = path.stat().st_size >= _HEAD_BYTES
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    if not is_head_there:
        raise StoreError(f"{path} is not a store of htlctop; give another --store")
    try:
        with closing(sqlite3.connect(_to_read(path), uri=True)) as connection:
            (app,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        if "not a database" in str(error):
            raise StoreError(f"{path} is not a store of htlctop; give another --store") from error
        raise explain(path, error) from error
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


def check_whole(path: Path) -> None:
    """Raise StoreError if a part of a store's file is missing."""
    until_s = time.monotonic() + _GROWS_WITHIN_S
    try:
        while not _is_empty(path) and _is_cut(path):
            if time.monotonic() < until_s:
                time.sleep(_LOOK_EVERY_S)
                continue
            with closing(sqlite3.connect(_to_read(path), uri=True)) as connection:
                if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                    raise sqlite3.DatabaseError("malformed: the file was cut off")
            return
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise explain(path, error) from error


def _is_empty(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


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
        connection = sqlite3.connect(_to_read(path), uri=True, isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 2000")
        connection.execute("PRAGMA cache_size = -16000")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise explain(path, error) from error
    if version < VERSION:
        connection.close()
        raise StoreError(f"{path} is from an older htlctop; start its collector once to update it")
    return connection


def _to_read(path: Path) -> str:
    """The URI to read a store by.

    SQLite makes a WAL's index beside the file even to read it. In a folder that takes nothing (a
    backup, another user's copy) a store without a WAL has no collector, and is read as it lies.
    """
    way = "mode=ro"
    wal = path.with_name(path.name + "-wal")
    if not os.access(path.parent, os.W_OK) and not wal.exists():
        way += "&immutable=1"
    return f"{path.resolve().as_uri()}?{way}"


def _stores_in(folder: Path) -> list[str]:
    """The names of a few stores of ours in a folder."""
    found = []
    for path in sorted(folder.glob("*.db")):
        with (
            suppress(sqlite3.Error),  # it is only a hint
            closing(sqlite3.connect(_to_read(path), uri=True)) as other,
        ):
            if other.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,):
                found.append(path.name)
    return found[:3]


def _is_cut(path: Path) -> bool:
    """Whether the file is shorter than its head says; the rest may still be in the WAL.

    Looking beside the WAL SQLite finds out at once, else only when it comes upon a missing page.
    """
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    except sqlite3.DatabaseError:
        return True
    finally:
        connection.close()
    return path.stat().st_size < int(page_size) * int(pages)


def prepare_folder(path: Path) -> None:
    """Make the store's folder, readable by its owner only, and the file likewise."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
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
