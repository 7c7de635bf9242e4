"""What the wire's tests share: the recordings of a real LND."""

from pathlib import Path

import pytest

import htlctop.sim
from htlctop.wire.recording import Recording, read_recording

_DATA = Path(__file__).parent.parent / "data"
_TRAFFIC = Path(htlctop.sim.__file__).parent / "data" / "traffic-0.21.2.jsonl.gz"
RECORDINGS = {
    "scenarios-0.20.1": _DATA / "scenarios-0.20.1.jsonl.gz",
    "scenarios-0.21.2": _DATA / "scenarios-0.21.2.jsonl.gz",
    "traffic-0.21.2": _TRAFFIC,
}


@pytest.fixture(scope="session")
def data() -> Path:
    return _DATA


@pytest.fixture(scope="session")
def traffic() -> Recording:
    return read_recording(RECORDINGS["traffic-0.21.2"])


@pytest.fixture(scope="session")
def scenarios() -> Recording:
    return read_recording(RECORDINGS["scenarios-0.21.2"])


@pytest.fixture(scope="session", params=sorted(RECORDINGS))
def recording(request: pytest.FixtureRequest) -> Recording:
    return read_recording(RECORDINGS[request.param])
