"""Names, keys and ids replaced by short codes: view models in, view models out.

A code is the same wherever the same thing stands and in every run with the same key, and cannot be
told from the thing itself without the key, not even by trying all known ones. Times, amounts and
counts stay. Recordings have a redaction of their own (wire.redaction), which works on LND's bytes.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from types import NoneType
from typing import TypeVar, cast, get_args, get_type_hints

from htlctop.analysis.models import Row
from htlctop.analysis.rows import Rows
from htlctop.export.format import clean

T = TypeVar("T")

NAMES = frozenset({"alias", "in_alias", "out_alias", "source_alias"})
KEYS = frozenset({"pubkey", "in_pubkey", "out_pubkey", "source_pubkey"})
IDS = frozenset(
    {
        *("scid", "in_scid", "out_scid", "channel_id", "in_channel_id", "out_channel_id"),
        "channels",
    }
)
KEPT = frozenset({"network", "version", "label", "unit"})
"""Texts that say nothing of anybody."""
HIDDEN = frozenset({"text", "store_path"})
"""What the user wrote, and where: it may say anything."""

CONCEALED = "(hidden)"
"""What stands in the place of those."""

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_LETTER_BITS, _LETTERS_OF_NAME = 5, 6
_BLOCKS, _TRANSACTIONS, _OUTPUTS = 100_000, 3_000, 3
"""Codes of channels are of blocks from before Lightning, so that none is a channel's own id."""
_KEY_LENGTH = 66
_MOST_KEPT = 100_000
_WORD = re.compile(r"\w+")
_HEX = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{16,}(?![0-9a-fA-F])")
_SCID = re.compile(r"(?<!\w)(\d{1,8})x(\d{1,8})x(\d{1,5})(?!\w)")
_ID = re.compile(r"(?<![\w.])\d{15,20}(?![\w.])")
_HOST = re.compile(
    r"(?<![\w.-])(?!\d{4}-\d\d)(?=[\w.-]*[A-Za-z.])[\w.-]+:\d{2,5}(?!\d)|\[[0-9a-fA-F:]+\]:\d+"
)
_PATH = re.compile(r"(?<![\w/])(?:~|[A-Za-z]:)?[/\\][^\s:,;]+")


class Redaction:
    """The codes of one key. What was seen as a name or key is found again within longer texts."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._seen: dict[str, str] = {}
        self._by_word: dict[str, dict[str, str]] = {}
        """First word, which stands in a text as a word too ("" for none) -> those of two letters
        and more, and their lower case."""
        self._made: dict[tuple[str, str], str] = {}

    def view(self, model: T) -> T:
        """The same view with codes in it. Any frozen dataclass, or a tuple of such."""
        if len(self._made) > _MOST_KEPT:
            self._made.clear()
        self.learn(model)
        return cast(T, self._changed(model, ""))

    def name(self, alias: str) -> str:
        """A code for an alias; no name stays none."""
        return f"node-{self._letters('name', alias)}" if alias.strip() else alias

    def pubkey(self, text: str) -> str:
        """A code that has the form of a key, and is plainly none."""
        code = self._digest("pubkey", text)[:5].hex()
        return f"02{code}".ljust(_KEY_LENGTH, "0") if text else text

    def id(self, text: str) -> str:
        """A code for a channel's id, in the form it has: 812345x17x1, or LND's integer."""
        found = _SCID.fullmatch(text)
        if found:
            block, transaction, output = map(int, found.groups())
            return "{}x{}x{}".format(*self._channel(block << 40 | transaction << 16 | output))
        if text.isdecimal() and text.isascii():
            block, transaction, output = self._channel(int(text))
            return str(block << 40 | transaction << 16 | output)
        return f"id-{self._letters('id', text)}" if text else text

    def text(self, text: str) -> str:
        """A sentence without names that were seen, keys, ids, addresses and paths."""
        folded = _fold(text)
        words = {"", *map(_fold, _WORD.findall(text))}
        named = [
            original
            for word in words & self._by_word.keys()
            for original, low in self._by_word[word].items()
            if low in folded
        ]
        for original in sorted(named, key=lambda name: (-len(name), name)):
            whole = rf"(?<!\w){re.escape(original)}(?!\w)"
            text = re.sub(whole, self._seen[original], text, flags=re.IGNORECASE)
        text = _SCID.sub(lambda found: self.id(found.group()), text)
        text = _HEX.sub(self._hex, text)
        text = _ID.sub(lambda found: self.id(found.group()), text)
        return _PATH.sub("(path)", _HOST.sub("(address)", text))

    def _hex(self, found: "re.Match[str]") -> str:
        text = found.group()
        if text.isdecimal() or text in self._seen.values():
            return text
        return self.pubkey(text.lower())

    def learn(self, value: object) -> None:
        """Remember every name and key in a view, so that its sentences lose them too."""
        if isinstance(value, tuple | Rows):
            for each in value:
                self.learn(each)
        elif is_dataclass(value) and not isinstance(value, type):
            for name in _speaking(type(value)):
                inner: object = getattr(value, name)
                if not isinstance(inner, str):
                    self.learn(inner)
                elif inner not in self._seen and name in NAMES | KEYS:
                    self._remember(inner, self._code(name)(inner))

    def _remember(self, original: str, code: str) -> None:
        is_plain = original.isascii() and original.isprintable()
        for text in (original,) if is_plain else (original, clean(original)):
            self._seen[text] = code
            if len(text) > 1:
                first = _WORD.search(text)
                word = _fold(first.group()) if first else ""
                self._by_word.setdefault(word, {})[text] = _fold(text)
        self._made.clear()

    def _changed(self, value: object, name: str) -> object:
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            made = self._made.get((name, value))
            if made is None:
                made = self._made[name, value] = self._code(name)(value)
            return made
        if isinstance(value, tuple):
            return tuple(self._changed(each, name) for each in value)
        if isinstance(value, Rows):
            return value.changed(lambda row: cast(Row, self._changed(row, name)))
        if is_dataclass(value) and not isinstance(value, type):
            changes = {}
            for field in _speaking(type(value)):
                before: object = getattr(value, field)
                after = self._changed(before, field)
                if after is not before:
                    changes[field] = after
            return replace(value, **changes) if changes else value
        return value

    def _code(self, name: str) -> Callable[[str], str]:
        """What is done to a text, by the field it stands in."""
        if name in NAMES:
            return self.name
        if name in KEYS:
            return self.pubkey
        if name in IDS:
            return self.id
        if name in KEPT:
            return str
        if name in HIDDEN:
            return lambda text: CONCEALED if text else text
        return self.text

    def _channel(self, number: int) -> tuple[int, int, int]:
        code = int.from_bytes(self._digest("channel", str(number))[:8])
        block, code = code % _BLOCKS, code // _BLOCKS
        return block, code % _TRANSACTIONS, code // _TRANSACTIONS % _OUTPUTS

    def _letters(self, kind: str, text: str) -> str:
        code = int.from_bytes(self._digest(kind, text)[:8])
        shifts = range(0, _LETTERS_OF_NAME * _LETTER_BITS, _LETTER_BITS)
        return "".join(_LETTERS[code >> shift & 31] for shift in shifts)

    def _digest(self, kind: str, text: str) -> bytes:
        data = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, data, hashlib.sha256)


def _fold(text: str) -> str:
    """Two texts that are the same but for upper and lower case, as `re` has it, are the same."""
    return text.casefold().replace("ı", "i")


@cache
def _speaking(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that may hold text, by their types."""
    hints = get_type_hints(kind)
    return tuple(field.name for field in fields(kind) if not _is_mute(hints[field.name]))


def _is_mute(hint: object) -> bool:
    """Whether nothing of this type says a word: numbers, and enums of our own."""
    parts = get_args(hint) or (hint,)
    return all(
        isinstance(part, type) and issubclass(part, int | float | NoneType | Enum) for part in parts
    )
