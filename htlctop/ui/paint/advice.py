"""Advice in words: a line for a list, the lines of a drill-down, the evidence by figures."""

import re
from collections.abc import Sequence

from htlctop.analysis.advice.models import Advice, Figure, Kind, Opportunity
from htlctop.export.format import count, sat, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.parts import called, paragraph
from htlctop.ui.text import Line, Role, fit, line, right, wrap

_HEX_KEY = re.compile(r"\b0[23][0-9a-f]{64}\b")

DO = {
    Kind.REBALANCE_OUTBOUND: "fill",
    Kind.RAISE_FEES: "fee up",
    Kind.LOWER_FEES: "fee down",
    Kind.INCREASE_CAPACITY: "grow",
    Kind.REBALANCE_INBOUND: "drain",
    Kind.RAISE_MAX_HTLC: "max up",
    Kind.ALIGN_CHANNELS: "align",
    Kind.RECONNECT_PEER: "connect",
    Kind.INVESTIGATE: "look",
}
"""What to do in a word, for tables."""


def sentence(one: Opportunity, glyphs: Glyphs) -> str:
    """What to do in one line, with what it may cost: bring 1.2M sat into ACINQ below 82 ppm."""
    who = called(one.alias, one.pubkey, one.peer, glyphs)
    amount = short_sat((one.amount_msat or 0) // 1000)
    now, to = one.break_even_ppm, one.ceiling_ppm
    if one.kind is Kind.REBALANCE_OUTBOUND:
        text = f"bring {amount} sat into {who}"
        return f"{text} below {count(to)} ppm" if to is not None else text
    if one.kind in (Kind.RAISE_FEES, Kind.LOWER_FEES):
        word = "raise" if one.kind is Kind.RAISE_FEES else "lower"
        change = f" from {count(now)} to {count(to)} ppm" if now is not None and to else ""
        return f"{word} the fee toward {who}{change}"
    if one.kind is Kind.INCREASE_CAPACITY:
        size = f" {amount} sat" if one.amount_msat else ""
        return f"open{size} more capacity to {who}"
    if one.kind is Kind.REBALANCE_INBOUND:
        return f"make room on {who}'s side{f' for {amount} sat' if one.amount_msat else ''}"
    if one.kind is Kind.RAISE_MAX_HTLC:
        return f"raise max_htlc toward {who}{f' to {amount} sat' if one.amount_msat else ''}"
    if one.kind is Kind.ALIGN_CHANNELS:
        return f"give {who}'s channels the same fee and limits"
    if one.kind is Kind.RECONNECT_PEER:
        return f"get {who} back online"
    return f"find out why {who} refuses HTLCs"


def worth(one: Opportunity) -> str:
    """What it is worth in 30 days, as a range, or that it is too early to say."""
    if one.per_30d_msat is None:
        return "too early to say"
    low, high = one.per_30d_msat
    if sat(low) == sat(high):
        return f"{_short(low)} sat"
    return f"{_short(low)}-{_short(high)} sat"


def _short(msat: int) -> str:
    return sat(msat) if msat < 10_000_000 else short_sat((msat + 500) // 1000)


def badge(one: Opportunity) -> str:
    """The urgency with its parts, and the confidence."""
    parts = one.urgency
    return (
        f"urgency {parts.total} = {parts.revenue}+{parts.frequency}+{parts.rate}, "
        f"confidence {one.confidence}"
    )


def limits(one: Opportunity) -> str:
    """Where moving sat stops to pay, "" for what costs nothing to try."""
    if one.kind is not Kind.REBALANCE_OUTBOUND or one.break_even_ppm is None:
        return ""
    text = f"break-even {count(one.break_even_ppm)} ppm"
    if one.ceiling_ppm is not None:
        text += f", suggested ceiling {count(one.ceiling_ppm)}"
    return text


def do(found: Sequence[Opportunity], command: str, width: int, glyphs: Glyphs) -> list[Line]:
    """What to do about a peer: a paragraph for each, the command of the first below it."""
    lines: list[Line] = []
    for index, one in enumerate(found):
        text = f"Do: {sentence(one, glyphs)} ({one.kind}), worth {worth(one)} a month"
        extra = "; ".join(part for part in (limits(one), badge(one)) if part)
        if width >= 60:
            lines.extend(paragraph(f"{text}.", width, Role.STRONG if not index else Role.TEXT, 3))
            lines.extend(paragraph(extra, width, Role.DIM, 2))
        else:
            lines.extend(paragraph(f"{text}; {extra}", width, Role.STRONG, 6))
        if not index and command:
            lines.extend(offered(command, width, glyphs))
    return lines


def offered(command: str, width: int, glyphs: Glyphs) -> list[Line]:
    """The command that does it, its keys shortened; what is copied is whole."""
    shown = _HEX_KEY.sub(lambda key: f"{key[0][:6]}{glyphs.more}{key[0][-4:]}", command)
    hint = "[y] copy"
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


def figures(found: Sequence[Figure], width: int, glyphs: Glyphs) -> list[Line]:
    """Each figure with its value and how it comes about."""
    room = max((len(one.name) for one in found), default=0)
    room = min(room + 2, max(10, width // 3))
    lines: list[Line] = []
    for one in found:
        told = value(one)
        if width < 60:
            lines.extend(paragraph(f"{one.name.replace('_', ' ')}: {told}", width))
            if one.formula:
                lines.extend(paragraph(f"  = {one.formula}", width, Role.DIM))
            continue
        label = one.name.replace("_", " ")
        from_ = f"  = {one.formula}" if one.formula else ""
        head = f" {label.ljust(room)}{right(told, 14) if len(told) <= 14 else told}"
        if len(head) + len(from_) <= width or not from_:
            lines.append(((head, Role.TEXT), (from_, Role.DIM)))
        else:
            lines.append(line(head))
            lines.extend(paragraph(f"    = {one.formula}", width, Role.DIM))
    return lines


def value(one: Figure) -> str:
    """A figure's value with its unit; amounts in sat."""
    found = one.value
    if found is None:
        return "not known"
    if one.unit == "msat" and isinstance(found, int):
        return f"{sat(found)} sat"
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, int):
        text = count(found)
    elif isinstance(found, float):
        text = f"{found:,.3f}".rstrip("0").rstrip(".")
    else:
        text = str(found)
    return f"{text} {one.unit}".rstrip()


def none(view: Advice) -> tuple[str, ...]:
    """Why nothing is advised, and what would change that."""
    told = [view.too_early, view.why_none]
    found = tuple(text for text in told if text)
    return found or ("Nothing to do: no peer misses enough for a piece of advice.",)


def hidden(view: Advice) -> str:
    """That more holds than is shown, "" where all is shown."""
    if not view.hidden:
        return ""
    more = "one more is" if view.hidden == 1 else f"{count(view.hidden)} more are"
    return f"{more} worth too little to show"
