"""The drill-down of one peer: how its missed fee comes about, why, from whom, and its log."""

from collections.abc import Sequence
from dataclasses import dataclass

from htlctop.analysis.advice.models import Advice, Curve, Opportunity
from htlctop.analysis.details import Change, PeerDetail
from htlctop.analysis.models import ChannelRow, PeerRow
from htlctop.export.format import LONGEST_KEY, clean, count, percent, sat, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.keys import key_of
from htlctop.ui.paint import records
from htlctop.ui.paint.advice import do, lead, why_not
from htlctop.ui.paint.curve import curve
from htlctop.ui.paint.live import live
from htlctop.ui.paint.over_time import over_time, when
from htlctop.ui.paint.parts import (
    SIDE_BY_SIDE,
    beside,
    called,
    paragraph,
    rule,
    sources,
    spelled,
    why,
    widths,
)
from htlctop.ui.text import Line, Part, Role, cut, indent, left, line, right
from htlctop.ui.words import channel_id, gone

CURVE_BESIDE = 96
"""From this width on the curve stands beside Why and From."""


@dataclass(frozen=True, slots=True)
class More:
    """What is read after the peer itself, as far as it is there.

    `curve_read` tells a peer without a curve from one whose curve is being read; `command` does
    the first piece of advice, "" where there is none.
    """

    curve: Curve | None = None
    curve_read: bool = False
    advice: Advice | None = None
    changes: Sequence[Change] = ()
    command: str = ""


def page(view: PeerDetail, more: More, width: int, height: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """The whole page, as long as it gets; whoever shows it scrolls."""
    now_ns = view.window.until_ns
    lines: list[Line] = [
        _who(view, width, glyphs),
        made_of(view.row, width, glyphs),
        *over_time(view.series, view.balance, view.window, more.changes, width, height, glyphs),
        *_channels(view, width, glyphs),
    ]
    advised = _advised(view.row, more, width, glyphs)
    tables = _tables(view, more, width, height, glyphs)
    lines.extend([*advised, *tables] if width < SIDE_BY_SIDE else [*tables, *advised])
    if width < CURVE_BESIDE:
        lines.extend(_curve(more, width, glyphs))
    if found := records.changes(more.changes, now_ns, width, glyphs, named=False):
        lines.extend([rule("Changes", width, glyphs), *found])
    if found := records.policies(view.policies, now_ns, width, glyphs):
        lines.extend([rule("What we asked, since when", width, glyphs), *found])
    if found := records.pending(view.pending, width, glyphs, named=False):
        lines.extend([rule("On its channels now, by expiry", width, glyphs), *found])
    lines.append(rule("Events", width, glyphs))
    log = view.events
    lines.extend(live(log, width, len(log), glyphs) or [line(" none in the store", Role.DIM)])
    return tuple(lines)


def _who(view: PeerDetail, width: int, glyphs: Glyphs) -> Line:
    """Its name, whether it is there and how much of the time it was, what its channels hold and
    what we ask."""
    row = view.row
    title = called(row.alias, row.pubkey, row.peer, glyphs)
    parts = [Part(cut(title, 32, glyphs.more), Role.STRONG)]
    still_open = [channel for channel in row.channels if channel.is_open]
    if len(row.channels) == 1:
        parts.append(Part(channel_id(row.channels[0]), Role.TEXT, 5))
    elif row.channels:
        parts.append(Part(f"{glyphs.several}{len(row.channels)} channels", Role.TEXT, 5))
    if row.pubkey:
        key = clean(row.pubkey, LONGEST_KEY)
        parts.append(Part(f"{key[:8]}{glyphs.more}{key[-4:]}", Role.DIM, 7))
    if not still_open and row.channels:
        parts.append(Part(gone(row.peer), Role.WARN, 1))
    elif row.online is not None:
        parts.append(_there(row.online, view.online))
    if row.capacity_sat:
        parts.append(Part(f"capacity {short_sat(row.capacity_sat)}", Role.TEXT, 4))
        if row.local_sat is not None:
            share = percent(row.local_sat, row.capacity_sat)
            parts.append(Part(f"local {share} {when(view.window)}", Role.TEXT, 2))
    parts.extend(asked(still_open))
    return indent(width, parts)


def _there(is_online: bool, share: float | None) -> Part:
    """Whether it is online, and in how much of the window it was."""
    now, role = ("online", Role.GOOD) if is_online else ("OFFLINE", Role.BAD)
    if share is None:
        return Part(now, role, 1)
    told = percent(share, 1)
    return Part(f"{now} {told}" if is_online else f"{now}, {told} online", role, 1, now)


def asked(channels: Sequence[ChannelRow]) -> list[Part]:
    """What we ask on these channels, from the lowest to the highest where they differ."""
    found = sorted(
        {(c.fee_base_msat, c.fee_rate_ppm) for c in channels if c.fee_rate_ppm is not None},
        key=lambda policy: (policy[1] or 0, policy[0] or 0),
    )
    if not found:
        return []
    base, rate = found[0]
    text = f"we ask {records.fee(base or 0, rate or 0)}"
    if len(found) > 1:
        text = f"we ask {count(rate or 0)}-{count(found[-1][1] or 0)} ppm"
    return [Part(text, Role.TEXT, 6)]


def made_of(row: PeerRow, width: int, glyphs: Glyphs) -> Line:
    """How the missed fee comes about, in one line."""
    sums = row.sums
    rate, demand = percent(row.settle_rate, 1), sat(sums.net_demand_msat)
    return indent(
        width,
        [
            Part(f"Missed {sat(sums.expected_msat)} sat", Role.STRONG),
            Part(
                f"= net demand {demand} {glyphs.times} settle rate {rate} (30 d)",
                Role.TEXT,
                1,
                f"= {demand} {glyphs.times} {rate}" if width < SIDE_BY_SIDE else "",
            ),
            Part(f"every try {sat(sums.asked_msat)}", Role.DIM, 3),
            Part(f"earned {sat(sums.earned_msat)}", Role.TEXT, 2),
            Part(f"refused {count(sums.refused)}, settled {count(sums.settled)}", Role.TEXT, 4),
        ],
        [Part(f"[{key_of('how', glyphs.ascii)}] how", Role.DIM, 5)],
    )


def _channels(view: PeerDetail, width: int, glyphs: Glyphs) -> list[Line]:
    if len(view.row.channels) < 2:
        return []
    lines = []
    for channel in view.row.channels:
        parts = [
            Part(f"{glyphs.child} {left(channel_id(channel), 16)}", Role.TEXT),
            Part(f"missed {right(sat(channel.sums.expected_msat), 8)}", Role.TEXT, 1),
            Part(f"demand {right(sat(channel.sums.net_demand_msat), 8)}", Role.TEXT, 2),
            Part(f"refused {right(count(channel.sums.refused), 5)}", Role.TEXT, 3),
        ]
        if not channel.is_open:
            parts.append(Part(gone(channel.peer), Role.DIM, 4))
        elif channel.capacity_sat:
            share = percent(channel.local_sat or 0, channel.capacity_sat)
            of = f"local {right(share, 4)} of {short_sat(channel.capacity_sat)}"
            parts.append(Part(of if channel.local_sat is not None else "", Role.TEXT, 4))
            if channel.is_active is False:
                parts.append(Part("inactive", Role.BAD, 2))
        lines.append(indent(width, parts))
    return lines


def _tables(
    view: PeerDetail, more: More, width: int, height: int, glyphs: Glyphs
) -> Sequence[Line]:
    """Why and From, with the curve beside them where there is room, or one under the other."""
    if width >= CURVE_BESIDE:
        wide = _three(width)
        return beside(
            (
                why(view.categories, wide[0], glyphs),
                sources(view.sources, wide[1], height, glyphs),
                _curve(more, wide[2], glyphs),
            ),
            wide,
            glyphs,
        )
    if width < SIDE_BY_SIDE:
        return (
            *why(view.categories, width, glyphs),
            *sources(view.sources, width, height, glyphs),
        )
    halves = widths(width, 2)
    two = (
        why(view.categories, halves[0], glyphs),
        sources(view.sources, halves[1], height, glyphs),
    )
    return beside(two, halves, glyphs)


def _three(width: int) -> tuple[int, int, int]:
    """The curve takes what the two tables leave, and they no more than reads well."""
    table = min(44, max(30, (width - 40) // 2))
    return table, table, width - 2 - 2 * table


def _curve(more: More, width: int, glyphs: Glyphs) -> list[Line]:
    if not more.curve_read:
        return []
    return curve(more.curve, width, glyphs)


def _advised(row: PeerRow, more: More, width: int, glyphs: Glyphs) -> list[Line]:
    found = of_peer(more.advice, row.peer)
    if more.advice is None:
        return []
    if found:
        return do(found, more.advice, more.command, width, glyphs)
    because = spelled(why_not(more.advice, row), glyphs)
    return paragraph(f"{lead(more.advice)}: {because}", width, Role.DIM, 4)


def of_peer(advice: Advice | None, peer: int) -> tuple[Opportunity, ...]:
    """What is advised about a peer."""
    if advice is None:
        return ()
    return tuple(one for one in advice.opportunities if one.peer == peer)
