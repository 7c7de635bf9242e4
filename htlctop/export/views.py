"""Every view as a document: which tables it is written as. The formats know nothing of views."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from htlctop.analysis.advice.models import Advice, Figure, Opportunity
from htlctop.analysis.details import (
    ChannelDetail,
    History,
    HtlcDetail,
    NodeDetail,
    PairDetail,
    PeerDetail,
)
from htlctop.analysis.models import HtlcLine, Overview, Row, Window
from htlctop.analysis.status import NodeView, StatusView
from htlctop.export import rows
from htlctop.export.format import name, utc
from htlctop.export.table import Cell, Document, Field, Head, Table, Unit, table


@dataclass(frozen=True, slots=True)
class Events:
    """Some of the log, newest first, with what it is of."""

    node: NodeView
    status: StatusView
    window: Window | None
    lines: tuple[HtlcLine, ...]


View = (
    Overview
    | Events
    | Advice
    | History
    | NodeDetail
    | PeerDetail
    | ChannelDetail
    | PairDetail
    | HtlcDetail
)
"""Whatever can be taken away."""


def document(view: View, title: str, filter: str = "", *, is_redacted: bool = False) -> Document:
    """The view as tables, the main one first. `title` is what the screen calls it."""
    window = None if isinstance(view, HtlcDetail) else view.window
    head = Head(title, view.node, window, filter, view.status.replay, is_redacted)
    found = _tables(view)
    return Document(head, tuple(each for at, each in enumerate(found) if each.rows or not at))


def _tables(view: View) -> Sequence[Table]:
    match view:
        case Overview():
            return (
                ranked(view.rows),
                table("why", "Why", rows.CATEGORIES, view.categories),
                table("over_time", "Missed over time", rows.SLICES, view.series.slices),
                table("gaps", "Not watched", rows.GAPS, view.window.gaps),
            )
        case Events():
            return (_events(view.lines),)
        case Advice():
            return _advice(view)
        case History():
            return (
                table("over_time", "Missed over time", rows.SLICES, view.series.slices),
                table("changes", "Changes and marks", rows.CHANGES, view.changes),
                table("in_flight", "HTLCs on the channels", rows.IN_FLIGHT, view.in_flight),
                table("gaps", "Not watched", rows.GAPS, view.window.gaps),
            )
        case NodeDetail():
            return _node(view)
        case PeerDetail() | ChannelDetail():
            return _one(view)
        case PairDetail():
            return (
                ranked((view.row,)),
                table("why", "Why", rows.CATEGORIES, view.categories),
                table("over_time", "Missed over time", rows.SLICES, view.series.slices),
                _events(view.events),
            )
        case HtlcDetail():
            return (
                _facts("htlc", "", _htlc_facts(view)),
                _events((view.line,)),
                replace(_events(view.attempts), name="attempts", title="The payment's attempts"),
            )


def ranked(items: Sequence[Row], title: str = "") -> Table:
    """A ranked table of peers with their channels, channels, pairs or sources."""
    return table("rows", title, rows.RANKED, rows.ranked(items))


def _events(lines: Sequence[HtlcLine]) -> Table:
    return table("events", "Events", rows.LINES, lines)


def _one(view: PeerDetail | ChannelDetail) -> Sequence[Table]:
    return (
        ranked((view.row,)),
        table("why", "Why", rows.CATEGORIES, view.categories),
        replace(ranked(view.sources, "From"), name="sources"),
        table("over_time", "Missed over time", rows.SLICES, view.series.slices),
        table("balance", "Our side over time", rows.BALANCES, view.balance),
        table("policies", "What we asked", rows.POLICIES, view.policies),
        table("pending", "On the channel now", rows.PENDING, view.pending),
        _events(view.events),
    )


def _advice(view: Advice) -> Sequence[Table]:
    evidence = [(item, figure) for item in view.opportunities for figure in item.evidence]
    return (
        table("opportunities", "What to do", rows.OPPORTUNITIES, view.opportunities),
        table("evidence", "Evidence", _EVIDENCE, evidence),
        table("not_advised", "Why nothing is advised", rows.NOT_ADVISED, view.not_advised),
    )


_Proof = tuple[Opportunity, Figure]


def _of_figure(field: Field[Figure]) -> Field[_Proof]:
    return Field(field.name, field.title, field.unit, lambda proof: field.read(proof[1]))


_EVIDENCE: tuple[Field[_Proof], ...] = (
    Field("kind", "DO", Unit.TEXT, lambda proof: proof[0].kind.value),
    Field("pubkey", "", Unit.ID, lambda proof: proof[0].pubkey),
    Field("", "PEER", Unit.NAME, lambda proof: name(proof[0].alias, proof[0].pubkey)),
    *map(_of_figure, rows.FIGURES),
)


def _node(view: NodeDetail) -> Sequence[Table]:
    return (
        _facts("node", "", _node_facts(view)),
        table("pending", "On channels now", rows.PENDING, view.pending),
        table("gaps", "Not watched", rows.GAPS, view.gaps),
        _facts("cannot_tell", "What LND cannot tell", [(each, "") for each in view.cannot_tell]),
    )


Fact = tuple[str, Cell]
"""One thing known of a view: its name, its unit in it, and the value."""


_FACTS: tuple[Field[Fact], ...] = (
    Field("what", "WHAT", Unit.TEXT, lambda fact: fact[0]),
    Field("value", "VALUE", Unit.TEXT, lambda fact: fact[1]),
)


def _facts(name: str, title: str, facts: Sequence[Fact]) -> Table:
    return table(name, title, _FACTS, facts)


def _at(at_ns: int | None) -> str | None:
    return utc(at_ns) if at_ns else None


def _node_facts(view: NodeDetail) -> list[Fact]:
    status = view.status
    return [
        ("state", status.state.value),
        ("reason", status.reason),
        ("collector_alive_at", _at(status.alive_ns)),
        ("last_event_at", _at(status.last_event_ns)),
        ("lag_ms", status.lag_ns // 1_000_000),
        ("queued", status.queued),
        ("shed", status.shed),
        ("events", status.events),
        ("htlcs", view.rows),
        ("oldest_at", _at(view.oldest_ns)),
        ("in_flight", status.in_flight),
        ("oldest_in_flight_at", _at(status.oldest_in_flight_ns)),
        ("store", status.store_path),
        ("store_bytes", status.store_bytes),
        ("wal_bytes", view.wal_bytes),
        ("block_height", view.block_height),
        ("synced", status.synced),
        ("channels_open", view.channels_open),
        ("channels_active", view.channels_active),
        ("capacity_sat", view.capacity_sat),
        ("local_sat", view.local_sat),
    ]


def _htlc_facts(view: HtlcDetail) -> list[Fact]:
    return [
        ("in_channel_id", view.in_channel_id),
        ("in_htlc", view.in_htlc),
        ("out_channel_id", view.out_channel_id),
        ("out_htlc", view.out_htlc),
        ("in_msat", view.in_msat),
        ("out_msat", view.out_msat),
        ("fee_asked_msat", view.fee_asked_msat),
        ("best_msat", view.best_msat),
        ("total_msat", view.total_msat),
        ("known_at", _at(view.known_ns)),
        ("from_history", view.from_history),
    ]
