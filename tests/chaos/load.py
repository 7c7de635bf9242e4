"""A recording of any length and rate, made of the real traffic played over and over.

HTLC ids go on from one round to the next, times are pressed together; everything else is as a real
LND said it. ForwardingHistory answers with every forward that settled, so gaps can be repaired.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from htlctop.sim.recordings import TRAFFIC
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method
from htlctop.wire.recording import FORMAT, Kind, Record, read_recording

_IDS_A_ROUND = 1_000_000
_NS = 1_000_000_000
_SEND = 1


@dataclass(frozen=True)
class Round:
    """One round of the traffic: its messages with their times, and how long it takes, ns."""

    messages: list[tuple[int, router.HtlcEvent]]
    first_ns: int
    span_ns: int


def write_load(path: Path, rate: float, seconds: float) -> int:
    """Write the recording; returns how many messages it holds."""
    traffic = read_recording(TRAFFIC)
    records = list(traffic.records())
    messages = [
        (record.t_ns, router.HtlcEvent.FromString(record.message))
        for record in records
        if record.is_htlc_event
    ]
    messages = [(t, event) for t, event in messages if not event.HasField("subscribed_event")]
    messages = _with_sends(messages)
    first_ns = messages[0][0]
    one = Round(messages, first_ns, int(len(messages) / rate * _NS))
    wanted = int(rate * seconds)
    settled: list[ln.ForwardingEvent] = []
    with path.open("w", encoding="ascii") as file:
        header = {"t_ns": first_ns, "kind": "header", "format": FORMAT, "lnd": traffic.lnd}
        file.write(json.dumps(header) + "\n")
        for record in _first_answers(records):
            file.write(_unary(first_ns, record.method, record.request, record.response))
        last_ns = first_ns
        for number, (t_ns, event) in enumerate(_rounds(one)):
            if number == wanted:
                break
            last_ns = t_ns
            text = base64.b64encode(event.SerializeToString()).decode()
            line = {"t_ns": t_ns, "kind": "stream", "method": Method.HTLC_EVENTS, "message": text}
            file.write(json.dumps(line) + "\n")
            _settle(event, settled)
        history = ln.ForwardingHistoryResponse(forwarding_events=settled).SerializeToString()
        file.write(_unary(last_ns, Method.FORWARDING_HISTORY, b"", history))
    return wanted


def _with_sends(messages: list[tuple[int, router.HtlcEvent]]) -> list[tuple[int, router.HtlcEvent]]:
    """Sends of our own among them, which the recorded node did not make."""
    scid = next(e.outgoing_channel_id for _, e in messages if e.outgoing_channel_id)
    found = []
    for index, (t_ns, event) in enumerate(messages):
        found.append((t_ns, event))
        send = router.HtlcEvent(
            outgoing_channel_id=scid,
            outgoing_htlc_id=_IDS_A_ROUND // 2 + index // 40,
            timestamp_ns=event.timestamp_ns,
            event_type=_SEND,
        )
        if index % 40 == 0:
            send.forward_event.info.outgoing_amt_msat = 1_000_000
            found.append((t_ns, send))
        elif index % 40 == 20:
            send.settle_event.SetInParent()
            found.append((t_ns, send))
    return found


def _rounds(one: Round) -> Iterator[tuple[int, router.HtlcEvent]]:
    """Round after round without end, each message at its new time."""
    recorded_ns = one.messages[-1][0] - one.first_ns
    number = 0
    while True:
        starts_ns = one.first_ns + number * one.span_ns
        for t_ns, event in one.messages:
            moved = router.HtlcEvent()
            moved.CopyFrom(event)
            at_ns = starts_ns + (t_ns - one.first_ns) * one.span_ns // recorded_ns
            lag_ns = min(max(0, t_ns - event.timestamp_ns), 5_000_000)
            moved.timestamp_ns = at_ns - lag_ns
            if event.incoming_channel_id:
                moved.incoming_htlc_id += number * _IDS_A_ROUND
            if event.outgoing_htlc_id:
                moved.outgoing_htlc_id += number * _IDS_A_ROUND
            yield at_ns, moved
        number += 1


_open: dict[tuple[int, int], router.HtlcEvent] = {}


def _settle(event: router.HtlcEvent, settled: list[ln.ForwardingEvent]) -> None:
    """Add the forward that this event settles, if it does."""
    key = event.incoming_channel_id, event.incoming_htlc_id
    if not key[0]:
        return
    if event.HasField("forward_event"):
        _open[key] = event
    elif event.HasField("settle_event") and key in _open:
        begun = _open.pop(key)
        settled.append(
            ln.ForwardingEvent(
                timestamp_ns=event.timestamp_ns,
                timestamp=event.timestamp_ns // _NS,
                chan_id_in=event.incoming_channel_id,
                chan_id_out=event.outgoing_channel_id,
                amt_in_msat=begun.forward_event.info.incoming_amt_msat,
                amt_out_msat=begun.forward_event.info.outgoing_amt_msat,
                incoming_htlc_id=event.incoming_htlc_id,
                outgoing_htlc_id=event.outgoing_htlc_id,
            )
        )


def _first_answers(records: list[Record]) -> Iterator[Record]:
    seen = set()
    for record in records:
        key = record.method, record.request
        if record.kind is Kind.UNARY and record.method != Method.FORWARDING_HISTORY:
            if key not in seen:
                yield record
            seen.add(key)


def _unary(t_ns: int, method: str, request: bytes, response: bytes) -> str:
    line = {
        "t_ns": t_ns,
        "kind": "unary",
        "method": method,
        "request": base64.b64encode(request).decode(),
        "response": base64.b64encode(response).decode(),
    }
    return json.dumps(line) + "\n"
