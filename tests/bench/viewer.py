"""The app on a store of ten million HTLCs while another process stores 1,000 events a second."""

import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench import children, month
from tests.bench.children import median
from tests.bench.console import Console, console
from tests.bench.table import Measure, at_most, known

EVENTS_A_SECOND = 1_000
KEYS, SWITCHES, LOOK_S = 200, 8, 20
_QUIET_S = 0.25
"""After so long without a byte, what was asked for is painted."""
_TICKS = os.sysconf("SC_CLK_TCK")


def viewer(quick: bool) -> Iterable[Measure]:
    """From a key to its paint, from a view or a filter to its answer, CPU and memory meanwhile."""
    folder = Path(os.environ.get("HTLCTOP_BENCH", tempfile.gettempdir()))
    htlcs = 1_000_000 if quick else month.HTLCS
    store = folder / f"htlctop-bench-{htlcs}.db"
    month.build(store, htlcs)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "any").write_text("-----BEGIN CERTIFICATE-----\n")
        writer = children.start("-m", "tests.bench.arrivals", store, EVENTS_A_SECOND)
        assert writer.stdin is not None
        try:
            children.ready(writer)
            with console(
                "-m", "htlctop", "--store", store, "--rpcserver", "127.0.0.1:1",
                "--tlscertpath", home / "any", "--macaroonpath", home / "any",
                "--window", "24h", home=home, size=(120, 32),
            ) as app:  # fmt: skip
                app.read(15, b"Why")
                app.read(5)
                yield from _measured(app)
        finally:
            writer.stdin.close()
            writer.wait(30)


def _measured(app: Console) -> Iterable[Measure]:
    pids = _family(app.pid)
    began_s, before = time.monotonic(), _cpu_s(pids)
    sent = len(app.read(LOOK_S))
    share = (_cpu_s(pids) - before) / (time.monotonic() - began_s) * 100
    yield at_most("viewer", "CPU of a core while it looks on", share, 10, "%")
    yield known("viewer", "bytes to the terminal meanwhile", sent / LOOK_S, "B/s")
    yield at_most("viewer", "resident memory, both processes", _own_mb(pids), 120, "MB")
    taken = sorted(_to_paint(app, b"jk"[n % 2 : n % 2 + 1]) for n in range(KEYS))
    yield known("viewer", f"from a key to its paint, median of {KEYS}", median(taken), "ms")
    yield at_most("viewer", "from a key to its paint, p99", taken[KEYS * 99 // 100 - 1], 50, "ms")
    views = {"channels": b"2", "flows": b"3", "events": b"4", "node": b"7"}
    for name, key in views.items():
        taken = []
        for _ in range(SWITCHES):
            taken.append(_to_paint(app, key))
            _to_paint(app, b"1")
        yield at_most("viewer", f"to the view {name}, first paint", median(taken), 150, "ms")
    for key in (b"/", b"p", b"e", b"e"):
        taken = [_to_paint(app, key)]
    yield at_most("viewer", "a filter keystroke, first paint", taken[0], 150, "ms")


def _to_paint(app: Console, key: bytes) -> float:
    """Milliseconds from a key to the first bytes it brings; then waits until all is quiet."""
    while app.read(_QUIET_S):
        pass
    began = time.perf_counter()
    app.send(key)
    app.first(5)
    taken = (time.perf_counter() - began) * 1000
    app.read(_QUIET_S)
    return taken


def _family(pid: int) -> list[int]:
    """A process and its children."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, found)]


def _cpu_s(pids: list[int]) -> float:
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in fields) / _TICKS


def _own_mb(pids: list[int]) -> float:
    """Memory by proportional share, so that what a fork shares is counted once."""
    total = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += int(next(line for line in rollup if line.startswith("Pss:")).split()[1])
    return total / 1024
