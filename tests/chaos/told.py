"""What the simulated node really told, read from its log, and what should have come of it."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from htlctop.domain.codes import EventKind, Outcome
from htlctop.domain.types import HtlcEvent
from htlctop.wire import decode
from htlctop.wire.recording import read_recording

Circuit = tuple[int, int]
_OUTCOMES = {
    EventKind.SETTLE: Outcome.SETTLED,
    EventKind.FORWARD_FAIL: Outcome.DOWNSTREAM,
    EventKind.LINK_FAIL: Outcome.REFUSED,
}


@dataclass
class Told:
    """The log: (when, event) of each circuit in the order told; times of this machine's clock."""

    circuits: dict[Circuit, list[tuple[int, HtlcEvent]]] = field(default_factory=dict)
    sends: list[tuple[int, HtlcEvent]] = field(default_factory=list)
    listening: list[tuple[int, int]] = field(default_factory=list)
    """When a subscription was open."""
    faults: list[tuple[int, str]] = field(default_factory=list)
    messages: int = 0
    malformed: int = 0
    last_ns: int = 0


def read_truth(path: Path) -> Told:
    """The log so far; a last line that is cut off is left out."""
    told = Told()
    open_at: dict[int, int] = {}
    with path.open(encoding="ascii") as file:
        for text in file:
            try:
                line = json.loads(text)
            except ValueError:
                break
            t_ns = told.last_ns = line["t_ns"]
            match line["what"]:
                case "subscribed":
                    open_at[line["id"]] = t_ns
                case "unsubscribed":
                    told.listening.append((open_at.pop(line["id"]), t_ns))
                case "fault":
                    told.faults.append((t_ns, line["fault"]))
                case "told":
                    _add(told, t_ns, base64.b64decode(line["message"]))
    told.listening += [(start, told.last_ns) for start in open_at.values()]
    told.listening.sort()
    return told


def _add(told: Told, t_ns: int, message: bytes) -> None:
    told.messages += 1
    event = decode.htlc_event(message)
    if event is None:
        told.malformed += 1
    elif event.incoming_scid:
        key = event.incoming_scid, event.incoming_htlc_id
        told.circuits.setdefault(key, []).append((t_ns, event))
    elif event.kind is EventKind.FORWARD:
        told.sends.append((t_ns, event))


def read_load(path: Path) -> dict[Circuit, Outcome]:
    """How every HTLC of the recording ends in truth, told or not."""
    events: dict[Circuit, list[HtlcEvent]] = {}
    for record in read_recording(path).records():
        event = decode.htlc_event(record.message) if record.is_htlc_event else None
        if event is not None and event.incoming_scid:
            events.setdefault((event.incoming_scid, event.incoming_htlc_id), []).append(event)
    return {key: outcome(found) for key, found in events.items()}


def outcome(events: Iterable[HtlcEvent]) -> Outcome:
    """What NUMBERS.md says becomes of one HTLC: the first outcome; else what the final says."""
    final: HtlcEvent | None = None
    for event in events:
        if event.kind in _OUTCOMES:
            # A settled final that came first is an outcome, and the same one.
            return _OUTCOMES[event.kind]
        if event.kind is EventKind.FINAL:
            final = final or event
    if final is None:
        return Outcome.NONE
    return Outcome.SETTLED if final.settled else Outcome.UNSEEN
