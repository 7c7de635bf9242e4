"""What a macaroon says of itself: permissions and caveats. Binary format 2."""

from dataclasses import dataclass

from htlctop.config import PERMISSIONS
from htlctop.wire.methods import Method

VERSION = 2
END, LOCATION, IDENTIFIER, VERIFICATION, SIGNATURE = 0, 1, 2, 4, 6
"""The kinds of a macaroon's fields."""
_LND_IDENTIFIER = 3
"""The first byte of an identifier that goes on as LND's `MacaroonId`, a protobuf message."""
_OPS, _ENTITY, _ACTION = 3, 1, 2
"""Fields of `MacaroonId` and of its `Op`."""


class NoMacaroonError(ValueError):
    """The bytes are not a macaroon, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A macaroon taken apart: its identifier, each caveat's fields by kind, its signature."""

    identifier: bytes
    caveats: tuple[dict[int, bytes], ...]
    signature: bytes


@dataclass(frozen=True, slots=True)
class Macaroon:
    """Attributes:
    permissions: as "entity:action"; None where they are not written as LND writes them.
    caveats: what limits it further, such as "time-before 2027-01-01T00:00:00Z".
    """

    permissions: frozenset[str] | None
    caveats: tuple[str, ...]

    @property
    def beyond_reading(self) -> tuple[str, ...]:
        """The permissions to do more than htlctop does, in order."""
        return tuple(sorted(p for p in self.permissions or () if not _only_reads(p)))

    @property
    def missing(self) -> tuple[str, ...]:
        """Which permissions it lacks, as far as it tells: one for single methods does not."""
        if self.permissions is None or any(p.startswith("uri:") for p in self.permissions):
            return ()
        return tuple(p for p in PERMISSIONS if p not in self.permissions)


def read_macaroon(data: bytes) -> Macaroon:
    """Read one. Raises: NoMacaroonError."""
    parts = take_apart(data)
    caveats = (each.get(IDENTIFIER, b"").decode("utf-8", "replace") for each in parts.caveats)
    return Macaroon(_permissions(parts.identifier), tuple(caveats))


def take_apart(data: bytes) -> Parts:
    """All that it consists of, unchecked. Raises: NoMacaroonError."""
    if not data or data[0] != VERSION:
        raise NoMacaroonError
    head, position = _section(data, 1)
    caveats = []
    while True:
        caveat, position = _section(data, position)
        if not caveat:
            break
        caveats.append(caveat)
    kind, signature, position = _field(data, position)
    if kind != SIGNATURE or len(signature) != 32 or position != len(data):
        raise NoMacaroonError
    return Parts(head.get(IDENTIFIER, b""), tuple(caveats), signature)


def _permissions(identifier: bytes) -> frozenset[str] | None:
    if not identifier or identifier[0] != _LND_IDENTIFIER:
        return None
    found = set()
    for number, op in _protobuf(identifier[1:]):
        if number == _OPS:
            fields = _protobuf(op)
            entity = b"".join(value for key, value in fields if key == _ENTITY)
            found |= {entity + b":" + value for key, value in fields if key == _ACTION}
    return frozenset(p.decode("utf-8", "replace") for p in found) or None


def _protobuf(data: bytes) -> list[tuple[int, bytes]]:
    """(number, value) of a message all of whose fields have a length."""
    found = []
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        length, position = _varint(data, position)
        if key & 7 != 2 or position + length > len(data):
            raise NoMacaroonError
        found.append((key >> 3, data[position : position + length]))
        position += length
    return found


def _only_reads(permission: str) -> bool:
    entity, _, action = permission.partition(":")
    return action in set(Method) if entity == "uri" else action == "read"


def _section(data: bytes, position: int) -> tuple[dict[int, bytes], int]:
    """The fields up to the end of a section, by kind."""
    fields: dict[int, bytes] = {}
    while True:
        kind, value, position = _field(data, position)
        if kind == END:
            return fields, position
        fields[kind] = value


def _field(data: bytes, position: int) -> tuple[int, bytes, int]:
    kind, position = _varint(data, position)
    if kind == END:
        return kind, b"", position
    length, position = _varint(data, position)
    if position + length > len(data):
        raise NoMacaroonError
    return kind, data[position : position + length], position + length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 35, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise NoMacaroonError
