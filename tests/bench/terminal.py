"""Bytes that the app sends to its terminal: at rest, when the minute changes, and for a change."""

import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench import children
from tests.bench.children import median
from tests.bench.console import Console, console
from tests.bench.table import Measure, at_most, known

IDLE_GOAL, MINUTE_GOAL = 0, 500
SIZES = (((80, 24), 3_000), ((200, 50), 6_000))
"""Columns and rows, and the bytes that a tick may cost there."""
_SETTLE_S = 8
_MARGIN_S = 4
_TICK_S = 4
"""Tables follow within two seconds; what comes until then belongs to the tick."""


def terminal(quick: bool) -> Iterable[Measure]:
    """The app as a viewer on the store of a small collector, ten rows changing at a time."""
    minutes, ticks = (1, 3) if quick else (3, 12)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = children.start("-m", "tests.bench.screen", folder / "screen.db")
        assert writer.stdin is not None
        try:
            children.ready(writer)
            (folder / "any").write_text("-----BEGIN CERTIFICATE-----\n")
            for size, goal in SIZES:
                yield from _at(folder, writer, size, goal, minutes, ticks)
        finally:
            writer.stdin.close()
            writer.wait(10)


def _at(
    folder: Path,
    writer: "subprocess.Popen[str]",
    size: tuple[int, int],
    goal: int,
    minutes: int,
    ticks: int,
) -> Iterable[Measure]:
    with console(
        "-m", "htlctop", "--store", folder / "screen.db", "--rpcserver", "127.0.0.1:1",
        "--tlscertpath", folder / "any", "--macaroonpath", folder / "any",
        "--window", "24h", home=folder, size=size,
    ) as app:  # fmt: skip
        app.read(_SETTLE_S)
        idle, seconds, changes = _rest(app, minutes)
        bursts = [_tick(app, writer) for _ in range(ticks)]
    shown = "{}x{}".format(*size)
    yield at_most(
        "terminal", f"{shown}, idle {seconds:.0f} s between minutes", idle, IDLE_GOAL, "B"
    )
    yield at_most("terminal", f"{shown}, a minute change, most", max(changes), MINUTE_GOAL, "B")
    yield at_most("terminal", f"{shown}, a tick, median", median(bursts), goal, "B")
    yield known("terminal", f"{shown}, a tick, most", max(bursts), "B")


def _rest(app: Console, minutes: int) -> tuple[int, float, list[int]]:
    """Bytes between minutes, how many seconds that was, and bytes at each change of minute."""
    idle, seconds, changes = 0, 0.0, []
    for _ in range(minutes):
        left = 60 - time.time() % 60 - _MARGIN_S
        if left > 0:
            idle += len(app.read(left))
            seconds += left
        changes.append(len(app.read(2 * _MARGIN_S)))
    return idle, seconds, changes


def _tick(app: Console, writer: "subprocess.Popen[str]") -> int:
    """Bytes for one tick, away from a change of minute."""
    if time.time() % 60 > 60 - _TICK_S - 1 or time.time() % 60 < 1:
        app.read(_TICK_S + 2)
    assert writer.stdin is not None
    writer.stdin.write("tick\n")
    writer.stdin.flush()
    return len(app.read(_TICK_S))
