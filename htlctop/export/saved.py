"""Reads a report back that `report --format json` wrote, so that it can be written in any format.

What the contract leaves out (the chart) comes back as not known; so does what an earlier htlctop
left out, or as 0.
"""

import json
from collections import defaultdict
from collections.abc import Mapping

from htlctop.analysis.models import (
    UNKNOWN_PEER,
    CategoryRow,
    ChannelRow,
    Gap,
    Overview,
    PairRow,
    PeerRow,
    Report,
    Series,
    Sums,
    Totals,
    Window,
)
from htlctop.analysis.rows import Rows
from htlctop.analysis.status import NodeView, State, StatusView
from htlctop.domain.types import NS
from htlctop.errors import UsageError
from htlctop.export.format import span
from htlctop.export.report import SCHEMA
from htlctop.export.saved_item import Item

_STATES = {state.value: state for state in State}


def read_report(text: str) -> Report:
    """The report that a text holds. Raises UsageError, which says what is wrong with it and where.

    `report_json` of it gives the same text again.
    """
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"no JSON: {error}") from None
    if not isinstance(value, dict) or "schema" not in value:
        raise UsageError(f"no report: it has no schema; {SCHEMA} is what report --json writes")
    if value["schema"] != SCHEMA:
        raise UsageError(f"a report of schema {value['schema']!r}; this htlctop reads {SCHEMA}")
    whole = Item(value, "")
    peers = _peers(whole)
    ids: dict[str, PeerRow] = {peer.pubkey or "": peer for peer in peers}
    window = _window(whole.item("window"))
    node = whole.item("node")
    totals, own = _totals(whole.item("totals")), whole.item("totals")
    overview = Overview(
        node=NodeView(*map(node.text, ("pubkey", "alias", "network", "version"))),
        status=_status(whole, window),
        window=window,
        totals=totals,
        categories=whole.items("categories", _category),
        rows=Rows.of(peers),
        count=len(peers),
        unfiltered=len(peers),
        series=Series(NS, ()),
        offline=0,
        dry=0,
        sends=own.later_number("sends") or 0,
        receives=own.later_number("receives") or 0,
        first_event_ns=_first_event_ns(whole, window, totals),
    )
    return Report(overview, Rows.of(whole.items("pairs", lambda item: _pair(item, ids))))


def _peers(whole: Item) -> tuple[PeerRow, ...]:
    channels: dict[str, list[ChannelRow]] = defaultdict(list)
    for row in whole.items("channels", _channel):
        channels[row.pubkey or ""].append(row)
    keys = [key for key in whole.items("peers", lambda item: item.text("pubkey")) if key]
    ids = {key: at for at, key in enumerate(keys, UNKNOWN_PEER + 1)}

    def peer(item: Item) -> PeerRow:
        key = item.text("pubkey")
        return PeerRow(
            peer=ids.get(key, UNKNOWN_PEER),
            pubkey=key or None,
            alias=item.text("alias"),
            channels=tuple(channels[key]),
            sums=_sums(item),
            settle_rate=item.real("settle_rate"),
            why=item.later_category("why"),
            online=None,
            capacity_sat=item.later_number("capacity_sat"),
            local_sat=item.later_number("local_sat"),
        )

    return whole.items("peers", peer)


def _channel(item: Item) -> ChannelRow:
    return ChannelRow(
        channel=0,
        channel_id=item.text("channel_id"),
        scid=item.text("scid"),
        peer=UNKNOWN_PEER,
        pubkey=item.text("peer") or None,
        alias=item.text("alias"),
        sums=_sums(item),
        why=item.later_category("why"),
        is_open=item.later_flag("open") is not False,
        is_active=None,
        capacity_sat=item.later_number("capacity_sat"),
        local_sat=item.later_number("local_sat"),
        remote_sat=item.later_number("remote_sat"),
        fee_base_msat=item.later_number("fee_base_msat"),
        fee_rate_ppm=item.later_number("fee_rate_ppm"),
    )


def _pair(item: Item, peers: Mapping[str, PeerRow]) -> PairRow:
    source, target = _end(item, "in", peers), _end(item, "out", peers)
    return PairRow(*source, *target, sums=_sums(item))


def _end(item: Item, side: str, peers: Mapping[str, PeerRow]) -> tuple[int, str | None, str]:
    """Id, key and name of a peer, which need not have a row of its own."""
    key = item.text(f"{side}_peer")
    row = peers.get(key)
    alias = item.later_text(f"{side}_alias") or (row.alias if row else "")
    if row is not None:
        return row.peer, row.pubkey, alias
    return _NO_ROW if key else UNKNOWN_PEER, key or None, alias


_NO_ROW = -1
"""The id of a peer that is named in a pair alone."""
_ROW = (
    *("settled", "refused", "lost", "downstream", "asked_msat", "demand_msat", "recovered_msat"),
    *("expected_msat", "offered_msat", "earned_msat", "claims"),
)
_TOTAL = (
    *("settled", "refused", "downstream", "asked_msat", "demand_msat", "recovered_msat"),
    *("expected_msat", "earned_msat", "claims", "repeats"),
)


def _sums(item: Item) -> Sums:
    later = {name: item.later_number(name) or 0 for name in ("fee_unknown", "repeats")}
    return Sums(**{name: item.number(name) for name in _ROW}, **later)


def _totals(item: Item) -> Totals:
    sums = Sums(**{name: item.number(name) for name in _TOTAL})
    return Totals(item.number("forwards"), item.number("unknown"), item.number("in_flight"), sums)


def _first_event_ns(whole: Item, window: Window, totals: Totals) -> int | None:
    """When the oldest HTLC was seen; an earlier htlctop did not tell, but whether there was one."""
    if not whole.has("first_event"):
        return window.from_ns if totals.forwards else None
    return whole.time_ns("first_event") if whole.text("first_event") else None


def _category(item: Item) -> CategoryRow:
    amounts = ("asked_msat", "demand_msat", "net_demand_msat", "expected_msat", "offered_msat")
    return CategoryRow(
        item.category("category"),
        item.number("count"),
        item.number("fee_unknown"),
        **{name: item.number(name) for name in amounts},
    )


def _window(item: Item) -> Window:
    begins, ends = item.time_ns("from"), item.time_ns("to")
    covered_ns = round(item.real("covered_s") * 1000) * 1_000_000
    label = item.text("label") if item.has("label") else span(ends - begins)
    return Window(label, begins, ends, covered_ns, item.items("gaps", _gap), is_live=False)


def _gap(item: Item) -> Gap:
    times = item.time_ns("from"), item.time_ns("to")
    return Gap(*times, item.text("reason"), item.number("shed"))


def _status(whole: Item, window: Window) -> StatusView:
    node, state, reason, alive_ns = whole.item("node"), State.STOPPED, "", 0
    if whole.has("collector"):
        collector = whole.item("collector")
        state, reason = collector.one_of("state", _STATES), collector.text("reason")
        alive_ns = collector.time_ns("alive_at") if collector.text("alive_at") else 0
    return StatusView(
        state=state,
        reason=reason,
        attempt=0,
        next_try_ns=0,
        replay=node.flag("replay"),
        alive_ns=alive_ns,
        last_event_ns=0,
        now_ns=window.until_ns,
        lag_ns=0,
        queued=0,
        shed=0,
        events=0,
        in_flight=0,
        oldest_in_flight_ns=None,
        store_path="",
        store_bytes=0,
        synced=node.later_flag("synced"),
    )
