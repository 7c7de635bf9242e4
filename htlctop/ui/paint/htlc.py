"""The drill-down of one HTLC: what happened when, the codes, the fee, the balance, its payment."""

from htlctop.analysis.details import HtlcDetail
from htlctop.analysis.models import HtlcLine
from htlctop.domain.codes import EventType, Group, Outcome
from htlctop.domain.fees import ppm
from htlctop.domain.types import NS
from htlctop.export.format import ago, clock_seconds, count, local, sat, span
from htlctop.export.htlc import ends
from htlctop.ui.codes import detail_name, wire_name
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.live import entry
from htlctop.ui.paint.parts import field, rule, spelled
from htlctop.ui.text import Line, Part, Role, cut, indent
from htlctop.ui.words import MEANS, outcome

_MS = 1_000_000
_KINDS = {EventType.SEND: "our own payment", EventType.RECEIVE: "a payment to us"}


def page(view: HtlcDetail, width: int, height: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """The whole page; short, so that it mostly fits."""
    lines = [_title(view.line, width, glyphs)]
    for label, value, role in _fields(view):
        if value:
            lines.extend(field(label, value, width, glyphs, role))
    lines.append(rule("The payment it belongs to", width, glyphs))
    lines.extend(_payment(view, width, glyphs))
    return tuple(lines)


def _title(one: HtlcLine, width: int, glyphs: Glyphs) -> Line:
    source, target = (spelled(end, glyphs) for end in ends(one))
    what, role = outcome(one)
    room = max(6, (width - len(what) - 8) // 2)
    both = f"{cut(source, room, glyphs.more)} {glyphs.arrow} {cut(target, room, glyphs.more)}"
    return indent(width, [Part(both, Role.STRONG), Part(what, role, 1)])


def _fields(view: HtlcDetail) -> list[tuple[str, str, Role]]:
    one = view.line
    loud = outcome(one)[1]
    return [
        ("kind", _KINDS.get(one.event_type, "a forward"), Role.TEXT),
        ("first seen", _when(one.at_ns), Role.TEXT),
        ("ended", _ended(view), Role.TEXT),
        ("why", _why(one), loud),
        ("LND's codes", _codes(one), Role.TEXT),
        ("in by", _circuit(one.in_scid, view.in_channel_id, view.in_htlc), Role.TEXT),
        ("out by", _circuit(one.out_scid, view.out_channel_id, view.out_htlc), Role.TEXT),
        ("amount in", _amount(view.in_msat), Role.TEXT),
        ("amount out", _amount(view.out_msat), Role.TEXT),
        ("fee offered", _fee(one.fee_msat, view.out_msat), Role.STRONG),
        ("fee asked", _asked(view), Role.TEXT),
        ("usable then", _usable(view), Role.TEXT),
        ("short by", _short(one), Role.BAD),
        (
            "known from",
            "ForwardingHistory: nobody watched then" if view.from_history else "",
            Role.DIM,
        ),
    ]


def _when(at_ns: int) -> str:
    at = local(at_ns)
    return f"{at.day} {at:%b %Y} {clock_seconds(at_ns)}.{at_ns % NS // _MS:03d}"


def _ended(view: HtlcDetail) -> str:
    one = view.line
    if one.ended_ns is None:
        if one.outcome is Outcome.UNSEEN:
            return "nobody saw how"
        return f"not yet: in flight for {ago(one.at_ns, view.status.now_ns)}"
    took_ms = max(0, one.ended_ns - one.at_ns) // _MS
    took = f"{count(took_ms)} ms" if took_ms < 10_000 else span(one.ended_ns - one.at_ns)
    return f"{_when(one.ended_ns)}, after {took}"


def _why(one: HtlcLine) -> str:
    if one.category is None:
        return ""
    told = MEANS.get(one.category, "")
    return f"{outcome(one)[0]}: {told}" if told else outcome(one)[0]


def _codes(one: HtlcLine) -> str:
    if one.outcome is not Outcome.REFUSED:
        return ""
    wire, detail = wire_name(one.wire_failure), detail_name(one.failure_detail)
    return (
        f"{one.wire_failure}/{one.failure_detail}  "
        f"{wire or 'a code LND added'} / {detail or 'a detail LND added'}"
    )


def _circuit(scid: str, channel_id: str, htlc: int) -> str:
    if not scid and channel_id in ("", "0"):
        return ""
    return f"{scid or '?'} ({channel_id}), HTLC {count(htlc)}"


def _amount(msat: int | None) -> str:
    return "LND did not tell" if msat is None else f"{count(msat)} msat = {sat(msat)} sat"


def _fee(fee_msat: int | None, out_msat: int | None) -> str:
    if fee_msat is None:
        return "unknown"
    rate = f" = {count(round(ppm(fee_msat, out_msat)))} ppm" if out_msat else ""
    return f"{count(fee_msat)} msat = {sat(fee_msat)} sat{rate}"


def _asked(view: HtlcDetail) -> str:
    if view.fee_asked_msat is None:
        return "not known for that time" if view.line.event_type is EventType.FORWARD else ""
    told = _fee(view.fee_asked_msat, view.out_msat)
    offered = view.line.fee_msat
    if offered is None:
        return told
    differs = offered - view.fee_asked_msat
    if differs == 0:
        return f"{told}, exactly what was offered"
    more = "more than" if differs > 0 else "less than"
    return f"{told}; the offer is {sat(abs(differs))} sat {more} that"


def _usable(view: HtlcDetail) -> str:
    if view.best_msat is None:
        lost = view.line.category is not None and view.line.category.group is Group.LOST
        return "not known for that time" if lost else ""
    told = f"{sat(view.best_msat)} sat on the best channel"
    if view.total_msat is not None:
        told += f", {sat(view.total_msat)} on all toward the peer"
    if view.known_ns is not None:
        told += f", known since {span(view.line.at_ns - view.known_ns)} before"
    return told


def _short(one: HtlcLine) -> str:
    if one.short_msat is None or one.short_msat <= 0:
        return ""
    return f"{sat(one.short_msat)} sat"


def _payment(view: HtlcDetail, width: int, glyphs: Glyphs) -> list[Line]:
    one = view.line
    if one.repeat:
        text = "a rebalancer trying the same amount again and again; it adds nothing to demand"
        return [*field("repeat", text, width, glyphs, Role.DIM), *_attempts(view, width, glyphs)]
    if not view.attempts:
        if one.outcome is Outcome.SETTLED:
            return []
        return field("", "it counts in no payment that was missed", width, glyphs, Role.DIM)
    number = next(
        (index for index, each in enumerate(view.attempts, 1) if each.seq == one.seq), None
    )
    tried = len(view.attempts)
    place = f", this is try {number}" if number and tried > 1 else ""
    told = f"{tried} {'try' if tried == 1 else 'tries'}{place}"
    return [*field("tries", told, width, glyphs), *_attempts(view, width, glyphs)]


def _attempts(view: HtlcDetail, width: int, glyphs: Glyphs) -> list[Line]:
    return [
        _marked(entry(each, width, glyphs), each.seq == view.line.seq, glyphs)
        for each in view.attempts
    ]


def _marked(row: Line, is_this: bool, glyphs: Glyphs) -> Line:
    """The line with a mark in its first, blank cell where it is the HTLC of the page."""
    text, role = row[0]
    return ((glyphs.cursor + text[1:], role), *row[1:]) if is_this else row
