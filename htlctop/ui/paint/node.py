"""The view Node: what is watched and what is not, the collector, the store, what is pending."""

from collections.abc import Sequence

from htlctop.analysis.details import NodeDetail
from htlctop.analysis.status import State, StatusView
from htlctop.domain.types import Access
from htlctop.export.format import (
    ago,
    clean,
    clock,
    clock_seconds,
    count,
    moment,
    percent,
    sat,
    short_sat,
    span,
    stamp,
)
from htlctop.ui import watched
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.keys import key_of
from htlctop.ui.paint import records
from htlctop.ui.paint.parts import beside, field, paragraph, rule, widths
from htlctop.ui.paint.status import LAG_FROM_NS, clean_line
from htlctop.ui.text import Line, Role, line

_TWO_COLUMNS = 100
_MB = 1_000_000
_UNKNOWN = "not known yet"
Fact = tuple[str, str, Role]

STATES = {
    State.NEVER: "no collector ever ran on this store; run htlctop collect",
    State.CONNECTING: "connecting to the node",
    State.WAITING: "waiting before the next try",
    State.LIVE: "live: the stream is open",
    State.REFUSED: "refused; it needs your hand",
    State.STOPPED: "the collector was stopped; run htlctop collect to watch on",
    State.ENDED: "the recording is over",
    State.SILENT: "the collector gives no sign of life; is it still running?",
}


def page(
    view: NodeDetail,
    width: int,
    height: int,
    glyphs: Glyphs,
    *,
    collects: bool = False,
    access: Access | None = None,
) -> tuple[Line, ...]:
    """The whole page, as long as it gets; whoever shows it scrolls. `collects`: whether the
    collector is this process's own; `access`: what it may do at the node, where it is known."""
    now_ns = view.window.until_ns
    blocks = (
        ("Node", [*_node(view), *_macaroon(access)]),
        ("Collector", _collector(view.status, collects)),
        ("Coverage", _coverage(view)),
        ("Store", _store(view)),
    )
    lines: list[Line] = []
    if width >= _TWO_COLUMNS:
        wide = widths(width, 2)
        for pair in (blocks[:2], blocks[2:]):
            columns = [
                _facts(title, facts, each, glyphs)
                for (title, facts), each in zip(pair, wide, strict=True)
            ]
            lines.extend(beside(columns, wide, glyphs))
    else:
        # What is wrong comes first where the page is read through a keyhole.
        for title, facts in (blocks[1], blocks[2], blocks[0], blocks[3]):
            lines.extend(_facts(title, facts, width, glyphs))
    lines.append(rule("In flight, by blocks left until they expire", width, glyphs))
    lines.extend(_pending(view, width, glyphs))
    lines.append(rule("Not watched", width, glyphs))
    lines.extend(
        records.gaps(view.gaps, now_ns, width, glyphs) or [line(" no gap in this window", Role.DIM)]
    )
    lines.append(rule("What this LND cannot tell", width, glyphs))
    for text in view.cannot_tell:
        lines.extend(paragraph(clean_line(text), width, Role.TEXT, 3))
    if not view.cannot_tell:
        nothing = "nothing that htlctop asks for" if view.node.pubkey else _UNKNOWN
        lines.append(line(f" {nothing}", Role.DIM))
    return tuple(lines)


def _facts(title: str, facts: Sequence[Fact], width: int, glyphs: Glyphs) -> list[Line]:
    lines = [rule(title, width, glyphs)]
    for label, value, role in facts:
        if value:
            lines.extend(field(label, value, width, glyphs, role))
    return lines


def _node(view: NodeDetail) -> list[Fact]:
    node = view.node
    synced = (
        ""
        if view.status.synced is None
        else "in step with the chain"
        if view.status.synced
        else "BEHIND it: what the node says may be old"
    )
    height = "" if view.block_height is None else f"{count(view.block_height)}"
    share = percent(view.local_sat, view.capacity_sat)
    channels = ""
    if node.pubkey:
        channels = f"{count(view.channels_active)} of {count(view.channels_open)} active"
    if view.capacity_sat:
        channels += f", {short_sat(view.capacity_sat)} sat, {share} of it on our side"
    return [
        ("name", clean(node.alias) or _UNKNOWN, Role.STRONG),
        ("key", clean(node.pubkey, 66), Role.TEXT),
        ("network", clean(node.network), Role.TEXT),
        ("LND", clean(node.version), Role.TEXT),
        ("block", height, Role.TEXT),
        ("chain", synced, Role.BAD if view.status.synced is False else Role.TEXT),
        ("channels", channels, Role.TEXT),
    ]


def _macaroon(access: Access | None) -> list[Fact]:
    if access is None:
        return []
    if not access.permissions:
        return [("macaroon", "does not tell what it permits", Role.TEXT)]
    if beyond := access.beyond_reading:
        shown = ", ".join(beyond[:3]) + (f" and {count(len(beyond) - 3)} more" * (len(beyond) > 3))
        return [("macaroon", f"permits more than htlctop needs: {shown}", Role.WARN)]
    reads = ", ".join(p.removesuffix(":read").rsplit("/", 1)[-1] for p in access.permissions)
    return [("macaroon", f"reads only: {reads}", Role.TEXT)]


def _collector(now: StatusView, collects: bool) -> list[Fact]:
    well = now.state in (State.LIVE, State.ENDED)
    reason = clean_line(now.reason) if not well else ""
    again = f"try {count(now.attempt)}" if now.attempt > 1 and not well else ""
    if now.next_try_ns and now.state in (State.WAITING, State.CONNECTING):
        again = f"{again}, next {clock_seconds(now.next_try_ns)}".lstrip(", ")
    lag = span(now.lag_ns) if now.lag_ns >= LAG_FROM_NS else "under 5s"
    flying = f"{count(now.in_flight)} forward{'' if now.in_flight == 1 else 's'}"
    if now.in_flight and now.oldest_in_flight_ns is not None:
        flying += f", the oldest for {ago(now.oldest_in_flight_ns, now.now_ns)}"
    return [
        ("state", STATES[now.state], Role.GOOD if well else Role.BAD),
        ("why", reason, Role.WARN),
        ("trying", again, Role.TEXT),
        ("runs in", _runs_in(now, collects), Role.TEXT),
        ("sign of life", "" if now.state is State.NEVER else _alive(now), Role.TEXT),
        ("newest event", _newest(now), Role.TEXT),
        ("lag", "" if now.replay else lag, Role.TEXT),
        ("queue", f"{count(now.queued)} events to be written", Role.TEXT),
        (
            "dropped",
            f"{count(now.shed)} events: the disk was too slow" if now.shed else "none",
            Role.BAD if now.shed else Role.TEXT,
        ),
        ("in flight", flying, Role.TEXT),
    ]


def _runs_in(now: StatusView, collects: bool) -> str:
    if collects:
        return "this htlctop, ends when you quit"
    return "another process" if now.state is State.LIVE else "no process that is known"


def _alive(now: StatusView) -> str:
    """In minutes, so that it does not tick."""
    return clock(now.alive_ns)


def _newest(now: StatusView) -> str:
    return clock_seconds(now.last_event_ns) if now.last_event_ns else "none yet"


def _coverage(view: NodeDetail) -> list[Fact]:
    window = view.window
    missed = window.until_ns - window.from_ns - watched.watched_ns(window)
    gaps, share = watched.gaps(view.gaps), watched.share(window)
    away = f"{span(missed)} in {count(len(gaps))} gap{'' if len(gaps) == 1 else 's'}"
    return [
        ("window", window.label, Role.TEXT),
        ("from", stamp(window.from_ns), Role.TEXT),
        ("to", stamp(window.until_ns), Role.TEXT),
        (
            "watched",
            f"{span(watched.watched_ns(window))} = {percent(share, 1)}",
            Role.TEXT if share >= 0.95 else Role.WARN,
        ),
        ("not watched", away if gaps else "", Role.TEXT),
    ]


def _store(view: NodeDetail) -> list[Fact]:
    now = view.status
    since = "" if view.oldest_ns is None else f", since {moment(view.oldest_ns, 0)}"
    return [
        ("file", clean(now.store_path, 200), Role.TEXT),
        ("size", f"{_size(now.store_bytes)}, {_size(view.wal_bytes)} of it the WAL", Role.TEXT),
        ("HTLCs", f"{count(view.rows)}{since}" if view.rows else "none yet", Role.TEXT),
        ("events", f"{count(now.events)} taken in", Role.TEXT),
    ]


def _size(number: int) -> str:
    if number >= 1000 * _MB:
        return f"{number / _MB / 1000:.2f} GB"
    return f"{number / _MB:.1f} MB"


def _pending(view: NodeDetail, width: int, glyphs: Glyphs) -> list[Line]:
    if not view.window.is_live:
        text = f"Which HTLCs were on the channels then was not kept; {key_of('history')} shows how "
        return paragraph(text + "many.", width, Role.DIM)
    if not view.pending:
        none = "no HTLC is on any channel" if view.node.pubkey else _UNKNOWN
        return [line(f" {none}", Role.DIM)]
    total = sat(sum(row.amount_msat for row in view.pending))
    number = len(view.pending)
    head = f" {count(number)} HTLC{'' if number == 1 else 's'} on the channels, {total} sat"
    return [
        line(head),
        *records.expiries(view.pending, width, glyphs),
        *records.pending(view.pending, width, glyphs),
    ]
