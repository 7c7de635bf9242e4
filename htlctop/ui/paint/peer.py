"""The drill-down of one peer: how its missed fee comes about, why, from whom, and its log."""

from collections.abc import Sequence

from htlctop.analysis.details import PeerDetail
from htlctop.analysis.models import CategoryRow, ChannelRow, HtlcLine, PairRow
from htlctop.domain.codes import Group
from htlctop.export.format import (
    LONGEST_KEY,
    ascii_only,
    clean,
    count,
    name,
    percent,
    sat,
    short_sat,
)
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.chart import chart
from htlctop.ui.paint.live import live, rule
from htlctop.ui.paint.overview import chart_line, chart_width
from htlctop.ui.text import BLANK, Line, Part, Role, cut, fit, indent, left, line, right

SIDE_BY_SIDE = 66
_FIGURES = 16
_MOST_SOURCES = 12


def page(view: PeerDetail, log: Sequence[HtlcLine], width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """The whole page, as long as it gets; whoever shows it scrolls."""
    drawn = chart(view.series, lambda bar: bar.net_demand_msat, chart_width(width), glyphs)
    lines: list[Line] = [
        _who(view, width, glyphs),
        _sum(view, width, glyphs),
        chart_line(view.series, drawn, "demand", view.status.now_ns, width, glyphs),
        *_channels(view, width, glyphs),
    ]
    why = _why(view.categories, _half(width, 0), glyphs)
    sources = _sources(view.sources, _half(width, 1), glyphs)
    if width >= SIDE_BY_SIDE:
        lines.extend(_beside(why, sources, width, glyphs))
    else:
        lines.extend([*why, *sources])
    lines.append(rule("Events", width, glyphs))
    lines.extend(live(log, width, len(log), glyphs) or [line(" none in the store", Role.DIM)])
    return tuple(lines)


def _who(view: PeerDetail, width: int, glyphs: Glyphs) -> Line:
    row = view.row
    title = name(row.alias, row.pubkey, row.peer)
    if glyphs.ascii:
        title = ascii_only(title)
    parts = [Part(cut(title, 32, glyphs.more), Role.STRONG)]
    still_open = [channel for channel in row.channels if channel.is_open]
    if len(row.channels) == 1:
        parts.append(Part(row.channels[0].scid, Role.TEXT, 5))
    elif row.channels:
        parts.append(Part(f"{glyphs.several}{len(row.channels)} channels", Role.TEXT, 5))
    if row.pubkey:
        key = clean(row.pubkey, LONGEST_KEY)
        parts.append(Part(f"{key[:8]}{glyphs.more}{key[-4:]}", Role.DIM, 7))
    if not still_open and row.channels:
        parts.append(Part("closed", Role.WARN, 1))
    elif row.channels:
        parts.append(
            Part("online" if row.online else "OFFLINE", Role.GOOD if row.online else Role.BAD, 1)
        )
    if row.capacity_sat:
        parts.append(Part(f"capacity {short_sat(row.capacity_sat)}", Role.TEXT, 4))
        if row.local_sat is not None:
            share = percent(row.local_sat, row.capacity_sat)
            parts.append(Part(f"local {share} now", Role.TEXT, 2))
    parts.extend(_policy(still_open))
    return indent(width, parts)


def _policy(channels: Sequence[ChannelRow]) -> list[Part]:
    asked = sorted(
        {(c.fee_base_msat, c.fee_rate_ppm) for c in channels if c.fee_rate_ppm is not None},
        key=lambda policy: (policy[1] or 0, policy[0] or 0),
    )
    if not asked:
        return []
    base, rate = asked[0]
    text = f"we ask {_base(base)}{count(rate or 0)} ppm"
    if len(asked) > 1:
        text = f"we ask {count(rate or 0)}-{count(asked[-1][1] or 0)} ppm"
    return [Part(text, Role.TEXT, 6)]


def _base(base_msat: int | None) -> str:
    return f"{sat(base_msat or 0)} sat + " if base_msat else ""


def _sum(view: PeerDetail, width: int, glyphs: Glyphs) -> Line:
    sums = view.row.sums
    rate, demand = percent(view.row.settle_rate, 1), sat(sums.net_demand_msat)
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
    )


def _channels(view: PeerDetail, width: int, glyphs: Glyphs) -> list[Line]:
    if len(view.row.channels) < 2:
        return []
    lines = []
    for channel in view.row.channels:
        parts = [
            Part(f"{glyphs.child} {left(channel.scid, 16)}", Role.TEXT),
            Part(f"missed {right(sat(channel.sums.expected_msat), 8)}", Role.TEXT, 1),
            Part(f"demand {right(sat(channel.sums.net_demand_msat), 8)}", Role.TEXT, 2),
            Part(f"refused {right(count(channel.sums.refused), 5)}", Role.TEXT, 3),
        ]
        if not channel.is_open:
            parts.append(Part("closed", Role.DIM, 4))
        elif channel.capacity_sat:
            share = percent(channel.local_sat or 0, channel.capacity_sat)
            of = f"local {right(share, 4)} of {short_sat(channel.capacity_sat)}"
            parts.append(Part(of if channel.local_sat is not None else "", Role.TEXT, 4))
            if not channel.is_active:
                parts.append(Part("inactive", Role.BAD, 2))
        lines.append(indent(width, parts))
    return lines


def _half(width: int, side: int) -> int:
    if width < SIDE_BY_SIDE:
        return width
    return (width - 1) // 2 if side == 0 else width - 1 - (width - 1) // 2


def _why(categories: Sequence[CategoryRow], width: int, glyphs: Glyphs) -> list[Line]:
    rows = [row for row in categories if row.count and row.category.group is not Group.EARNED]
    rows.sort(key=lambda row: (-row.net_demand_msat, -row.offered_msat, -row.count))
    lines = [_titled("Why (demand)", width, glyphs)]
    for row in rows:
        label = row.category.label
        if row.category.group is Group.LOST:
            unpaid = row.fee_unknown and not row.net_demand_msat
            amount = "unknown" if unpaid else sat(row.net_demand_msat)
            lines.append(_figure(label, amount, row.count, width, glyphs))
        elif row.category.group is Group.PRICED_OUT:
            offered = f"{sat(row.offered_msat)} bid"
            lines.append(_figure(label, offered, row.count, width, glyphs, Role.DIM))
        else:
            lines.append(_figure(label, "", row.count, width, glyphs, Role.DIM))
    return lines if rows else [*lines, line(" nothing refused", Role.DIM)]


def _sources(pairs: Sequence[PairRow], width: int, glyphs: Glyphs) -> list[Line]:
    lines = [_titled("From", width, glyphs)]
    for pair in pairs[:_MOST_SOURCES]:
        title = name(pair.in_alias, pair.in_pubkey, pair.in_peer)
        if glyphs.ascii:
            title = ascii_only(title)
        sums = pair.sums
        lines.append(_figure(title, sat(sums.net_demand_msat), sums.refused, width, glyphs))
    if len(pairs) > _MOST_SOURCES:
        rest = pairs[_MOST_SOURCES:]
        total = sum(pair.sums.net_demand_msat for pair in rest)
        refused = sum(pair.sums.refused for pair in rest)
        title = f"{len(rest)} more"
        lines.append(_figure(title, sat(total), refused, width, glyphs, Role.DIM))
    return lines if pairs else [*lines, line(" nobody yet", Role.DIM)]


def _titled(title: str, width: int, glyphs: Glyphs) -> Line:
    label = max(4, width - _FIGURES - 3)
    text = f" {left(title, label)}{right('sat', 9)}{right('n', 6)}"
    return fit(line(text, Role.TITLE), width, glyphs.more)


def _figure(
    label: str, amount: str, number: int, width: int, glyphs: Glyphs, role: Role = Role.TEXT
) -> Line:
    room = max(4, width - _FIGURES - 3)
    text = f" {left(label, room, glyphs.more)}{right(amount, 9)}{right(count(number), 6)}"
    return fit(line(text, role), width, glyphs.more)


def _beside(one: list[Line], other: list[Line], width: int, glyphs: Glyphs) -> list[Line]:
    first, second = _half(width, 0), _half(width, 1)
    rows = max(len(one), len(other))
    one = [*one, *([BLANK] * (rows - len(one)))]
    other = [*other, *([BLANK] * (rows - len(other)))]
    side = (glyphs.side, Role.TITLE)
    return [
        (*fit(a, first, glyphs.more), side, *fit(b, second, glyphs.more))
        for a, b in zip(one, other, strict=True)
    ]
