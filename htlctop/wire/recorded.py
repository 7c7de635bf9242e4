"""`RecordedNode`: a recording that can be asked like a node, without a server or a clock."""

from collections.abc import Iterator
from dataclasses import dataclass

from htlctop.domain.types import HtlcEvent
from htlctop.wire import decode
from htlctop.wire.answers import RecordedAnswers
from htlctop.wire.methods import Method
from htlctop.wire.node import Answer, ReadOnlyNode
from htlctop.wire.recording import Kind, Record, Recording

_SNAPSHOTS = frozenset(
    {
        Method.LIST_CHANNELS,
        Method.CLOSED_CHANNELS,
        Method.PENDING_CHANNELS,
        Method.FEE_REPORT,
        Method.GET_INFO,
    }
)


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The recorded subscription ended here. `code`: gRPC's status name."""

    t_ns: int
    code: str
    details: str


@dataclass(frozen=True, slots=True)
class SnapshotChanged:
    """From here on `method` has another answer; `t_ns` is when it was given."""

    t_ns: int
    method: Method


StreamItem = HtlcEvent | StreamEnd | SnapshotChanged


class RecordedNode(ReadOnlyNode):
    """Plays a recording as fast as it is read; questions are answered as of what was read so far.

    Times are the recorded ones plus `shift_ns`. `malformed` counts the messages that were left
    out because they could not be decoded. It knows no outcome that its stream does not tell, so
    `lookup_htlc` gives None.
    """

    def __init__(
        self, recording: Recording, *, shift_ns: int = 0, until_fraction: float = 1.0
    ) -> None:
        """Args:
        recording: what to play.
        shift_ns: added to every time.
        until_fraction: stop before the HTLC message at this fraction of them.
        """
        super().__init__(str(recording.path))
        self.malformed = 0
        self.shift_ns = shift_ns
        self._answers = RecordedAnswers(recording, shift_ns=shift_ns, keep_outcomes=False)
        self._records = _until(recording, until_fraction)
        self._ended = False

    def stream(self) -> Iterator[StreamItem]:
        """The rest of the recording in file order; a second call goes on after the first."""
        for record in self._records:
            self._answers.advance(record)
            if record.is_htlc_event:
                event = decode.htlc_event(record.message, self.shift_ns)
                if event is None:
                    self.malformed += 1
                else:
                    yield event
            elif record.is_htlc_end:
                yield StreamEnd(record.t_ns + self.shift_ns, record.code, record.details)
            elif record.kind is Kind.UNARY and record.method in _SNAPSHOTS:
                yield SnapshotChanged(record.t_ns + self.shift_ns, Method(record.method))
        self._ended = True

    async def ask(self, method: Method, request: bytes) -> Answer:
        """One unary call, answered as of the position of `stream`."""
        answer = self._answers.answer(method, request)
        return Answer(answer, replay=self.shift_ns == 0, ended=self._ended)

    async def close(self) -> None:
        """Nothing is held open between records."""


def _until(recording: Recording, fraction: float) -> Iterator[Record]:
    """The records before the HTLC message at that fraction; all of them at 1."""
    wanted, seen = recording.event_at(fraction), 0
    for record in recording.records():
        if record.is_htlc_event:
            if seen == wanted:
                return
            seen += 1
        yield record
