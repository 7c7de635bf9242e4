"""What a simulated node can play: anything that knows when it speaks next, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from htlctop.sim.changes import channel_changes
from htlctop.wire.answers import RecordedAnswers
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method
from htlctop.wire.recording import Kind, Record, Recording
from htlctop.wire.refusals import Refusal

SUBSCRIBED = router.HtlcEvent(subscribed_event=router.SubscribedEvent()).SerializeToString()


@dataclass(frozen=True, slots=True)
class End:
    """The stream ends with this status. `code`: gRPC's status name."""

    code: str
    details: str


class Answers(Protocol):
    """Unary answers as of what was played; times are the source's own plus `shift_ns`."""

    shift_ns: int

    def answer(self, method: str, request: bytes) -> bytes:
        """The answer's bytes. Raises: Refusal."""


class Source(Protocol):
    """A node's words in the order in which it says them.

    Attributes:
        answers: as of the last `take`.
        skipped: how many HTLC messages had happened before the first `take`.
    """

    answers: Answers
    skipped: int

    def next_ns(self) -> int | None:
        """When something happens next, in the source's own time; None when all is over."""

    def take(self) -> Sequence[bytes | End]:
        """Let it happen. Returns the HTLC messages it brings, in order, or the stream's end."""

    def changes(self, *, wanted: bool) -> Sequence[bytes]:
        """The channel events that the last `take` brings; unless wanted, they need not be made."""


class RecordedSource:
    """A recording, from the beginning or from a fraction of its HTLC messages on."""

    def __init__(self, recording: Recording, start_at: float = 0.0) -> None:
        self._answers = RecordedAnswers(recording)
        self.answers: Answers = self._answers
        self.skipped = 0
        self._records = recording.records()
        self._last_subscribed_ns = _last_subscribed_ns(recording)
        self._next = next(self._records, None)
        self._channels = self._list_channels()
        self._listed = False
        if start_at > 0:
            self._skip(recording.event_at(start_at))

    def next_ns(self) -> int | None:
        """When the next record was received."""
        return self._next.t_ns if self._next else None

    def take(self) -> Sequence[bytes | End]:
        """The next record's message, if it holds one that is sent again."""
        record = self._advance()
        self._listed = record.kind is Kind.UNARY and record.method == Method.LIST_CHANNELS
        if record.is_htlc_event and record.message != SUBSCRIBED:
            return (record.message,)
        # A recording that merely stops is not a node that went down.
        if record.is_htlc_end and record.t_ns < self._last_subscribed_ns:
            return (End(record.code, record.details),)
        return ()

    def changes(self, *, wanted: bool) -> Sequence[bytes]:
        """What has changed between two recorded answers of ListChannels."""
        if not self._listed:
            return ()
        self._listed = False
        before, self._channels = self._channels, self._list_channels()
        return channel_changes(before, self._channels) if wanted else ()

    def _skip(self, events: int) -> None:
        """Let everything before that HTLC message have happened, unheard."""
        seen = 0
        while self._next is not None:
            if self._next.is_htlc_event:
                if seen == events:
                    break
                seen += 1
                self.skipped += self._next.message != SUBSCRIBED
            self._advance()
        self._channels = self._list_channels()

    def _advance(self) -> Record:
        record = self._next
        assert record is not None
        self._answers.advance(record)
        self._next = next(self._records, None)
        return record

    def _list_channels(self) -> bytes:
        try:
            return self._answers.answer(Method.LIST_CHANNELS, b"")
        except Refusal:
            return b""


def _last_subscribed_ns(recording: Recording) -> int:
    times = (r.t_ns for r in recording.records() if r.is_htlc_event and r.message == SUBSCRIBED)
    return max(times, default=0)
