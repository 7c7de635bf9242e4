"""A real client, a real server, and the recording between them."""

import asyncio
import threading
import time

import pytest

from htlctop.domain.codes import EventKind
from htlctop.domain.types import ChannelEventKind, HtlcEvent, NodeState
from htlctop.errors import NodeConnectionError
from htlctop.sim.playback import Playback
from htlctop.sim.source import SUBSCRIBED, RecordedSource
from htlctop.wire import decode
from htlctop.wire.client import LndClient
from htlctop.wire.methods import Method
from htlctop.wire.recorded import RecordedNode
from htlctop.wire.recording import Recording

from .conftest import Simulate, each, eventually


def recorded(recording: Recording) -> list[HtlcEvent]:
    """The recorded events without the subscribed_events, which each subscriber gets for itself."""
    items = RecordedNode(recording).stream()
    return [i for i in items if isinstance(i, HtlcEvent) and i.kind is not EventKind.SUBSCRIBED]


async def until_it_breaks(client: LndClient) -> list[HtlcEvent]:
    events: list[HtlcEvent] = []
    stream = each(client)
    with pytest.raises(NodeConnectionError, match="ended the stream"):
        while True:
            events.append(await anext(stream))
    return events


async def test_the_stream_is_the_files(simulate: Simulate, traffic: Recording) -> None:
    async with simulate(traffic.path) as running, running.client() as client:
        wanted = recorded(traffic)
        events = await running.take(client, len(wanted) + 1)
        assert events[0] == HtlcEvent(EventKind.SUBSCRIBED, 0, 0)
        assert events[1:] == wanted
        assert client.malformed == 0
        assert (await client.get_info()).ended


async def test_it_breaks_where_the_recording_does(simulate: Simulate, scenarios: Recording) -> None:
    async with simulate(scenarios.path) as running, running.client() as client:
        first, second = await until_it_breaks(client), await until_it_breaks(client)
        wanted = recorded(scenarios)
        last = await running.take(client, len(wanted) + 3 - len(first) - len(second))
        assert [run[0].kind for run in (first, second, last)] == [EventKind.SUBSCRIBED] * 3
        assert first[1:] + second[1:] + last[1:] == wanted


@pytest.mark.parametrize("tenth", range(1, 10))
async def test_a_break_after_n_goes_on_with_the_next_message(
    simulate: Simulate, scenarios: Recording, tenth: int
) -> None:
    wanted = recorded(scenarios)[:330]
    after = 330 * tenth // 10
    async with simulate(scenarios.path, break_after=after) as running:
        async with running.client() as client:
            first = await until_it_breaks(client)
        async with running.client() as another:
            rest = await running.take(another, 331 - after)
    assert len(first) == after + 1
    assert first[1:] + rest[1:] == wanted


async def test_it_waits_for_the_first_and_for_the_next_subscriber(
    simulate: Simulate, short: Recording
) -> None:
    wanted = recorded(short)
    async with simulate(short.path, break_after=10) as running:
        await asyncio.sleep(0.05)
        async with running.client() as client:
            assert len(await until_it_breaks(client)) == 11
            await asyncio.sleep(0.05)
            assert not (await client.get_info()).ended
            assert (await running.take(client, 51))[1:] == wanted[10:]


async def test_a_lossy_playback_goes_on_without_subscribers(
    simulate: Simulate, short: Recording
) -> None:
    options = {"break_after": 10, "lossy": True}
    async with simulate(short.path, **options) as running, running.client() as client:
        assert len(await until_it_breaks(client)) == 11
        await eventually(lambda: running.simulator.playback.ended)
        assert (await client.get_info()).ended
        later = await running.take(client, 1)
        assert later[0].kind is EventKind.SUBSCRIBED


async def test_all_subscribers_get_the_whole_stream(simulate: Simulate, short: Recording) -> None:
    wanted = recorded(short)
    async with (
        simulate(short.path, speed=1.0, verbatim=True) as running,
        running.client() as one,
        running.client() as two,
    ):
        both = await asyncio.gather(running.take(one, 61), running.take(two, 61))
    for events in both:
        assert events[1:] == wanted


async def test_what_a_subscriber_left_behind_is_kept_for_the_next(short: Recording) -> None:
    playback = Playback(RecordedSource(short))
    player = asyncio.create_task(playback.run())
    gone = playback.subscribe()
    assert await gone.next() == SUBSCRIBED
    gone.sent()
    await asyncio.sleep(0)
    playback.unsubscribe(gone)
    heard = playback.subscribe()
    messages = []
    while len(messages) < 61:
        messages.append(await heard.next())
        heard.sent()
    assert messages[0] == SUBSCRIBED
    events = [decode.htlc_event(m) for m in messages[1:] if isinstance(m, bytes)]
    assert events == recorded(short)
    await player
    assert playback.ended


async def test_at_speed_one_every_time_is_moved_so_that_it_plays_now(
    simulate: Simulate, short: Recording
) -> None:
    before = time.time_ns()
    async with simulate(short.path, speed=1.0) as running, running.client() as client:
        events = await running.take(client, 61)
        info = await client.get_info()
        history = await client.forwarding_history(0, 10**11)
    shifts = {
        got.timestamp_ns - was.timestamp_ns
        for got, was in zip(events[1:], recorded(short), strict=True)
    }
    assert len(shifts) == 1
    assert before <= min(e.timestamp_ns for e in events[1:]) <= time.time_ns()
    assert not info.replay
    assert history == ()


async def test_a_shifted_event_keeps_what_we_do_not_know(short: Recording) -> None:
    playback = Playback(RecordedSource(short, 0.1), shifted=True, starts_now=True)
    subscriber = playback.subscribe()
    player = asyncio.create_task(playback.run())
    await subscriber.next()
    subscriber.sent()
    got = await subscriber.next()
    await asyncio.sleep(0)
    player.cancel()
    originals = [r.message for r in short.records() if r.is_htlc_event]
    original = originals[short.event_at(0.1)]
    assert isinstance(got, bytes)
    assert got != original
    assert decode.htlc_event(got, -playback.shift_ns) == decode.htlc_event(original)
    assert sorted(got) != sorted(original)
    assert len(got) == len(original)


async def test_any_other_speed_is_a_replay_and_says_so(
    simulate: Simulate, short: Recording
) -> None:
    for options in ({"speed": None}, {"speed": 3.0}, {"speed": 1.0, "verbatim": True}):
        async with simulate(short.path, **options) as running, running.client() as client:
            assert (await client.get_info()).replay
            assert (await running.take(client, 3))[1:] == recorded(short)[:2]


async def test_a_start_further_on_agrees_with_an_ingest_up_to_there(
    simulate: Simulate, traffic: Recording
) -> None:
    options = {"speed": 1.0, "start_at": 1 / 3}
    async with simulate(traffic.path, **options) as running, running.client() as client:
        shift = running.simulator.playback.shift_ns
        earlier = RecordedNode(traffic, shift_ns=shift, until_fraction=1 / 3)
        told = [item for item in earlier.stream() if isinstance(item, HtlcEvent)]
        events = await running.take(client, 3)
        assert await client.list_channels() == await earlier.list_channels()
    whole = [i for i in RecordedNode(traffic, shift_ns=shift).stream() if isinstance(i, HtlcEvent)]
    assert told + events[1:] == whole[: len(told) + 2]
    assert abs(events[1].timestamp_ns - time.time_ns()) < 60 * 10**9


async def test_answers_are_those_of_the_moment(simulate: Simulate, scenarios: Recording) -> None:
    async with simulate(scenarios.path) as running, running.client() as client:
        assert await client.get_state() is NodeState.SERVER_ACTIVE
        first = await client.list_channels()
        assert not await client.forwarding_history(0, 10**10)
        finals = [e for e in recorded(scenarios) if e.kind is EventKind.FINAL]
        assert await client.lookup_htlc(finals[0].incoming_scid, finals[0].incoming_htlc_id) is None
        await until_it_breaks(client)
        await until_it_breaks(client)
        await running.take(client, 3)
        assert len(await client.forwarding_history(0, 10**10)) == 81
        for final in finals:
            settled = await client.lookup_htlc(final.incoming_scid, final.incoming_htlc_id)
            assert settled is final.settled
        assert await client.lookup_htlc(1, 2) is None
        closed = await client.closed_channels()
        assert {c.scid for c in closed} < {c.scid for c in first}
        async with running.client() as newcomer:
            # It never saw the closing channel open, and finds its id by the funding point.
            assert await newcomer.closed_channels() == closed
        assert await client.node_alias(first[0].peer) == first[0].peer_alias
        assert await client.node_alias("02" + "00" * 32) == ""
        assert first[0].peer in await client.connected_peers()


async def test_history_is_paged(
    simulate: Simulate, scenarios: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("htlctop.wire.node._HISTORY_PAGE", 7)
    async with simulate(scenarios.path) as running, running.client() as client:
        await until_it_breaks(client)
        await until_it_breaks(client)
        paged = await client.forwarding_history(0, 10**10)
        assert len(paged) == len(set(paged)) == 81


async def test_channel_events_come_from_the_snapshots(
    simulate: Simulate, scenarios: Recording
) -> None:
    kinds: dict[ChannelEventKind, list[int]] = {kind: [] for kind in ChannelEventKind}
    async with (
        simulate(scenarios.path) as running,
        running.client() as watcher,
        running.client() as client,
    ):
        playback = running.simulator.playback
        before = {c.scid for c in await client.list_channels()}

        async def watch() -> None:
            async for event in watcher.channel_events():
                scid = event.channel.scid if event.channel else 0
                kinds[event.kind].append(event.closed.scid if event.closed else scid)

        for _ in range(2):
            watching = asyncio.create_task(watch())
            await eventually(lambda: bool(playback.watchers))
            await until_it_breaks(client)
            with pytest.raises(NodeConnectionError):
                await watching
        after = {c.scid for c in await client.list_channels()}
    assert kinds[ChannelEventKind.OPEN] == [17592186044416000000]
    assert set(kinds[ChannelEventKind.CLOSED]) == before - after
    assert kinds[ChannelEventKind.INACTIVE]
    assert set(kinds[ChannelEventKind.UPDATE]) <= before | after


async def test_any_recorded_method_is_answered_and_no_other(
    simulate: Simulate, short: Recording
) -> None:
    async with simulate(short.path) as running, running.client() as client:
        for method in (Method.LIST_PEERS, Method.PENDING_CHANNELS, Method.CLOSED_CHANNELS):
            assert (await client.ask(method, b"")).replay
        answers = running.simulator.playback.answers
        assert answers.answer("/lnrpc.Lightning/ChannelBalance", b"")


async def test_a_server_that_goes_away_is_told_at_once(
    simulate: Simulate, short: Recording
) -> None:
    async with simulate(short.path, speed=0.001) as running:
        client = running.client()
        stream = each(client)
        assert (await anext(stream)).kind is EventKind.SUBSCRIBED
    with pytest.raises(NodeConnectionError, match="LND stops"):
        await anext(stream)
    with pytest.raises(NodeConnectionError, match="nothing listens"):
        await client.get_info()
    await client.close()
    with pytest.raises(NodeConnectionError):
        await client.get_info()
    with pytest.raises(NodeConnectionError):
        await anext(each(client))


async def test_closing_the_client_ends_its_streams(simulate: Simulate, short: Recording) -> None:
    async with simulate(short.path, speed=0.001) as running:
        client = running.client()
        stream = each(client)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        await client.close()
        with pytest.raises(NodeConnectionError):
            await waiting


async def test_a_client_that_is_closed_leaves_no_thread_behind(
    simulate: Simulate, short: Recording
) -> None:
    # One that Python ends at its exit, in the middle of a stream's end, may keep it from exiting.
    async with simulate(short.path, speed=0.001) as running:
        for _ in range(20):
            async with running.client() as client:
                await anext(each(client))
            left = [thread.name for thread in threading.enumerate() if thread.is_alive()]
            assert "htlctop-stream" not in left
