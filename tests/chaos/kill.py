"""`python -m tests.chaos.kill [--kills 200] [--cuts 200]`: kill -9 during writes, and cut files.

The collecting process is killed again and again; each time the store must open, be sound, and hold
everything that was told while it says it was watching. Then copies of its files are cut at random
offsets: each opens, or is refused with a StoreError.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from htlctop import service
from htlctop.analysis.query import Query
from htlctop.config import Connection
from htlctop.errors import StoreError
from htlctop.store.writer import StoreWriter
from tests.chaos.__main__ import show
from tests.chaos.judge import Life, Verdict, judge
from tests.chaos.load import write_load
from tests.chaos.processes import SimProcess
from tests.chaos.told import read_load, read_truth

_PATIENCE_S = 30.0
_RATE = 600.0


def kill(folder: Path, kills: int, seed: int) -> tuple[Verdict, Path]:
    """Kill the collector so many times. Returns the verdict, and a folder with files as a killed
    process left them."""
    chance = random.Random(seed)
    load = folder / "load.jsonl"
    write_load(load, _RATE, 2.0 * kills + 20)
    sim = SimProcess(folder, load)
    store = folder / "store" / "store.db"
    left = folder / "left"
    left.mkdir()
    lives: list[Life] = []
    unsound = 0
    try:
        for number in range(kills):
            started_ns = time.time_ns()
            pid = _collect(sim, store, folder / "collect.err")
            events = _wait_for_events(store, pid)
            time.sleep(chance.uniform(0, 0.7))
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            if not os.WIFSIGNALED(status):
                raise RuntimeError("the collector ended by itself; see collect.err")
            lives.append(Life(started_ns, time.time_ns(), killed=True))
            if number == kills // 2 or number == kills - 1:
                for file in store.parent.iterdir():
                    shutil.copy2(file, left / file.name)
            unsound += not _is_sound(store, events)
        truth = sim.truth
    finally:
        sim.stop()
    verdict = judge(store, read_truth(truth), read_load(load), lives)
    verdict.facts["kills"] = f"{kills}, after which the store was unsound: {unsound}"
    if unsound:
        verdict.violate("unsound after a kill", f"{unsound} times")
    errors = (folder / "collect.err").read_text(errors="replace")
    if "Traceback" in errors:
        verdict.violate("a traceback", errors[errors.index("Traceback") :][:600])
    return verdict, left


def _collect(sim: SimProcess, store: Path, errors: Path) -> int:
    """A child that collects; it needs no start of its own, so there is time for 200 of them."""
    pid = os.fork()
    if pid:
        return pid
    try:
        with errors.open("ab", buffering=0) as file:
            os.dup2(file.fileno(), 2)
        node = errors.parent / "node"
        connection = Connection(
            sim.address,
            "simnet",
            tls_cert_path=node / "tls.cert",
            macaroon_path=node / "readonly.macaroon",
        )
        asyncio.run(service.collect(connection, store, asyncio.Event()))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(1)


def _wait_for_events(store: Path, pid: int) -> int:
    """Until this process has stored something. Returns how many events the store then has."""
    until_s = time.monotonic() + _PATIENCE_S
    before: int | None = None
    while time.monotonic() < until_s:
        ended, _ = os.waitpid(pid, os.WNOHANG)
        if ended:
            raise RuntimeError("the collector ended by itself; see collect.err")
        try:
            with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as db:
                ((events, owner),) = db.execute("SELECT events, pid FROM status").fetchall()
        except (sqlite3.Error, ValueError):
            events = owner = 0
        if owner == pid:
            before = events if before is None else before
            if events > before:
                return int(events)
        time.sleep(0.01)
    raise RuntimeError("the collector stores nothing")


def _is_sound(store: Path, least: int) -> bool:
    """Whether it opens as a viewer and a collector open it, and lost nothing that was there."""
    analyst = service.open_analyst(store)
    try:
        analyst.overview(Query(window="all"))
    finally:
        analyst.close()
    with closing(sqlite3.connect(store)) as db:
        (sound,) = db.execute("PRAGMA quick_check").fetchone()
        (events,) = db.execute("SELECT events FROM status").fetchone()
    return bool(sound == "ok" and events >= least)


def cut(left: Path, cuts: int, seed: int) -> Verdict:
    """Cut copies of a killed collector's files at random offsets, and open them."""
    chance = random.Random(seed)
    verdict = Verdict()
    names = [file.name for file in left.iterdir() if file.name in ("store.db", "store.db-wal")]
    with tempfile.TemporaryDirectory(prefix="htlctop-cut-") as folder:
        for name in names:
            shutil.copy2(left / name, folder)
        whole = _rows(Path(folder) / "store.db")
    opened = refused = older = 0
    for number in range(cuts):
        with tempfile.TemporaryDirectory(prefix="htlctop-cut-") as folder:
            store = Path(folder) / "store.db"
            sizes = []
            for name in names:
                copy = Path(folder) / name
                shutil.copy2(left / name, copy)
                # The database, its WAL, or both.
                if number % 3 == 2 or name == names[number % 3 % len(names)]:
                    size = chance.randrange(copy.stat().st_size + 1)
                    os.truncate(copy, size)
                    sizes.append(f"{name} at {size:,}")
            case = ", ".join(sizes)
            try:
                _use(store)
            except StoreError:
                refused += 1
                continue
            except Exception as error:
                verdict.violate("neither opened nor refused", f"{case}: {error!r}")
                continue
            opened += 1
            try:
                rows = _rows(store)
            except sqlite3.Error as error:
                verdict.violate("opened, but damaged", f"{case}: {error}")
                continue
            older += rows < whole
    verdict.facts["files cut"] = (
        f"{cuts}: {opened} opened ({older} at an older state), {refused} refused"
    )
    return verdict


def _use(store: Path) -> None:
    """As a viewer and then a collector use it."""
    analyst = service.open_analyst(store)
    try:
        analyst.report(Query(window="all"))
    finally:
        analyst.close()

    async def write() -> None:
        async with StoreWriter(store) as writer:
            writer.restore_fold()
            await writer.set_state("live")
            await writer.checkpoint()

    asyncio.run(write())


def _rows(store: Path) -> int:
    """How many HTLCs; raises sqlite3.DatabaseError when the file is not sound."""
    with closing(sqlite3.connect(store)) as db:
        (sound,) = db.execute("PRAGMA integrity_check").fetchone()
        if sound != "ok":
            raise sqlite3.DatabaseError(str(sound)[:200])
        (rows,) = db.execute("SELECT count(*) FROM htlc").fetchone()
    return int(rows)


def main() -> int:
    """Kill, then cut; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="htlctop-kill-") as folder:
        verdict, left = kill(Path(folder), given.kills, given.seed)
        code = show(verdict)
        return code | show(cut(left, given.cuts, given.seed))


if __name__ == "__main__":
    sys.exit(main())
