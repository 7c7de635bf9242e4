"""Reading recordings, and asking one like a node."""

import gzip
import json
from pathlib import Path

import pytest

from htlctop.domain.codes import EventKind
from htlctop.domain.types import HtlcEvent, NodeState
from htlctop.errors import UsageError
from htlctop.wire.methods import Method
from htlctop.wire.recorded import RecordedNode, SnapshotChanged, StreamEnd
from htlctop.wire.recording import Kind, Recording, read_recording

HEADER = '{"t_ns": 1, "kind": "header", "format": "htlctop-recording/1", "lnd": "0.21.2"}\n'
EVENT = (
    '{"t_ns": 2, "kind": "stream", "method": "/routerrpc.Router/SubscribeHtlcEvents", '
    '"message": "WgA="}\n'
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recording_is_read_whole_plain_or_gzipped(tmp_path: Path) -> None:
    plain = read_recording(write(tmp_path / "r.jsonl", HEADER + EVENT))
    packed = tmp_path / "r.gz"
    packed.write_bytes(gzip.compress((HEADER + EVENT).encode()))
    again = read_recording(packed)
    assert list(plain.records()) == list(again.records())
    assert (plain.lnd, plain.events, plain.cut_off_line) == ("0.21.2", 1, None)
    assert [record.kind for record in plain.records()] == [Kind.HEADER, Kind.STREAM]


def test_a_last_line_cut_off_is_left_out_and_told(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path / "r", HEADER + EVENT + EVENT[:30]))
    assert (recording.events, recording.cut_off_line) == (1, 3)
    assert len(list(recording.records())) == 2
    packed = tmp_path / "r.gz"
    whole = gzip.compress((HEADER + EVENT * 2000).encode())
    packed.write_bytes(whole[: len(whole) - 12])
    assert read_recording(packed).cut_off_line is not None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nonsense\n", "not JSON"),
        ("[1]\n", "not a JSON object"),
        ('{"kind": "mark", "text": ""}\n', "t_ns"),
        ('{"t_ns": -1, "kind": "mark", "text": ""}\n', "t_ns"),
        ('{"t_ns": 1, "kind": "mark"}\n', "text"),
        ('{"t_ns": 1, "kind": "stream", "method": "m", "message": "%%"}\n', "base64"),
        ('{"t_ns": 1, "kind": "unary", "method": "m", "request": ""}\n', "response"),
        ("[" * 100_000 + "\n", "JSON"),
        ("\x00\x01\n", "not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(UsageError, match=rf"line 2: .*{told}"):
        read_recording(write(tmp_path / "r", HEADER + line + EVENT))


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="starts with its header"):
        read_recording(write(tmp_path / "a", EVENT))
    with pytest.raises(UsageError, match="format"):
        read_recording(write(tmp_path / "b", HEADER.replace("/1", "/9")))
    with pytest.raises(UsageError, match="holds no recording"):
        read_recording(write(tmp_path / "c", ""))
    with pytest.raises(UsageError, match="holds no recording"):
        read_recording(write(tmp_path / "d", "just text"))
    with pytest.raises(UsageError, match="cannot be read"):
        read_recording(tmp_path / "missing")
    with pytest.raises(UsageError, match="cannot be read"):
        read_recording(tmp_path)
    (tmp_path / "e").write_bytes(b"\x1f\x8b" + b"x" * 40)
    with pytest.raises(UsageError, match="gzip"):
        read_recording(tmp_path / "e")


def test_a_kind_of_line_from_the_future_is_passed_over(tmp_path: Path) -> None:
    line = json.dumps({"t_ns": 5, "kind": "weather", "rain": True}) + "\n"
    recording = read_recording(write(tmp_path / "r", HEADER + line + EVENT))
    assert [r.kind for r in recording.records()] == [Kind.HEADER, Kind.OTHER, Kind.STREAM]


def test_fractions_name_messages(traffic: Recording) -> None:
    assert traffic.event_at(0) == 0
    assert traffic.event_at(1) == traffic.events == 6066
    assert traffic.first_ns < traffic.time_at(0) < traffic.time_at(0.5) < traffic.time_at(1)
    assert traffic.time_at(1) == traffic.last_ns


async def test_a_recorded_node_says_what_the_node_said(recording: Recording) -> None:
    node = RecordedNode(recording)
    info = await node.get_info()
    assert (info.alias, info.network, info.replay, info.ended) == ("hub", "simnet", True, False)
    assert await node.get_state() is NodeState.SERVER_ACTIVE
    assert {c.peer_alias for c in await node.list_channels()} >= {"ann", "ben", "cat", "dan"}
    items = list(node.stream())
    assert sum(isinstance(item, HtlcEvent) for item in items) == recording.events
    assert node.malformed == 0
    assert (await node.get_info()).ended


async def test_answers_are_those_of_the_position(scenarios: Recording) -> None:
    node = RecordedNode(scenarios)
    at_start = await node.list_channels()
    assert not await node.closed_channels()
    assert not await node.forwarding_history(0, 10**10)
    ends = 0
    for item in node.stream():
        if isinstance(item, StreamEnd):
            assert item.details == "htlc event subscription terminated"
            ends += 1
    assert ends == 3
    at_end = await node.list_channels()
    gone = {c.scid for c in at_start} - {c.scid for c in at_end}
    assert {c.scid for c in await node.closed_channels()} == gone
    assert any(c.scid == 17592186044416000000 for c in at_end)
    history = await node.forwarding_history(0, 10**10)
    assert len(history) == 81
    assert all(f.incoming_htlc_id is not None for f in history)
    assert await node.lookup_htlc(1, 1) is None


async def test_history_is_cut_by_the_times_asked_for(traffic: Recording) -> None:
    node = RecordedNode(traffic)
    for _ in node.stream():
        pass
    everything = await node.forwarding_history(0, 10**10)
    assert len(everything) == 539
    middle = everything[200].timestamp_ns // 10**9
    early = await node.forwarding_history(0, middle)
    late = await node.forwarding_history(middle, 10**10)
    assert len(early) + len(late) == 539
    assert all(f.timestamp_ns <= middle * 10**9 for f in early)


async def test_a_snapshot_changes_before_the_events_that_follow_it(scenarios: Recording) -> None:
    node = RecordedNode(scenarios)
    changes = [item for item in node.stream() if isinstance(item, SnapshotChanged)]
    assert sum(change.method is Method.LIST_CHANNELS for change in changes) == 50
    assert changes == sorted(changes, key=lambda change: change.t_ns)


async def test_a_shift_moves_every_time_by_one_constant(scenarios: Recording) -> None:
    shift = 123_456_789_000_000_000
    plain, moved = RecordedNode(scenarios), RecordedNode(scenarios, shift_ns=shift)
    for before, after in zip(plain.stream(), moved.stream(), strict=True):
        if isinstance(before, HtlcEvent):
            assert isinstance(after, HtlcEvent)
            expected = before.timestamp_ns + shift if before.timestamp_ns else 0
            assert after.timestamp_ns == expected
        else:
            assert not isinstance(after, HtlcEvent)
            assert after.t_ns == before.t_ns + shift
    was = await plain.forwarding_history(0, 10**10)
    now = await moved.forwarding_history(0, 10**10)
    assert [f.timestamp_ns + shift for f in was] == [f.timestamp_ns for f in now]
    assert not (await moved.get_info()).replay


def test_a_part_stops_where_the_fraction_says(traffic: Recording) -> None:
    third = RecordedNode(traffic, until_fraction=1 / 3).stream()
    events = [i for i in third if isinstance(i, HtlcEvent)]
    whole = [i for i in RecordedNode(traffic).stream() if isinstance(i, HtlcEvent)]
    assert events == whole[: traffic.event_at(1 / 3)]


def test_a_recorded_node_breaks_where_the_recording_does(scenarios: Recording) -> None:
    runs: list[list[HtlcEvent]] = [[]]
    for item in RecordedNode(scenarios).stream():
        if isinstance(item, StreamEnd):
            assert (item.code, item.details) == ("UNKNOWN", "htlc event subscription terminated")
            runs.append([])
        elif isinstance(item, HtlcEvent):
            runs[-1].append(item)
    assert [run[0].kind for run in runs if run] == [EventKind.SUBSCRIBED] * 3
    assert sum(map(len, runs)) == scenarios.events
