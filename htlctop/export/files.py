"""Files people take away: private (0600), named by view and time, never over an older one."""

import os
from pathlib import Path

from htlctop.errors import StoreError


def write_private(folder: Path, stem: str, suffix: str, text: str) -> Path:
    """Write `text` to `folder`/`stem``suffix` with mode 0600 and tell the path used.

    The folder is made (0700) where it is missing; a name that is taken gets -2, -3, … .

    Raises:
        StoreError: the file cannot be written; the message says which and why.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, descriptor = _create(folder, stem, suffix)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StoreError(f"cannot write into {folder}: {error.strerror or error}") from error
    return path


def _create(folder: Path, stem: str, suffix: str) -> tuple[Path, int]:
    number = 1
    while True:
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
