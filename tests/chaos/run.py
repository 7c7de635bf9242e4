"""One chaos run: node, collector, faults; then the judge."""

import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.disk import NoRoom, hold_the_write_lock
from tests.chaos.judge import Verdict, judge
from tests.chaos.load import write_load
from tests.chaos.processes import CollectorProcess, Sample, SimProcess
from tests.chaos.told import read_load, read_truth

QUIET_FROM = 0.45
"""From this part of the run on the process is left to live, so that its memory can be judged."""
_WARM_UP_S, _LEAST_LIFE_S = 60.0, 200.0
"""SQLite's caches (16 MB each for writer and fold) take a while to fill."""
_MOST_GROWTH = 1.05


@dataclass(frozen=True)
class Plan:
    """What to run. `faults_per_minute` are the node's; the collector's and the disk's come on top,
    each kind so many seconds apart on average."""

    seed: int
    seconds: float
    rate: float
    faults_per_minute: float = 12.0
    kill_every_s: float = 18.0
    busy_every_s: float = 25.0
    full_every_s: float = 45.0
    suspend_every_s: float = 60.0


@dataclass
class _Timer:
    """When something happens next, at random."""

    every_s: float
    chance: random.Random
    at_s: float = 0.0
    count: int = 0

    def is_due(self, now_s: float) -> bool:
        """Whether it happens now."""
        if not self.at_s:
            self.at_s = now_s + self.chance.uniform(0.4, 1.6) * self.every_s
        if now_s < self.at_s:
            return False
        self.at_s = now_s + self.chance.uniform(0.4, 1.6) * self.every_s
        self.count += 1
        return True


def run(plan: Plan, folder: Path) -> Verdict:
    """The whole run in a folder of its own; takes `plan.seconds` and some."""
    load = folder / "load.jsonl"
    write_load(load, plan.rate, plan.seconds + 60)
    sim = SimProcess(
        folder, load,
        *("--faults-seed", str(plan.seed), "--faults-rate", str(plan.faults_per_minute)),
    )  # fmt: skip
    collector = CollectorProcess(
        folder / "store" / "store.db", sim.node_options, folder / "collect.err"
    )
    collector.start()
    try:
        done = _disturb(plan, sim, collector)
        samples = collector.samples
        collector.terminate()
    finally:
        if collector._process is not None:
            collector.kill()
        sim_alive = sim.alive
        sim.stop()
    verdict = judge(collector.store, read_truth(sim.truth), read_load(load), collector.lives)
    verdict.facts |= done
    if not sim_alive:
        verdict.violate("the simulated node died", (folder / "sim.err").read_text()[-300:])
    _judge_process(collector, samples, verdict)
    return verdict


def _disturb(plan: Plan, sim: SimProcess, collector: CollectorProcess) -> dict[str, str]:
    """Until the time is over; returns what was done."""
    chance = random.Random(plan.seed)
    kills, busy = _Timer(plan.kill_every_s, chance), _Timer(plan.busy_every_s, chance)
    full, suspend = _Timer(plan.full_every_s, chance), _Timer(plan.suspend_every_s, chance)
    no_room: tuple[float, NoRoom] | None = None
    asleep_until_s, restart_at_s = 0.0, 0.0
    killed = terminated = by_itself = 0
    started_s = time.monotonic()
    while (now_s := time.monotonic()) < started_s + plan.seconds:
        time.sleep(0.1)
        if restart_at_s:
            if now_s >= restart_at_s:
                collector.start()
                restart_at_s = 0.0
            continue
        if collector.ended_by_itself():
            by_itself += 1
            no_room, restart_at_s = None, now_s + 0.5
            continue
        collector.sample()
        if now_s < started_s + plan.seconds * QUIET_FROM and kills.is_due(now_s):
            if chance.random() < 0.7:
                collector.kill()
                killed += 1
            else:
                collector.terminate()
                terminated += 1
            no_room, restart_at_s = None, now_s + chance.uniform(0.1, 2.5)
            continue
        if busy.is_due(now_s):
            hold_the_write_lock(collector.store, chance.uniform(1, 3))
        if no_room is not None and now_s >= no_room[0]:
            no_room[1].end()
            no_room = None
        elif no_room is None and full.is_due(now_s):
            no_room = now_s + chance.uniform(0.5, 4), NoRoom(collector.pid)
        if asleep_until_s and now_s >= asleep_until_s:
            sim.resume()
            asleep_until_s = 0.0
        elif not asleep_until_s and suspend.is_due(now_s):
            sim.suspend()
            asleep_until_s = now_s + chance.uniform(1, 6)
    sim.resume()
    if no_room is not None:
        no_room[1].end()
    if restart_at_s:
        collector.start()
    return {
        "kill -9 / SIGTERM / ended by itself": f"{killed} / {terminated} / {by_itself}",
        "store locked / no room / node suspended": f"{busy.count} / {full.count} / {suspend.count}",
    }


def _judge_process(collector: CollectorProcess, samples: list[Sample], verdict: Verdict) -> None:
    log = collector.errors.read_text(errors="replace")
    if "Traceback" in log:
        verdict.violate("a traceback", log[log.index("Traceback") :][:600])
    verdict.facts["log lines"] = f"{log.count(chr(10)):,}"
    verdict.facts["slowest clean stop"] = f"{collector.slowest_stop_s:.2f} s"
    bad = [code for code in collector.exit_codes if code not in (0, 6)]
    if bad:
        verdict.violate("an exit code that is none of ours", str(bad))
    life_s = samples[-1].age_s if samples else 0.0
    if life_s < _LEAST_LIFE_S:
        verdict.facts["memory"] = f"not judged: the last process lived {life_s:.0f} s"
        return
    every = max(1, len(samples) // 12)
    verdict.facts["resident memory, MB, over its life"] = " ".join(
        f"{sample.rss_kb / 1024:.0f}" for sample in samples[::every]
    )
    warm = [s for s in samples if s.age_s > _WARM_UP_S]
    half = len(warm) // 2
    for name, unit, values in (
        ("resident memory", "kB", [s.rss_kb for s in warm]),
        ("file descriptors", "", [s.descriptors for s in warm]),
    ):
        before, after = statistics.median(values[:half]), statistics.median(values[half:])
        verdict.facts[name] = (
            f"{before:,.0f} → {after:,.0f} {unit} ({after / before - 1:+.1%}), "
            f"most {max(values):,} {unit}, over {life_s - _WARM_UP_S:.0f} s"
        )
        if after > before * _MOST_GROWTH:
            verdict.violate(f"{name} grows", verdict.facts[name])
