"""The columns of the log as a table: who to whom, how much, and what became of it."""

from collections.abc import Sequence

from htlctop.analysis.models import HtlcLine
from htlctop.domain.codes import Outcome
from htlctop.domain.types import NS
from htlctop.export.format import (
    ascii_only,
    clock,
    clock_seconds,
    local,
    sat,
    span,
)
from htlctop.export.htlc import ends
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.live import rate, route, short_fee
from htlctop.ui.subject import Subject, htlc
from htlctop.ui.table.columns import Column
from htlctop.ui.text import Piece, Role
from htlctop.ui.words import SHORT, outcome

NARROW = 60


def key(line: HtlcLine) -> Subject:
    """The identity of a line."""
    return htlc(line.seq)


def columns(
    lines: Sequence[HtlcLine], now_ns: int, width: int, glyphs: Glyphs
) -> tuple[Column[HtlcLine], ...]:
    """The columns for a terminal of this width; the day is shown where not all are today's."""
    today = local(now_ns).date()
    dated = bool(lines) and local(lines[-1].at_ns).date() != today
    narrow = width < NARROW

    def time(line: HtlcLine, cells: int) -> Piece:
        if not dated:
            return (clock if narrow else clock_seconds)(line.at_ns), Role.TEXT
        at = local(line.at_ns)
        if narrow:
            return f"{at:%H:%M}" if at.date() == today else f"{at.day} {at:%b}", Role.TEXT
        return f"{at.day:>2} {at:%b %H:%M:%S}", Role.TEXT

    def way(line: HtlcLine, cells: int) -> Piece:
        source, target = ends(line)
        if glyphs.ascii:
            source, target = ascii_only(source), ascii_only(target)
        return route(source, target, cells, glyphs), Role.TEXT

    def fee(line: HtlcLine, cells: int) -> Piece:
        if line.fee_msat is None:
            return "", Role.DIM
        return (short_fee if narrow else sat)(line.fee_msat), Role.TEXT

    def what(line: HtlcLine, cells: int) -> Piece:
        text, role = outcome(line)
        if narrow:
            text = SHORT[line.category] if line.category else glyphs.more
        return text, role

    time_width = (6 if dated else 5) if narrow else (15 if dated else 8)
    return (
        Column("time", "TIME", time_width, 0, time, to_left=True),
        Column("way", f"FROM {glyphs.arrow} TO", 30, 0, way, to_left=True, stretches=True),
        Column("amount", "AMOUNT", 11, 3, _amount),
        Column("fee", "FEE", 6 if narrow else 9, 1, fee),
        Column("ppm", "PPM", 8, 4, lambda line, _: (rate(line), Role.DIM)),
        Column("what", "WHAT", 5 if narrow else 12, 0, what, to_left=True),
        Column("short", "SHORT OF", 10, 5, _short),
        Column("retry", "RETRY OF", 8, 6, _retry, to_left=True),
        Column("took", "TOOK", 6, 7, _took),
        Column("in", "IN CHANNEL", 14, 9, lambda line, _: (line.in_scid, Role.DIM), to_left=True),
        Column(
            "out", "OUT CHANNEL", 14, 8, lambda line, _: (line.out_scid, Role.DIM), to_left=True
        ),
        Column("code", "CODE", 6, 10, _code, to_left=True),
        Column("seq", "NUMBER", 9, 11, lambda line, _: (str(line.seq), Role.DIM)),
    )


def _amount(line: HtlcLine, cells: int) -> Piece:
    return ("" if line.amount_msat is None else sat(line.amount_msat)), Role.TEXT


def _short(line: HtlcLine, cells: int) -> Piece:
    known = line.short_msat is not None and line.short_msat > 0
    return (sat(line.short_msat or 0) if known else ""), Role.WARN


def _retry(line: HtlcLine, cells: int) -> Piece:
    if line.repeat:
        return "repeat", Role.DIM
    return ("" if line.retry_of_ns is None else clock_seconds(line.retry_of_ns)), Role.DIM


def _took(line: HtlcLine, cells: int) -> Piece:
    if line.ended_ns is None:
        return "", Role.DIM
    took_ns = max(0, line.ended_ns - line.at_ns)
    if took_ns < NS:
        return f"{took_ns // 1_000_000}ms", Role.DIM
    if took_ns < 10 * NS:
        return f"{took_ns / NS:.1f}s", Role.DIM
    return span(took_ns), Role.DIM


def _code(line: HtlcLine, cells: int) -> Piece:
    if line.outcome is not Outcome.REFUSED:
        return "", Role.DIM
    return f"{line.wire_failure}/{line.failure_detail}", Role.DIM
