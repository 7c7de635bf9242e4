"""`htlctop record` against a simulated node: what it writes, and what it never writes."""

import asyncio
import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from htlctop import service
from htlctop.config import Connection
from htlctop.domain.codes import EventKind
from htlctop.errors import ConfigError, NodePermissionError, StoreError, UsageError
from htlctop.wire import decode
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import UNARY, Method
from htlctop.wire.recorder import Recorder, TapedClient
from htlctop.wire.recording import Kind, Recording, read_recording
from htlctop.wire.redaction import Redaction
from htlctop.wire.tape import UNREADABLE, Tape, without_secrets
from tests.nodes import simulated
from tests.stored import whole_report
from tests.test_recordings import DATA, TRAFFIC
from tests.test_spine import figures

SCENARIOS = DATA / "scenarios-0.21.2.jsonl.gz"
EVENTS = 6_066


async def record(node: Connection, path: Path, events: int, redact: bool = False) -> Recording:
    """Record until so many events are on tape."""
    stop = asyncio.Event()
    with Tape(path, Redaction() if redact else None) as tape:
        running = asyncio.create_task(Recorder(lambda: TapedClient(node, tape), tape).run(stop))
        while tape.events < events and not running.done():
            await asyncio.sleep(0.02)
        stop.set()
        await running
    return read_recording(path)


async def test_what_was_recorded_is_ingested_as_the_node_told_it(tmp_path, store_file):
    options = ("--recording", str(TRAFFIC), "--speed", "max")
    with simulated(tmp_path / "sim", *options) as node:
        taken = await record(node, tmp_path / "r.jsonl", EVENTS)
    assert (taken.lnd.split("-")[0], taken.cut_off_line) == ("0.21.2", None)
    asked = {r.method for r in taken.records() if r.kind is Kind.UNARY}
    assert asked >= UNARY - {Method.LOOKUP_HTLC, Method.GET_STATE}
    await service.ingest([tmp_path / "r.jsonl"], store_file)
    await service.ingest([TRAFFIC], tmp_path / "truth.db")
    assert figures(whole_report(store_file)) == figures(whole_report(tmp_path / "truth.db"))


async def test_a_redacted_recording_counts_the_same_under_other_names(tmp_path, store_file):
    options = ("--recording", str(TRAFFIC), "--speed", "max")
    with simulated(tmp_path / "sim", *options) as node:
        await record(node, tmp_path / "r.jsonl", EVENTS, redact=True)
    await service.ingest([tmp_path / "r.jsonl"], store_file)
    await service.ingest([TRAFFIC], tmp_path / "truth.db")
    found, truth = whole_report(store_file).overview, whole_report(tmp_path / "truth.db").overview
    assert found.totals == truth.totals
    assert len(found.peers) == len(truth.peers)
    assert not {p.pubkey for p in found.peers} & {p.pubkey for p in truth.peers if p.pubkey}
    text = (tmp_path / "r.jsonl").read_bytes()
    assert b"hub" not in text
    assert str(node.rpcserver).encode() not in text


async def test_it_reconnects_and_tapes_where_the_stream_had_broken(tmp_path):
    with simulated(tmp_path / "sim", "--recording", str(SCENARIOS), "--speed", "max") as node:
        taken = await record(node, tmp_path / "r.jsonl", read_recording(SCENARIOS).events)
    ends = [r for r in taken.records() if r.is_htlc_end]
    assert [(r.code, r.details) for r in ends] == [
        ("UNKNOWN", "htlc event subscription terminated"),
        ("UNKNOWN", "htlc event subscription terminated"),
    ]

    def told(recording: Recording) -> list[object]:
        events = (decode.htlc_event(r.message) for r in recording.records() if r.is_htlc_event)
        return [event for event in events if event and event.kind is not EventKind.SUBSCRIBED]

    assert told(taken) == told(read_recording(SCENARIOS))
    infos = [r for r in taken.records() if r.method == Method.GET_INFO]
    assert len(infos) == 4, "at the start, after each reconnect, and at the end"


async def test_an_answer_comes_before_the_events_that_name_its_channels(tmp_path):
    with simulated(tmp_path / "sim", "--recording", str(TRAFFIC), "--speed", "max") as node:
        taken = await record(node, tmp_path / "r.jsonl", 100)
    kinds = [r.kind if r.kind is not Kind.UNARY else r.method for r in taken.records()]
    assert kinds[0] is Kind.HEADER
    assert kinds.index(Method.LIST_CHANNELS) < kinds.index(Kind.STREAM)
    assert Kind.STREAM_END not in kinds


def test_neither_preimage_nor_error_text_is_written(recording: Recording):
    for each in recording.records():
        if not each.is_htlc_event:
            continue
        clean = without_secrets(each.message)
        assert decode.htlc_event(clean) == decode.htlc_event(each.message)
        event = router.HtlcEvent.FromString(clean)
        which = event.WhichOneof("event")
        if which == "settle_event":
            assert event.settle_event.ByteSize() == 0
        elif which == "link_fail_event":
            event.link_fail_event.ClearField("info")
            event.link_fail_event.ClearField("wire_failure")
            event.link_fail_event.ClearField("failure_detail")
            assert event.link_fail_event.ByteSize() == 0


def test_a_message_that_nobody_can_read_leaves_nothing_of_itself():
    assert without_secrets(b"\x4a\x22\x0a\x20" + b"secret" * 5) == UNREADABLE
    assert decode.htlc_event(UNREADABLE) is None


def test_two_outcomes_in_one_message_leave_no_preimage():
    settle = router.HtlcEvent(settle_event=router.SettleEvent()).SerializeToString()
    preimage = b"\x0a\x20" + b"\x55" * 32
    with_preimage = settle[:1] + bytes([len(preimage)]) + preimage
    other = router.HtlcEvent(forward_fail_event=router.ForwardFailEvent()).SerializeToString()
    for message in (with_preimage, with_preimage + other, other + with_preimage, settle * 2):
        assert b"\x55" * 8 not in without_secrets(message)


def test_a_file_that_is_there_is_left_alone_and_a_new_one_is_private(tmp_path):
    there = tmp_path / "there"
    there.write_text("precious")
    with pytest.raises(UsageError, match="there already"):
        Tape(there)
    assert there.read_text() == "precious"
    with pytest.raises(UsageError, match="cannot be written"):
        Tape(tmp_path / "no" / "folder")
    with Tape(tmp_path / "new") as tape:
        tape.header("0.21.2")
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    with Tape(tmp_path / "unused"):
        pass
    assert not (tmp_path / "unused").exists()


def test_a_disk_without_room_is_said_and_what_was_taped_stays(tmp_path, monkeypatch):
    with Tape(tmp_path / "r.jsonl") as tape:
        tape.header("0.21.2")

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("htlctop.wire.tape.os.write", full)
            with pytest.raises(StoreError, match="No space left"):
                tape.message(1, Method.HTLC_EVENTS, b"")
    assert read_recording(tmp_path / "r.jsonl").events == 0


async def test_what_only_a_person_can_mend_ends_the_first_try(tmp_path):
    with simulated(tmp_path / "sim", "--recording", str(TRAFFIC)) as node:
        (tmp_path / "sim" / "readonly.macaroon").write_bytes(b"\x02\x01\x00")
        with pytest.raises(NodePermissionError):
            await record(node, tmp_path / "a.jsonl", 1)
        (tmp_path / "sim" / "readonly.macaroon").unlink()
        with pytest.raises(ConfigError):
            await record(node, tmp_path / "b.jsonl", 1)
    assert not list(tmp_path.glob("*.jsonl"))


def command(node: Connection, *rest: str) -> list[str]:
    return [
        *(sys.executable, "-m", "htlctop", "record", "--rpcserver", node.rpcserver),
        *("--tlscertpath", str(node.tls_cert_path), "--macaroonpath", str(node.macaroon_path)),
        *rest,
    ]  # fmt: skip


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_the_file_is_a_recording_however_the_process_ends(tmp_path, how):
    path = tmp_path / "r.jsonl"
    with simulated(tmp_path / "sim", "--recording", str(TRAFFIC), "--speed", "50") as node:
        process = subprocess.Popen(command(node, str(path)), stderr=subprocess.PIPE)
        while not path.exists() or path.read_bytes().count(b'"stream"') < 500:
            assert process.poll() is None
        os.kill(process.pid, getattr(signal, how))
        _, errors = process.communicate(timeout=20)
    assert b"Traceback" not in errors
    taken = read_recording(path)
    assert taken.events >= 500
    lines = path.read_bytes()
    assert node.read_macaroon().encode() not in lines
    assert bytes.fromhex(node.read_macaroon()) not in lines
    preimages = {
        r.message[-32:]
        for r in read_recording(TRAFFIC).records()
        if r.is_htlc_event and router.HtlcEvent.FromString(r.message).HasField("settle_event")
    }
    written = b"".join(r.message for r in taken.records())
    assert len(preimages) > 400
    assert not any(preimage in written for preimage in preimages)


def test_it_stops_after_the_time_asked_for(tmp_path):
    path = tmp_path / "r.jsonl"
    with simulated(tmp_path / "sim", "--recording", str(TRAFFIC)) as node:
        done = subprocess.run(
            command(node, str(path), "--duration", "1s"), capture_output=True, text=True, timeout=60
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: ")
    assert read_recording(path).cut_off_line is None


async def test_a_node_that_does_not_answer_does_not_keep_it_from_stopping(tmp_path, monkeypatch):
    monkeypatch.setattr("htlctop.wire.recorder._LAST_SNAPSHOT_S", 0.3)
    faults = tmp_path / "faults.jsonl"
    faults.write_text('{"fault": "freeze", "at": 1, "for": 60}\n')
    options = ("--recording", str(TRAFFIC), "--faults", str(faults))
    with simulated(tmp_path / "sim", *options) as node, Tape(tmp_path / "r.jsonl") as tape:
        stop = asyncio.Event()
        running = asyncio.create_task(Recorder(lambda: TapedClient(node, tape), tape).run(stop))
        await asyncio.sleep(2)
        stop.set()
        await asyncio.wait_for(running, 10)
    assert Kind.STREAM_END not in [r.kind for r in read_recording(tmp_path / "r.jsonl").records()]
