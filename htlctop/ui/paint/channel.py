"""The drill-down of one channel, as the one that senders named."""

from collections.abc import Sequence

from htlctop.analysis.details import Change, ChannelDetail
from htlctop.analysis.models import ChannelRow
from htlctop.export.format import count, percent, sat, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint import records
from htlctop.ui.paint.live import live
from htlctop.ui.paint.over_time import over_time
from htlctop.ui.paint.parts import SIDE_BY_SIDE, beside, called, rule, sources, why, widths
from htlctop.ui.text import Line, Part, Role, cut, indent, line
from htlctop.ui.words import channel_id, gone


def page(
    view: ChannelDetail,
    changes: Sequence[Change],
    width: int,
    height: int,
    glyphs: Glyphs,
) -> tuple[Line, ...]:
    """The whole page, as long as it gets; whoever shows it scrolls."""
    now_ns = view.window.until_ns
    mine = tuple(change for change in changes if change.scid in ("", view.row.scid))
    lines: list[Line] = [
        _who(view.row, width, glyphs),
        _made_of(view, width, glyphs),
        _held(view.row, width, glyphs),
        *over_time(view.series, view.balance, view.window, mine, width, height, glyphs),
    ]
    if siblings := _siblings(view, width):
        lines.append(siblings)
    if width >= SIDE_BY_SIDE:
        wide = widths(width, 2)
        two = why(view.categories, wide[0], glyphs), sources(view.sources, wide[1], height, glyphs)
        lines.extend(beside(two, wide, glyphs))
    else:
        lines.extend(why(view.categories, width, glyphs))
        lines.extend(sources(view.sources, width, height, glyphs))
    if found := records.changes(mine, now_ns, width, glyphs, named=False):
        lines.extend([rule("Changes", width, glyphs), *found])
    if found := records.policies(view.policies, now_ns, width, glyphs):
        lines.extend([rule("What we asked, since when", width, glyphs), *found])
    if found := records.pending(view.pending, width, glyphs, named=False):
        lines.extend([rule("On the channel now, by expiry", width, glyphs), *found])
    lines.append(rule("Events", width, glyphs))
    log = view.events
    lines.extend(live(log, width, len(log), glyphs) or [line(" none in the store", Role.DIM)])
    return tuple(lines)


def _who(row: ChannelRow, width: int, glyphs: Glyphs) -> Line:
    state, role = "", Role.TEXT
    if not row.is_open:
        state, role = gone(row.peer), Role.WARN
    elif row.is_active is not None:
        state, role = ("active", Role.GOOD) if row.is_active else ("INACTIVE", Role.BAD)
    with_ = called(row.alias, row.pubkey, row.peer, glyphs)
    return indent(
        width,
        [
            Part(channel_id(row), Role.STRONG),
            Part(f"with {cut(with_, 32, glyphs.more)}", Role.TEXT, 1),
            Part(state, role, 2),
            Part(row.channel_id, Role.DIM, 3),
        ],
    )


def _made_of(view: ChannelDetail, width: int, glyphs: Glyphs) -> Line:
    sums = view.row.sums
    made = f"= net demand {sat(sums.net_demand_msat)}"
    short = f"= {sat(sums.net_demand_msat)}"
    if view.peer_row is not None:
        rate = percent(view.peer_row.settle_rate, 1)
        made += f" {glyphs.times} the peer's settle rate {rate} (30 d)"
        short += f" {glyphs.times} {rate}"
    return indent(
        width,
        [
            Part(f"Missed {sat(sums.expected_msat)} sat", Role.STRONG),
            Part(made, Role.TEXT, 1, short if width < SIDE_BY_SIDE else ""),
            Part(f"every try {sat(sums.asked_msat)}", Role.DIM, 3),
            Part(f"earned {sat(sums.earned_msat)}", Role.TEXT, 2),
            Part(f"refused {count(sums.refused)}, settled {count(sums.settled)}", Role.TEXT, 4),
        ],
    )


def _held(row: ChannelRow, width: int, glyphs: Glyphs) -> Line:
    """Who holds what of it, and what we ask."""
    parts: list[Part] = []
    if row.capacity_sat:
        parts.append(Part(f"capacity {short_sat(row.capacity_sat)}", Role.TEXT, 3))
    if row.capacity_sat and row.local_sat is not None:
        share = percent(row.local_sat, row.capacity_sat)
        bar = glyphs.bar_left + glyphs.bar(row.local_sat / row.capacity_sat, 12) + glyphs.bar_right
        parts.append(
            Part(f"ours {count(row.local_sat)} sat = {share}", Role.TEXT, 0, f"ours {share}")
        )
        parts.append(Part(bar, Role.BAR, 4))
    if row.remote_sat is not None:
        parts.append(Part(f"theirs {count(row.remote_sat)} sat", Role.TEXT, 2))
    if row.fee_rate_ppm is not None:
        asked = records.fee(row.fee_base_msat or 0, row.fee_rate_ppm)
        parts.append(Part(f"we ask {asked}", Role.TEXT, 1))
    return indent(width, parts or [Part("its balance and fee are not known", Role.DIM)])


def _siblings(view: ChannelDetail, width: int) -> Line:
    """That LND may have used another channel of the peer: the one named is the sender's choice."""
    if view.peer_row is None or len(view.peer_row.channels) < 2:
        return ()
    others = len(view.peer_row.channels) - 1
    with_room = max(
        (c.local_sat or 0 for c in view.peer_row.channels if c.channel != view.row.channel),
        default=0,
    )
    told = f"{count(others)} more channel{'' if others == 1 else 's'} with this peer"
    return indent(
        width,
        [
            Part(told, Role.DIM),
            Part(f"ours there at most {short_sat(with_room)}", Role.DIM, 1),
            Part("LND tries them all; senders name one", Role.DIM, 2),
        ],
    )
