"""One writer per store: an flock on `<store>.lock`, held as long as the file is open."""

import fcntl
import os
from pathlib import Path

from htlctop.errors import StoreError


class StoreBusyError(StoreError):
    """Another process collects into this store; `who` says which, without what to do about it."""

    def __init__(self, store: Path, owner: str) -> None:
        self.who = f"{store} is collected into by process {owner}"
        super().__init__(f"{self.who}; stop it first, or give another --store")


class StoreLock:
    """Held from `acquire` to `release`; the kernel releases it when the process dies."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + ".lock")
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise StoreBusyError naming the process that has it."""
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"cannot create {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(fd, 32).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise StoreBusyError(self._path.with_suffix(""), owner) from None
        except OSError as error:
            os.close(fd)
            raise StoreError(
                f"cannot lock {self._path}: {error.strerror}; "
                "a store belongs on a local disk, not on a network file system"
            ) from error
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd

    def release(self) -> None:
        """Give the lock back."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> "StoreLock":
        self.acquire()
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
