"""The screen on the made-up node, to try by hand: python tests/ui/play.py [--ascii] [--busy]."""

import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake import FakeAnalyst, FakeSession

from htlctop.ui import UiOptions, run


class BusySession(FakeSession):
    """Its collector changes five rows and adds a line every half second."""

    def run_collector(self, stop: threading.Event) -> None:
        analyst, number = self.analyst, 0
        while not stop.wait(0.5):
            number += 1
            for index in range(5):
                row = analyst.peers[(number + index) % len(analyst.peers)]
                sums = replace(row.sums, expected_msat=row.sums.expected_msat + 7_000 * index)
                analyst.peers[(number + index) % len(analyst.peers)] = replace(row, sums=sums)
            newest = analyst.lines[0]
            fresh = replace(newest, seq=newest.seq + 1, at_ns=time.time_ns())
            analyst.lines = (fresh, *analyst.lines[:60])
            analyst.bump()


if __name__ == "__main__":
    kind = BusySession if "--busy" in sys.argv else FakeSession
    folder = Path(tempfile.mkdtemp(prefix="htlctop-play-"))
    options = UiOptions(
        ascii="--ascii" in sys.argv,
        snapshot_dir=folder,
        log_path=folder / "play.log",
    )
    sys.exit(run(kind(FakeAnalyst(), "--owner" in sys.argv), options))
