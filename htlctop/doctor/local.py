"""What is on this machine: the store, its disk, the terminal."""

import locale
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from htlctop.analysis.moment import SILENT_NS
from htlctop.doctor.check import Check, fail, ok, warn
from htlctop.errors import StoreError
from htlctop.export.format import span
from htlctop.store.inspect import inspect
from htlctop.store.reader import StoreReader

_LITTLE, _NOTHING = 2**30, 50 * 2**20
_LEAST_COLUMNS, _LEAST_LINES = 60, 16


def check_store(path: Path) -> Iterator[Check]:
    """The file, who may read it, who writes it, and the room that is left for it."""
    facts = inspect(path)
    if facts.trouble is not None:
        yield fail("store", facts.trouble)
    elif facts.size is None:
        yield ok("store", f"{path} will be made")
    elif not facts.is_ours:
        yield warn("store", f"{path} belongs to another user", f"chown $USER {path}")
    elif not facts.is_private:
        yield warn("store", f"others can read {path}", f"chmod 600 {path}")
    elif facts.held_by and (silent_ns := _silent_ns(path)) > SILENT_NS:
        yield warn(
            "store",
            f"process {facts.held_by} collects into {path}, and has told nothing for "
            f"{span(silent_ns)}",
            "it hangs or was suspended: wake it, or end it and start it again",
        )
    else:
        held = (
            f"process {facts.held_by} collects into it" if facts.held_by else "nobody collects now"
        )
        yield ok("store", f"{path}, {_size(facts.size)}; {held}")
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield fail("disk", StoreError(f"the disk of {folder} cannot be read: {error.strerror}"))
        return
    if free < _NOTHING:
        yield fail("disk", StoreError(f"{_size(free)} left at {folder}: free some"))
    elif free < _LITTLE:
        yield warn("disk", f"{_size(free)} left at {folder}", "free some")
    else:
        yield ok("disk", f"{_size(free)} left at {folder}")


def _silent_ns(path: Path) -> int:
    """How long ago its collector last gave a sign of life; 0 where that cannot be read."""
    try:
        with closing(StoreReader(path)) as reader:
            alive_ns = reader.status().alive_ns
    except StoreError:
        return 0
    return time.time_ns() - alive_ns if alive_ns else 0


def check_terminal(environ: Mapping[str, str]) -> Check:
    """Whether the app can be shown here, and how."""
    name = "terminal"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return ok(name, "none here; the app needs one, collect and report do not")
    term = environ.get("TERM", "")
    columns, lines = shutil.get_terminal_size()
    if term in ("", "dumb"):
        return warn(name, f"TERM is {term or 'not set'}", "TERM=xterm-256color htlctop")
    if columns < _LEAST_COLUMNS or lines < _LEAST_LINES:
        return warn(name, f"{columns}×{lines} is small", "make it 80×24 or larger")
    if locale.getpreferredencoding(False).upper().replace("-", "") != "UTF8":
        return warn(name, "the locale is not UTF-8, so only ASCII is shown", "LC_ALL=C.UTF-8")
    nested = "tmux" if environ.get("TMUX") else "screen" if environ.get("STY") else ""
    full = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") and not nested
    colours = "no" if environ.get("NO_COLOR") else "all" if full else "16"
    inside = f" inside {nested}" if nested else ""
    return ok(name, f"{term}, {columns}×{lines}, {colours} colours, UTF-8{inside}")


def _size(size: int) -> str:
    for unit, width in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= width:
            return f"{size / width:.1f} {unit}"
    return f"{size} bytes"
