"""Views as CSV: a head of `# name: value` lines, then one header row and one row per thing.

Amounts are integer msat, times RFC 3339 UTC, ids text. Cells that a spreadsheet would run as a
formula are given a leading apostrophe.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from htlctop import __version__
from htlctop.analysis.details import PeerDetail
from htlctop.analysis.models import (
    ChannelRow,
    HtlcLine,
    NodeView,
    Overview,
    PairRow,
    PeerRow,
    Sums,
    Window,
)
from htlctop.export.format import LONGEST_KEY, LONGEST_LINE, clean

Cell = str | int | float | bool | None

_SUMS = (
    "settled",
    "refused",
    "lost",
    "downstream",
    "fee_unknown",
    "asked_msat",
    "demand_msat",
    "recovered_msat",
    "net_demand_msat",
    "expected_msat",
    "offered_msat",
    "earned_msat",
    "claims",
    "repeats",
)
_RANKED = ("kind", "pubkey", "alias", "scid", "channel_id", "why", "settle_rate", *_SUMS)
_BALANCES = ("capacity_sat", "local_sat", "remote_sat", "fee_base_msat", "fee_rate_ppm")


def head(view: str, node: NodeView, window: Window, filtered: str = "none") -> tuple[str, ...]:
    """What every file that is taken away says first: whose, when, how much was watched."""
    return (
        f"htlctop: {__version__}",
        f"view: {view}",
        " ".join(
            ("node:", clean(node.alias), clean(node.pubkey, LONGEST_KEY), clean(node.network))
        ).rstrip(),
        f"window: {window.label} {utc(window.from_ns)} .. {utc(window.until_ns)}",
        f"coverage: {window.coverage:.4f} ({window.covered_ns // 1_000_000_000} s watched)",
        f"filter: {filtered}",
    )


def utc(at_ns: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    at = datetime.fromtimestamp(at_ns // 1_000_000_000, tz=UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ns // 1_000_000 % 1000:03d}Z"


def overview_csv(view: Overview) -> str:
    """The ranked peers, each followed by its channels."""
    rows: list[Sequence[Cell]] = []
    for peer in view.peers:
        rows.append(_peer(peer))
        rows.extend(_channel(peer, channel) for channel in peer.channels)
    return _table(head("overview", view.node, view.window), (*_RANKED, *_BALANCES), rows)


def peer_csv(view: PeerDetail) -> str:
    """One peer: its own row, its channels, and the pairs that lead to it."""
    rows = [_peer(view.row), *(_channel(view.row, channel) for channel in view.row.channels)]
    rows.extend(_pair(pair) for pair in view.sources)
    title = f"peer {clean(view.row.alias)}"
    return _table(head(title, view.node, view.window), (*_RANKED, *_BALANCES), rows)


def log_csv(lines: Iterable[HtlcLine], top: Sequence[str]) -> str:
    """HTLCs one by one, in the order given."""
    names = (
        *("seq", "at", "ended", "type", "outcome", "category", "in_alias", "in_scid"),
        *("out_alias", "out_scid", "amount_msat", "fee_msat", "wire_failure", "failure_detail"),
        *("short_msat", "retry_of", "repeat"),
    )
    return _table(top, names, [_line(line) for line in lines])


def _peer(row: PeerRow) -> Sequence[Cell]:
    why = row.why.label if row.why else ""
    lead = ("peer", row.pubkey, row.alias, "", "", why, round(row.settle_rate, 6))
    return (*lead, *_sums(row.sums), row.capacity_sat, row.local_sat, None, None, None)


def _channel(peer: PeerRow, row: ChannelRow) -> Sequence[Cell]:
    why = row.why.label if row.why else ""
    lead = ("channel", peer.pubkey, peer.alias, row.scid, row.channel_id, why)
    balances = (row.capacity_sat, row.local_sat, row.remote_sat)
    return (
        *(*lead, round(peer.settle_rate, 6), *_sums(row.sums)),
        *(*balances, row.fee_base_msat, row.fee_rate_ppm),
    )


def _pair(row: PairRow) -> Sequence[Cell]:
    lead = ("from", row.in_pubkey, row.in_alias, "", "", "", None)
    return (*lead, *_sums(row.sums), None, None, None, None, None)


def _sums(sums: Sums) -> Sequence[Cell]:
    return tuple(int(getattr(sums, name)) for name in _SUMS)


def _line(line: HtlcLine) -> Sequence[Cell]:
    return (
        *(line.seq, utc(line.at_ns), utc(line.ended_ns) if line.ended_ns else None),
        *(line.event_type.name.lower(), line.outcome.name.lower()),
        *(line.category.label if line.category else "", line.in_alias, line.in_scid),
        *(line.out_alias, line.out_scid, line.amount_msat, line.fee_msat),
        *(line.wire_failure, line.failure_detail, line.short_msat),
        *(utc(line.retry_of_ns) if line.retry_of_ns else None, line.repeat),
    )


def _table(top: Sequence[str], names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    for line in top:
        out.write(f"# {line}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    cell = clean(cell, LONGEST_LINE)
    return f"'{cell}" if cell[:1] in "=+-@" and cell else cell
