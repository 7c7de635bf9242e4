"""Each recorded refusal, played by a node: what the log and every viewer are told."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.status import State
from htlctop.collector.collector import Limits
from htlctop.config import Connection
from htlctop.errors import ConfigError, HtlctopError, NodeConnectionError, NodePermissionError
from htlctop.sim.certificate import self_signed
from tests.cases import CASES, Case
from tests.impostors import impostors
from tests.played import MARKER, Play, Script, collecting, until
from tests.stored import look

WELL = (State.NEVER, State.CONNECTING)


def is_nowhere_in(folder: Path) -> bool:
    """Whether no file there holds the macaroon, in hex or as bytes."""
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    return MARKER.encode() not in stored and bytes.fromhex(MARKER) not in stored


async def told(connection: Connection, store: Path) -> tuple[State, str]:
    """What a viewer is shown of a collector that cannot listen."""
    async with collecting(connection, store):
        await until(lambda: (view := look(store)) and view.status.state not in WELL)
        view = look(store)
    assert view is not None
    assert not view.window.covered_ns
    return view.status.state, view.status.reason


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_refusal_is_told_with_its_cause_to_the_log_and_to_every_viewer(
    case: Case, play: Play, store_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "htlctop")
    async with play(case.script) as node:
        state, reason = await told(node.connection, store_file)
    assert state in (State.WAITING, State.REFUSED)
    assert case.told in reason
    assert reason in [record.message for record in caplog.records]
    assert MARKER not in caplog.text + reason
    assert "Traceback" not in caplog.text
    assert is_nowhere_in(store_file.parent)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_failing_fast_the_refusal_ends_the_run_with_its_exit_code(
    case: Case, play: Play, store_file: Path
) -> None:
    async with play(case.script) as node:
        with pytest.raises(HtlctopError, match=case.told) as caught:
            await service.collect(
                node.connection, store_file, asyncio.Event(), Limits(fail_fast=True)
            )
    wanted = 5 if "macaroon" in case.told or "permit" in case.told else caught.value.exit_code
    assert caught.value.exit_code == wanted
    assert caught.value.exit_code in (4, 5)
    view = look(store_file)
    assert view is not None
    assert view.status.state is State.STOPPED
    assert case.told in view.status.reason


async def test_what_listens_and_is_no_lnd_is_told_for_what_it_is(
    tmp_path: Path, store_file: Path
) -> None:
    certificate, key = self_signed()
    (tmp_path / "tls.cert").write_bytes(certificate)
    base = Connection("", tls_cert_path=tmp_path / "tls.cert", macaroon_hex=MARKER)
    for name, (something, phrase) in impostors(certificate, key).items():
        async with something as address:
            there = replace(base, rpcserver=address)
            store = store_file.with_name(f"{name}.db")
            with pytest.raises(NodeConnectionError, match=phrase):
                await service.collect(there, store, asyncio.Event(), Limits(fail_fast=True))
    with pytest.raises(NodeConnectionError, match="nothing listens"):
        await service.collect(there, store, asyncio.Event(), Limits(fail_fast=True))


async def test_another_certificate_is_told_as_one(
    play: Play, tmp_path: Path, store_file: Path
) -> None:
    async with play(Script()) as node:
        (tmp_path / "tls.cert").write_bytes(self_signed()[0])
        state, reason = await told(node.connection, store_file)
    assert state is State.WAITING
    assert "copy tls.cert from the node" in reason


async def test_a_node_without_a_wallet_says_so_before_its_macaroon_is_missed(
    play: Play, store_file: Path
) -> None:
    async with play(Script()) as node:
        node.macaroon.unlink()
        with pytest.raises(ConfigError, match="no macaroon at"):
            await service.collect(
                node.connection, store_file, asyncio.Event(), Limits(fail_fast=True)
            )
    async with play(CASES[0].script) as node:
        node.macaroon.unlink()
        with pytest.raises(NodeConnectionError, match="lncli create"):
            await service.collect(
                node.connection, store_file, asyncio.Event(), Limits(fail_fast=True)
            )


async def test_a_macaroon_that_lacks_permissions_is_a_permission_error(
    play: Play, store_file: Path
) -> None:
    script = Script(refused={"*": ("UNKNOWN", "permission denied")})
    async with play(script) as node:
        with pytest.raises(NodePermissionError, match="lncli bakemacaroon"):
            await service.collect(
                node.connection, store_file, asyncio.Event(), Limits(fail_fast=True)
            )
