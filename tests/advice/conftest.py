"""Stores that several tests of advice look at."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.sim.recordings import TRAFFIC
from htlctop.sim.synthetic.node import SyntheticNode
from htlctop.sim.synthetic.simulation import DAY_NS, START_NS, Simulation


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


@pytest.fixture(params=["traffic", "made up"])
def store(request: pytest.FixtureRequest, traffic_store: Path) -> Path:
    """Either."""
    if request.param == "traffic":
        return traffic_store
    return Path(request.getfixturevalue("made_up_store"))


@pytest.fixture
def analyst(store: Path) -> Iterator[StoreAnalyst]:
    """Of either store."""
    found = service.open_analyst(store)
    yield found
    found.close()
