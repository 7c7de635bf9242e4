"""A progress bar for work that turns out to be long; only where somebody watches."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

LONG_S = 1.0


class LateBar:
    """Appears on the terminal's stderr once the work has taken a second. A context manager."""

    def __init__(self, label: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._label, self._clock = label, clock
        self._began_s = clock()
        self._bar: ProgressBar[int] | None = None

    def __enter__(self) -> "LateBar":
        return self

    def update(self, done: int, of: int) -> None:
        """So much of it is done."""
        if self._bar is None:
            if self._clock() - self._began_s < LONG_S or not sys.stderr.isatty() or not of:
                return
            self._bar = click.progressbar(length=of, label=self._label, file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
