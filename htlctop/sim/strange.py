"""Messages of the HTLC stream as no LND sends them: malformed, unknown, absurd."""

import random
from collections.abc import Iterator

from htlctop.wire import decode
from htlctop.wire.gen import routerrpc_pb2 as router

FIRST_STRANGE_HTLC = 2**40
"""HTLC ids from here on are ours; a node counts its own from 0."""
_FAR_NS = 4_000_000_000 * 10**9
"""In the year 2096: a time that can be, but not now."""


class StrangeMessages:
    """Makes them up. Circuits are new ones of channels that were named before."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._next = FIRST_STRANGE_HTLC
        self.last = router.HtlcEvent(incoming_channel_id=1, outgoing_channel_id=1)

    def remember(self, message: bytes) -> None:
        """A message that was told: what is made up next looks like it."""
        event = decode.parse(router.HtlcEvent, message)
        if event is not None and event.incoming_channel_id and event.outgoing_channel_id:
            self.last = event

    def malformed(self, n: int) -> Iterator[bytes]:
        """Bytes that are no message, and messages cut short."""
        whole = self.last.SerializeToString()
        for _ in range(n):
            cut = whole[: self._random.randrange(1, len(whole))] + b"\xff"
            yield self._random.choice((b"\xff", b"\x0a\xff\xff\xff\xff\x7f", cut))

    def unknown(self, n: int) -> Iterator[bytes]:
        """Event kinds, event types, failures and fields that no LND has yet."""
        for _ in range(n):
            event = self._new()
            match self._random.randrange(4):
                case 0:  # a kind of event added one day, about a circuit that is known
                    kind = router.HtlcEvent()
                    kind.CopyFrom(self.last)
                    kind.ClearField(kind.WhichOneof("event") or "forward_event")
                    yield kind.SerializeToString() + b"\xf2\x01\x02\x08\x01"
                    continue
                case 1:
                    event.event_type = self._random.randrange(4, 2**31)
                    event.forward_event.info.incoming_amt_msat = 1_001_000
                    event.forward_event.info.outgoing_amt_msat = 1_000_000
                case 2:
                    event.link_fail_event.wire_failure = self._random.randrange(1_000, 2**31)
                    event.link_fail_event.failure_detail = self._random.randrange(100, 2**31)
                case _:
                    event.forward_fail_event.SetInParent()
            yield event.SerializeToString() + b"\xf8\x3f\x07"

    def absurd(self, n: int) -> Iterator[bytes]:
        """Amounts, times and ids that cannot be."""
        for _ in range(n):
            event = self._new()
            info = event.link_fail_event.info
            event.link_fail_event.wire_failure, event.link_fail_event.failure_detail = 15, 6
            info.incoming_amt_msat, info.outgoing_amt_msat = 1_001_000, 1_000_000
            match self._random.randrange(5):
                case 0:
                    info.incoming_amt_msat, info.outgoing_amt_msat = 2**63, 2**63 - 1
                case 1:
                    info.outgoing_amt_msat = 2**64 - 1
                case 2:
                    event.timestamp_ns = 0
                case 3:
                    event.timestamp_ns = self._random.choice((1, 2**63 - 1, 2**63, 2**64 - 1))
                case _:
                    event.timestamp_ns = _FAR_NS
            yield event.SerializeToString()

    def _new(self) -> router.HtlcEvent:
        self._next += 1
        return router.HtlcEvent(
            incoming_channel_id=self.last.incoming_channel_id,
            outgoing_channel_id=self.last.outgoing_channel_id,
            incoming_htlc_id=self._next,
            outgoing_htlc_id=self._next,
            timestamp_ns=self.last.timestamp_ns,
            event_type=3,
        )
