"""The live log: one HTLC a line, newest first, with what was asked and why it failed."""

from collections.abc import Sequence

from htlctop.analysis.models import HtlcLine
from htlctop.domain.fees import ppm
from htlctop.export.format import ascii_only, clock, clock_seconds, sat, short_sat
from htlctop.export.htlc import ends, note
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.text import Line, Role, cut, fit, left, line, plain, right, width_of
from htlctop.ui.words import SHORT, outcome

_WITH_AMOUNT, _WITH_NOTE, _WITH_PPM = 72, 100, 110
"""From how many cells on a line of the log tells the amount beside names that can be read, what
it lacked, and the rate."""


def live(
    lines: Sequence[HtlcLine | str],
    width: int,
    height: int,
    glyphs: Glyphs,
    current: HtlcLine | None = None,
) -> tuple[Line, ...]:
    """As many HTLCs as fit, one of them under the cursor; a text stands as it is."""
    return tuple(
        line(f" {one}", Role.DIM)
        if isinstance(one, str)
        else _under_cursor(entry(one, width, glyphs), glyphs)
        if one is current
        else entry(one, width, glyphs)
        for one in lines[:height]
    )


def _under_cursor(row: Line, glyphs: Glyphs) -> Line:
    """The line with the cursor in the place of the blank that it begins with."""
    return line(glyphs.cursor + plain(row)[1:], Role.CURSOR)


def entry(htlc: HtlcLine, width: int, glyphs: Glyphs) -> Line:
    """One HTLC in `width` cells; columns go as the pane narrows, the cause never does."""
    what, role = outcome(htlc)
    if width < _WITH_AMOUNT:
        return _narrow(htlc, width, glyphs, role)
    time = clock_seconds(htlc.at_ns)
    amount = "" if htlc.amount_msat is None else sat(htlc.amount_msat)
    fee = "" if htlc.fee_msat is None else f"{sat(htlc.fee_msat)} sat"
    rest: Line = ((right(amount, 11), Role.TEXT), (right(fee, 12), Role.TEXT))
    if width >= _WITH_PPM:
        rest += ((right(_ppm(htlc), 11), Role.DIM),)
    rest += (("  ", Role.TEXT), (left(what, 12), role))
    room = width - 11 - width_of(rest)
    routes = min(36, max(29, room - 32) if width >= _WITH_NOTE else room)
    told = note(htlc, room - routes - 1) if width >= _WITH_NOTE else ""
    pieces: Line = (
        (f" {time}  ", Role.TEXT),
        (left(_route(htlc, routes, glyphs), routes), Role.TEXT),
        *rest,
        (f" {told}", Role.DIM),
    )
    return fit(pieces, width, glyphs.more)


def _narrow(htlc: HtlcLine, width: int, glyphs: Glyphs, role: Role) -> Line:
    word = SHORT[htlc.category] if htlc.category else "..."
    fee = "" if htlc.fee_msat is None else short_fee(htlc.fee_msat)
    routes = max(4, width - 7 - 7 - 6)
    pieces: Line = (
        (f" {clock(htlc.at_ns)} ", Role.TEXT),
        (left(_route(htlc, routes, glyphs), routes), Role.TEXT),
        (right(fee, 7), Role.TEXT),
        (" " + left(word, 5), role),
    )
    return fit(pieces, width, glyphs.more)


def short_fee(fee_msat: int) -> str:
    """A fee in six cells."""
    text = sat(fee_msat)
    return text if len(text) <= 6 else short_sat((fee_msat + 500) // 1000)


def _route(htlc: HtlcLine, width: int, glyphs: Glyphs) -> str:
    source, target = ends(htlc)
    if glyphs.ascii:
        source, target = ascii_only(source), ascii_only(target)
    return route(source, target, width, glyphs)


def route(source: str, target: str, width: int, glyphs: Glyphs) -> str:
    """From whom to whom in `width` cells; the target is kept longest."""
    join = f" {glyphs.arrow} "
    room = width - len(join)
    kept = cut(target, max(room // 2, room - width_of(line(source))), glyphs.more)
    first = cut(source, max(1, room - width_of(line(kept))), glyphs.more)
    return f"{first}{join}{kept}"


def rate(htlc: HtlcLine) -> str:
    """The fee in ppm of the amount, shortened where it is absurd; "" where one is unknown."""
    if not htlc.amount_msat or htlc.fee_msat is None:
        return ""
    parts = round(ppm(htlc.fee_msat, htlc.amount_msat))
    return f"{parts:,}" if abs(parts) < 100_000 else short_sat(parts)


def _ppm(htlc: HtlcLine) -> str:
    text = rate(htlc)
    return f"{text} ppm" if text else ""
