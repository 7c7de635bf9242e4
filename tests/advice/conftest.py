"""Stores that several tests of advice look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.analyst import StoreAnalyst


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
