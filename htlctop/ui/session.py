"""What the screen is given: a session that opens readers and runs the collector, and options."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from htlctop.analysis.ports import Analyst
from htlctop.domain.types import Access


class Session(Protocol):
    """One sitting at one store.

    Attributes:
        title: what is looked at, shown until the node's own name is known.
        owns_collector: whether this process runs the collector, so that quitting ends it.
        is_attached: whether another process collects, and this one only looks.
    """

    @property
    def title(self) -> str: ...

    @property
    def owns_collector(self) -> bool: ...

    @property
    def is_attached(self) -> bool: ...

    def access(self) -> Access | None:
        """What the macaroon in use permits; None where this process does not collect. It reads a
        file, so it is asked once for each connection."""

    def open_analyst(self) -> Analyst:
        """Open the store for reading. Called in the reader thread, which alone uses it.

        Raises:
            StoreError: it cannot be read; the screen says so and tries again.
        """

    def mark(self, text: str, at_ns: int, peer: int) -> None:
        """Note what the operator did at a time, about a peer or (0) the whole node. Blocks.

        Raises:
            StoreError: it cannot be written.
        """

    def run_collector(self, stop: threading.Event) -> None:
        """Collect until `stop` is set; blocks, in a thread of its own. May return early."""


@dataclass(frozen=True, slots=True)
class UiOptions:
    """How the screen is to be.

    Attributes:
        ascii: no box or block characters; also where the locale is not UTF-8.
        no_mouse: leave the mouse to the terminal.
        theme: a Textual theme by name; None chooses by the terminal.
        snapshot_dir: where `s` and `e` write their files.
        log_path: where everything written to fd 2 goes meanwhile; None drops it.
        window: the window to start with; None takes the smallest that says something.
        templates: the user's own wording of commands that are handed over.
        size: columns and rows instead of the terminal's own, for tests.
        state_path: where what the screen remembers by itself is kept; None remembers nothing.
        keys: action by name -> the keys that do it instead of its own.
    """

    ascii: bool = False
    no_mouse: bool = False
    theme: str | None = None
    snapshot_dir: Path = Path()
    log_path: Path | None = None
    window: str | None = None
    size: tuple[int, int] | None = None
    state_path: Path | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
