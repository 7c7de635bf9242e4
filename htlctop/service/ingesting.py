"""Reads recordings, or whatever else is played, into a store, as a collector would have."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from htlctop.collector.channels import Channels
from htlctop.collector.clock import SystemClock
from htlctop.collector.intake import Intake
from htlctop.collector.ledger import BATCH_EVENTS, Arrived
from htlctop.domain.ports import ChannelInfoProvider, OutcomeProvider
from htlctop.domain.types import DEFAULTS, HtlcEvent, NodeInfo, Settings
from htlctop.store.writer import StoreWriter

if TYPE_CHECKING:
    from htlctop.wire.recorded import StreamItem


class PlayedNode(ChannelInfoProvider, OutcomeProvider, Protocol):
    """A node that is played as fast as it is read, and answers as of what was read so far."""

    async def get_info(self) -> NodeInfo:
        """Who it is."""

    def stream(self) -> Iterator["StreamItem"]:
        """What it says."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one recording brought in. cut_off_line: a last line that was not whole, None if none."""

    path: Path
    events: int
    malformed: int
    cut_off_line: int | None


async def ingest(
    paths: Sequence[Path],
    store: Path,
    *,
    shift_ns: int = 0,
    until_fraction: float = 1.0,
    ended_by: str = "the recording ended",
    settings: Settings = DEFAULTS,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Ingested, ...]:
    """Read recordings into a store, one after another, as a collector would have.

    Args:
        shift_ns: added to every time. until_fraction: stop there in each recording.
        ended_by: the reason of the gap that follows.
        progress: called now and then with how many events are read, of how many.

    Raises:
        UsageError: a file is no recording; those before it are in the store.
        StoreError: the store cannot be written, or is another node's.
    """
    from htlctop.wire.recorded import RecordedNode
    from htlctop.wire.recording import read_recording

    recordings = [read_recording(path) for path in paths]
    whole = sum(each.events for each in recordings)
    done: list[Ingested] = []

    def tell(events: int) -> None:
        if progress is not None:
            progress(sum(each.events for each in done) + events, whole)

    async with StoreWriter(store) as writer:
        for recording in recordings:
            node = RecordedNode(recording, shift_ns=shift_ns, until_fraction=until_fraction)
            intake = Intake(writer, node, SystemClock(), settings, by_events=True)
            events = await _play(node, intake, ended_by, tell)
            done.append(Ingested(recording.path, events, node.malformed, recording.cut_off_line))
            await writer.checkpoint()
        await writer.set_state("stopped", "read from recordings")
    return tuple(done)


async def ingest_played(
    node: PlayedNode,
    store: Path,
    *,
    ended_by: str = "the recording ended",
    settings: Settings = DEFAULTS,
) -> int:
    """Read what a node plays into a store; returns how many events.

    Raises: StoreError: the store cannot be written, or is another node's.
    """
    async with StoreWriter(store) as writer:
        intake = Intake(writer, node, SystemClock(), settings, by_events=True)
        events = await _play(node, intake, ended_by)
        await writer.checkpoint()
        await writer.set_state("stopped", "read from recordings")
    return events


async def _play(
    node: PlayedNode,
    intake: Intake,
    ended_by: str,
    tell: Callable[[int], None] = lambda _events: None,
) -> int:
    """Everything of a recording through the intake; returns how many events. `tell` is called
    with how many were read so far."""
    from htlctop.wire.methods import Method
    from htlctop.wire.recorded import StreamEnd

    await intake.ledger.meet(await node.get_info())
    await intake.channels.refresh()
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
        tell(events)
        if isinstance(item, StreamEnd):
            await intake.ledger.pause(f"the stream ended: {item.details}")
            broken = True
        elif not isinstance(item, HtlcEvent) and item.method == Method.GET_INFO:
            await intake.ledger.meet(await node.get_info())
        elif not isinstance(item, HtlcEvent) and item.method == Method.FEE_REPORT:
            await intake.channels.read_policies()
        elif not isinstance(item, HtlcEvent) and item.method == Method.LIST_CHANNELS:
            await intake.channels.refresh()
            await _read_limits(intake.channels)
            if broken:
                await intake.history.repair(node)
                broken = False
    await intake.write(batch)
    await intake.ledger.pause(ended_by)
    return events


async def _read_limits(channels: Channels) -> None:
    """What single channels take at most and at least, where that may have changed."""
    due = channels.limits_due()
    if due:
        await channels.limits({scid: await channels.ask_limits(scid) for scid in due})
