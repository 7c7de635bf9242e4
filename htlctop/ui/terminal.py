"""Terminal manners: what it can show, what Textual is told, fd 2 guarded, and leaving in time.

Nothing here imports Textual: its settings are read from the environment at its import.
"""

import codecs
import io
import os
import select
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ANSI_THEME = "ansi-dark"
_FULL_THEME = "textual-dark"
THEMES = {"dark": _FULL_THEME, "light": "textual-light", "ansi": _ANSI_THEME}
"""Short names; the others are Textual's, ansi-dark and ansi-light among them."""
_STALL_S = 0.5
"""How long a terminal that does not read may hold up the way out."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What this terminal is to be shown: which theme, whether colour, whether only ASCII."""

    theme: str
    ansi: bool
    no_color: bool
    ascii: bool


def manners(environ: Mapping[str, str], ascii: bool, theme: str | None, encoding: str) -> Manners:
    """Decide by the environment: tmux, screen and terminals without true colour get 16 colours."""
    term = environ.get("TERM", "")
    nested = bool(environ.get("TMUX") or environ.get("STY")) or term.startswith(("tmux", "screen"))
    true_colour = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    no_color = bool(environ.get("NO_COLOR"))
    if theme is not None:
        theme = THEMES.get(theme, theme)
    else:
        theme = _FULL_THEME if true_colour and not nested and not no_color else _ANSI_THEME
    if no_color and not theme.startswith("ansi-"):
        theme = _ANSI_THEME
    try:
        utf8 = codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        utf8 = False
    return Manners(theme, theme.startswith("ansi-"), no_color, ascii or not utf8)


def encoding() -> str:
    """The encoding the user's locale asks for, whatever mode Python itself runs in.

    Python puts LC_CTYPE=C.UTF-8 into its own environment where the locale is C (PEP 538), so
    what the process was started with is asked where the system tells.
    """
    given = _first_environ()
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := given.get(name):
            plain = value.split("@")[0]
            if plain.upper() in ("UTF-8", "UTF8"):
                return "utf-8"
            return plain.partition(".")[2] or ("ascii" if plain in ("C", "POSIX") else "latin-1")
    return "utf-8" if sys.platform == "darwin" else "ascii"


def _first_environ() -> Mapping[str, str]:
    try:
        pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return os.environ
    return dict(os.fsdecode(pair).split("=", 1) for pair in pairs if b"=" in pair)


def tell_textual(chosen: Manners, environ: MutableMapping[str, str]) -> None:
    """Set what Textual reads at import: theme, colours, no animations, the terminal's own size."""
    environ["TEXTUAL_THEME"] = chosen.theme
    environ["TEXTUAL_ANIMATIONS"] = "none"
    environ["TEXTUAL_SMOOTH_SCROLL"] = "0"
    # 256 colours look the same as 16 million here and take half the bytes of every change.
    environ["TEXTUAL_COLOR_SYSTEM"] = "standard" if chosen.ansi else "256"
    for stale in ("COLUMNS", "LINES"):
        environ.pop(stale, None)


class Screenfile(io.TextIOBase):
    """Where Textual draws: writes to a terminal that may stall, and forgives one that is gone.

    Once `hurry` was called, a terminal that does not read for half a second loses the output.
    """

    def __init__(self, descriptor: int, text_encoding: str = "utf-8") -> None:
        self._descriptor = descriptor
        self._text_encoding = text_encoding
        self._buffer: list[str] = []
        self._hurried_at: float | None = None
        self.is_gone = False

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """It is one."""
        return True

    @property
    def is_hurried(self) -> bool:
        """Whether we are leaving."""
        return self._hurried_at is not None

    def hurry(self) -> None:
        """We are leaving: do not wait for the terminal much longer."""
        if self._hurried_at is None:
            self._hurried_at = time.monotonic()

    def write(self, text: str) -> int:
        """Keep the text for the next `flush`."""
        self._buffer.append(text)
        return len(text)

    def flush(self) -> None:
        """Send what was written; waits while the terminal does not read."""
        data = "".join(self._buffer).encode(self._text_encoding, "replace")
        self._buffer.clear()
        while data and not self.is_gone:
            try:
                if select.select([], [self._descriptor], [], 0.1)[1]:
                    data = data[os.write(self._descriptor, data) :]
                elif self._has_waited():
                    return
            except BlockingIOError:
                continue
            except OSError:
                self.is_gone = True

    def _has_waited(self) -> bool:
        return self._hurried_at is not None and time.monotonic() - self._hurried_at > _STALL_S


def has_hung_up(descriptor: int) -> bool:
    """Whether the terminal behind a descriptor went away."""
    gone = select.POLLHUP | select.POLLERR | select.POLLNVAL
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(flags & gone for _, flags in poll.poll(0))


@contextmanager
def guarded(log_path: Path | None) -> Iterator[Screenfile]:
    """Draw on the terminal of stdout while fd 2 goes to the log file; put both back at the end.

    A C library that writes to fd 2 would otherwise write across the screen.
    """
    sys.stderr.flush()
    drawing, noise = _own_terminal(), os.dup(2)
    sink = _sink(log_path)
    os.dup2(sink, 2)
    os.close(sink)
    screen, module = Screenfile(drawing), vars(sys)
    before, module["__stderr__"] = sys.__stderr__, screen
    try:
        yield screen
    finally:
        module["__stderr__"] = before
        sys.stderr.flush()
        # What is written at exit would fail on a terminal that is gone.
        if not has_hung_up(drawing):
            os.dup2(noise, 2)
        os.close(noise)
        os.close(drawing)


def _own_terminal() -> int:
    """The terminal opened anew, so that not waiting for it is our own affair; else a duplicate."""
    try:
        return os.open(os.ttyname(1), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return os.dup(1)


def _sink(log_path: Path | None) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        return os.open(os.devnull if log_path is None else log_path, flags, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
