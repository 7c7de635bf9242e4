"""Job control. The screen runs in a child of the process that the shell knows, so that ctrl-z can
stop that one, and the shell go on, while the child goes on collecting.
"""

import os
import signal
import sys
import termios
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTSTP)
_STOP_ME = signal.SIGUSR1
_LOOK_EVERY_S = 0.1
_PLAIN_AGAIN = (
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l"  # the mouse
    b"\x1b[?1004l\x1b[?2004l\x1b[<u"  # focus, pastes, keys told in detail
    b"\x1b[0m\x1b[?1049l\x1b[?25h"
)
"""What a terminal is told that was left as the screen had it."""


class Job:
    """The child's view of the job that it is the screen of."""

    def __init__(self) -> None:
        self._known_to_shell = os.getppid()
        # Not an Event: its lock is held while one signal is handled, and the next waits for ever.
        self._is_continued = False

    @property
    def is_orphan(self) -> bool:
        """Whether the process that the shell knows is gone, and nobody could stop us any more."""
        return os.getppid() != self._known_to_shell

    def is_in_front(self, terminal: int) -> bool:
        """Whether the terminal is ours to draw on."""
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        except OSError:
            return False

    def heed(self, suspend: Callable[[], object]) -> None:
        """Have `suspend` called for a SIGTSTP, and take SIGCONT as the end of a stop and no more.

        To be called once Textual has put its own handlers in place, which stop this process.
        """

        def go_on(number: int, frame: FrameType | None) -> None:
            self._is_continued = True

        signal.signal(signal.SIGTSTP, lambda number, frame: suspend())
        signal.signal(signal.SIGCONT, go_on)

    def stop(self, terminal: int, is_leaving: Callable[[], bool]) -> bool:
        """Give the terminal to the shell, and wait until it is ours again; blocks meanwhile.

        False where it never will be: we are to leave, or nobody is there to continue us. A job
        that is continued in the background goes on waiting for the terminal.
        """
        self._is_continued = False
        with suppress(ProcessLookupError):
            os.kill(self._known_to_shell, _STOP_ME)
        while not (self._is_continued and self.is_in_front(terminal)):
            if is_leaving() or self.is_orphan:
                return False
            time.sleep(_LOOK_EVERY_S)
        return True


def run(work: Callable[[Job], int]) -> int:
    """Do the work in a child and wait for it; its exit code, 128 + the signal that ended it.

    Signals are passed on; asked to by the child, this process stops as if ctrl-z was typed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _child(work)
    kept = {number: signal.getsignal(number) for number in (*_PASSED_ON, _STOP_ME)}

    def pass_on(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        # Where no shell could continue us the system does not stop us either, and we go on at once.
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, pass_on)
        pass_on(signal.SIGCONT, frame)

    for number in _PASSED_ON:
        if kept[number] is not signal.SIG_IGN:
            signal.signal(number, pass_on)
    signal.signal(_STOP_ME, stop)
    restore_terminal = _way_back()
    try:
        _, status = os.waitpid(child, 0)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    restore_terminal()
    return 128 - code


def _way_back() -> Callable[[], None]:
    """Gives the shell its terminal as it is now, after a child that was killed and could not."""
    try:
        modes = termios.tcgetattr(0)
    except termios.error:
        return lambda: None

    def restore() -> None:
        with suppress(OSError, termios.error):
            if os.tcgetpgrp(0) == os.getpgrp():
                termios.tcsetattr(0, termios.TCSANOW, modes)
                os.write(1, _PLAIN_AGAIN)

    return restore


def _child(work: Callable[[Job], int]) -> None:
    """Ends the process: what called `run` goes on in the parent alone."""
    code = 1
    try:
        code = work(Job())
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
