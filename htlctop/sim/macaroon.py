"""Macaroons (binary format 2), as far as a node must: bake one, and check one that came back.

A client may add caveats to the one it was given, as lncli does (time-before), so comparing bytes
would not do.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

_VERSION = 2
_END, _LOCATION, _IDENTIFIER, _VERIFICATION, _SIGNATURE = 0, 1, 2, 4, 6
_KEY_GENERATOR = b"macaroons-key-generator"


class BadMacaroonError(Exception):
    """The macaroon does not hold; the text is what LND would say."""


class Bakery:
    """One root key and the macaroon that goes with it."""

    def __init__(self) -> None:
        self._key = _hmac(_KEY_GENERATOR, secrets.token_bytes(32))
        self._identifier = b"htlctop-sim-" + secrets.token_bytes(16)

    def bake(self) -> bytes:
        """The macaroon in its binary form."""
        return b"".join(
            (
                bytes([_VERSION]),
                _field(_LOCATION, b"lnd"),
                _field(_IDENTIFIER, self._identifier),
                bytes([_END, _END]),
                _field(_SIGNATURE, _hmac(self._key, self._identifier)),
            )
        )

    def check(self, sent: list[str]) -> None:
        """Check what a call brought along. Raises: BadMacaroonError."""
        if len(sent) != 1:
            raise BadMacaroonError(f"expected 1 macaroon, got {len(sent)}")
        text = sent[0]
        for character in text:
            if character not in "0123456789abcdefABCDEF":
                raise BadMacaroonError(
                    f"encoding/hex: invalid byte: U+{ord(character):04X} '{character}'"
                )
        if len(text) % 2:
            raise BadMacaroonError("encoding/hex: odd length hex string")
        identifier, caveats, signature = _parse(bytes.fromhex(text))
        if identifier != self._identifier:
            raise BadMacaroonError(
                "cannot retrieve macaroon: cannot get macaroon: root key with id 0 doesn't exist"
            )
        expected = _hmac(self._key, identifier)
        for caveat in caveats:
            expected = _hmac(expected, caveat)
        if not hmac.compare_digest(expected, signature):
            raise BadMacaroonError(
                "verification failed: signature mismatch after caveat verification"
            )
        for caveat in caveats:
            _check_caveat(caveat.decode("utf-8", "replace"))


def _check_caveat(caveat: str) -> None:
    condition, _, argument = caveat.partition(" ")
    if condition == "ipaddr":
        return  # only the loopback reaches us
    if condition == "time-before":
        try:
            # Go writes nanoseconds; Python reads microseconds.
            seconds, _, _fraction = argument.rstrip("Z").partition(".")
            if datetime.fromisoformat(seconds).replace(tzinfo=UTC) > datetime.now(UTC):
                return
        except ValueError:
            pass
        raise BadMacaroonError(f'caveat "{caveat}" not satisfied: macaroon has expired')
    raise BadMacaroonError(f'caveat "{caveat}" not satisfied: caveat not recognized')


def _parse(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """(identifier, first-party caveats, signature)."""
    if not data or data[0] != _VERSION:
        raise BadMacaroonError("cannot determine data format of binary-encoded macaroon")
    fields = _fields(data)
    identifier = b""
    for kind, value in fields:
        if kind == _END:
            break
        if kind == _IDENTIFIER:
            identifier = value
    caveats: list[bytes] = []
    for kind, value in fields:
        if kind == _END:
            break
        for inner, inner_value in _chain(kind, value, fields):
            if inner == _IDENTIFIER:
                caveats.append(inner_value)
            elif inner == _VERIFICATION:
                raise BadMacaroonError("verification failed: third-party caveats are not supported")
    kind, signature = next(fields)
    if kind != _SIGNATURE:
        raise BadMacaroonError("unmarshal v2: unexpected field in signature")
    return identifier, caveats, signature


def _chain(
    kind: int, value: bytes, rest: Iterator[tuple[int, bytes]]
) -> Iterator[tuple[int, bytes]]:
    """A section's fields, the first of which was already taken."""
    while kind != _END:
        yield kind, value
        kind, value = next(rest)


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields one after another; raises instead of ending."""
    position = 1
    while True:
        kind, position = _varint(data, position)
        if kind == _END:
            yield kind, b""
            continue
        length, position = _varint(data, position)
        if position + length > len(data):
            raise BadMacaroonError("unmarshal v2: field data extends past end of buffer")
        yield kind, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 35:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
    raise BadMacaroonError("unmarshal v2: varint extends past end of buffer")


def _field(kind: int, value: bytes) -> bytes:
    return bytes([kind, len(value)]) + value


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
