"""Lists on drill-downs and the views History and Node: changes, policies, what hangs, gaps."""

from collections.abc import Sequence

from htlctop.analysis.details import (
    EXPIRY_BANDS,
    Change,
    ChangeKind,
    Pending,
    Policy,
    by_expiry,
)
from htlctop.analysis.models import Gap
from htlctop.export.format import ascii_only, clean, count, moment, sat, short_sat, span
from htlctop.ui import watched
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.parts import called, paragraph
from htlctop.ui.paint.plot import LETTERS
from htlctop.ui.text import Line, Role, fit, left, line, right, width_of

EXPIRY_ALARM_BLOCKS = EXPIRY_BANDS[0]
"""An HTLC that expires in fewer blocks is an alarm: LND closes the channel over it."""
_ROOMY = 96
_WIDEST = 120
_RATES = 30
SHOWS_RATES = 72
"""From this width on the rates before and after stand in the line of their change."""
_WORDS = {
    ChangeKind.FEE: "fee",
    ChangeKind.MAX_HTLC: "max_htlc",
    ChangeKind.REFILL: "refill",
    ChangeKind.OPENED: "opened",
    ChangeKind.CLOSED: "closed",
    ChangeKind.MARK: "mark",
}


def changes(
    rows: Sequence[Change], now_ns: int, width: int, glyphs: Glyphs, *, named: bool = True
) -> list[Line]:
    """What changed, newest first, with what was missed per covered hour before and after.

    `named` puts the peer beside each.
    """
    if not rows:
        return []
    width = min(width, _WIDEST)
    head = f"   {left('WHEN', 12)}  {left('WHAT', 8)}  "
    lines: list[Line] = []
    if width >= SHOWS_RATES:
        room = width - len(head) - _RATES
        lines.append(
            (
                (
                    left(head + ("PEER AND CHANGE" if named else "CHANGE"), len(head) + room),
                    Role.DIM,
                ),
                (right("MISSED PER HOUR", _RATES - 1), Role.DIM),
            )
        )
    for change in sorted(rows, key=lambda one: -one.at_ns):
        lines.extend(_change(change, now_ns, width, glyphs, named))
        if width < SHOWS_RATES and change.rate_before_msat is not None:
            lines.append(fit(line(f"   missed/h {_rates(change, glyphs)}", Role.DIM), width))
    return lines


def _change(change: Change, now_ns: int, width: int, glyphs: Glyphs, named: bool) -> list[Line]:
    """What changed where; from what to what below it, where that has no room beside it."""
    when, told = moment(change.at_ns, now_ns), _values(change, glyphs)
    about = _about(change, glyphs, named)
    if width < 60:
        first = line(f" {LETTERS[change.kind]} {when} {about}")
        below = [f"   {told}"] if told else []
    else:
        head = f"{left(when, 12)}  {left(_WORDS[change.kind], 8)}  "
        room = width - 27 - (_RATES if width >= SHOWS_RATES else 0)
        whole = "  ".join(word for word in (about, told) if word)
        fits = width_of(line(whole)) <= room
        first = (
            (f" {LETTERS[change.kind]} ", Role.STRONG),
            (head + left(whole if fits else about, room, glyphs.more), Role.TEXT),
        )
        if width >= SHOWS_RATES:
            first += ((right(_rates(change, glyphs), _RATES - 1, glyphs.more), Role.TEXT),)
        below = [] if fits or not told else [" " * (3 + len(head)) + told]
    return [fit(first, width, glyphs.more), *(fit(line(t), width, glyphs.more) for t in below)]


def _values(change: Change, glyphs: Glyphs) -> str:
    """From what to what; of a mark what was noted."""
    if change.text:
        text = clean(change.text)
        return ascii_only(text) if glyphs.ascii else text
    if change.before and change.after:
        return f"{change.before} {glyphs.arrow} {change.after}"
    return change.before or change.after


def _about(change: Change, glyphs: Glyphs, named: bool) -> str:
    words = []
    if named and change.peer:
        words.append(called(change.alias, None, change.peer, glyphs))
    elif not change.peer:  # a note; what was missed beside it is the node's, not the peer's
        words.append("whole node")
    if change.scid:
        words.append(change.scid)
    return "  ".join(words)


def _rates(change: Change, glyphs: Glyphs) -> str:
    before, after = change.rate_before_msat, change.rate_after_msat
    if before is None and after is None:
        return "not watched long enough"
    told = f"{_rate(before)} {glyphs.arrow} {_rate(after)} sat"
    if before and after is not None:
        told += f"  {'+' if after > before else ''}{round(100 * (after - before) / before)}%"
    return told


def _rate(rate_msat: int | None) -> str:
    return "?" if rate_msat is None else sat(rate_msat)


def policies(
    rows: Sequence[Policy], now_ns: int, width: int, glyphs: Glyphs, most: int = 8
) -> list[Line]:
    """What we asked and since when, newest first."""
    rows = _without_vague(rows)
    several = len({row.scid for row in rows}) > 1
    lines: list[Line] = []
    for row in sorted(rows, key=lambda one: (-one.at_ns, one.scid))[:most]:
        words = [left(moment(row.at_ns, now_ns), 12)]
        if several:
            words.append(left(row.scid, 15, glyphs.more))
        words.append(fee(row.base_msat, row.rate_ppm))
        if row.inbound_base_msat or row.inbound_rate_ppm:
            words.append(f"inbound {fee(row.inbound_base_msat, row.inbound_rate_ppm)}")
        if row.max_htlc_msat is not None:
            words.append(f"max {short_sat(row.max_htlc_msat // 1000)}")
        if row.min_htlc_msat is not None and row.min_htlc_msat > 1000:
            words.append(f"min {sat(row.min_htlc_msat)}")
        if row.time_lock_delta is not None:
            words.append(f"{row.time_lock_delta} blocks")
        if row.is_disabled:
            words.append("DISABLED")
        lines.append(fit(line(" " + "  ".join(words)), width, glyphs.more))
    if len(rows) > most:
        lines.append(line(f" and {count(len(rows) - most)} older", Role.DIM))
    return lines


def _without_vague(rows: Sequence[Policy]) -> list[Policy]:
    """Without those known from FeeReport alone where the limits beside the same fees are known."""
    told = {_fees(row) for row in rows if row.max_htlc_msat is not None}
    return [row for row in rows if row.max_htlc_msat is not None or _fees(row) not in told]


def _fees(row: Policy) -> tuple[str, int, int, int, int]:
    return (
        row.scid,
        row.base_msat,
        row.rate_ppm,
        row.inbound_base_msat,
        row.inbound_rate_ppm,
    )


def fee(base_msat: int, rate_ppm: int) -> str:
    """What is asked: 250 ppm, 1.000 sat + 250 ppm, -30 ppm."""
    return (
        f"{sat(base_msat)} sat + {count(rate_ppm)} ppm" if base_msat else f"{count(rate_ppm)} ppm"
    )


def pending(
    rows: Sequence[Pending], width: int, glyphs: Glyphs, *, named: bool = True, most: int = 10
) -> list[Line]:
    """HTLCs that are on the channels now, the nearest expiry first; a near one is an alarm."""
    ordered = sorted(rows, key=lambda row: (row.blocks_left is None, row.blocks_left or 0))
    lines: list[Line] = []
    for row in ordered[:most]:
        near = row.blocks_left is not None and row.blocks_left < EXPIRY_ALARM_BLOCKS
        role = Role.BAD if near else Role.TEXT
        left_words = "expiry unknown" if row.blocks_left is None else _blocks(row.blocks_left)
        mark = glyphs.alarm if near else " "
        way = "in from" if row.incoming else "out to "
        amount = right(sat(row.amount_msat), 11)
        who = called(row.alias, None, row.peer, glyphs) if named else row.scid
        if width >= _ROOMY and named:
            who = f"{left(who, 24, glyphs.more)}  {row.scid}"
        text = f"{mark}{right(left_words, 14)} {amount}  {way} {who}"
        lines.append(fit(line(text, role), width, glyphs.more))
    if len(ordered) > most:
        rest = ordered[most:]
        total = sat(sum(row.amount_msat for row in rest))
        lines.append(line(f" and {count(len(rest))} more, {total} sat", Role.DIM))
    return lines


def _blocks(left_blocks: int) -> str:
    if left_blocks < 0:
        return f"{-left_blocks} late"
    return f"{count(left_blocks)} block{'' if left_blocks == 1 else 's'}"


def expiries(rows: Sequence[Pending], width: int, glyphs: Glyphs) -> list[Line]:
    """A bar for each stretch of blocks: how much expires within it, and in how many HTLCs."""
    bands = by_expiry(rows)
    if not bands:
        return []
    most = max(sum(row.amount_msat for row in band) for _, band in bands)
    room = max(4, min(40, width - 38))
    lines: list[Line] = []
    for label, band in bands:
        amount = sum(row.amount_msat for row in band)
        near = band and not lines
        lines.append(
            (
                (f" {left(label, 14)}", Role.BAD if near else Role.TEXT),
                (glyphs.bar(amount / most if most else 0, room), Role.BAR),
                (right(count(len(band)) if band else glyphs.dot, 5), Role.TEXT),
                (right(sat(amount) if band else "", 13), Role.TEXT),
            )
        )
    head = f" {left('blocks left', 14)}{' ' * room}{right('n', 5)}{right('sat', 13)}"
    return [line(head, Role.DIM), *lines]


def gaps(rows: Sequence[Gap], now_ns: int, width: int, glyphs: Glyphs, most: int = 8) -> list[Line]:
    """When nobody watched, for how long and why, newest first."""
    rows = watched.gaps(rows)
    lines: list[Line] = []
    for row in sorted(rows, key=lambda one: -one.from_ns)[:most]:
        length = span(row.until_ns - row.from_ns)
        reason = clean(row.reason, 200)
        if row.shed:
            reason = f"{reason} ({count(row.shed)} events dropped)"
        text = f" {glyphs.gap} {left(moment(row.from_ns, now_ns), 12)} {right(length, 7)}  {reason}"
        lines.append(fit(line(text), width, glyphs.more))
    if len(rows) > most:
        rest = sorted(rows, key=lambda one: -one.from_ns)[most:]
        total = span(sum(row.until_ns - row.from_ns for row in rest))
        lines.append(line(f" and {count(len(rest))} older, {total} together", Role.DIM))
    return lines


def no_changes(width: int) -> list[Line]:
    """What an empty list of changes says."""
    return paragraph(
        "No fee, limit or balance of ours changed in this window, and nobody set a mark.",
        width,
        Role.DIM,
    )
