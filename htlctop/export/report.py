"""The whole node as one report, in every format; its JSON is the contract `htlctop-report/1`."""

import json
from collections.abc import Sequence

from htlctop.analysis.advice.models import Advice
from htlctop.analysis.details import Change
from htlctop.analysis.models import (
    CategoryRow,
    ChannelRow,
    Overview,
    PairRow,
    PeerRow,
    Report,
    Sums,
    Window,
)
from htlctop.domain.types import NS
from htlctop.export import csv, markdown, text
from htlctop.export.advice_json import advice_json, change_json
from htlctop.export.format import LONGEST_LINE, clean, utc
from htlctop.export.formats import Format
from htlctop.export.summary import summary, title
from htlctop.export.table import Document, Head
from htlctop.export.views import ranked

SCHEMA = "htlctop-report/1"

Json = dict[str, object]


def report(
    report: Report, form: Format, advice: Advice | None = None, changes: Sequence[Change] = ()
) -> str:
    """The report in a format: for people what is missed, why, where and what to do about it; for
    programs every row."""
    match form:
        case Format.JSON:
            return report_json(report, advice, changes)
        case Format.CSV:
            return report_csv(report)
        case Format.MD:
            return markdown.render(summary(report, advice, changes))
        case Format.TEXT:
            return "\n".join([title(report), "", text.body(summary(report, advice, changes))])


def report_csv(report: Report) -> str:
    """One table: the peers, each followed by its channels, then the pairs."""
    view = report.overview
    head = Head("report", view.node, view.window, is_replay=view.status.replay)
    return csv.render(Document(head, (ranked((*view.rows, *report.pairs)),)))


def report_json(
    report: Report, advice: Advice | None = None, changes: Sequence[Change] = ()
) -> str:
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
            "synced": view.status.synced,
        },
        "collector": {
            "state": view.status.state.value,
            "reason": clean(view.status.reason, LONGEST_LINE),
            "alive_at": utc(view.status.alive_ns) if view.status.alive_ns else None,
        },
        "first_event": None if view.first_event_ns is None else utc(view.first_event_ns),
        "window": _window(view.window),
        "totals": _totals(view),
        "categories": [_category(row) for row in view.categories],
        "peers": [_peer(row) for row in view.peers],
        "channels": [
            _channel(row, peer.settle_rate) for peer in view.peers for row in peer.channels
        ],
        "pairs": [_pair(row) for row in report.pairs],
    }
    if advice is not None:
        document |= advice_json(advice) | {"changes": [change_json(each) for each in changes]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _window(window: Window) -> Json:
    return {
        "label": clean(window.label),
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


def _totals(view: Overview) -> Json:
    totals, sums = view.totals, view.totals.sums
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
        "sends": view.sends,
        "receives": view.receives,
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
        "fee_unknown": sums.fee_unknown,
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
        "repeats": sums.repeats,
    }


def _peer(row: PeerRow) -> Json:
    return {
        "pubkey": row.pubkey,
        "alias": clean(row.alias),
        "channels": [channel.channel_id for channel in row.channels if channel.channel_id],
        "settle_rate": row.settle_rate,
        **_sums(row.sums),
        "why": row.why.label if row.why else None,
        "capacity_sat": row.capacity_sat,
        "local_sat": row.local_sat,
    }


def _channel(row: ChannelRow, settle_rate: float) -> Json:
    return {
        "channel_id": row.channel_id or None,
        "scid": row.scid or None,
        "peer": row.pubkey,
        "alias": clean(row.alias),
        "settle_rate": settle_rate,
        **_sums(row.sums),
        "why": row.why.label if row.why else None,
        "open": row.is_open,
        "capacity_sat": row.capacity_sat,
        "local_sat": row.local_sat,
        "remote_sat": row.remote_sat,
        "fee_base_msat": row.fee_base_msat,
        "fee_rate_ppm": row.fee_rate_ppm,
    }


def _pair(row: PairRow) -> Json:
    return {
        "in_peer": row.in_pubkey,
        "in_alias": clean(row.in_alias),
        "out_peer": row.out_pubkey,
        "out_alias": clean(row.out_alias),
        **_sums(row.sums),
    }
