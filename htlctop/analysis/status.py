"""Whose store it is, and what its collector is doing. Times ns since the epoch."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class NodeView:
    """Whose store this is. Empty strings before the node was ever reached."""

    pubkey: str
    alias: str
    network: str
    version: str


class State(StrEnum):
    """What the collector is doing, for the status line."""

    NEVER = "never started"
    CONNECTING = "connecting"
    WAITING = "waiting"
    LIVE = "live"
    REFUSED = "refused"
    STOPPED = "stopped"
    ENDED = "ended"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class StatusView:
    """How fresh the store is and what its collector is doing.

    Attributes:
        state: SILENT when the collector's last sign of life is older than 15 s; ENDED when a
            playback has played its last message.
        reason: one line for a person: why it waits or what it was refused, and the mend.
        attempt, next_try_ns: of the reconnecting; 0 when live.
        replay: the times are a playback's own.
        alive_ns: the collector's last sign of life, wall clock; last_event_ns: node time of the
            newest event; lag_ns: how late it arrived, 0 for a playback.
        now_ns: node time: the wall clock, or a playback's highest event time.
        queued, shed: events waiting to be written, and dropped since the collector started.
        in_flight: forwards without an outcome; oldest_in_flight_ns: first event of the oldest.
        store_path: where it is kept; store_bytes: database and WAL on disk.
        synced: whether the node is in step with its chain, as it last said; None where it did not,
            and of a past time.
        nearest_expiry_blocks: until the first HTLC on a channel expires, as of the last listing;
            None where none is pending, or the height is unknown.
    """

    state: State
    reason: str
    attempt: int
    next_try_ns: int
    replay: bool
    alive_ns: int
    last_event_ns: int
    now_ns: int
    lag_ns: int
    queued: int
    shed: int
    events: int
    in_flight: int
    oldest_in_flight_ns: int | None
    store_path: str
    store_bytes: int
    synced: bool | None = None
    nearest_expiry_blocks: int | None = None
