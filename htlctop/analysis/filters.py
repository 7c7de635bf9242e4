"""The filter people type, as a value: `in:kraken why:liq amt>1m !/test.*/`. All terms must hold.

On a ranked table text, `out:`, `chan:` and `peer:` choose its rows, `why:` and `in:` restrict what
is counted in them, and `amt`, `fee`, `type:` and `state:` say nothing: a table has sums, not
HTLCs. On the log every term holds for the single HTLC.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import TypeVar

from htlctop.analysis.regex import compiled
from htlctop.domain.codes import Category, EventType, Group
from htlctop.domain.types import parse_scid
from htlctop.errors import UsageError

MAX_CHARS = 500
NO_CATEGORY = 0
"""Stands for the category of an HTLC that has none yet."""
_EVERY_CATEGORY = frozenset((NO_CATEGORY, *(int(c) for c in Category)))
_MSAT = 1000
_MULTIPLES = {"": 1, "k": 1000, "m": 1_000_000, "b": 1_000_000_000}
_AMOUNT = re.compile(r"(?P<of>amt|fee)(?P<op><=|>=|<|>|=)(?P<value>.*)")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(k|m|b)?", re.ASCII)
_SHORT = {
    "clsd": Category.CLOSED, "unkn": Category.UNKNOWN_NEXT, "recv": Category.RECEIVE,
    "othr": Category.OTHER, "ok": Category.SETTLED,
}  # fmt: skip
T = TypeVar("T")
_HELP = (
    "write text, /regex/, !not, why:liq, in:name, out:name, chan:812345x17x1, peer:name, amt>1m, "
    "fee<=10, type:forward or state:refused"
)


class Side(StrEnum):
    """Whose name a term is about."""

    ANY = ""
    IN = "in"
    OUT = "out"
    CHANNEL = "chan"
    PEER = "peer"


class Fate(StrEnum):
    """What became of an HTLC, as `state:` names it."""

    SETTLED = "settled"
    REFUSED = "refused"
    DOWNSTREAM = "downstream"
    UNKNOWN = "unknown"
    IN_FLIGHT = "inflight"


class Measured(Enum):
    """What an amount is compared with: what was to be sent on, or the fee."""

    AMOUNT = "amt"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Named:
    """What a channel or peer goes by: texts in lower case, and the numbers of its channels."""

    texts: tuple[str, ...]
    scids: frozenset[int]


@dataclass(frozen=True, slots=True)
class NameTerm:
    """A text (lower case) or an expression to be found in a name; `scid` where it is one."""

    side: Side
    text: str
    pattern: re.Pattern[str] | None
    scid: int | None
    negated: bool

    def fits(self, named: Named) -> bool:
        """Whether it is found, whatever `negated` says."""
        if self.scid is not None and self.scid in named.scids:
            return True
        if self.pattern is not None:
            search = self.pattern.search
            return any(search(text) is not None for text in named.texts)
        return any(self.text in text for text in named.texts)


@dataclass(frozen=True, slots=True)
class AmountTerm:
    """A comparison; `low_msat` <= what is measured <= `high_msat`, None for no bound."""

    measured: Measured
    low_msat: int | None
    high_msat: int | None
    negated: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """What was typed. None means any; an empty set that nothing fits.

    `categories` holds NO_CATEGORY where HTLCs without an outcome fit too.
    """

    names: tuple[NameTerm, ...] = ()
    categories: frozenset[int] | None = None
    amounts: tuple[AmountTerm, ...] = ()
    types: frozenset[EventType] | None = None
    fates: frozenset[Fate] | None = None

    def of(self, *sides: Side) -> tuple[NameTerm, ...]:
        """The terms about these sides."""
        return tuple(term for term in self.names if term.side in sides)

    @property
    def is_of_htlcs(self) -> bool:
        """Whether it asks for what only single HTLCs have, and rows of a table do not."""
        return bool(self.amounts) or self.types is not None or self.fates is not None

    @property
    def restricts_cells(self) -> bool:
        """Whether it leaves out part of what a row of a table adds up to."""
        return self.categories is not None or any(term.side is Side.IN for term in self.names)


def parse(text: str) -> Filter:
    """What was typed as a Filter. Raises UsageError with what to write instead."""
    if len(text) > MAX_CHARS:
        raise UsageError(f"a filter has at most {MAX_CHARS} characters")
    names: list[NameTerm] = []
    amounts: list[AmountTerm] = []
    categories: frozenset[int] | None = None
    types: frozenset[EventType] | None = None
    fates: frozenset[Fate] | None = None
    for raw in _split(text):
        negated = raw.startswith("!")
        term = raw[1:] if negated else raw
        if not term:
            raise UsageError("! stands before what is to be left out: !kraken, !why:liq")
        key, colon, value = term.partition(":")
        key = key.lower()
        if found := _AMOUNT.fullmatch(term.lower()):
            amounts.append(_amount(found["of"], found["op"], found["value"], negated))
        elif term[0] in "/\"'" or not colon:
            names.append(_name(Side.ANY, term, negated))
        elif key in ("why", "type", "state") and not value:
            raise UsageError(f"{key}: needs a value; {_HELP}")
        elif key == "why":
            categories = _both(categories, _why(value), _EVERY_CATEGORY, negated)
        elif key == "type":
            types = _both(types, _type(value), frozenset(EventType), negated)
        elif key == "state":
            fates = _both(fates, _fate(value), frozenset(Fate), negated)
        elif key in ("in", "out", "chan", "peer"):
            names.append(_name(Side(key), value, negated))
        elif parse_scid(term) is not None:
            names.append(_name(Side.ANY, term, negated))
        else:
            raise UsageError(
                f"no filter is called {key[:20]!r}; {_HELP}; a text with a colon goes in quotes"
            )
    return Filter(tuple(names), categories, tuple(amounts), types, fates)


def nameless(text: str, hidden: str) -> str:
    """What was typed with `hidden` in the place of each text, expression or id in it."""
    return " ".join(_nameless(term, hidden) for term in _split(text))


def _nameless(term: str, hidden: str) -> str:
    plain = term.removeprefix("!")
    mark = term[: len(term) - len(plain)]
    key, colon, _value = plain.partition(":")
    if _AMOUNT.fullmatch(plain.lower()) or (colon and key.lower() in ("why", "type", "state")):
        return term
    if colon and key.lower() in ("in", "out", "chan", "peer"):
        return f"{mark}{key}:{hidden}"
    return mark + hidden


def _split(text: str) -> list[str]:
    """The terms, at spaces outside of quotes and of /expressions/."""
    terms: list[str] = []
    term, closer, at = "", "", 0
    while at < len(text):
        char = text[at]
        if closer:
            if closer == "/" and char == "\\":
                term += text[at : at + 2]
                at += 2
                continue
            term += char
            closer = "" if char == closer else closer
        elif char.isspace():
            terms += [term] if term else []
            term = ""
        else:
            starts = term.lstrip("!") == "" or term.endswith(":")
            closer = char if starts and char in "/\"'" else ""
            term += char
        at += 1
    return terms + ([term] if term else [])


def _name(side: Side, value: str, negated: bool) -> NameTerm:
    if value.startswith("/"):
        # Without its end it is still being typed.
        value = value[1:-1] if len(value) > 1 and value.endswith("/") else value[1:]
        return NameTerm(side, value, compiled(value) if value else None, None, negated)
    if value[:1] in ("'", '"'):
        value = value[1:].removesuffix(value[0])
    return NameTerm(side, value.casefold(), None, parse_scid(value), negated)


def _amount(of: str, op: str, value: str, negated: bool) -> AmountTerm:
    found = _NUMBER.fullmatch(value)
    if found is None or len(value) > 20:
        raise UsageError(f"{of}{op} needs an amount in sat, as in {of}{op}50k or {of}{op}1.5m")
    msat = int(Decimal(found[1]) * _MULTIPLES[found[2] or ""] * _MSAT)
    bounds = {
        "<": (None, msat - 1), "<=": (None, msat), ">": (msat + 1, None), ">=": (msat, None),
        "=": (msat, msat),
    }  # fmt: skip
    return AmountTerm(Measured(of), *bounds[op], negated)


def _why(value: str) -> frozenset[int]:
    """The categories of a label, its beginning or its short form; a group's name means all of
    its."""
    wanted = value.lower().strip("\"'").replace(" ", "_")
    labels = {c.label: c for c in Category} | _SHORT
    if wanted in labels:
        return frozenset({int(labels[wanted])})
    for group in Group:
        if wanted == group.name.lower():
            return frozenset(int(c) for c in Category if c.group is group)
    found = frozenset(int(c) for label, c in labels.items() if label.startswith(wanted))
    if not wanted or not found:
        names = ", ".join(c.label for c in Category)
        raise UsageError(f"why: is one of {names} (or how one begins), not {value[:20]!r}")
    return found


def _type(value: str) -> frozenset[EventType]:
    found = frozenset(t for t in EventType if t and t.name.lower().startswith(value.lower()))
    if not found:
        raise UsageError(f"type: is send, receive or forward, not {value[:20]!r}")
    return found


def _fate(value: str) -> frozenset[Fate]:
    wanted = value.lower().replace(" ", "").replace("_", "").strip("\"'")
    found = frozenset(fate for fate in Fate if fate.value.startswith(wanted))
    if not found:
        raise UsageError(f"state: is one of {', '.join(Fate)}, not {value[:20]!r}")
    return found


def _both(
    known: frozenset[T] | None, new: frozenset[T], every: frozenset[T], negated: bool
) -> frozenset[T]:
    wanted = every - new if negated else new
    return wanted if known is None else known & wanted
