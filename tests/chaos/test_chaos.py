"""Short versions of the chaos run and of kill -9; and that the judge sees what is wrong."""

import sqlite3
from pathlib import Path

import pytest

from htlctop.domain.codes import Outcome
from tests.chaos.judge import Life, Verdict, judge
from tests.chaos.kill import cut, kill
from tests.chaos.load import write_load
from tests.chaos.run import Plan, run
from tests.chaos.told import Told, read_load, read_truth


def told_of(verdict: Verdict) -> str:
    return "\n".join(verdict.violations)


def test_twenty_seconds_of_chaos_lose_nothing_that_was_told_while_watching(tmp_path: Path):
    plan = Plan(seed=1, seconds=20, rate=300, faults_per_minute=20, kill_every_s=4,
                busy_every_s=6, full_every_s=8, suspend_every_s=10)  # fmt: skip
    verdict = run(plan, tmp_path)
    assert not verdict.counts, told_of(verdict)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Verdict, Path]:
    folder = tmp_path_factory.mktemp("kill")
    return folder, *kill(folder, kills=5, seed=1)


def test_a_store_survives_kill_9_and_loses_no_more_than_a_gap(killed):
    _, verdict, _ = killed
    assert not verdict.counts, told_of(verdict)
    assert verdict.facts["kills"].endswith("unsound: 0")


def test_cut_copies_of_its_files_open_or_are_refused(killed):
    _, _, left = killed
    verdict = cut(left, cuts=40, seed=1)
    assert not verdict.counts, told_of(verdict)


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        ("DELETE FROM htlc WHERE seq % 5 = 0 AND in_channel > 0", "lost"),
        ("DELETE FROM htlc WHERE in_channel = 0", "a send is not stored once"),
        ("UPDATE htlc SET outcome = 3 WHERE outcome = 1 AND seq % 5 = 0", "wrong outcome"),
        ("UPDATE htlc SET in_htlc = in_htlc + 1000000000 WHERE seq % 5 = 0", "never told"),
        ("UPDATE htlc SET out_msat = 0 WHERE forwarded", "amounts lost"),
        ("UPDATE by_pair SET n = n + 1 WHERE span = 0", "buckets differ from rows"),
        ("UPDATE coverage SET until = until + 5000000000", "covered while nobody listened"),
        ("UPDATE coverage SET ended_by = ' '", "a gap without a reason"),
        ("DELETE FROM coverage", "no coverage"),
    ],
)
def test_the_judge_sees(killed, damage: str, seen: str, tmp_path: Path):
    folder, _, _ = killed
    copy = tmp_path / "store.db"
    with sqlite3.connect(folder / "store" / "store.db") as db, sqlite3.connect(copy) as other:
        db.backup(other)
    with sqlite3.connect(copy) as db:
        db.execute(damage)
    truth, load = read_truth(folder / "truth.jsonl"), read_load(folder / "load.jsonl")
    verdict = judge(copy, truth, load, [])
    assert seen in verdict.counts, verdict.counts


def test_a_gap_where_a_process_was_killed_needs_no_other_reason(killed):
    folder, _, _ = killed
    truth, load = read_truth(folder / "truth.jsonl"), read_load(folder / "load.jsonl")
    store = folder / "store" / "store.db"
    assert "a gap without a reason" in judge(store, truth, load, []).counts
    lives = [Life(0, until_ns, killed=True) for _, until_ns in truth.listening]
    assert not judge(store, truth, load, lives).counts


def test_a_load_has_the_length_asked_for_and_no_htlc_twice(tmp_path: Path):
    path = tmp_path / "load.jsonl"
    assert write_load(path, rate=1_000, seconds=15) == 15_000
    ends = read_load(path)
    assert 5_000 < len(ends) < 9_000
    assert {Outcome.SETTLED, Outcome.REFUSED, Outcome.DOWNSTREAM} <= set(ends.values())
    assert isinstance(read_truth(_empty(tmp_path)), Told)


def _empty(folder: Path) -> Path:
    path = folder / "empty"
    path.write_text('{"t_ns": 1, "what": "down"}\n{"t_ns"', encoding="ascii")
    return path
