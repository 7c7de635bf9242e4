"""Fixtures that every room's tests share."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from htlctop import service
from htlctop.sim.recordings import TRAFFIC
from htlctop.sim.synthetic.node import SyntheticNode
from htlctop.sim.synthetic.simulation import DAY_NS, START_NS, Simulation

# Nobody's own config file has a say in the tests.
os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = "/nonexistent"

# What a background job or nohup has us ignore, the processes under test would ignore too.
for number, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)


@pytest.fixture
def store_file(tmp_path: Path) -> Path:
    """Where a new store may be made."""
    return tmp_path / "data" / "store.db"


@pytest.fixture(scope="session")
def traffic_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a real node said in four minutes."""
    path = tmp_path_factory.mktemp("traffic") / "store.db"
    asyncio.run(service.ingest([TRAFFIC], path))
    return path


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    """Two days of a made-up node, once `made_up_store` has played them."""
    return Simulation(3)


@pytest.fixture(scope="session")
def made_up_store(tmp_path_factory: pytest.TempPathFactory, simulation: Simulation) -> Path:
    """The same, as stored."""
    path = tmp_path_factory.mktemp("made-up") / "store.db"
    node = SyntheticNode(simulation, START_NS + 2 * DAY_NS)
    asyncio.run(service.ingest_played(node, path))
    return path
