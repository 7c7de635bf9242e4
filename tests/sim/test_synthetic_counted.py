"""The made-up node listened to: counted, it is what its payers lost; played, it is a node."""

import asyncio
import json
import threading
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from htlctop import service
from htlctop.analysis.models import Overview, PeerRow
from htlctop.analysis.query import Query
from htlctop.cli.demo import DemoSession, SyntheticPlay
from htlctop.cli.sim import command as sim_command
from htlctop.collector.collector import Limits
from htlctop.sim.server import SyntheticOptions
from htlctop.sim.synthetic.people import Role
from htlctop.sim.synthetic.simulation import DAY_NS
from tests.played import until
from tests.stored import overview
from tests.synthetic import lived
from tests.truth import tally

from .conftest import Simulate, each

DAY = Query(window="24h")


@pytest.mark.parametrize("seed", [1, 5])
async def test_what_is_counted_is_what_the_payers_lost(seed, store_file):
    simulation = await lived(seed, 48, store_file)
    seen = overview(store_file)
    truth = tally([*simulation.payments, *simulation.open_payments])
    lost_msat = sum(found.lost_msat for found in truth.values())
    would_have = sum(found.lost_msat * found.settle_share for found in truth.values())
    sums = seen.totals.sums
    assert sums.net_demand_msat == pytest.approx(lost_msat, rel=0.1)
    assert -0.25 < sums.expected_msat / would_have - 1 < 0.1
    assert sums.asked_msat > 1.5 * lost_msat, "every try counted, it would look far worse"
    crowded = {p.pubkey for p in simulation.people.peers if p.role is Role.CROWDED}
    checked = 0
    for row in peers(seen):
        found = truth.get(row.pubkey or "")
        if found and found.lost_msat and row.sums.refused > 50 and row.pubkey not in crowded:
            assert row.sums.net_demand_msat == pytest.approx(found.lost_msat, rel=0.25), row.alias
            checked += 1
    assert checked >= 2
    earned_msat = sum(f.in_msat - f.out_msat for f in simulation.hub.settled)
    assert sums.earned_msat == earned_msat


def peers(seen: Overview) -> list[PeerRow]:
    return [row for row in seen.rows if isinstance(row, PeerRow)]


async def test_over_the_wire_it_is_the_node_that_was_ingested(
    simulate: Simulate, tmp_path: Path, store_file: Path
) -> None:
    hours, log = 3.0, tmp_path / "truth.json"
    async with simulate(SyntheticOptions(2, hours=hours, truth=log)) as running:
        limits = Limits(until_idle_s=1.5)
        await service.collect(running.connection, store_file, asyncio.Event(), limits)
        simulation = running.simulator.playback.answers._simulation
    await lived(2, hours, tmp_path / "direct.db")
    direct, seen = overview(tmp_path / "direct.db"), overview(store_file)
    assert seen.totals.sums == direct.totals.sums
    assert seen.node.alias == "tidewater"
    payments = json.loads(log.read_text())
    assert len(payments) == len(Counter(p["id"] for p in payments))
    tried = sum(a["result"][-2:] != "@0" for p in payments for a in p["attempts"])
    assert tried <= simulation.hub.htlcs <= tried + 10, "a few more are paid to the node itself"


async def test_at_speed_one_it_plays_now_and_its_history_is_behind_it(simulate: Simulate):
    options = SyntheticOptions(1, history_s=3600)
    async with simulate(options, speed=1.0) as running, running.client() as client:
        events = [event async for event in limited(each(client), 6)]
        info = await client.get_info()
        history = await client.forwarding_history(0, 10**10)
    assert not info.replay
    times = [event.timestamp_ns for event in events[1:]]
    assert len(history) > 5
    assert all(forward.timestamp_ns <= max(times) for forward in history)
    assert max(f.timestamp_ns for f in history) > min(times) - DAY_NS // 24


async def limited(stream, count: int):
    async for item in stream:
        yield item
        count -= 1
        if not count:
            return


async def test_the_demo_has_a_day_behind_it_and_goes_on(tmp_path: Path):
    session = DemoSession(tmp_path, SyntheticPlay(3, 60, "1"))
    stop = threading.Event()
    runner = threading.Thread(target=session.run_collector, args=(stop,))
    runner.start()
    try:
        analyst = session.open_analyst()
        first = analyst.overview(DAY).totals
        assert 1_000 < first.forwards < 3_000
        await until(lambda: analyst.overview(DAY).totals.forwards > first.forwards)
        seen = analyst.overview(DAY)
        assert not seen.status.replay
        assert seen.window.coverage > 0.98
        analyst.close()
    finally:
        stop.set()
        runner.join(20)
    assert not runner.is_alive()


def test_what_is_for_a_made_up_node_is_refused_for_a_recording(tmp_path: Path):
    recording = tmp_path / "r.jsonl"
    for option in (["--truth", str(tmp_path / "t")], ["--hours", "3"]):
        done = CliRunner().invoke(
            sim_command, ["--dir", str(tmp_path / "n"), "--recording", str(recording), *option]
        )
        assert done.exit_code != 0
        assert "made-up node" in str(done.exception or done.output)
