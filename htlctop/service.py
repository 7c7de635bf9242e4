"""Puts a store, a collector and the analysis together, without a screen.

gRPC and protobuf are imported where they are first needed: a screen paints before they are there.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.collector.clock import SystemClock
from htlctop.collector.collector import Collector, Limits
from htlctop.collector.intake import BATCH_EVENTS, Arrived, Intake
from htlctop.collector.notify import Notifier
from htlctop.config import Connection
from htlctop.domain.types import DEFAULTS, HtlcEvent, Settings
from htlctop.errors import StoreError
from htlctop.store.lock import StoreBusyError
from htlctop.store.reader import StoreReader
from htlctop.store.writer import StoreWriter

if TYPE_CHECKING:
    from htlctop.wire.recorded import RecordedNode

_log = logging.getLogger(__name__)

FIRST_START_S = 1.5
"""How long a reader waits for the collector beside it to make the store."""
TAKEOVER_S = 1.0
"""How often a viewer tries to become the collector."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one recording brought in. cut_off_line: a last line that was not whole, None if none."""

    path: Path
    events: int
    malformed: int
    cut_off_line: int | None


def open_analyst(store: Path, settings: Settings = DEFAULTS) -> StoreAnalyst:
    """The analyst of an existing store. Raises StoreError when there is none to read."""
    return StoreAnalyst(StoreReader(store), settings=settings)


async def collect(
    connection: Connection,
    store: Path,
    stop: asyncio.Event,
    limits: Limits | None = None,
    settings: Settings = DEFAULTS,
    *,
    reload: asyncio.Event | None = None,
    notifier: Notifier | None = None,
    take_over: bool = False,
    keep_ns: int | None = None,
) -> None:
    """Listen to a node and write what it tells, until `stop` is set or a limit is reached.

    Args:
        reload: set to connect anew, with the certificate and macaroon as they are then.
        notifier: the service manager to keep informed.
        take_over: wait while another process collects into the store.
        keep_ns: how long single HTLCs are kept, None for ever; totals stay in any case.

    Raises:
        StoreBusyError: somebody else collects into the store.
        StoreError: it cannot be written, or is another node's.
        HtlctopError: with `limits.fail_fast`, why the node cannot be listened to.
    """
    notifier = notifier or Notifier({})
    waited = False
    while not stop.is_set():
        try:
            async with StoreWriter(store, keep_ns=keep_ns) as writer:
                await _collect(
                    connection, writer, stop, limits, settings, reload=reload, notifier=notifier
                )
            return
        except StoreBusyError as busy:
            if not take_over:
                raise
            if not waited:
                _log.info("%s; waiting for it to end", busy)
                waited = True
            notifier.ready(f"waiting: {busy}")
            notifier.watchdog()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TAKEOVER_S)


async def _collect(
    connection: Connection,
    writer: StoreWriter,
    stop: asyncio.Event,
    limits: Limits | None,
    settings: Settings,
    *,
    reload: asyncio.Event | None,
    notifier: Notifier,
) -> None:
    from htlctop.wire.client import LndClient
    from htlctop.wire.signs import signs

    collector = Collector(
        lambda: LndClient(connection),
        writer,
        settings=settings,
        limits=limits,
        signs=lambda: signs(connection),
        notifier=notifier,
    )
    await collector.run(stop, reload)


class LocalSession:
    """One sitting at one store: readers, and the collector unless another process has it.

    Implements what the screen calls a session.
    """

    def __init__(self, store: Path, connection: Connection, *, keep_ns: int | None = None) -> None:
        self.store = store
        self._keep_ns = keep_ns
        self._collecting = False
        self._connection = connection

    @property
    def title(self) -> str:
        """What is looked at, until the node has said its name."""
        return self._connection.rpcserver

    @property
    def owns_collector(self) -> bool:
        """Whether quitting ends the watching."""
        return self._collecting

    def open_analyst(self) -> StoreAnalyst:
        """A reader of the store, which on a first start is being made. Raises StoreError."""
        made_by = time.monotonic() + FIRST_START_S
        while True:
            try:
                return open_analyst(self.store)
            except StoreError:
                if time.monotonic() > made_by:
                    raise
                time.sleep(0.05)

    def run_collector(self, stop: threading.Event) -> None:
        """Collect until `stop` is set; while another process does, keep trying to take over."""
        asyncio.run(self._run(stop))

    async def _run(self, stop: threading.Event) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()

        def watch() -> None:
            stop.wait()
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(stopping.set)

        threading.Thread(target=watch, name="htlctop-stop", daemon=True).start()
        while not stopping.is_set():
            try:
                self._collecting = True
                await collect(self._connection, self.store, stopping, keep_ns=self._keep_ns)
                return
            except StoreBusyError:
                self._collecting = False
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), TAKEOVER_S)


async def ingest(
    paths: Sequence[Path],
    store: Path,
    *,
    shift_ns: int = 0,
    until_fraction: float = 1.0,
    ended_by: str = "the recording ended",
    settings: Settings = DEFAULTS,
) -> tuple[Ingested, ...]:
    """Read recordings into a store, one after another, as a collector would have.

    Args:
        shift_ns: added to every time. until_fraction: stop there in each recording.
        ended_by: the reason of the gap that follows.

    Raises:
        UsageError: a file is no recording; those before it are in the store.
        StoreError: the store cannot be written, or is another node's.
    """
    from htlctop.wire.recorded import RecordedNode
    from htlctop.wire.recording import read_recording

    recordings = [read_recording(path) for path in paths]
    done = []
    async with StoreWriter(store) as writer:
        for recording in recordings:
            node = RecordedNode(recording, shift_ns=shift_ns, until_fraction=until_fraction)
            intake = Intake(writer, node, SystemClock(), settings, by_events=True)
            events = await _play(node, intake, ended_by)
            done.append(Ingested(recording.path, events, node.malformed, recording.cut_off_line))
            await writer.checkpoint()
        await writer.set_state("stopped", "read from recordings")
    return tuple(done)


async def _play(node: "RecordedNode", intake: Intake, ended_by: str) -> int:
    """Everything of a recording through the intake; returns how many events."""
    from htlctop.wire.methods import Method
    from htlctop.wire.recorded import StreamEnd

    await intake.meet(await node.get_info())
    await intake.list_channels()
    batch: list[Arrived] = []
    events = 0
    broken = False
    for item in node.stream():
        if isinstance(item, HtlcEvent):
            batch.append((item, item.timestamp_ns))
            events += 1
            if len(batch) < BATCH_EVENTS:
                continue
        await intake.write(batch)
        batch.clear()
        if isinstance(item, StreamEnd):
            await intake.pause(f"the stream ended: {item.details}")
            broken = True
        elif not isinstance(item, HtlcEvent) and item.method == Method.FEE_REPORT:
            await intake.read_policies()
        elif not isinstance(item, HtlcEvent) and item.method == Method.LIST_CHANNELS:
            await intake.list_channels()
            if broken:
                await intake.repair(node)
                broken = False
    await intake.write(batch)
    await intake.pause(ended_by)
    return events
