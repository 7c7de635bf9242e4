"""Macaroons as LND writes them: format 2, permissions in the identifier."""

READING = ("info:read", "offchain:read", "peers:read")


def baked(
    *permissions: str, caveats: tuple[str, ...] = (), signature: bytes = b"\x5e\xc7\xe7\x5e" * 8
) -> bytes:
    """A macaroon that grants "entity:action"s, signed with anything."""
    ops = {}
    for permission in permissions:
        entity, _, action = permission.partition(":")
        ops.setdefault(entity, []).append(action)
    identifier = b"\x03" + field(10, b"nonce") + field(18, b"0")
    for entity, actions in ops.items():
        op = field(10, entity.encode()) + b"".join(field(18, a.encode()) for a in actions)
        identifier += field(26, op)
    sections = b"".join(field(2, caveat.encode()) + b"\x00" for caveat in caveats)
    head = field(1, b"lnd") + field(2, identifier) + b"\x00"
    return b"\x02" + head + sections + b"\x00" + field(6, signature)


def field(key: int, value: bytes) -> bytes:
    """A key, a length as a varint, the value: in macaroons as in protobuf."""
    length, size = b"", len(value)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([key]) + length + bytes([size]) + value
