"""The report for people, in a terminal or a forum: what is missed, why, where, and how watched."""

from collections.abc import Iterator, Sequence

from htlctop.analysis.advice.models import Advice
from htlctop.analysis.details import Change
from htlctop.analysis.models import Gap, Overview, PairRow, PeerRow, Report
from htlctop.analysis.status import State
from htlctop.domain.codes import Group
from htlctop.export import rows
from htlctop.export.advice import notes
from htlctop.export.format import LONGEST_LINE, clean, count, name, percent, sat, span, stamp
from htlctop.export.table import Cell, Document, Field, Head, Table, Unit, table

_TOP_PEERS, _TOP_PAIRS, _TOP_GAPS, _TOP_CHANGES = 20, 10, 10, 20
_CHANGED = "What changed, and the sat missed per hour there before and after"
BEHIND = (
    "LND is behind its chain: wait, and look after its chain backend; until then it may forward "
    "nothing"
)
NO_SIGN = (
    "the collector has told nothing since {}: it hangs or was suspended (htlctop doctor names its "
    "process), and what is shown is of then"
)
_SHOWN = (Group.LOST, Group.PRICED_OUT, Group.SENDER, Group.CONFIG, Group.ELSEWHERE, Group.OTHER)


def title(report: Report) -> str:
    """Whose report it is, on one line."""
    node = report.overview.node
    if not node.pubkey:
        return "no node yet"
    version = clean(node.version).partition(" commit=")[0]
    return f"{name(node.alias, node.pubkey)} · {clean(node.network)} · lnd {version}"


def summary(
    report: Report, advice: Advice | None = None, changes: Sequence[Change] = ()
) -> Document:
    """The figures of the whole node as sentences, and the top of its tables."""
    view = report.overview
    head = Head(f"Missed routing fees, {title(report)}", view.node, view.window,
                is_replay=view.status.replay)  # fmt: skip
    if view.first_event_ns is None:
        return Document(head, (), tuple(_notes(view)))
    why = [row for row in view.categories if row.category.group in _SHOWN]
    tables = (
        table("why", "Why, fees in sat", rows.CATEGORIES, why),
        _peers(view.peers),
        _pairs(report.pairs),
        table("", _CHANGED, _CHANGES, changes[-_TOP_CHANGES:]),
    )
    said = (*_notes(view), *(notes(advice) if advice is not None else ()))
    return Document(head, tuple(each for each in tables if each.rows), said)


def _notes(view: Overview) -> Iterator[tuple[str, str]]:
    window, totals, sums = view.window, view.totals, view.totals.sums
    yield (
        "window",
        f"{clean(window.label)}: {stamp(window.from_ns)} to {stamp(window.until_ns)}, "
        f"watched {span(window.covered_ns)} ({percent(window.coverage, 1)})",
    )
    for gap in window.gaps[-_TOP_GAPS:]:
        yield "  gap", _gap(gap)
    if view.status.state in (State.REFUSED, State.WAITING):
        yield "collector", f"{view.status.state.value}: {clean(view.status.reason, LONGEST_LINE)}"
    if view.status.state is State.SILENT:
        yield "collector", NO_SIGN.format(stamp(view.status.alive_ns))
    if view.status.state is State.LIVE and view.status.synced is False:
        yield "chain", BEHIND
    if view.first_event_ns is None:
        yield "", "nothing was seen yet: run `htlctop` or `htlctop collect`"
        return
    yield (
        "missed",
        f"{sat(sums.expected_msat)} sat would have been earned: net demand "
        f"{sat(sums.net_demand_msat)} × settle rates (how many of a peer's payments settle once "
        f"they are sent on); earned {sat(sums.earned_msat)} sat",
    )
    repeats = (
        f"; {count(sums.repeats)} repeats (a rebalancer trying again) not counted"
        if sums.repeats
        else ""
    )
    yield (
        "demand",
        f"{sat(sums.net_demand_msat)} sat net: {sat(sums.demand_msat)} offered by "
        f"{count(sums.claims)} payments that were refused here, less {sat(sums.recovered_msat)} "
        f"that later tries brought; with every try counted {sat(sums.asked_msat)} sat" + repeats,
    )
    yield (
        "forwards",
        f"{count(totals.forwards)}: {count(sums.settled)} settled, "
        f"{count(sums.refused)} refused here, {count(sums.downstream)} failed further on, "
        f"{count(totals.in_flight)} in flight, {count(totals.unknown)} unknown",
    )
    if not totals.forwards and (view.sends or view.receives):
        yield (
            "own",
            f"{count(view.sends)} sends, {count(view.receives)} receives; "
            "this node forwards nothing, so there is nothing to miss",
        )


def _gap(gap: Gap) -> str:
    shed = f", {count(gap.shed)} events shed" if gap.shed else ""
    return (
        f"{stamp(gap.from_ns)} for {span(gap.until_ns - gap.from_ns)}: "
        f"{clean(gap.reason, LONGEST_LINE)}{shed}"
    )


def _channel(row: PeerRow) -> str:
    return row.channels[0].scid if len(row.channels) == 1 else f"{len(row.channels)} channels"


def _missed(row: PeerRow) -> Cell:
    """As under Why: nothing is known of what only refusals without a fee would have brought."""
    sums = row.sums
    unknown = sums.fee_unknown and not sums.asked_msat
    return "fee unknown" if unknown else sums.expected_msat


def _demand(row: PeerRow) -> Cell:
    return row.sums.net_demand_msat if isinstance(_missed(row), int) else None


def _local(row: PeerRow) -> Cell:
    return (row.local_sat or 0) / row.capacity_sat if row.capacity_sat else None


_PEERS: tuple[Field[PeerRow], ...] = (
    Field("", "PEER", Unit.NAME, lambda row: name(row.alias, row.pubkey, row.peer)),
    Field("", "CHANNEL", Unit.ID, _channel),
    Field("", "WHY", Unit.TEXT, lambda row: row.why.label if row.why else ""),
    Field("", "MISSED", Unit.MSAT, _missed),
    Field("", "DEMAND", Unit.MSAT, _demand),
    Field("", "REFUSED", Unit.COUNT, lambda row: row.sums.refused),
    Field("", "SETTLE", Unit.SHARE, lambda row: row.settle_rate),
    Field("", "LOCAL", Unit.SHARE, _local),
    Field("", "EARNED", Unit.MSAT, lambda row: row.sums.earned_msat),
)
_PAIRS: tuple[Field[PairRow], ...] = (
    Field("", "FROM", Unit.NAME, lambda row: name(row.in_alias, row.in_pubkey, row.in_peer)),
    Field("", "TO", Unit.NAME, lambda row: name(row.out_alias, row.out_pubkey, row.out_peer)),
    Field("", "MISSED", Unit.MSAT, lambda row: row.sums.expected_msat),
    Field("", "DEMAND", Unit.MSAT, lambda row: row.sums.net_demand_msat),
    Field("", "REFUSED", Unit.COUNT, lambda row: row.sums.refused),
    Field("", "EARNED", Unit.MSAT, lambda row: row.sums.earned_msat),
)

_CHANGES: tuple[Field[Change], ...] = (
    Field("", "AT", Unit.TIME, lambda change: change.at_ns),
    Field("", "WHAT", Unit.TEXT, lambda change: change.kind.value),
    Field("", "PEER", Unit.NAME, lambda change: change.alias),
    Field("", "CHANNEL", Unit.ID, lambda change: change.scid),
    Field("", "CHANGE", Unit.TEXT, lambda change: change.text or _change(change)),
    Field("", "BEFORE", Unit.MSAT, lambda change: change.rate_before_msat),
    Field("", "AFTER", Unit.MSAT, lambda change: change.rate_after_msat),
)


def _change(change: Change) -> str:
    return " → ".join(filter(None, (change.before, change.after)))


def _peers(peers: Sequence[PeerRow]) -> Table:
    shown = [row for row in peers if row.sums.refused]
    what = _top("Where payments were refused, fees in sat", _TOP_PEERS, len(shown))
    return table("", what, _PEERS, shown[:_TOP_PEERS])


def _pairs(pairs: Sequence[PairRow]) -> Table:
    lost = [row for row in pairs if row.sums.expected_msat or row.sums.net_demand_msat]
    lost.sort(key=lambda row: (-row.sums.expected_msat, -row.sums.net_demand_msat))
    return table("", _top("Who wanted to reach whom, fees in sat", _TOP_PAIRS, len(lost)), _PAIRS,
                 lost[:_TOP_PAIRS])  # fmt: skip


def _top(what: str, most: int, of: int) -> str:
    return (
        f"{what}, the first {most} of {count(of)} (--format json has them all)"
        if of > most
        else what
    )
