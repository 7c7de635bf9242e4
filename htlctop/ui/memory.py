"""What the screen remembers by itself from one run to the next, apart from the config file.

One small JSON file for each profile. A broken one counts as none, and that is said once.
"""

import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from htlctop.analysis.query import By, Query, SortKey
from htlctop.analysis.windows import WINDOWS
from htlctop.ui.keys import Focus
from htlctop.ui.layout import Form

E = TypeVar("E", bound=StrEnum)

VERSION = 1
_MOST_BYTES = 64 * 1024
_VIEWS = frozenset(focus.name.lower() for focus in Focus)
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Memory:
    """How the screen was left: "" and None where nothing is remembered.

    `code_key` is what redaction makes its codes with, hex; the same in every run.
    """

    view: str = ""
    window: str = ""
    sort: SortKey = SortKey.MISSED
    reverse: bool = False
    by: By = By.PEER
    form: Form | None = None
    code_key: str = ""

    def query(self, window: str | None) -> Query:
        """What is looked at first; a window that was asked for comes before the one remembered."""
        return Query(window or self.window, sort=self.sort, reverse=self.reverse, by=self.by)

    def left(self, view: str, query: Query, form: Form | None) -> "Memory":
        """With the view, what was looked at and its arrangement when the screen was left."""
        window = query.window if query.window in WINDOWS else self.window
        return replace(
            self,
            view=view,
            window=window,
            sort=query.sort,
            reverse=query.reverse,
            by=query.by,
            form=form,
        )

    @property
    def key(self) -> bytes:
        """The key of the codes."""
        return bytes.fromhex(self.code_key)

    def with_key(self) -> "Memory":
        """With a key for the codes, a new one where there is none."""
        return self if self.code_key else replace(self, code_key=secrets.token_hex(_KEY_BYTES))


def load(path: Path | None) -> tuple[Memory, str]:
    """What is remembered, and what to say where it could not be read, "" else. Never raises."""
    if path is None:
        return Memory(), ""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
        return _read(json.loads(data.decode("utf-8"))), ""
    except (FileNotFoundError, NotADirectoryError):
        return Memory(), ""
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return Memory(), f"{path} cannot be read: starting as for the first time"


def save(path: Path | None, memory: Memory) -> None:
    """Write it whole or not at all, for the user alone. A full disk is no reason to complain."""
    if path is None:
        return
    text = json.dumps({"version": VERSION, **_plain(memory)}, indent=2) + "\n"
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()


def _plain(memory: Memory) -> dict[str, object]:
    return asdict(memory) | {"form": memory.form.value if memory.form else None}


def _read(found: dict[str, object]) -> Memory:
    """What of it makes sense. Raises where it is no memory at all."""
    if not isinstance(found, dict):
        raise TypeError
    form = found.get("form")
    key = str(found.get("code_key", ""))
    return Memory(
        view=_one_of(found.get("view"), _VIEWS.__contains__),
        window=_one_of(found.get("window"), WINDOWS.__contains__),
        sort=_member(SortKey, found.get("sort"), SortKey.MISSED),
        reverse=found.get("reverse") is True,
        by=_member(By, found.get("by"), By.PEER),
        form=next((each for each in Form if each.value == form), None),
        code_key=key if len(key) == 2 * _KEY_BYTES and bytes.fromhex(key) else "",
    )


def _one_of(value: object, is_known: Callable[[str], bool]) -> str:
    return value if isinstance(value, str) and is_known(value) else ""


def _member(kind: type[E], value: object, otherwise: E) -> E:
    return next((each for each in kind if each.value == value), otherwise)
