"""Figures, times and names as people read them; shared by screens and reports.

Amounts come in as integer msat and are rounded half up here and nowhere else. Times are ns since
the epoch, shown in the machine's time zone unless `tz` says otherwise.
"""

import unicodedata
from datetime import UTC, datetime, tzinfo

from htlctop.analysis.models import UNKNOWN_PEER
from htlctop.domain.types import NS

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_FLAGS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_JAMO = range(0x1100, 0x1200)
_ASCII_SIGNS = str.maketrans({"–": "-", "×": "x", "→": "->", "≈": "~", "…": "~"})
_LONGEST_NAME = 64
LONGEST_KEY = 66
LONGEST_LINE = 400


def sat(msat: int) -> str:
    """Msat as sat: four significant digits below 1,000 sat, whole sat from there on."""
    sign, msat = ("-", -msat) if msat < 0 else ("", msat)
    if msat == 0:
        return "0"
    for decimals, below in ((3, 10_000), (2, 100_000), (1, 1_000_000)):
        unit = 10 ** (3 - decimals)
        rounded = (msat + unit // 2) // unit * unit
        if rounded < below:
            return f"{sign}{rounded // 1000}.{rounded % 1000 // unit:0{decimals}d}"
    return f"{sign}{(msat + 500) // 1000:,}"


def count(number: int) -> str:
    """A whole number with thousands separators."""
    return f"{number:,}"


def short_sat(amount_sat: int) -> str:
    """Whole sat in at most five characters: 950, 40k, 1.2M, 12.0M, 345M."""
    sign, amount = ("-", -amount_sat) if amount_sat < 0 else ("", amount_sat)
    if amount < 10_000:
        return f"{sign}{amount}"
    for unit, letter in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G")):
        if amount < 1000 * unit or letter == "G":
            tenths = (amount * 10 + unit // 2) // unit
            if letter == "k" or tenths >= 1000:
                whole = (amount + unit // 2) // unit
                if whole < 1000 or letter == "G":
                    return f"{sign}{whole}{letter}"
                continue
            return f"{sign}{tenths // 10}.{tenths % 10}{letter}"
    raise AssertionError(amount)


def percent(part: float, whole: float) -> str:
    """A share as whole per cent; "<1%" for a little, never 100% (or 0%) for nearly so."""
    if whole <= 0 or part <= 0:
        return "0%"
    share = 100 * part / whole
    if share < 1:
        return "<1%"
    if 99 < share < 100:
        return "99%"
    return f"{share:.0f}%"


def local(at_ns: int, tz: tzinfo | None = None) -> datetime:
    """A point in time, aware, in `tz` or the machine's own zone."""
    return datetime.fromtimestamp(at_ns // NS, tz=UTC).astimezone(tz)


def clock(at_ns: int, tz: tzinfo | None = None) -> str:
    """14:02"""
    return local(at_ns, tz).strftime("%H:%M")


def clock_seconds(at_ns: int, tz: tzinfo | None = None) -> str:
    """14:02:30"""
    return local(at_ns, tz).strftime("%H:%M:%S")


def moment(at_ns: int, now_ns: int, tz: tzinfo | None = None) -> str:
    """14:02, with the day where it is not today's: 3 Jul 14:02."""
    at = local(at_ns, tz)
    is_today = at.date() == local(now_ns, tz).date()
    return f"{at:%H:%M}" if is_today else f"{at.day} {at:%b %H:%M}"


def stamp(at_ns: int, tz: tzinfo | None = None) -> str:
    """2026-07-03 14:02 +0200, for heads of files."""
    return local(at_ns, tz).strftime("%Y-%m-%d %H:%M %z")


def stamp_seconds(at_ns: int, tz: tzinfo | None = None) -> str:
    """2026-07-03 14:02:30 +0200"""
    return local(at_ns, tz).strftime("%Y-%m-%d %H:%M:%S %z")


def utc(at_ns: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    at = datetime.fromtimestamp(at_ns // NS, tz=UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ns // 1_000_000 % 1000:03d}Z"


def span(length_ns: int) -> str:
    """A length of time in two units: <1s, 45s, 12m, 23h41m, 6d4h."""
    seconds = max(0, length_ns) // NS
    if seconds < _MINUTE:
        return f"{seconds}s" if seconds or length_ns <= 0 else "<1s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m"
    big, small, names = (_HOUR, _MINUTE, "hm") if seconds < 2 * _DAY else (_DAY, _HOUR, "dh")
    rest = seconds % big // small
    return f"{seconds // big}{names[0]}" + (f"{rest}{names[1]}" if rest else "")


def age(length_ns: int) -> str:
    """How long ago in one coarse unit, so that it seldom changes: 5 min, 3 h, 2 d."""
    minutes = max(0, length_ns) // (_MINUTE * NS)
    if minutes < 1:
        return "<1 min"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def ago(at_ns: int, now_ns: int) -> str:
    """How long ago it was when the clock's minute began, so that it changes with the clock."""
    minute_ns = _MINUTE * NS
    return age(now_ns // minute_ns * minute_ns - at_ns)


def clean(text: str, most: int = _LONGEST_NAME) -> str:
    """Text from the network, by itself a name, as harmless text on one line, of cells every
    terminal agrees on and `most` characters at most.

    Control, format and direction characters, private and unassigned ones are dropped, emoji are
    reduced to their base form, flags to letters, a letter keeps at most one mark.
    """
    kept: list[str] = []
    marked = True
    for char in unicodedata.normalize("NFC", text[: 8 * most]):
        code, kind = ord(char), unicodedata.category(char)
        if kind[0] == "Z" or char in "\t\n\r\v\f":
            if kept and kept[-1] != " ":
                kept.append(" ")
            marked = True
        elif kind[0] == "C" or code in _SKIN_TONES or any(code in r for r in _SELECTORS):
            continue
        elif kind in ("Mn", "Me"):
            if not marked:
                kept.append(char)
            marked = True
        elif code in _FLAGS:
            kept.append(chr(ord("A") + code - _FLAGS.start))
            marked = True
        elif code in _JAMO:
            continue
        else:
            kept.append(char)
            marked = False
        if len(kept) >= most:
            break
    return "".join(kept).strip()


def cells(text: str) -> int:
    """How many cells of a terminal a harmless text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def ascii_only(text: str) -> str:
    """Text for a terminal that knows ASCII alone; what has no such form becomes a "?"."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_ASCII_SIGNS))
    return "".join(
        char if char.isascii() else "?" for char in plain if unicodedata.category(char) != "Mn"
    )


def name(alias: str, pubkey: str | None, peer: int = UNKNOWN_PEER + 1) -> str:
    """What a peer is called: its alias, else the start of its key, else that it is unknown."""
    if peer == UNKNOWN_PEER:
        return "(unknown peer)"
    return clean(alias) or (clean(pubkey)[:12] if pubkey else "") or "(no name)"
