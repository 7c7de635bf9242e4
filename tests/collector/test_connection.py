"""How the collector holds on to a node: waiting, waking, proving, and saying so."""

import asyncio
import logging
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.analysis.status import State
from htlctop.collector import collector, listening
from htlctop.collector.backoff import LAST_S, Backoff
from htlctop.domain.types import NodeState
from htlctop.errors import NodeConnectionError, NodePermissionError
from htlctop.wire import client
from htlctop.wire.methods import Method
from tests.macaroons import READING, baked
from tests.played import Play, Script, collecting, until
from tests.stored import look

OTHER = baked(*READING, signature=bytes(32)).hex()


def is_in(state: State, store: Path) -> bool:
    view = look(store)
    return view is not None and view.status.state is state


async def test_a_node_is_followed_through_every_state_until_it_is_up(
    play: Play, store_file: Path
) -> None:
    script = Script(NodeState.LOCKED)
    async with play(script) as node, collecting(node.connection, store_file):
        for state, phrase in (
            (NodeState.LOCKED, "unlock"),
            (NodeState.UNLOCKED, "wallet is open"),
            (NodeState.RPC_ACTIVE, "not synced"),
        ):
            script.state = state
            await until(lambda p=phrase: (view := look(store_file)) and p in view.status.reason)
        script.state = NodeState.SERVER_ACTIVE
        await until(lambda: is_in(State.LIVE, store_file))


async def test_a_stream_that_the_node_has_not_confirmed_is_not_called_live(
    play: Play, store_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "CONFIRM_S", 0.1)
    async with play(Script(confirms=False)) as node, collecting(node.connection, store_file):
        await until(lambda: is_in(State.WAITING, store_file))
        view = look(store_file)
        assert view is not None
        assert "not confirmed" in view.status.reason
        assert not view.window.covered_ns


async def test_a_replaced_macaroon_ends_the_longest_wait_at_once(
    play: Play, store_file: Path
) -> None:
    async with play(Script(wanted=OTHER)) as node, collecting(node.connection, store_file):
        await until(lambda: is_in(State.REFUSED, store_file))
        view = look(store_file)
        assert view is not None
        assert view.status.next_try_ns - view.status.alive_ns > (LAST_S - 10) * 1e9
        node.macaroon.write_bytes(bytes.fromhex(OTHER))
        await until(lambda: is_in(State.LIVE, store_file))


async def test_a_reload_connects_anew_with_the_macaroon_as_it_is_then(
    play: Play, store_file: Path
) -> None:
    script, reload = Script(), asyncio.Event()
    async with (
        play(script) as node,
        collecting(node.connection, store_file, reload=reload),
    ):
        await until(lambda: is_in(State.LIVE, store_file))
        node.macaroon.write_bytes(bytes.fromhex(OTHER))
        reload.set()
        await until(lambda: (Method.HTLC_EVENTS, OTHER) in script.calls)
        await until(lambda: is_in(State.LIVE, store_file))
    view = look(store_file)
    assert view is not None
    assert [gap.reason for gap in view.window.gaps if "anew" in gap.reason]


async def test_a_silent_node_that_stops_answering_is_noticed_and_not_counted_as_watched(
    play: Play, store_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "PROOF_S", 0.2)
    monkeypatch.setattr(client, "_SHORT_TIMEOUT_S", 1.0)
    script = Script()
    async with play(script) as node, collecting(node.connection, store_file):
        await until(lambda: is_in(State.LIVE, store_file))
        script.hangs |= {Method.GET_INFO, Method.GET_STATE}
        asked = script.count(Method.GET_INFO)
        await until(lambda: is_in(State.WAITING, store_file))
        assert script.count(Method.GET_INFO) > asked
    view = look(store_file)
    assert view is not None
    (gap,) = view.window.gaps[-1:]
    assert "did not answer" in gap.reason
    assert gap.until_ns - gap.from_ns >= 0.9e9, "the unanswered second is part of it"


async def test_a_node_that_comes_back_updated_is_shown_as_it_is_now(
    play: Play, store_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "htlctop")
    script = Script(version="0.20.1-beta commit=v0.20.1-beta")
    async with play(script) as node:
        address = node.connection.rpcserver
        async with collecting(node.connection, store_file):
            await until(lambda: is_in(State.LIVE, store_file))
            await node.go_away()
            await until(lambda: is_in(State.WAITING, store_file))
            async with play(replace(script, version="0.21.2-beta"), address):
                await until(lambda: is_in(State.LIVE, store_file))
                view = look(store_file)
    assert view is not None
    assert view.node.version.startswith("0.21.2")
    assert "now runs LND 0.21.2-beta, it was 0.20.1-beta" in caplog.text


async def test_the_same_refusal_is_logged_once_however_often_it_is_met(
    store_file: Path, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "htlctop")
    async with play(Script()) as node:
        gone = node.connection
    async with collecting(gone, store_file):
        await until(lambda: (view := look(store_file)) and view.status.attempt >= 3)
    assert caplog.text.count("nothing listens") == 1


async def test_the_log_ends_with_what_is_after_a_stream_that_broke_at_once(
    store_file: Path,
    play: Play,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO, "htlctop")
    monkeypatch.setattr(collector, "LIVED_S", 2.0)
    async with play(Script()) as node:
        address = node.connection.rpcserver
        async with collecting(node.connection, store_file):
            await until(lambda: is_in(State.LIVE, store_file))
            await node.go_away()
            await until(lambda: is_in(State.WAITING, store_file))
            async with play(Script(), address):
                await until(lambda: is_in(State.LIVE, store_file))
                assert "listening to" not in caplog.messages[-1], "flapping is told once"
                await until(lambda: "listening to played" in caplog.messages[-1])


async def test_a_long_wait_is_not_mistaken_for_a_collector_that_died(
    play: Play, store_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "ALIVE_S", 0.2)
    async with play(Script(wanted=OTHER)) as node, collecting(node.connection, store_file):
        await until(lambda: is_in(State.REFUSED, store_file))
        view = look(store_file)
        assert view is not None
        first_ns = view.status.alive_ns
        await until(lambda: (now := look(store_file)) and now.status.alive_ns > first_ns)


@pytest.mark.parametrize("kind", ["IPv6", "socket"])
async def test_ipv6_and_unix_sockets_lead_to_a_node_as_well(
    kind: str, play: Play, tmp_path: Path, store_file: Path
) -> None:
    if kind == "IPv6" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    address = "[::1]:0" if kind == "IPv6" else f"unix:{tmp_path / 'lnd.sock'}"
    async with play(Script(), address) as node, collecting(node.connection, store_file):
        await until(lambda: is_in(State.LIVE, store_file))


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as line:
            line.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_pauses_double_from_one_second_to_a_minute_and_start_over_once_the_stream_has_lived() -> (
    None
):
    backoff = Backoff()
    pauses = [backoff.failed(NodeConnectionError("gone")).pause_s for _ in range(10)]
    for number, pause_s in enumerate(pauses):
        most = min(60, 2**number)
        assert most / 2 <= pause_s <= most
    assert backoff.failed(NodePermissionError("no")).pause_s == LAST_S
    backoff.reset()
    assert backoff.failed(NodeConnectionError("gone")).pause_s <= 1
