"""The simulator does wrong what its plan says, and its log tells what it really did."""

import asyncio
import json
from base64 import b64decode
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from htlctop.domain.codes import EventKind
from htlctop.domain.types import HtlcEvent, NodeState
from htlctop.errors import HtlctopError, NodeConnectionError, UsageError
from htlctop.sim.faults import Fault, FaultKind, read_plan, seeded_plan
from htlctop.sim.strange import FIRST_STRANGE_HTLC
from htlctop.wire import decode
from htlctop.wire.client import LndClient
from htlctop.wire.recording import Recording

from .conftest import Simulate, each
from .test_playback import recorded


def plan(folder: Path, *faults: dict[str, object]) -> Path:
    path = folder / "faults.jsonl"
    path.write_text("# what goes wrong\n" + "\n".join(map(json.dumps, faults)), encoding="utf-8")
    return path


async def until_it_breaks(client: LndClient) -> list[HtlcEvent]:
    events = []
    with pytest.raises(NodeConnectionError):
        async for event in each(client):
            events.append(event)  # noqa: PERF401  (kept when it breaks)
    return events


async def test_a_break_has_the_code_and_text_asked_for(simulate: Simulate, short: Recording):
    faults = plan(
        short.path.parent,
        {"fault": "break", "after": 20, "code": "DATA_LOSS", "details": "as asked"},
    )
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        with pytest.raises(HtlctopError, match="as asked"):
            async for _ in each(client):
                pass
        assert (await running.take(client, 2))[0].kind is EventKind.SUBSCRIBED


@pytest.mark.parametrize("abrupt", [True, False])
async def test_a_restart_closes_the_listener_and_tells_the_last_events_again(
    simulate: Simulate, short: Recording, abrupt: bool
):
    faults = plan(
        short.path.parent,
        {"fault": "restart", "after": 20, "for": 0.3, "n": 7, "abrupt": abrupt, "version": "0.99"},
    )
    async with simulate(short.path, faults=faults) as running:
        async with running.client() as client:
            first = await until_it_breaks(client)
            with pytest.raises(NodeConnectionError):
                await client.get_info()
        while True:
            try:
                async with running.client() as client:
                    assert (await client.get_info()).version == "0.99"
                    again = await running.take(client, 9)
                break
            except NodeConnectionError:
                await asyncio.sleep(0.05)
    wanted = recorded(short)
    last = wanted.index(again[1])
    assert again[1:8] == wanted[last : last + 7]
    assert len(first) >= (1 if abrupt else 21)


async def test_new_credentials_shut_out_who_holds_the_old_ones(
    simulate: Simulate, short: Recording
):
    faults = plan(
        short.path.parent, {"fault": "restart", "after": 5, "for": 0.1, "credentials": True}
    )
    async with simulate(short.path, faults=faults) as running:
        old = running.connection.read_macaroon()
        async with running.client() as client:
            await until_it_breaks(client)
        while running.connection.read_macaroon() == old:
            await asyncio.sleep(0.02)
        async with running.client() as client:
            assert (await client.get_info()).alias == "hub"


async def test_a_frozen_node_answers_nothing_and_then_goes_on(simulate: Simulate, short: Recording):
    faults = plan(short.path.parent, {"fault": "freeze", "at": 0, "for": 0.5})
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        events = asyncio.create_task(running.take(client, 61))
        await asyncio.sleep(0.2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get_info(), 0.1)
        assert (await events)[1:] == recorded(short)


async def test_slow_and_refused_calls_concern_the_method_named(
    simulate: Simulate, short: Recording
):
    faults = plan(
        short.path.parent,
        {"fault": "slow", "at": 0, "for": 60, "delay": 30, "method": "FeeReport"},
        {"fault": "refuse", "at": 0, "for": 60, "code": "ABORTED", "method": "ListChannels"},
    )
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        await running.take(client, 61)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.fee_report(), 0.2)
        with pytest.raises(NodeConnectionError, match="ABORTED"):
            await client.list_channels()
        assert (await client.get_info()).alias == "hub"


async def test_a_locked_wallet_says_so_and_opens_again(simulate: Simulate, short: Recording):
    faults = plan(short.path.parent, {"fault": "lock", "after": 5, "for": 2})
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        await until_it_breaks(client)
        assert await client.get_state() is NodeState.LOCKED
        with pytest.raises(NodeConnectionError, match="lncli unlock"):
            await client.get_info()
        with pytest.raises(NodeConnectionError, match="lncli unlock"):
            await anext(each(client))
        states = []
        while not states or states[-1] is not NodeState.SERVER_ACTIVE:
            states.append(await client.get_state())
            await asyncio.sleep(0.02)
        assert list(dict.fromkeys(states))[-3:] == [
            NodeState.UNLOCKED, NodeState.RPC_ACTIVE, NodeState.SERVER_ACTIVE,
        ]  # fmt: skip
        assert (await client.get_info()).alias == "hub"


async def test_a_node_that_is_behind_its_chain_says_so_until_it_is_not(
    simulate: Simulate, short: Recording
):
    faults = plan(short.path.parent, {"fault": "behind", "after": 5, "for": 1})
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        assert (await client.get_info()).synced_to_chain
        await running.take(client, 61)
        assert not (await client.get_info()).synced_to_chain
        while not (await client.get_info()).synced_to_chain:
            await asyncio.sleep(0.05)


async def test_an_answer_too_large_is_refused_and_the_next_is_read(
    simulate: Simulate, short: Recording
):
    faults = plan(
        short.path.parent,
        {"fault": "big", "at": 0, "for": 1.5, "mb": 64.5},
    )
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        await running.take(client, 61)
        with pytest.raises(NodeConnectionError, match="more than"):
            await client.list_channels()
        while True:
            try:
                assert len(await client.list_channels()) > 5
                break
            except NodeConnectionError:
                await asyncio.sleep(0.2)


async def test_an_answer_just_small_enough_is_read(simulate: Simulate, short: Recording):
    faults = plan(short.path.parent, {"fault": "big", "at": 0, "for": 60, "mb": 63.5})
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        await running.take(client, 61)
        assert len(await client.list_channels()) > 5


@pytest.mark.parametrize("kind", ["duplicate", "swap", "replay"])
async def test_events_come_twice_or_in_another_order_and_none_is_lost(
    simulate: Simulate, short: Recording, kind: str
):
    faults = plan(short.path.parent, {"fault": kind, "after": 20, "n": 10})
    wanted = recorded(short)
    more = 0 if kind == "swap" else 10
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        events = (await running.take(client, 61 + more))[1:]
    counted = Counter(events)
    assert set(counted) == set(wanted)
    assert sum(counted.values()) == 60 + more
    assert events[:20] == wanted[:20]
    assert events != wanted


async def test_a_burst_comes_before_its_time_and_what_follows_at_its_own(
    simulate: Simulate, short: Recording
):
    faults = plan(short.path.parent, {"fault": "burst", "at": 0, "n": 50})
    options = {"faults": faults, "speed": 0.01}
    async with simulate(short.path, **options) as running, running.client() as client:
        events = await running.take(client, 51)
        assert events[1:] == recorded(short)[:50]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(running.take(client, 61), 0.2)


async def test_what_cannot_be_read_is_passed_over_and_the_rest_is_heard(
    simulate: Simulate, short: Recording
):
    faults = plan(
        short.path.parent,
        *({"fault": kind, "after": 20, "n": 12} for kind in ("malformed", "unknown", "absurd")),
    )
    async with simulate(short.path, faults=faults) as running, running.client() as client:
        events = (await running.take(client, 61 + 24))[1:]
        assert client.malformed == 12
    strange = [e for e in events if e.incoming_htlc_id >= FIRST_STRANGE_HTLC]
    known = [e for e in events if e not in strange and e.kind is not EventKind.NONE]
    assert known == recorded(short)
    assert all(0 <= e.timestamp_ns < 2**63 for e in events)


async def test_a_clock_that_is_off_moves_the_times_and_comes_back(
    simulate: Simulate, short: Recording
):
    faults = plan(short.path.parent, {"fault": "clock", "at": 0, "for": 60, "step": -3600})
    options = {"faults": faults, "speed": 1.0, "verbatim": True}
    async with simulate(short.path, **options) as running, running.client() as client:
        events = (await running.take(client, 61))[1:]
    steps = {
        got.timestamp_ns - was.timestamp_ns
        for got, was in zip(events, recorded(short), strict=True)
    }
    assert steps - {0} == {-3600 * 10**9}


async def test_the_log_holds_what_was_told_and_who_was_there(
    simulate: Simulate, short: Recording, tmp_path: Path
):
    told = tmp_path / "told.jsonl"
    faults = plan(tmp_path, {"fault": "restart", "after": 20, "for": 0.1, "n": 3})
    async with simulate(short.path, faults=faults, told=told) as running:
        async with running.client() as client:
            first = await until_it_breaks(client)
        while True:
            try:
                async with running.client() as client:
                    second = await running.take(client, 5)
                break
            except NodeConnectionError:
                await asyncio.sleep(0.05)
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    messages = [(x["id"], b64decode(x["message"])) for x in lines if x["what"] == "told"]
    logged = [[decode.htlc_event(m) for n, m in messages if n == number] for number in (1, 2)]
    assert logged[0][: len(first)] == first
    assert logged[1][: len(second)] == second
    whats = [line["what"] for line in lines if line["what"] != "told"]
    assert whats[:2] == ["subscribed", "fault"]
    assert Counter(whats) == {"subscribed": 2, "unsubscribed": 2, "fault": 1, "down": 1, "up": 1}
    assert [line["t_ns"] for line in lines] == sorted(line["t_ns"] for line in lines)
    with pytest.raises(UsageError, match="cannot be made"):
        async with simulate(short.path, told=told):
            pass


def test_a_seed_always_gives_the_same_plan_with_every_kind_in_it():
    one = list(islice(seeded_plan(7, 60), 60))
    assert one == list(islice(seeded_plan(7, 60), 60)) != list(islice(seeded_plan(8, 60), 60))
    assert {fault.fault for fault in one[: len(FaultKind)]} == set(FaultKind)
    times = [fault.at or 0 for fault in one]
    assert times == sorted(times)
    assert 20 < times[-1] < 180


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nonsense", "Expecting value"),
        ("[1]", "not a JSON object"),
        ('{"fault": "rain", "at": 1}', "rain"),
        ('{"fault": "break"}', "either `at` or `after`"),
        ('{"fault": "break", "at": 1, "after": 1}', "either `at` or `after`"),
        ('{"fault": "break", "at": "soon"}', "at is"),
        ('{"fault": "break", "after": 1.5}', "after is"),
        ('{"fault": "restart", "at": 1, "abrupt": 1}', "abrupt is"),
        ('{"fault": "burst", "at": 1, "n": true}', "n is"),
        ('{"fault": "break", "at": 1, "colour": "red"}', "no setting"),
    ],
)
def test_a_plan_that_is_wrong_is_refused_with_its_line(tmp_path: Path, line: str, says: str):
    path = tmp_path / "plan"
    path.write_text('{"fault": "break", "at": 1}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2") as caught:
        read_plan(path)
    assert says in str(caught.value)


def test_a_plan_is_read_with_what_it_leaves_out(tmp_path: Path):
    assert read_plan(plan(tmp_path, {"fault": "freeze", "at": 2, "for": 3})) == [
        Fault(FaultKind.FREEZE, at=2, for_s=3)
    ]
    with pytest.raises(UsageError, match="cannot be read"):
        read_plan(tmp_path / "none")
