"""Macaroons (binary format 2), as far as a node must: bake one, and check one that came back.

A client may add caveats to the one it was given, as lncli does (time-before), so comparing bytes
would not do.
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime

from htlctop.config import PERMISSIONS
from htlctop.wire.macaroon import (
    END,
    IDENTIFIER,
    LOCATION,
    SIGNATURE,
    VERIFICATION,
    VERSION,
    NoMacaroonError,
    Parts,
    take_apart,
)

_KEY_GENERATOR = b"macaroons-key-generator"


class BadMacaroonError(Exception):
    """The macaroon does not hold; the text is what LND would say."""


class Bakery:
    """One root key and the macaroon that goes with it."""

    def __init__(self) -> None:
        self._key = _hmac(_KEY_GENERATOR, secrets.token_bytes(32))
        self._identifier = _identifier(secrets.token_bytes(16))

    def bake(self) -> bytes:
        """The macaroon in its binary form."""
        return b"".join(
            (
                bytes([VERSION]),
                _field(LOCATION, b"lnd"),
                _field(IDENTIFIER, self._identifier),
                bytes([END, END]),
                _field(SIGNATURE, _hmac(self._key, self._identifier)),
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
        parts = _parts(bytes.fromhex(text))
        if parts.identifier != self._identifier:
            raise BadMacaroonError(
                "cannot retrieve macaroon: cannot get macaroon: root key with id 0 doesn't exist"
            )
        if any(VERIFICATION in caveat for caveat in parts.caveats):
            raise BadMacaroonError("verification failed: third-party caveats are not supported")
        caveats = [caveat.get(IDENTIFIER, b"") for caveat in parts.caveats]
        expected = _hmac(self._key, parts.identifier)
        for caveat in caveats:
            expected = _hmac(expected, caveat)
        if not hmac.compare_digest(expected, parts.signature):
            raise BadMacaroonError(
                "verification failed: signature mismatch after caveat verification"
            )
        for caveat in caveats:
            _check_caveat(caveat.decode("utf-8", "replace"))


def _parts(data: bytes) -> Parts:
    if not data or data[0] != VERSION:
        raise BadMacaroonError("cannot determine data format of binary-encoded macaroon")
    try:
        return take_apart(data)
    except NoMacaroonError:
        raise BadMacaroonError("unmarshal v2: field data extends past end of buffer") from None


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


def _identifier(nonce: bytes) -> bytes:
    """As LND's: its version 3, then a protobuf message with a nonce, which root key (0), and what
    the macaroon permits, here reading."""
    message = _part(1, nonce) + _part(2, b"0")
    for permission in PERMISSIONS:
        entity, _, action = permission.partition(":")
        message += _part(3, _part(1, entity.encode()) + _part(2, action.encode()))
    return b"\x03" + message


def _part(number: int, value: bytes) -> bytes:
    """A field of a protobuf message that has a length, under 128 bytes here."""
    return bytes([number << 3 | 2, len(value)]) + value


def _field(kind: int, value: bytes) -> bytes:
    return bytes([kind, len(value)]) + value


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
