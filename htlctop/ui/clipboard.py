"""Copying out of the terminal: through tmux where we are in one, else by the terminal itself."""

import base64
import subprocess
from collections.abc import Callable, Mapping

_WITHIN_S = 1.0
_MOST_BYTES = 60_000
"""Terminals drop a longer OSC 52; what is copied here is an id or a command."""


def copy(text: str, environ: Mapping[str, str], write: Callable[[str], object]) -> str:
    """Copy a text; by which way, in words for the user.

    In tmux its own buffer is loaded and passed on to the terminal (`-w`); OSC 52 does nothing in a
    tmux as it comes. `write` sends to the terminal. A tmux that does not answer is not waited for.
    """
    if environ.get("TMUX") and _by_tmux(text):
        return "through tmux"
    data = base64.b64encode(text.encode("utf-8", "replace")[:_MOST_BYTES]).decode("ascii")
    write(f"\x1b]52;c;{data}\a")
    return "by the terminal (OSC 52)"


def _by_tmux(text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
