"""A redacted recording does not tell whose node it was, and counts the same."""

import re

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method
from htlctop.wire.recording import Kind, Recording
from htlctop.wire.redaction import KEPT, NAMES, POINTS, PUBKEYS, SCIDS, TRANSACTIONS, Redaction

HARMLESS_NUMBERS = {
    "chan_reserve_sat", "start_time", "end_time", "timestamp", "timestamp_ns", "amt_in_msat",
    "amt_out_msat", "incoming_htlc_id", "outgoing_htlc_id", "htlc_index", "max_htlc_msat",
    "incoming_amt_msat", "outgoing_amt_msat",
}  # fmt: skip


def all_fields() -> list[FieldDescriptor]:
    found = []

    def add(message: Descriptor) -> None:
        found.extend(message.fields)
        for nested in message.nested_types:
            add(nested)

    for file in (ln.DESCRIPTOR, router.DESCRIPTOR):
        for message in file.message_types_by_name.values():
            add(message)
    return found


def test_every_text_and_every_large_number_we_read_is_either_changed_or_known_to_be_harmless() -> (
    None
):
    changed = PUBKEYS | NAMES | SCIDS | POINTS | TRANSACTIONS
    texts = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
    for field in all_fields():
        if field.type in texts:
            assert field.name in changed | KEPT, field.full_name
        elif field.type == FieldDescriptor.TYPE_UINT64:
            assert field.name in changed | HARMLESS_NUMBERS, field.full_name


def test_the_same_thing_has_one_name_in_a_recording_and_another_in_the_next() -> None:
    one, other = Redaction(), Redaction()
    key = "02" + "ab" * 32
    assert one.pubkey(key) == one.pubkey(key) != other.pubkey(key)
    assert re.fullmatch("0[23][0-9a-f]{64}", one.pubkey(key))
    scid = 850_000 << 40 | 12 << 16 | 1
    assert one.scid(scid) == one.scid(scid) not in (scid, other.scid(scid))
    assert one.scid(scid) >> 40 < 16_000_000
    assert one.scid(17592186044416000000) >= 16_000_000 << 40
    assert len({one.scid(n) for n in range(1, 5_000)}) == 4_999
    assert one.scid(0) == 0
    assert one.pubkey("") == one.point("") == ""
    assert one.name(b"ACINQ") == one.name(b"ACINQ") != other.name(b"ACINQ")
    assert one.name(b"") == b""
    assert decode.alias(ln.NodeInfo(node=ln.LightningNode(alias=one.name(b"ACINQ"))))


def test_a_funding_point_and_its_transactions_bytes_stay_one_transaction() -> None:
    redaction = Redaction()
    txid = bytes(range(32))
    text, colon, output = redaction.point(f"{txid[::-1].hex()}:7").partition(":")
    assert (colon, output) == (":", "7")
    assert bytes.fromhex(text)[::-1] == redaction.transaction(txid) != txid


def test_details_keep_only_what_lnd_always_says() -> None:
    redaction = Redaction()
    assert redaction.details("htlc event subscription terminated") != ""
    assert redaction.details("ipv4:10.0.0.7:10009: Connection refused") == ""


def test_nothing_of_a_real_node_comes_through(recording: Recording) -> None:
    redaction = Redaction()
    secrets: set[bytes] = set()
    written = b""

    def collect(message: Message) -> None:
        for field, value in message.ListFields():
            values = value if hasattr(value, "extend") else (value,)
            for item in values:
                if isinstance(item, Message):
                    collect(item)
                elif field.name in PUBKEYS | NAMES | POINTS:
                    raw = item if isinstance(item, bytes) else item.encode()
                    secrets.add(raw.partition(b":")[0])

    for record in recording.records():
        if record.kind is Kind.UNARY and record.method in set(Method):
            method = Method(record.method)
            written += redaction.request(method, record.request)
            written += redaction.message(method, record.response)
            if method is Method.LIST_CHANNELS:
                collect(ln.ListChannelsResponse.FromString(record.response))
            elif method is Method.GET_INFO:
                collect(ln.GetInfoResponse.FromString(record.response))
        elif record.is_htlc_event:
            before = decode.htlc_event(record.message)
            after = decode.htlc_event(redaction.message(Method.HTLC_EVENTS, record.message))
            assert before is not None
            assert after is not None
            assert after == before._replace(
                incoming_scid=redaction.scid(before.incoming_scid),
                outgoing_scid=redaction.scid(before.outgoing_scid),
            )
    secrets -= {b"unable to lookup peer alias"}
    assert len(secrets) > 15
    assert all(secret not in written for secret in secrets if secret)
    assert b"127.0.0.1" not in written
