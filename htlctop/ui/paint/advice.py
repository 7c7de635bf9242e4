"""Advice on the screen: the lines of a drill-down, the evidence by figures, why there is none.

The words come from export.advice, the same in a report.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from htlctop.analysis.advice.models import Advice, Figure, Kind, Opportunity
from htlctop.analysis.models import UNKNOWN_PEER, PeerRow
from htlctop.domain.types import NS
from htlctop.export.advice import (
    badge,
    month_range,
    most_it_costs,
    round_sat,
    sentence,
    value,
)
from htlctop.export.format import count, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.keys import key_of
from htlctop.ui.paint.parts import paragraph, rule, spelled
from htlctop.ui.text import Line, Role, fit, left, line, right, wrap

_HOUR_NS = 3600 * NS
_MOST_ROWS = 10_000
"""Of a formula, which may have a summand for each of thousands of peers."""
_HEX_KEY = re.compile(r"\b0[23][0-9a-f]{64}\b")


def per_month(one: Opportunity) -> str:
    """What it is worth in 30 days; "too early" while that cannot be said, "unknown" where its fee
    is not known."""
    if one.per_30d_msat is not None:
        return month_range(*one.per_30d_msat)
    return "too early" if one.worth_msat else "unknown"


def limits(one: Opportunity) -> str:
    """Where moving sat stops to pay and what it costs, "" for what costs nothing to try."""
    if one.kind is not Kind.REBALANCE_OUTBOUND or one.break_even_ppm is None:
        return ""
    text = f"break-even {count(one.break_even_ppm)} ppm"
    if one.ceiling_ppm is not None:
        text += f", suggested ceiling {count(one.ceiling_ppm)}"
    cost = most_it_costs(one)
    text = f"{text}, {cost}" if cost else text
    # Else the amount would contradict the knee of the curve beside it.
    if one.came_sat:
        text += f"; {short_sat(one.came_sat)} of the knee came since the last refusal"
    if one.spare_sat:
        text += f"; the source has {short_sat(one.spare_sat)} to spare"
    return text


def lead(view: Advice) -> str:
    """What stands before a piece of advice: only what may be acted on today reads as an order."""
    if view.too_early:
        return "So far"
    return "Do" if view.window.is_live else "Then"


_HEADINGS = {"Do": "What to do", "Then": "What was to do then"}


def heading(view: Advice | None) -> str:
    """The same above all of it."""
    word = lead(view) if view else "Do"
    return _HEADINGS.get(word, word)


def do(
    found: Sequence[Opportunity], view: Advice, command: str, width: int, glyphs: Glyphs
) -> list[Line]:
    """What to do about a peer: a paragraph for each, the command of the first below it."""
    lines: list[Line] = []
    for index, one in enumerate(found):
        text = f"{lead(view)}: {spelled(sentence(one), glyphs)} ({one.kind})"
        extra = "; ".join(part for part in (limits(one), badge(one, brief=True)) if part)
        if width >= 60:
            lines.extend(paragraph(text, width, Role.STRONG if not index else Role.TEXT, 3))
            lines.extend(paragraph(extra, width, Role.DIM, 3))
        else:
            lines.extend(paragraph(f"{text}; {extra}", width, Role.STRONG, 9))
        if not index and command:
            lines.extend(offered(command, width, glyphs))
    return lines


def offered(command: str, width: int, glyphs: Glyphs) -> list[Line]:
    """The command that does it, its keys shortened; what is copied is whole."""
    shown = _HEX_KEY.sub(lambda key: f"{key[0][:6]}{glyphs.more}{key[0][-4:]}", command)
    hint = f"[{key_of('copy', glyphs.ascii)}] copy"
    room = width - 4 - (len(hint) + 2 if width >= 60 else 0)
    lines = [
        line(f"   {row}", Role.TEXT)
        for block in shown.splitlines()
        for row in wrap(block, max(8, room), 12)
    ]
    if width < 60:
        return [*lines, line(f"   {hint}", Role.DIM)]
    first = (*fit(lines[0], width - len(hint) - 1, glyphs.more), (hint, Role.DIM))
    return [first, *lines[1:]]


def figures(
    found: Sequence[Figure],
    width: int,
    glyphs: Glyphs,
    shown: Callable[[Figure], str] = value,
) -> Iterator[Line]:
    """Each figure with its value and how it comes about."""
    names = [spelled(one.name, glyphs) for one in found]
    room = min(max(map(len, names), default=0) + 2, max(10, width // 2))
    for name, one in zip(names, found, strict=True):
        told = spelled(shown(one), glyphs)
        formula = f"= {spelled(one.formula, glyphs)}" if one.formula else ""
        if width < 60:
            yield from paragraph(f"{name}: {told}", width, Role.TEXT, _MOST_ROWS)
            yield from paragraph(f"  {formula}", width, Role.DIM, _MOST_ROWS)
            continue
        head = f" {left(name, room, glyphs.more)}{right(told, 14) if len(told) <= 14 else told}"
        if len(head) + len(formula) + 2 <= width:
            yield (head, Role.TEXT), (f"  {formula}", Role.DIM)
        elif len(head) <= width:
            yield fit(line(head), width, glyphs.more)
            yield from _indented(formula, width)
        else:  # words
            yield fit(line(f" {name}"), width, glyphs.more)
            yield from _indented(told, width)


def _indented(text: str, width: int) -> list[Line]:
    return [line(f"   {row}", Role.DIM) for row in wrap(text, max(1, width - 4), _MOST_ROWS)]


def evidence(
    one: Opportunity, view: Advice, command: str, width: int, glyphs: Glyphs
) -> list[Line]:
    """One piece of advice in full: what, how sure, the command or why there is none, and the
    figures it came from."""
    lines = paragraph(f"{_start(spelled(sentence(one), glyphs))}.", width, Role.STRONG)
    extra = "; ".join(part for part in (limits(one), badge(one, brief=width < 60)) if part)
    lines.extend(paragraph(extra, width, Role.DIM, 3))
    if command:
        lines.extend(offered(command, width, glyphs))
    else:
        lines.extend(paragraph(_no_command(view, glyphs), width, Role.DIM, 2))
    lines.append(rule("The figures it came from", width, glyphs))
    found = figures(one.evidence, width, glyphs)
    return [*lines, *(found if one.evidence else [line(" none", Role.DIM)])]


def _no_command(view: Advice, glyphs: Glyphs) -> str:
    copies = f"{key_of('copy', glyphs.ascii)} copies the peer's key"
    if view.too_early:
        return f"(no command while it is too early; {copies})"
    if not view.window.is_live:
        return f"(no command for a past time, {key_of('now', glyphs.ascii)} is now; {copies})"
    return f"(no command does this; {copies})"


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]


def is_fresh(view: Advice) -> bool:
    """Whether so little was watched that what there is to do would read as an order."""
    return bool(view.too_early) and view.window.covered_ns < _HOUR_NS


def why_not(view: Advice, peer: PeerRow) -> str:
    """Why there is nothing to do about a peer about which there is nothing."""
    if is_fresh(view):
        return view.too_early
    if peer.peer == UNKNOWN_PEER:
        return "nothing: LND did not say which peer they were for"
    reason = next((item.because for item in view.not_advised if item.peer == peer.peer), "")
    if reason:
        return f"nothing: {reason}"
    if view.too_early:
        return view.too_early
    if not peer.sums.expected_msat and not peer.sums.offered_msat:
        return "nothing: no fee was missed here"
    least = round_sat(view.least_msat)
    return f"nothing: what could be done here is worth less than {least} sat a month"


def told(view: Advice) -> str:
    """What is to be said beside the list: that it is early, that more was found. "" for nothing."""
    words = [view.too_early]
    if view.hidden:
        more = "one more is" if view.hidden == 1 else f"{count(view.hidden)} more are"
        words.append(f"{more} worth too little to show")
    return "; ".join(text.rstrip(".") for text in words if text)


def none(view: Advice) -> tuple[str, ...]:
    """Why there is nothing to do."""
    return (view.why_none or "Nothing to do: no peer misses enough for a piece of advice.",)
