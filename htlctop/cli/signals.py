"""What ends a command by a signal: the first one asks it to, a later one ends it at once."""

import asyncio
import signal
from collections.abc import Iterable

_LATER_S = 0.5
"""`timeout` and some shells signal both a process and its group: one wish that arrives twice."""


def let_later_ones_kill(loop: asyncio.AbstractEventLoop, numbers: Iterable[signal.Signals]) -> None:
    """From a moment on the signals do again what they do by themselves; until then nothing."""

    def set_all(to: signal.Handlers) -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, to)

    set_all(signal.SIG_IGN)
    loop.call_later(_LATER_S, set_all, signal.SIG_DFL)
