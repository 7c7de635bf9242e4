"""The whole node as one report: the JSON contract `htlctop-report/1`, and text for people."""

import json
from collections.abc import Sequence

from htlctop.analysis.models import (
    CategoryRow,
    ChannelRow,
    Gap,
    PairRow,
    PeerRow,
    Report,
    State,
    Sums,
    Totals,
    Window,
)
from htlctop.domain.codes import Group
from htlctop.domain.types import NS
from htlctop.export.csv import utc
from htlctop.export.format import LONGEST_LINE, clean, count, name, percent, sat, span, stamp

SCHEMA = "htlctop-report/1"
_TOP = 20
_SHOWN = (Group.LOST, Group.PRICED_OUT, Group.SENDER, Group.CONFIG, Group.ELSEWHERE, Group.OTHER)

Json = dict[str, object]


def report_json(report: Report) -> str:
    """The report as JSON: amounts integer msat, times RFC 3339 UTC, ids strings."""
    view = report.overview
    document: Json = {
        "schema": SCHEMA,
        "node": {
            "pubkey": view.node.pubkey,
            "alias": clean(view.node.alias),
            "network": view.node.network,
            "version": view.node.version,
            "replay": view.status.replay,
        },
        "window": _window(view.window),
        "totals": _totals(view.totals),
        "categories": [_category(row) for row in view.categories],
        "peers": [_peer(row) for row in view.peers],
        "channels": [
            _channel(row, peer.settle_rate) for peer in view.peers for row in peer.channels
        ],
        "pairs": [_pair(row) for row in report.pairs],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def report_text(report: Report) -> str:
    """The report for a terminal or a pipe: what is missed, why, where, and how much was watched."""
    view, sums = report.overview, report.overview.totals.sums
    title = (
        f"{name(view.node.alias, view.node.pubkey)} · {view.node.network} · lnd {view.node.version}"
    )
    lines = [title if view.node.pubkey else "no node yet", ""]
    window = view.window
    lines.append(
        f"window    {window.label}: {stamp(window.from_ns)} to {stamp(window.until_ns)}, "
        f"watched {span(window.covered_ns)} ({window.coverage:.1%})"
    )
    lines += [_gap_line(gap) for gap in window.gaps[-10:]]
    if view.status.state in (State.REFUSED, State.WAITING):
        lines.append(f"collector {view.status.state.value}: {view.status.reason}")
    if view.first_event_ns is None:
        lines += ["", "nothing was seen yet: run `htlctop` or `htlctop collect`"]
        return "\n".join(lines) + "\n"
    totals = view.totals
    lines += [
        f"missed    {sat(sums.expected_msat)} sat"
        f" = net demand {sat(sums.net_demand_msat)} × settle rates;"
        f" earned {sat(sums.earned_msat)} sat",
        f"demand    {sat(sums.demand_msat)} sat in {count(sums.claims)} payments, "
        f"{sat(sums.recovered_msat)} came back by itself; every try {sat(sums.asked_msat)} sat"
        + (f"; {count(sums.repeats)} repeats not counted" if sums.repeats else ""),
        f"forwards  {count(totals.forwards)}: {count(sums.settled)} settled, "
        f"{count(sums.refused)} refused here, {count(sums.downstream)} failed further on, "
        f"{count(totals.in_flight)} in flight, {count(totals.unknown)} unknown",
    ]
    if not totals.forwards and (view.sends or view.receives):
        lines.append(
            f"own       {count(view.sends)} sends, {count(view.receives)} receives; "
            "this node forwards nothing, so there is nothing to miss"
        )
    lines += ["", *_why(view.categories), "", *_peers(view.peers)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _why(rows: Sequence[CategoryRow]) -> list[str]:
    table: list[Sequence[str]] = [
        ("WHY", "GROUP", "COUNT", "MISSED", "NET DEMAND", "EVERY TRY", "OFFERED")
    ]
    for row in rows:
        if row.category.group in _SHOWN:
            money = row.category.group is Group.LOST
            unknown = row.fee_unknown and not row.asked_msat
            amounts = (
                ["fee unknown", "", ""]
                if money and unknown
                else [
                    sat(msat) if money else ""
                    for msat in (row.expected_msat, row.net_demand_msat, row.asked_msat)
                ]
            )
            offered = sat(row.offered_msat) if row.category.group is Group.PRICED_OUT else ""
            table.append(
                (row.category.label, row.category.group.label, count(row.count), *amounts, offered)
            )
    return _columns(table, left=2)


def _peers(rows: Sequence[PeerRow]) -> list[str]:
    table: list[Sequence[str]] = [
        ("PEER", "CHANNEL", "WHY", "MISSED", "DEMAND", "REFUSED", "SETTLE", "LOCAL", "EARNED")
    ]
    shown = [row for row in rows if row.sums.refused or row.sums.settled or row.sums.downstream]
    for row in shown[:_TOP]:
        sums = row.sums
        channels = row.channels[0].scid if len(row.channels) == 1 else f"∥{len(row.channels)}"
        table.append(
            (
                name(row.alias, row.pubkey, row.peer),
                channels,
                row.why.label if row.why else "",
                sat(sums.expected_msat),
                sat(sums.net_demand_msat),
                count(sums.refused),
                f"{row.settle_rate:.0%}",
                percent(row.local_sat or 0, row.capacity_sat) if row.capacity_sat else "",
                sat(sums.earned_msat),
            )
        )
    lines = _columns(table, left=3)
    if len(shown) > _TOP:
        lines.append(f"… and {len(shown) - _TOP} more peers (--format json has them all)")
    return lines


def _columns(table: Sequence[Sequence[str]], *, left: int) -> list[str]:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]


def _gap_line(gap: Gap) -> str:
    shed = f", {count(gap.shed)} events shed" if gap.shed else ""
    return (
        f"  gap     {stamp(gap.from_ns)} for {span(gap.until_ns - gap.from_ns)}: "
        f"{clean(gap.reason, LONGEST_LINE)}{shed}"
    )


def _window(window: Window) -> Json:
    return {
        "from": utc(window.from_ns),
        "to": utc(window.until_ns),
        "covered_s": round(window.covered_ns / NS, 3),
        "gaps": [
            {
                "from": utc(gap.from_ns),
                "to": utc(gap.until_ns),
                "reason": clean(gap.reason, LONGEST_LINE),
                "shed": gap.shed,
            }
            for gap in window.gaps
        ],
    }


def _totals(totals: Totals) -> Json:
    sums = totals.sums
    return {
        "forwards": totals.forwards,
        "settled": sums.settled,
        "refused": sums.refused,
        "downstream": sums.downstream,
        "unknown": totals.unknown,
        "in_flight": totals.in_flight,
        "asked_msat": sums.asked_msat,
        "demand_msat": sums.demand_msat,
        "repeats": sums.repeats,
        "recovered_msat": sums.recovered_msat,
        "net_demand_msat": sums.net_demand_msat,
        "expected_msat": sums.expected_msat,
        "earned_msat": sums.earned_msat,
        "claims": sums.claims,
    }


def _category(row: CategoryRow) -> Json:
    return {
        "category": row.category.label,
        "group": row.category.group.label,
        "count": row.count,
        "fee_unknown": row.fee_unknown,
        "asked_msat": row.asked_msat,
        "demand_msat": row.demand_msat,
        "net_demand_msat": row.net_demand_msat,
        "expected_msat": row.expected_msat,
        "offered_msat": row.offered_msat,
    }


def _sums(sums: Sums) -> Json:
    return {
        "refused": sums.refused,
        "lost": sums.lost,
        "settled": sums.settled,
        "downstream": sums.downstream,
        "asked_msat": sums.asked_msat,
        "demand_msat": sums.demand_msat,
        "recovered_msat": sums.recovered_msat,
        "net_demand_msat": sums.net_demand_msat,
        "expected_msat": sums.expected_msat,
        "offered_msat": sums.offered_msat,
        "earned_msat": sums.earned_msat,
        "claims": sums.claims,
    }


def _peer(row: PeerRow) -> Json:
    return {
        "pubkey": row.pubkey,
        "alias": clean(row.alias),
        "channels": [channel.channel_id for channel in row.channels if channel.channel_id],
        "settle_rate": row.settle_rate,
        **_sums(row.sums),
    }


def _channel(row: ChannelRow, settle_rate: float) -> Json:
    return {
        "channel_id": row.channel_id or None,
        "scid": row.scid or None,
        "peer": row.pubkey,
        "alias": clean(row.alias),
        "settle_rate": settle_rate,
        **_sums(row.sums),
    }


def _pair(row: PairRow) -> Json:
    return {"in_peer": row.in_pubkey, "out_peer": row.out_pubkey, **_sums(row.sums)}
