"""What doctor finds, and what it says mends it."""

import asyncio
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from htlctop.config import Connection
from htlctop.doctor.check import Check, Verdict, cause_and_mend
from htlctop.doctor.examine import examine
from htlctop.doctor.files import check_certificate, check_macaroon
from htlctop.doctor.local import check_store, check_terminal
from htlctop.doctor.node import about
from htlctop.domain.types import NodeInfo
from htlctop.domain.versions import parse, shortcomings
from htlctop.sim.certificate import self_signed
from htlctop.store.lock import StoreLock
from htlctop.wire.methods import Method
from tests.cases import CASES, Case
from tests.impostors import impostors
from tests.macaroons import READING, baked
from tests.nodes import simulated
from tests.played import MARKER, Play, Script

BAKE = "lncli bakemacaroon --save_to htlctop.macaroon info:read offchain:read peers:read"


async def examined(connection: Connection, store: Path) -> list[Check]:
    return [check async for check in examine(connection, store, {})]


def is_there(path: Path) -> bool:
    return path.exists()


def failures(checks: list[Check]) -> list[Check]:
    return [check for check in checks if check.verdict is Verdict.FAIL]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_recorded_refusal_is_found_with_its_cause_its_mend_and_its_exit_code(
    case: Case, play: Play, store_file: Path
) -> None:
    async with play(case.script) as node:
        checks = await examined(node.connection, store_file)
    failed = failures(checks)
    assert any(case.told in f"{check.text}: {check.mend}" for check in failed)
    assert all(check.mend for check in failed)
    assert {check.exit_code for check in failed} <= {4, 5}
    everything = repr(checks)
    assert MARKER not in everything
    assert "Traceback" not in everything
    assert "\\n" not in everything


async def test_a_node_that_is_well_passes_every_check(play: Play, store_file: Path) -> None:
    script = Script()
    async with play(script) as node:
        checks = await examined(node.connection, store_file)
    assert {check.verdict for check in checks} == {Verdict.OK}
    assert [check.name for check in checks] == [
        "certificate", "macaroon", "permissions", "address", "TLS", "state", "access", "methods",
        "version", "chain", "clock", "store", "disk", "terminal",
    ]  # fmt: skip
    assert {path for path, _ in script.calls} == set(Method), "each method is tried"
    assert not is_there(store_file), "nothing was made"


async def test_it_works_against_the_simulated_node(tmp_path: Path, store_file: Path) -> None:
    with simulated(tmp_path) as node:
        checks = await examined(node, store_file)
    assert not failures(checks)


async def test_a_permission_that_lacks_is_named_with_the_methods_that_need_it(
    play: Play, store_file: Path
) -> None:
    denied = ("UNKNOWN", "permission denied")
    script = Script(refused={Method.LIST_PEERS: denied})
    async with play(script) as node:
        checks = await examined(replace(node.connection, network="signet"), store_file)
    (failed,) = failures(checks)
    assert (failed.name, failed.exit_code) == ("methods", 5)
    assert failed.text == "the macaroon does not permit ListPeers (peers:read is missing)"
    assert failed.mend == BAKE.replace("lncli", "lncli --network signet")


async def test_an_lnd_without_stored_outcomes_is_told_how_to_keep_them(
    play: Play, store_file: Path
) -> None:
    refused = ("UNAVAILABLE", "set store-final-htlc-resolutions to enable it")
    async with play(Script(refused={Method.LOOKUP_HTLC: refused})) as node:
        checks = await examined(node.connection, store_file)
    assert not failures(checks)
    (warning,) = [check for check in checks if check.verdict is Verdict.WARN]
    assert "store-final-htlc-resolutions=true" in warning.mend


async def test_another_certificate_and_a_name_that_is_not_in_it_are_told_apart(
    play: Play, tmp_path: Path, store_file: Path
) -> None:
    async with play(Script(), "0.0.0.0:0") as node:
        port = node.connection.rpcserver.rpartition(":")[2]
        checks = await examined(replace(node.connection, rpcserver=f"127.0.0.2:{port}"), store_file)
        (failed,) = failures(checks)
        assert "not for that name" in failed.text
        assert "127.0.0.1" in failed.text + failed.mend, "what it is for"
        (tmp_path / "tls.cert").write_bytes(self_signed()[0])
        checks = await examined(replace(node.connection, rpcserver=f"127.0.0.1:{port}"), store_file)
        (failed,) = failures(checks)
        assert "not the one we were given" in failed.text
        assert [c.name for c in checks if c.verdict is Verdict.SKIP] == ["node"]


async def test_what_makes_a_macaroon_names_the_nodes_network(play: Play, store_file: Path) -> None:
    async with play(Script(refused={"*": ("UNKNOWN", "permission denied")})) as node:
        for network, command in (("signet", "lncli --network signet bake"), ("mainnet", BAKE)):
            checks = await examined(replace(node.connection, network=network), store_file)
            mends = [check.mend for check in failures(checks)]
            assert len(mends) > 1 and all(command in mend for mend in mends)


async def test_nothing_listening_is_one_failure_and_the_rest_is_still_looked_at(
    play: Play, store_file: Path
) -> None:
    async with play(Script()) as node:
        gone = node.connection
    checks = await examined(gone, store_file)
    (failed,) = failures(checks)
    assert (failed.name, failed.exit_code) == ("address", 4)
    assert failed.mend.startswith("start LND")
    assert {"store", "disk", "terminal"} <= {check.name for check in checks}


async def test_what_listens_and_is_no_lnd_is_told_for_what_it_is(
    tmp_path: Path, store_file: Path
) -> None:
    certificate, key = self_signed()
    (tmp_path / "tls.cert").write_bytes(certificate)
    base = Connection("", tls_cert_path=tmp_path / "tls.cert", macaroon_hex=MARKER)
    for something, phrase in impostors(certificate, key).values():
        async with something as address:
            (failed,) = failures(await examined(replace(base, rpcserver=address), store_file))
            assert (failed.name, failed.exit_code) == ("TLS", 4)
            assert re.search(phrase, failed.text)
            assert "--rpcserver" in failed.mend


async def test_a_unix_socket_is_checked_like_any_other_way(
    play: Play, tmp_path: Path, store_file: Path
) -> None:
    async with play(Script(), f"unix:{tmp_path / 'lnd.sock'}") as node:
        assert not failures(await examined(node.connection, store_file))


def macaroon(data: bytes, tmp_path: Path) -> list[Check]:
    path = tmp_path / "a.macaroon"
    path.write_bytes(data)
    path.chmod(0o600)
    return list(check_macaroon(Connection("h:1", macaroon_path=path)))


def test_a_macaroon_is_judged_by_what_it_permits(tmp_path: Path) -> None:
    def verdict(*permissions: str) -> Check:
        return macaroon(baked(*permissions), tmp_path)[1]

    assert verdict(*READING).verdict is Verdict.OK
    assert verdict(*READING, "onchain:read").verdict is Verdict.OK
    admin = verdict(*READING, "offchain:write", "macaroon:generate")
    assert admin.verdict is Verdict.WARN
    assert "macaroon:generate, offchain:write" in admin.text
    assert admin.mend == BAKE
    invoices = verdict("invoices:read", "offchain:read")
    assert (invoices.verdict, invoices.exit_code) == (Verdict.FAIL, 5)
    assert "info:read and peers:read" in invoices.text
    assert verdict(f"uri:{Method.GET_INFO}").verdict is Verdict.OK
    assert verdict("uri:/lnrpc.Lightning/SendCoins").verdict is Verdict.WARN


def test_a_macaroon_that_expires_is_told_of_in_time(tmp_path: Path) -> None:
    def until(days: float) -> Check | None:
        at = (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")
        checks = macaroon(baked(*READING, caveats=(f"time-before {at}", "ipaddr ::1")), tmp_path)
        return next((check for check in checks if check.name == "expiry"), None)

    assert until(100) is None
    assert (soon := until(3)) and soon.verdict is Verdict.WARN
    assert (past := until(-1)) and past.verdict is Verdict.FAIL


def test_a_macaroon_cut_off_anywhere_is_called_damaged(tmp_path: Path) -> None:
    whole = baked(*READING, caveats=("ipaddr ::1",))
    for length in range(1, len(whole)):
        (check,) = macaroon(whole[:length], tmp_path)
        assert (check.verdict, check.exit_code) == (Verdict.FAIL, 5)


def test_a_macaroon_that_every_user_can_reach_is_warned_of() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.macaroon"
        path.write_bytes(baked(*READING))
        path.chmod(0o644)
        connection = Connection("h:1", macaroon_path=path)
        Path(folder).chmod(0o755)
        check = next(check_macaroon(connection))
        assert check.verdict is Verdict.WARN
        assert check.mend == f"chmod 640 {path}"
        Path(folder).chmod(0o700)
        assert next(check_macaroon(connection)).verdict is Verdict.OK


def test_missing_files_are_failures_of_configuration(tmp_path: Path) -> None:
    connection = Connection(
        "h:1", tls_cert_path=tmp_path / "tls.cert", macaroon_path=tmp_path / "x.macaroon"
    )
    for check in (check_certificate(connection), next(check_macaroon(connection))):
        assert (check.verdict, check.exit_code) == (Verdict.FAIL, 3)
        assert check.mend


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("0.19.3-beta", ["HTLC ids", "live balances", "free HTLC slot"]),
        ("0.20.1-beta commit=v0.20.1-beta", ["live balances", "free HTLC slot"]),
        ("0.20.3-beta", ["live balances"]),
        ("0.21.1-beta", ["free HTLC slot"]),
        ("0.21.2-beta", []),
    ],
)
def test_what_a_version_cannot_tell_is_told(version: str, words: list[str]) -> None:
    found = parse(version)
    assert found
    told = shortcomings(found)
    assert len(told) == len(words)
    assert all(word in said for word, said in zip(words, told, strict=True))


def test_a_clock_is_judged_only_as_far_as_a_block_tells() -> None:
    def clock(age_s: float, network: str = "mainnet") -> Check:
        now_s = int(datetime.now(UTC).timestamp())
        info = NodeInfo("02", "a", network, "0.21.2", best_block_s=int(now_s - age_s))
        return list(about(info, network))[-1]

    assert clock(20 * 60).verdict is Verdict.OK
    assert clock(-3600).verdict is Verdict.OK, "a block may lie two hours ahead"
    assert clock(-3 * 3600).verdict is Verdict.WARN
    assert clock(6 * 3600).verdict is Verdict.WARN
    assert clock(6 * 3600, "regtest").verdict is Verdict.OK


def test_a_node_of_another_network_or_behind_its_chain_is_warned_of() -> None:
    info = NodeInfo("02", "a", "testnet", "0.21.2", synced_to_chain=False)
    warned = {c.name: c for c in about(info, "mainnet") if c.verdict is Verdict.WARN}
    assert set(warned) == {"network", "chain"}
    assert warned["network"].mend == "--network testnet"


def test_a_store_is_looked_at_without_being_touched(store_file: Path, tmp_path: Path) -> None:
    def store(path: Path) -> Check:
        return next(check_store(path))

    assert "will be made" in store(store_file).text
    assert not store_file.parent.exists()
    (tmp_path / "text.db").write_text("not a store " * 20)
    strange = store(tmp_path / "text.db")
    assert (strange.verdict, strange.exit_code) == (Verdict.FAIL, 6)
    assert strange.mend == "give another --store"
    assert store(tmp_path / "text.db" / "store.db").exit_code == 6


def test_whoever_collects_into_the_store_is_named(store_file: Path) -> None:
    store_file.parent.mkdir()
    store_file.touch(0o600)
    assert "nobody collects" in next(check_store(store_file)).text
    with StoreLock(store_file):
        assert f"process {os.getpid()}" in next(check_store(store_file)).text
    store_file.chmod(0o644)
    assert next(check_store(store_file)).mend == f"chmod 600 {store_file}"


@pytest.mark.parametrize(("silent_s", "verdict"), [(0, Verdict.OK), (90, Verdict.WARN)])
def test_a_collector_that_gives_no_sign_of_life_is_not_well(
    traffic_store: Path, tmp_path: Path, silent_s: int, verdict: Verdict
) -> None:
    store = tmp_path / "store.db"
    shutil.copy(traffic_store, store)
    store.chmod(0o600)
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("UPDATE status SET alive_at = ?", (time.time_ns() - silent_s * 10**9,))
    with StoreLock(store):
        found = next(check_store(store))
    assert found.verdict is verdict and f"process {os.getpid()} collects" in found.text
    assert ("told nothing for 1m" in found.text) is bool(silent_s)


def test_without_a_terminal_there_is_nothing_to_complain_of() -> None:
    assert check_terminal({"TERM": "dumb"}).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("cause: mend", ("cause", "mend")),
        ("h:1 cannot be reached (a: b): check", ("h:1 cannot be reached (a: b)", "check")),
        ("cause; mend: so", ("cause", "mend: so")),
        ("only a cause", ("only a cause", "")),
    ],
)
def test_a_message_is_taken_apart_into_cause_and_mend(message: str, parts: tuple[str, str]) -> None:
    assert cause_and_mend(message) == parts


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "htlctop", "doctor", *options],
        capture_output=True, text=True, check=False, timeout=60,
        env={k: v for k, v in os.environ.items() if not k.startswith("HTLCTOP_")},
    )  # fmt: skip


async def test_the_command_prints_json_and_exits_with_the_first_failures_code(
    play: Play, store_file: Path
) -> None:
    async with play(Script(refused={"*": ("UNKNOWN", "permission denied")})) as node:
        connection = node.connection
        options = (
            "--rpcserver", connection.rpcserver, "--tlscertpath", str(connection.tls_cert_path),
            "--macaroonpath", str(node.macaroon), "--store", str(store_file),
        )  # fmt: skip
        told = await asyncio.to_thread(run, *options, "--json")
        plain = await asyncio.to_thread(run, *options)
    found = json.loads(told.stdout)
    assert found["schema"] == "htlctop-doctor/1"
    assert found["exit_code"] == told.returncode == plain.returncode == 5
    assert {"name", "verdict", "text", "mend", "exit_code"} == set(found["checks"][0])
    assert "FAIL" in plain.stdout
    assert "→ " in plain.stdout
    for said in (told.stdout, told.stderr, plain.stdout, plain.stderr):
        assert MARKER not in said
        assert "Traceback" not in said


def test_options_that_cannot_be_right_are_a_failed_check_too(store_file: Path) -> None:
    told = run("--rpcserver", "a b", "--store", str(store_file), "--json")
    assert told.returncode == 3
    assert json.loads(told.stdout)["checks"][0]["name"] == "options"
