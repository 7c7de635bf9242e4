"""From the wire into the store, against a client that decodes and drops; and a burst."""

import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import children
from tests.bench.children import Node, median
from tests.bench.table import Measure, at_least, at_most, known

CHANNELS = 1_000
IDLE_S = 2
CPU_GOAL, RATE_GOAL = 1.8, 0.5
SCALE, SCALE_GOAL = 20_000, 10_000
LONGEST_S = 600


@dataclass(frozen=True, slots=True)
class Run:
    """One client's run: CPU time for each event, µs, events a second, peak memory, bytes."""

    cpu_us: float
    rate: float
    peak: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store says it took."""

    events: int
    rows: int
    shed: int


def wire(quick: bool) -> Iterable[Measure]:
    """Against a server as fast as one in Go: the client is what is measured."""
    yield from _compare("wire", "fast", *((50_000, 1) if quick else (150_000, 3)))


def slow(quick: bool) -> Iterable[Measure]:
    """Against gRPC's Python server, which sends every message by itself and is the slower end."""
    yield from _compare("slow", "grpcio", *((20_000, 1) if quick else (60_000, 3)))


def _compare(name: str, server: str, events: int, repeats: int) -> Iterable[Measure]:
    """Client CPU and events/s of the whole pipeline, against the bare client's, in turns."""
    bare: dict[str, list[Run]] = {"aio": [], "sync": [], "own": []}
    full: list[Run] = []
    shed = 0
    with _folder() as folder, children.serving(folder, events, CHANNELS, server) as node:
        for turn in range(repeats):
            for kind, runs in bare.items():
                runs.append(_bare(node, kind, events))
            run, stored = _pipeline(node, folder / f"{turn}.db", events)
            full.append(run)
            shed += stored.shed
    yield from _figures(name, bare["aio"], full)
    for kind, runs in bare.items():
        yield known(name, f"bare {kind} client, CPU per event", _cpu(runs), "µs")
        yield known(name, f"bare {kind} client, events/s", _rate(runs))
    yield known(name, "pipeline, CPU per event", _cpu(full), "µs")
    yield known(name, "pipeline, events/s committed", _rate(full))
    yield known(name, "pipeline, peak memory", max(r.peak for r in full) / 1e6, "MB")
    yield known(name, f"pipeline, shed of {events:,} at full speed", shed)


def _figures(name: str, bare: list[Run], full: list[Run]) -> Iterable[Measure]:
    # Each turn is compared in itself: what disturbs the machine then disturbs both.
    cpu = median([f.cpu_us / b.cpu_us for b, f in zip(bare, full, strict=True)])
    rate = median([f.rate / b.rate for b, f in zip(bare, full, strict=True)])
    yield at_most(name, "CPU per event, pipeline / bare aio", cpu, CPU_GOAL, "x")
    yield at_least(name, "events/s committed, pipeline / bare aio", rate, RATE_GOAL, "x")
    scaled = rate * SCALE
    yield at_least(name, f"events/s where bare does {SCALE:,}, scaled", scaled, SCALE_GOAL)


def burst(quick: bool) -> Iterable[Measure]:
    """As many events at once as a node that was busy can have waiting: none may be lost."""
    events = 10_000 if quick else 50_000
    with _folder() as folder, children.serving(folder, events, CHANNELS, "fast") as node:
        run, stored = _pipeline(node, folder / "burst.db", events)
    yield at_most("burst", f"{events:,} events at once, shed", stored.shed, 0)
    yield at_most("burst", "events missing in the store", events + 1 - stored.events, 0)
    yield known("burst", "rows", stored.rows)
    yield known("burst", "events/s committed", run.rate)


def _bare(node: Node, kind: str, events: int) -> Run:
    ended = children.run("-m", "tests.bench.bare", kind, node.folder, node.address, events)
    return Run(
        ended.cpu_s / events * 1e6, events / (float(ended.output) - node.began_s), ended.peak
    )


def _pipeline(node: Node, store: Path, events: int) -> tuple[Run, Stored]:
    """`htlctop collect` into a new store, until nothing comes any more."""
    child = children.start(
        "-m", "htlctop", "collect", "--store", store, "--rpcserver", node.address,
        "--tlscertpath", node.folder / "tls.cert",
        "--macaroonpath", node.folder / "readonly.macaroon", "--until-idle", f"{IDLE_S}s",
    )  # fmt: skip
    committed_s = _committed(store, events, child)
    ended = children.wait(child)
    if ended.code:
        raise RuntimeError(f"collect ended with {ended.code}")
    rate = events / (committed_s - node.began_s)
    return Run(ended.cpu_s / events * 1e6, rate, ended.peak), _stored(store)


def _committed(store: Path, events: int, child: "subprocess.Popen[str]") -> float:
    """When the last event was committed, as far as a reader can see; monotonic s."""
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until and children.is_running(child):
        time.sleep(0.1)
        # subscribed_event counts as one too.
        if store.exists() and _ask(store, "SELECT events FROM status") > events:
            break
    return time.monotonic()


def _stored(store: Path) -> Stored:
    return Stored(
        _ask(store, "SELECT events FROM status"),
        _ask(store, "SELECT count(*) FROM htlc"),
        _ask(store, "SELECT shed FROM status"),
    )


def _ask(store: Path, sql: str) -> int:
    try:
        db = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    except sqlite3.Error:
        return 0
    try:
        return int(db.execute(sql).fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        db.close()


def _cpu(runs: list[Run]) -> float:
    return median([run.cpu_us for run in runs])


def _rate(runs: list[Run]) -> float:
    return median([run.rate for run in runs])


class _folder(tempfile.TemporaryDirectory[str]):
    """A temporary folder as a Path."""

    def __enter__(self) -> Path:
        return Path(super().__enter__())
