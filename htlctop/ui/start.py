"""From a plain terminal to the running app and back: checks, a child for it, signals, fd 2."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from htlctop.errors import UsageError
from htlctop.ui import jobs, keys
from htlctop.ui.session import Session, UiOptions
from htlctop.ui.terminal import (
    THEMES,
    Manners,
    Screenfile,
    encoding,
    guarded,
    manners,
    tell_textual,
)

if TYPE_CHECKING:
    from htlctop.ui.app import HtlctopApp

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
GC_THRESHOLDS = (20_000, 10, 25)
"""More than what a tick makes of a large node, in place of as much that it lets go."""
_SWITCH_S = 0.0005
"""How long a thread that reads or collects may keep the screen's from going on: a key press waits
for several turns, and Python's own 5 ms each would be felt."""


def run(session: Session, options: UiOptions) -> int:
    """See `htlctop.ui.run`."""
    if not (os.isatty(0) and os.isatty(1)):
        raise UsageError(
            "the screen needs a terminal for stdin and stdout; "
            "use `htlctop report` for pipes and files"
        )
    chosen = manners(os.environ, options.ascii, options.theme, encoding())
    # Rows are made anew at each tick and make no cycles: looking through them all, as often as
    # Python does by itself, would double what a tick of a large node takes.
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(_SWITCH_S)
    tell_textual(chosen, os.environ)
    keys.rebind(options.keys)
    if options.theme:
        _check_theme(options.theme, chosen.theme)
    return jobs.run(partial(_screen, session, options, chosen))


def _check_theme(asked: str, theme: str) -> None:
    from textual.theme import BUILTIN_THEMES

    if theme not in BUILTIN_THEMES:
        raise UsageError(f"no theme {asked!r}; there are {', '.join((*THEMES, *BUILTIN_THEMES))}")


def _screen(session: Session, options: UiOptions, chosen: Manners, job: jobs.Job) -> int:
    """The app from its first paint to its end; its exit code."""
    with guarded(options.log_path) as screenfile:
        from htlctop.ui.app import HtlctopApp

        app = HtlctopApp(session, options, chosen, screenfile, job)
        with _signals(app, screenfile):
            asyncio.run(_show(app, options))
        crashed = app.return_code not in (app.exit_code, None)
    if crashed:
        where = f"; the details are in {options.log_path}" if options.log_path else ""
        print(f"htlctop crashed{where}", file=sys.stderr)
        return app.return_code or 1
    return app.exit_code


async def _show(app: "HtlctopApp", options: UiOptions) -> None:
    try:
        await app.run_async(mouse=not options.no_mouse, size=options.size)
    finally:
        app.let_go()


@contextmanager
def _signals(app: "HtlctopApp", screenfile: Screenfile) -> Iterator[None]:
    """Leave with 128 + the signal's number.

    Handlers of the interpreter, not of the loop: they run even while the loop waits for a
    terminal that does not read, and let it go on by giving that terminal up.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        screenfile.hurry()
        if loop := app._loop:
            loop.call_soon_threadsafe(app.leave, 128 + number)
        else:
            raise SystemExit(128 + number)

    kept = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in kept.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
