"""What the simulator's tests share: recordings, and a running simulator with a client."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import htlctop.sim
from htlctop.config import Connection
from htlctop.domain.types import HtlcEvent
from htlctop.sim.server import SimOptions, Simulator, SyntheticOptions
from htlctop.wire.client import LndClient
from htlctop.wire.recording import Recording, read_recording

_DATA = Path(__file__).parent.parent / "data"
_TRAFFIC = Path(htlctop.sim.__file__).parent / "data" / "traffic-0.21.2.jsonl.gz"


@dataclass
class Running:
    """A simulator and how to reach it."""

    simulator: Simulator
    connection: Connection

    def client(self) -> LndClient:
        return LndClient(self.connection)

    async def take(self, client: LndClient, most: int) -> list[HtlcEvent]:
        """So many events, or what comes before the playback has ended."""
        events: list[HtlcEvent] = []
        stream = each(client)
        while len(events) < most:
            events.append(await anext(stream))
        await stream.aclose()
        return events


async def each(client: LndClient) -> AsyncGenerator[HtlcEvent, None]:
    """The client's stream, event by event."""
    batches = client.htlc_event_batches()
    try:
        async for batch in batches:
            for event in batch:
                yield event
    finally:
        await batches.aclose()


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    while not condition():
        await asyncio.sleep(0.01)


Simulate = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def simulate(tmp_path: Path) -> Simulate:
    @asynccontextmanager
    async def run(plays: Path | SyntheticOptions, **options: object) -> AsyncIterator[Running]:
        directory = tmp_path / "sim"
        settings = {"speed": None, **options}
        async with Simulator(SimOptions(plays, directory, **settings)) as simulator:
            yield Running(
                simulator,
                Connection(
                    simulator.address,
                    tls_cert_path=directory / "tls.cert",
                    macaroon_path=directory / "readonly.macaroon",
                ),
            )

    return run


@pytest.fixture(scope="session")
def traffic() -> Recording:
    return read_recording(_TRAFFIC)


@pytest.fixture(scope="session")
def scenarios() -> Recording:
    return read_recording(_DATA / "scenarios-0.21.2.jsonl.gz")


@pytest.fixture
def short(tmp_path: Path, traffic: Recording) -> Recording:
    """The first records of the traffic: 60 events within half a second, and the snapshots."""
    lines = []
    events = 0
    for record in traffic.records():
        line: dict[str, object] = {"t_ns": record.t_ns, "kind": record.kind}
        if record.kind == "header":
            line |= {"format": "htlctop-recording/1", "lnd": record.text}
        elif record.kind == "stream":
            events += 1
            line |= {"message": base64.b64encode(record.message).decode()}
        elif record.kind == "unary":
            line |= {"request": base64.b64encode(record.request).decode()}
            line |= {"response": base64.b64encode(record.response).decode()}
        elif record.kind == "mark":
            line |= {"text": record.text}
        if record.method:
            line["method"] = record.method
        lines.append(json.dumps(line))
        if events == 61:
            break
    path = tmp_path / "short.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_recording(path)
