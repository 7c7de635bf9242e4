"""The drill-down of one pair: who wanted to reach whom, what became of it, when and why not."""

from htlctop.analysis.details import PairDetail
from htlctop.analysis.models import PairRow
from htlctop.export.format import count, sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.live import live
from htlctop.ui.paint.over_time import over_time
from htlctop.ui.paint.parts import SIDE_BY_SIDE, beside, called, rule, why, widths
from htlctop.ui.text import Line, Part, Role, cut, indent, line, right


def page(view: PairDetail, width: int, height: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """The whole page, as long as it gets; whoever shows it scrolls."""
    lines: list[Line] = [
        _who(view.row, width, glyphs),
        _sums(view.row, width),
        *over_time(view.series, (), view.window, (), width, height, glyphs),
    ]
    if width >= SIDE_BY_SIDE:
        wide = widths(width, 2)
        two = why(view.categories, wide[0], glyphs), _became(view.row, wide[1])
        lines.extend(beside(two, wide, glyphs))
    else:
        lines.extend(why(view.categories, width, glyphs))
        lines.extend(_became(view.row, width))
    lines.append(rule("Events", width, glyphs))
    log = view.events
    lines.extend(live(log, width, len(log), glyphs) or [line(" none in the store", Role.DIM)])
    return tuple(lines)


def _who(row: PairRow, width: int, glyphs: Glyphs) -> Line:
    room = max(6, (min(width, 80) - 6) // 2)
    source = cut(called(row.in_alias, row.in_pubkey, row.in_peer, glyphs), room, glyphs.more)
    target = cut(called(row.out_alias, row.out_pubkey, row.out_peer, glyphs), room, glyphs.more)
    parts = [Part(f"{source} {glyphs.arrow} {target}", Role.STRONG)]
    return indent(width, parts)


def _sums(row: PairRow, width: int) -> Line:
    sums = row.sums
    return indent(
        width,
        [
            Part(f"Missed {sat(sums.expected_msat)} sat", Role.STRONG),
            Part(f"net demand {sat(sums.net_demand_msat)}", Role.TEXT, 1),
            Part(f"every try {sat(sums.asked_msat)}", Role.DIM, 3),
            Part(f"earned {sat(sums.earned_msat)}", Role.TEXT, 2),
        ],
    )


def _became(row: PairRow, width: int) -> list[Line]:
    """What became of the forwards between the two, and of the payments refused."""
    sums = row.sums
    rows = (
        ("settled", count(sums.settled), "forwards that earned their fee"),
        ("downstream", count(sums.downstream), "sent on, failed further away"),
        ("refused", count(sums.refused), "failed at this node"),
        ("payments", count(sums.claims), "lost, each counted once"),
        ("came back", sat(sums.recovered_msat), "sat that arrived on a later try"),
        ("repeats", count(sums.repeats), "a rebalancer trying again"),
    )
    lines = [line(" What became of them", Role.TITLE)]
    for label, figure, words in rows:
        if figure == "0" and label in ("came back", "repeats"):
            continue
        text = f" {label:<11}{right(figure, 8)}  "
        lines.append(((text, Role.TEXT), (words if width >= 44 else "", Role.DIM)))
    return lines
