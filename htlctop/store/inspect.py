"""Looks at a store from outside: what is there, who holds it, whether it could be used."""

import fcntl
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from htlctop.errors import StoreError
from htlctop.store.connect import check_file


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Attributes:
    size: bytes on disk with its WAL, None where there is no store yet.
    trouble: why it cannot be used, None if it can.
    held_by: the process that collects into it, "" if none does.
    is_ours: it belongs to this user. is_private: nobody else may read it.
    """

    size: int | None
    trouble: StoreError | None
    held_by: str
    is_ours: bool
    is_private: bool


def inspect(path: Path) -> StoreFacts:
    """Look; nothing is made or changed."""
    trouble = None
    try:
        check_file(path)
        _check_writable(path)
    except StoreError as error:
        trouble = error
    try:
        found = path.stat()
        size = found.st_size
        wal = path.with_name(path.name + "-wal")
        size += wal.stat().st_size if wal.exists() else 0
    except OSError:
        return StoreFacts(None, trouble, "", True, True)
    return StoreFacts(
        size,
        trouble,
        _holder(path),
        found.st_uid == os.geteuid(),
        not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO),
    )


def _check_writable(path: Path) -> None:
    """Raise StoreError if the file, or where there is none its folder, cannot be written."""
    if path.exists():
        if not path.is_file():
            raise StoreError(f"{path} is no file; give another --store")
        if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
            raise StoreError(f"{path} cannot be written: check who owns it and its folder")
        return
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"no store can be made in {folder}: make it writable, or give --store")


def _holder(path: Path) -> str:
    """Who collects into it: a shared lock, held for an instant, is refused while somebody does."""
    try:
        lock = path.with_name(path.name + ".lock")
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return ""
