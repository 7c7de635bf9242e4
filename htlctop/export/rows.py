"""What each kind of row is written with: its fields, once for every format and view."""

from collections.abc import Sequence
from dataclasses import dataclass

from htlctop.analysis.advice.models import Figure, NotAdvised, Opportunity
from htlctop.analysis.details import Balance, Change, InFlight, Pending, Policy
from htlctop.analysis.models import (
    CategoryRow,
    ChannelRow,
    Gap,
    HtlcLine,
    PairRow,
    PeerRow,
    Row,
    Slice,
)
from htlctop.domain.codes import Group
from htlctop.export.format import name
from htlctop.export.htlc import ends, outcome
from htlctop.export.table import Cell, Field, Unit

_SUMS = (
    ("settled", "SETTLED", Unit.COUNT),
    ("refused", "REFUSED", Unit.COUNT),
    ("lost", "", Unit.COUNT),
    ("downstream", "", Unit.COUNT),
    ("fee_unknown", "", Unit.COUNT),
    ("asked_msat", "EVERY TRY", Unit.MSAT),
    ("demand_msat", "", Unit.MSAT),
    ("recovered_msat", "", Unit.MSAT),
    ("net_demand_msat", "DEMAND", Unit.MSAT),
    ("expected_msat", "MISSED", Unit.MSAT),
    ("offered_msat", "", Unit.MSAT),
    ("earned_msat", "EARNED", Unit.MSAT),
    ("claims", "", Unit.COUNT),
    ("repeats", "", Unit.COUNT),
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row of a ranked table, whatever it is of; a channel's knows the peer it stands under."""

    row: Row
    peer: PeerRow | None = None

    @property
    def kind(self) -> str:
        """What it is a row of."""
        match self.row:
            case PeerRow():
                return "peer"
            case ChannelRow():
                return "channel"
            case PairRow():
                return "pair"
        return "source"


def ranked(rows: Sequence[Row]) -> list[Ranked]:
    """The rows in their order, a peer followed by its channels."""
    found = []
    for row in rows:
        found.append(Ranked(row))
        if isinstance(row, PeerRow):
            found += [Ranked(channel, row) for channel in row.channels]
    return found


def _pubkey(item: Ranked) -> Cell:
    return item.row.in_pubkey if isinstance(item.row, PairRow) else item.row.pubkey


def _alias(item: Ranked) -> Cell:
    return item.row.in_alias if isinstance(item.row, PairRow) else item.row.alias


def _to(item: Ranked, what: str) -> Cell:
    if not isinstance(item.row, PairRow):
        return None
    return item.row.out_pubkey if what == "pubkey" else item.row.out_alias


def _called(item: Ranked) -> Cell:
    """Whom the payments went to; nothing for a channel that stands under its peer."""
    row = item.row
    if not isinstance(row, PeerRow | ChannelRow) or item.peer is not None:
        return None
    return name(row.alias, row.pubkey, row.peer)


def _called_from(item: Ranked) -> Cell:
    row = item.row
    if isinstance(row, PairRow):
        return name(row.in_alias, row.in_pubkey, row.in_peer)
    return None if isinstance(row, PeerRow | ChannelRow) else name(row.alias, row.pubkey, row.peer)


def _called_to(item: Ranked) -> Cell:
    row = item.row
    if not isinstance(row, PairRow):
        return None
    return name(row.out_alias, row.out_pubkey, row.out_peer)


def _why(item: Ranked) -> Cell:
    why = None if isinstance(item.row, PairRow) else item.row.why
    return why.label if why else ""


def _settle(item: Ranked) -> Cell:
    peer = item.row if isinstance(item.row, PeerRow) else item.peer
    return peer.settle_rate if peer else None


def _channel(item: Ranked, what: str) -> Cell:
    return getattr(item.row, what) if isinstance(item.row, ChannelRow) else None


def _balance(item: Ranked, what: str) -> Cell:
    return getattr(item.row, what) if isinstance(item.row, PeerRow | ChannelRow) else None


def _local(item: Ranked) -> Cell:
    row = item.row
    if not isinstance(row, PeerRow | ChannelRow) or not row.capacity_sat:
        return None
    return (row.local_sat or 0) / row.capacity_sat


def _sum(what: str, title: str, unit: Unit) -> Field[Ranked]:
    return Field(what, title, unit, lambda item: getattr(item.row.sums, what))


RANKED: tuple[Field[Ranked], ...] = (
    Field("kind", "", Unit.TEXT, lambda item: item.kind),
    Field("pubkey", "", Unit.ID, _pubkey),
    Field("alias", "", Unit.NAME, _alias),
    Field("", "PEER", Unit.NAME, _called),
    Field("", "FROM", Unit.NAME, _called_from),
    Field("", "TO", Unit.NAME, _called_to),
    Field("scid", "CHANNEL", Unit.ID, lambda item: _channel(item, "scid")),
    Field("channel_id", "", Unit.ID, lambda item: _channel(item, "channel_id")),
    Field("to_pubkey", "", Unit.ID, lambda item: _to(item, "pubkey")),
    Field("to_alias", "", Unit.NAME, lambda item: _to(item, "alias")),
    Field("why", "WHY", Unit.TEXT, _why),
    Field("settle_rate", "SETTLE", Unit.SHARE, _settle),
    *(_sum(*each) for each in _SUMS),
    Field("capacity_sat", "CAPACITY", Unit.SAT, lambda item: _balance(item, "capacity_sat")),
    Field("local_sat", "", Unit.SAT, lambda item: _balance(item, "local_sat")),
    Field("", "LOCAL", Unit.SHARE, _local),
    Field("remote_sat", "", Unit.SAT, lambda item: _channel(item, "remote_sat")),
    Field("fee_base_msat", "", Unit.COUNT, lambda item: _channel(item, "fee_base_msat")),
    Field("fee_rate_ppm", "PPM", Unit.PPM, lambda item: _channel(item, "fee_rate_ppm")),
)
"""Peers, channels, pairs and sources in one table; a pair's own peer is the one it comes from."""


def _money(what: str, title: str, group: Group = Group.LOST) -> Field[CategoryRow]:
    """For people a sum stands only where the category can have one."""
    return Field("", title, Unit.MSAT, lambda row: _sum_of(row, what, group))


def _sum_of(row: CategoryRow, what: str, group: Group) -> Cell:
    if row.category.group is not group:
        return None
    if group is Group.LOST and row.fee_unknown and not row.asked_msat:
        return "fee unknown" if what == "expected_msat" else None
    return _int(row, what)


def _int(row: object, what: str) -> int:
    value: int = getattr(row, what)
    return value


def _plain_money(what: str) -> Field[CategoryRow]:
    return Field(what, "", Unit.MSAT, lambda row: _int(row, what))


CATEGORIES: tuple[Field[CategoryRow], ...] = (
    Field("category", "WHY", Unit.TEXT, lambda row: row.category.label),
    Field("group", "GROUP", Unit.TEXT, lambda row: row.category.group.label),
    Field("count", "COUNT", Unit.COUNT, lambda row: row.count),
    Field("fee_unknown", "", Unit.COUNT, lambda row: row.fee_unknown),
    _money("expected_msat", "MISSED"),
    _money("net_demand_msat", "NET DEMAND"),
    _money("asked_msat", "EVERY TRY"),
    _money("offered_msat", "OFFERED", Group.PRICED_OUT),
    *map(
        _plain_money,
        ("asked_msat", "demand_msat", "net_demand_msat", "expected_msat", "offered_msat"),
    ),
)


LINES: tuple[Field[HtlcLine], ...] = (
    Field("seq", "", Unit.COUNT, lambda line: line.seq),
    Field("at", "AT", Unit.MOMENT, lambda line: line.at_ns),
    Field("ended", "", Unit.MOMENT, lambda line: line.ended_ns),
    Field("type", "", Unit.TEXT, lambda line: line.event_type.name.lower()),
    Field("outcome", "", Unit.TEXT, lambda line: line.outcome.name.lower()),
    Field("category", "", Unit.TEXT, lambda line: line.category.label if line.category else ""),
    Field("in_alias", "", Unit.NAME, lambda line: line.in_alias),
    Field("", "FROM", Unit.NAME, lambda line: ends(line)[0]),
    Field("in_scid", "", Unit.ID, lambda line: line.in_scid),
    Field("out_alias", "", Unit.NAME, lambda line: line.out_alias),
    Field("", "TO", Unit.NAME, lambda line: ends(line)[1]),
    Field("out_scid", "", Unit.ID, lambda line: line.out_scid),
    Field("", "OUTCOME", Unit.TEXT, outcome),
    Field("amount_msat", "AMOUNT", Unit.MSAT, lambda line: line.amount_msat),
    Field("fee_msat", "FEE", Unit.MSAT, lambda line: line.fee_msat),
    Field("wire_failure", "", Unit.COUNT, lambda line: line.wire_failure),
    Field("failure_detail", "", Unit.COUNT, lambda line: line.failure_detail),
    Field("short_msat", "SHORT", Unit.MSAT, lambda line: line.short_msat),
    Field("retry_of", "RETRY OF", Unit.MOMENT, lambda line: line.retry_of_ns),
    Field("repeat", "", Unit.FLAG, lambda line: line.repeat),
)

SLICES: tuple[Field[Slice], ...] = (
    Field("start", "FROM", Unit.TIME, lambda slice_: slice_.start_ns),
    Field("net_demand_msat", "DEMAND", Unit.MSAT, lambda slice_: slice_.net_demand_msat),
    Field("expected_msat", "MISSED", Unit.MSAT, lambda slice_: slice_.expected_msat),
    Field("covered", "COVERED", Unit.SHARE, lambda slice_: slice_.covered),
)

GAPS: tuple[Field[Gap], ...] = (
    Field("from", "FROM", Unit.TIME, lambda gap: gap.from_ns),
    Field("to", "TO", Unit.TIME, lambda gap: gap.until_ns),
    Field("", "FOR", Unit.SPAN, lambda gap: gap.until_ns - gap.from_ns),
    Field("reason", "REASON", Unit.TEXT, lambda gap: gap.reason),
    Field("shed", "", Unit.COUNT, lambda gap: gap.shed),
)

BALANCES: tuple[Field[Balance], ...] = (
    Field("at", "AT", Unit.TIME, lambda balance: balance.at_ns),
    Field("local_sat", "LOCAL", Unit.SAT, lambda balance: balance.local_sat),
    Field("capacity_sat", "CAPACITY", Unit.SAT, lambda balance: balance.capacity_sat),
)

IN_FLIGHT: tuple[Field[InFlight], ...] = (
    Field("at", "AT", Unit.TIME, lambda point: point.at_ns),
    Field("count", "HTLCS", Unit.COUNT, lambda point: point.count),
    Field("amount_msat", "AMOUNT", Unit.MSAT, lambda point: point.amount_msat),
)

POLICIES: tuple[Field[Policy], ...] = (
    Field("at", "FROM", Unit.TIME, lambda policy: policy.at_ns),
    Field("scid", "CHANNEL", Unit.ID, lambda policy: policy.scid),
    Field("base_msat", "BASE MSAT", Unit.COUNT, lambda policy: policy.base_msat),
    Field("rate_ppm", "PPM", Unit.PPM, lambda policy: policy.rate_ppm),
    Field("inbound_base_msat", "", Unit.COUNT, lambda policy: policy.inbound_base_msat),
    Field("inbound_rate_ppm", "IN PPM", Unit.PPM, lambda policy: policy.inbound_rate_ppm),
    Field("min_htlc_msat", "MIN", Unit.MSAT, lambda policy: policy.min_htlc_msat),
    Field("max_htlc_msat", "MAX", Unit.MSAT, lambda policy: policy.max_htlc_msat),
    Field("time_lock_delta", "", Unit.COUNT, lambda policy: policy.time_lock_delta),
    Field("disabled", "", Unit.FLAG, lambda policy: policy.is_disabled),
)

PENDING: tuple[Field[Pending], ...] = (
    Field("scid", "CHANNEL", Unit.ID, lambda item: item.scid),
    Field("alias", "PEER", Unit.NAME, lambda item: item.alias),
    Field("incoming", "IN", Unit.FLAG, lambda item: item.incoming),
    Field("amount_msat", "AMOUNT", Unit.MSAT, lambda item: item.amount_msat),
    Field("expiry_height", "", Unit.COUNT, lambda item: item.expiry_height),
    Field("blocks_left", "BLOCKS LEFT", Unit.COUNT, lambda item: item.blocks_left),
)

CHANGES: tuple[Field[Change], ...] = (
    Field("at", "AT", Unit.TIME, lambda change: change.at_ns),
    Field("kind", "WHAT", Unit.TEXT, lambda change: change.kind.value),
    Field("alias", "PEER", Unit.NAME, lambda change: change.alias),
    Field("scid", "CHANNEL", Unit.ID, lambda change: change.scid),
    Field("before", "BEFORE", Unit.TEXT, lambda change: change.before),
    Field("after", "AFTER", Unit.TEXT, lambda change: change.after),
    Field("text", "MARK", Unit.NAME, lambda change: change.text),
    Field("rate_before_msat", "MISSED/H BEFORE", Unit.MSAT, lambda change: change.rate_before_msat),
    Field("rate_after_msat", "MISSED/H AFTER", Unit.MSAT, lambda change: change.rate_after_msat),
)


def _per_30d(item: Opportunity, end: int) -> Cell:
    return item.per_30d_msat[end] if item.per_30d_msat else None


OPPORTUNITIES: tuple[Field[Opportunity], ...] = (
    Field("kind", "DO", Unit.TEXT, lambda item: item.kind.value),
    Field("pubkey", "", Unit.ID, lambda item: item.pubkey),
    Field("alias", "", Unit.NAME, lambda item: item.alias),
    Field("", "PEER", Unit.NAME, lambda item: name(item.alias, item.pubkey)),
    Field("channels", "", Unit.ID, lambda item: " ".join(item.channels)),
    Field("worth_msat", "WORTH", Unit.MSAT, lambda item: item.worth_msat),
    Field("per_30d_low_msat", "PER 30 D FROM", Unit.MSAT, lambda item: _per_30d(item, 0)),
    Field("per_30d_high_msat", "TO", Unit.MSAT, lambda item: _per_30d(item, 1)),
    Field("urgency", "URGENCY", Unit.COUNT, lambda item: item.urgency.total),
    Field("confidence", "CONFIDENCE", Unit.TEXT, lambda item: item.confidence.value),
    Field("amount_msat", "AMOUNT", Unit.MSAT, lambda item: item.amount_msat),
    Field("break_even_ppm", "BREAK-EVEN", Unit.PPM, lambda item: item.break_even_ppm),
    Field("ceiling_ppm", "CEILING", Unit.PPM, lambda item: item.ceiling_ppm),
    Field("source_pubkey", "", Unit.ID, lambda item: item.source_pubkey),
    Field("source_alias", "TAKE FROM", Unit.NAME, lambda item: item.source_alias),
)

NOT_ADVISED: tuple[Field[NotAdvised], ...] = (
    Field("pubkey", "", Unit.ID, lambda item: item.pubkey),
    Field("alias", "", Unit.NAME, lambda item: item.alias),
    Field("", "PEER", Unit.NAME, lambda item: name(item.alias, item.pubkey)),
    Field("because", "BECAUSE", Unit.TEXT, lambda item: item.because),
    Field("worth_msat", "WORTH", Unit.MSAT, lambda item: item.worth_msat),
)

FIGURES: tuple[Field[Figure], ...] = (
    Field("name", "FIGURE", Unit.TEXT, lambda figure: figure.name),
    Field("value", "VALUE", Unit.COUNT, lambda figure: figure.value),
    Field("unit", "UNIT", Unit.TEXT, lambda figure: figure.unit),
    Field("formula", "HOW", Unit.FORMULA, lambda figure: figure.formula),
)
