"""The app on the fake, as a process of its own for tests: child.py FOLDER [--noise …]."""

import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake import FakeAnalyst, FakeSession

from htlctop.errors import HtlctopError
from htlctop.ui import UiOptions, run

FOLDER = Path(sys.argv[1])
FLAGS = set(sys.argv[2:])


class Session(FakeSession):
    """Its collector makes the trouble that a flag asks for, and notes that it was stopped."""

    def run_collector(self, stop: threading.Event) -> None:
        if "--noise" in FLAGS:
            os.write(2, b"NOISE from a C library\n")
        while FLAGS & {"--flood", "--count"} and not stop.wait(0.01):
            if "--count" in FLAGS:
                os.write(2, b"stored one more\n")
            if "--flood" in FLAGS:
                newest = self.analyst.lines[0]
                shown = replace(newest, seq=newest.seq + 1, in_alias=f"peer {newest.seq}")
                self.analyst.lines = (shown, *self.analyst.lines[:20])
                self.analyst.bump()
        stop.wait()
        os.write(2, b"collector stopped in order\n")


if "--nohup" in FLAGS:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
if "--crash" in FLAGS:
    from htlctop.ui.screens.overview import OverviewScreen

    OverviewScreen.action_down = lambda self: 1 / 0
if "--no-minutes" in FLAGS:
    from htlctop.ui import reader

    reader.STATUS_EVERY_S = 0.5
try:
    code = run(
        Session(FakeAnalyst()),
        UiOptions(
            ascii="--ascii" in FLAGS,
            theme="no-such" if "--no-such-theme" in FLAGS else None,
            snapshot_dir=FOLDER,
            log_path=FOLDER / "log",
        ),
    )
except HtlctopError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
if os.isatty(2):
    os.write(2, b"back to the terminal\r\n")
sys.exit(code)
