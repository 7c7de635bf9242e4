"""What the recorded node would have answered at each moment of its recording."""

from htlctop.domain.codes import EventKind
from htlctop.domain.types import NS
from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.methods import Method
from htlctop.wire.recording import Kind, Record, Recording
from htlctop.wire.refusals import Refusal

_HISTORY_DEFAULT, _HISTORY_MOST = 100, 50_000
_SERVER_ACTIVE = ln.GetStateResponse(state=4).SerializeToString()


class RecordedAnswers:
    """Answers unary calls as of the records it was shown with `advance`.

    An answer is the latest one recorded for that question, before the first the first one.
    ForwardingHistory and LookupHtlcResolution are put together from everything recorded: the
    forwards settled by then, and the outcomes that the stream has told by then.
    """

    def __init__(
        self, recording: Recording, *, shift_ns: int = 0, keep_outcomes: bool = True
    ) -> None:
        """Args:
        recording: whose answers.
        shift_ns: added to every time in an answer.
        keep_outcomes: remember final outcomes for LookupHtlcResolution; takes memory.
        """
        self.shift_ns = shift_ns
        self._keep_outcomes = keep_outcomes
        self._outcomes: dict[tuple[int, int], bytes] = {}
        self._answers: dict[tuple[str, object], bytes] = {}
        self._points: dict[str, int] = {}
        self._moment_ns = recording.first_ns
        forwards: dict[tuple[object, ...], tuple[int, ln.ForwardingEvent]] = {}
        for record in recording.records():
            if record.kind is not Kind.UNARY:
                continue
            if record.method == Method.FORWARDING_HISTORY:
                _collect(forwards, record.response)
            else:
                self._answers.setdefault(self._key(record), record.response)
        self._forwards = sorted(forwards.values(), key=lambda item: item[0])

    def advance(self, record: Record) -> None:
        """Let this record have happened."""
        self._moment_ns = max(self._moment_ns, record.t_ns)
        if record.kind is Kind.UNARY:
            if record.method != Method.FORWARDING_HISTORY:
                self._answers[self._key(record)] = record.response
        elif self._keep_outcomes and record.is_htlc_event:
            event = decode.htlc_event(record.message)
            if event is not None and event.kind is EventKind.FINAL:
                key = (event.incoming_scid, event.incoming_htlc_id)
                self._outcomes[key] = ln.LookupHtlcResolutionResponse(
                    settled=event.settled, offchain=True
                ).SerializeToString()

    def answer(self, method: str, request: bytes) -> bytes:
        """The answer's bytes.

        Raises:
            Refusal: NOT_FOUND as LND says it, or UNIMPLEMENTED for what was never recorded.
        """
        if method == Method.GET_STATE:
            return _SERVER_ACTIVE
        if method == Method.FORWARDING_HISTORY:
            return self._history(request)
        if method == Method.LOOKUP_HTLC:
            return self._outcome(request)
        found = self._answers.get(self._question(method, request))
        if found is None:
            if method == Method.GET_CHAN_INFO:
                raise Refusal("NOT_FOUND", "edge not found")
            if method == Method.GET_NODE_INFO:
                raise Refusal("NOT_FOUND", "unable to find node")
            service, _, name = method.lstrip("/").rpartition("/")
            raise Refusal("UNIMPLEMENTED", f"unknown method {name} for service {service}")
        return self._at_our_time(found) if method == Method.GET_INFO else found

    def _key(self, record: Record) -> tuple[str, object]:
        """What a recorded call asked; remembers the funding points of the channels it names."""
        if record.method == Method.GET_CHAN_INFO:
            edge = decode.parse(ln.ChannelEdge, record.response)
            if edge is not None:
                self._points[edge.chan_point] = edge.channel_id
        return self._question(record.method, record.request)

    def _question(self, method: str, request: bytes) -> tuple[str, object]:
        """What of a request decides its answer: the channel or node it names, else nothing."""
        if method == Method.GET_CHAN_INFO:
            channel = decode.parse(ln.ChanInfoRequest, request)
            if channel is None:
                return method, None
            return method, channel.chan_id or self._points.get(channel.chan_point)
        if method == Method.GET_NODE_INFO:
            node = decode.parse(ln.NodeInfoRequest, request)
            return method, node and node.pub_key
        return method, ""

    def _history(self, request: bytes) -> bytes:
        query = decode.parse(ln.ForwardingHistoryRequest, request) or ln.ForwardingHistoryRequest()
        start = query.start_time * NS - self.shift_ns
        end = query.end_time * NS - self.shift_ns if query.end_time else self._moment_ns
        end = min(end, self._moment_ns)
        found = [event for time, event in self._forwards if start <= time <= end]
        most = min(query.num_max_events or _HISTORY_DEFAULT, _HISTORY_MOST)
        page = found[query.index_offset : query.index_offset + most]
        answer = ln.ForwardingHistoryResponse(
            forwarding_events=page, last_offset_index=query.index_offset + len(page)
        )
        for event in answer.forwarding_events:
            if event.timestamp_ns:
                event.timestamp_ns = _moved(event.timestamp_ns, self.shift_ns)
            event.timestamp = _moved(event.timestamp * NS, self.shift_ns) // NS
        return answer.SerializeToString()

    def _outcome(self, request: bytes) -> bytes:
        if not self._keep_outcomes:
            raise Refusal(
                "UNAVAILABLE", "cannot lookup with flag --store-final-htlc-resolutions=false"
            )
        query = decode.parse(ln.LookupHtlcResolutionRequest, request)
        found = query and self._outcomes.get((query.chan_id, query.htlc_index))
        if not found:
            raise Refusal("NOT_FOUND", "htlc unknown")
        return found

    def _at_our_time(self, response: bytes) -> bytes:
        message = decode.parse(ln.GetInfoResponse, response)
        if message is None or not self.shift_ns:
            return response
        message.best_header_timestamp = (
            _moved(message.best_header_timestamp * NS, self.shift_ns) // NS
        )
        return message.SerializeToString()


def _collect(
    forwards: dict[tuple[object, ...], tuple[int, ln.ForwardingEvent]], response: bytes
) -> None:
    """Add the forwards of one answer; answers overlap."""
    message = decode.parse(ln.ForwardingHistoryResponse, response)
    for event in message.forwarding_events if message else ():
        time = event.timestamp_ns or event.timestamp * NS
        if time > decode.MAX_TIME_NS:
            continue
        amounts = event.amt_in_msat, event.amt_out_msat
        forwards[time, event.chan_id_in, event.chan_id_out, *amounts] = time, event


def _moved(time_ns: int, shift_ns: int) -> int:
    return min(max(time_ns + shift_ns, 0), decode.MAX_TIME_NS)
