"""LND's HTLC events as bytes, each as an LND 0.21 sends it. Preimages are made up too."""

from typing import NamedTuple

from htlctop.wire.gen import routerrpc_pb2 as router

_SEND, _RECEIVE, _FORWARD = 1, 2, 3
# Fields that htlctop does not declare, as bytes: `offchain` of FinalHtlcEvent, `preimage` of
# SettleEvent, `failure_string` of LinkFailEvent.
_SETTLED = router.FinalHtlcEvent.FromString(b"\x08\x01\x10\x01")
_FAILED = router.FinalHtlcEvent.FromString(b"\x10\x01")
_PREIMAGE = b"\x0a\x20"
_TEXT = b"\x22"
_TEXTS = {
    (15, 6): b"insufficient bandwidth to route htlc",
    (15, 5): b"htlc exceeds maximum policy amount",
    (15, 8): b"could not add downstream htlc",
    (15, 1): b"link's fee exposure threshold exceeded",
    (15, 22): b"same incoming and outgoing channel",
    (18, 1): b"UnknownNextPeer",
    (12, 1): b"FeeInsufficient(htlc_amt==0 mSAT)",
    (11, 1): b"AmountBelowMinimum(amt=0 mSAT)",
    (13, 1): b"IncorrectCltvExpiry(expiry=0)",
}


class Circuit(NamedTuple):
    """The channels and ids of a forward; the outgoing id is 0 until it is passed on."""

    in_scid: int
    in_id: int
    out_scid: int
    out_id: int = 0


def passed_on(at_ns: int, circuit: Circuit, in_msat: int, out_msat: int) -> bytes:
    """forward_event."""
    event = _event(at_ns, circuit, _FORWARD)
    event.forward_event.info.incoming_amt_msat = in_msat
    event.forward_event.info.outgoing_amt_msat = out_msat
    return event.SerializeToString()


def settled(at_ns: int, circuit: Circuit, preimage: bytes) -> bytes:
    """settle_event."""
    event = _event(at_ns, circuit, _FORWARD)
    event.settle_event.MergeFromString(_PREIMAGE + preimage)
    return event.SerializeToString()


def failed_on(at_ns: int, circuit: Circuit) -> bytes:
    """forward_fail_event: empty."""
    event = _event(at_ns, circuit, _FORWARD)
    event.forward_fail_event.SetInParent()
    return event.SerializeToString()


def refused(
    at_ns: int, circuit: Circuit, in_msat: int, out_msat: int, wire: int, detail: int
) -> bytes:
    """link_fail_event; amounts of 0 are not sent."""
    event = _event(at_ns, circuit, _FORWARD)
    failure = event.link_fail_event
    text = _TEXTS.get((wire, detail), b"failure")
    failure.MergeFromString(_TEXT + bytes((len(text),)) + text)
    failure.info.incoming_amt_msat, failure.info.outgoing_amt_msat = in_msat, out_msat
    failure.wire_failure, failure.failure_detail = wire, detail
    return event.SerializeToString()


def final(at_ns: int, circuit: Circuit, *, is_settled: bool) -> bytes:
    """final_htlc_event: names the incoming side only."""
    return router.HtlcEvent(
        incoming_channel_id=circuit.in_scid,
        incoming_htlc_id=circuit.in_id,
        timestamp_ns=at_ns,
        final_htlc_event=_SETTLED if is_settled else _FAILED,
    ).SerializeToString()


def received(at_ns: int, in_scid: int, in_id: int, preimage: bytes) -> bytes:
    """A payment to ourselves arrived."""
    event = _event(at_ns, Circuit(in_scid, in_id, 0), _RECEIVE)
    event.settle_event.MergeFromString(_PREIMAGE + preimage)
    return event.SerializeToString()


def sounded_out(at_ns: int, in_scid: int, in_id: int, in_msat: int) -> bytes:
    """Somebody tried a payment to ourselves for which there is no invoice."""
    event = _event(at_ns, Circuit(in_scid, in_id, 0), _RECEIVE)
    event.link_fail_event.info.incoming_amt_msat = in_msat
    event.link_fail_event.wire_failure, event.link_fail_event.failure_detail = 1, 19
    return event.SerializeToString()


def sent(at_ns: int, out_scid: int, out_id: int, out_msat: int) -> bytes:
    """A payment of ours is on its way."""
    event = _event(at_ns, Circuit(0, 0, out_scid, out_id), _SEND)
    event.forward_event.info.outgoing_amt_msat = out_msat
    return event.SerializeToString()


def sent_settled(at_ns: int, out_scid: int, out_id: int, preimage: bytes) -> bytes:
    """A payment of ours arrived."""
    event = _event(at_ns, Circuit(0, 0, out_scid, out_id), _SEND)
    event.settle_event.MergeFromString(_PREIMAGE + preimage)
    return event.SerializeToString()


def _event(at_ns: int, circuit: Circuit, event_type: int) -> router.HtlcEvent:
    return router.HtlcEvent(
        incoming_channel_id=circuit.in_scid,
        incoming_htlc_id=circuit.in_id,
        outgoing_channel_id=circuit.out_scid,
        outgoing_htlc_id=circuit.out_id,
        timestamp_ns=at_ns,
        event_type=event_type,
    )
