"""Reads a report back that `report --format json` wrote, so that it can be written in any format.

What the contract leaves out comes back as not known (balances, why, the chart) or as 0
(fee_unknown and repeats of single rows).
"""

import json
from collections import defaultdict
from collections.abc import Mapping

from htlctop.analysis.models import (
    UNKNOWN_PEER,
    CategoryRow,
    ChannelRow,
    Gap,
    NodeView,
    Overview,
    PairRow,
    PeerRow,
    Report,
    Series,
    State,
    StatusView,
    Sums,
    Totals,
    Window,
)
from htlctop.analysis.rows import Rows
from htlctop.domain.types import NS
from htlctop.errors import UsageError
from htlctop.export.format import span
from htlctop.export.report import SCHEMA
from htlctop.export.saved_item import Item


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
    totals = _totals(whole.item("totals"))
    overview = Overview(
        node=NodeView(*map(node.text, ("pubkey", "alias", "network", "version"))),
        status=_status(window, is_replay=node.flag("replay")),
        window=window,
        totals=totals,
        categories=whole.items("categories", _category),
        rows=Rows.of(peers),
        count=len(peers),
        unfiltered=len(peers),
        series=Series(NS, ()),
        offline=0,
        dry=0,
        sends=0,
        receives=0,
        first_event_ns=window.from_ns if totals.forwards else None,
    )
    return Report(overview, whole.items("pairs", lambda item: _pair(item, ids)))


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
            why=None,
            online=False,
            capacity_sat=None,
            local_sat=None,
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
        why=None,
        is_open=True,
        is_active=False,
        capacity_sat=None,
        local_sat=None,
        remote_sat=None,
        fee_base_msat=None,
        fee_rate_ppm=None,
    )


def _pair(item: Item, peers: Mapping[str, PeerRow]) -> PairRow:
    into, out = item.text("in_peer"), item.text("out_peer")
    source, target = peers.get(into), peers.get(out)
    return PairRow(
        in_peer=source.peer if source else UNKNOWN_PEER,
        in_pubkey=into or None,
        in_alias=source.alias if source else "",
        out_peer=target.peer if target else UNKNOWN_PEER,
        out_pubkey=out or None,
        out_alias=target.alias if target else "",
        sums=_sums(item),
    )


_ROW = (
    *("settled", "refused", "lost", "downstream", "asked_msat", "demand_msat", "recovered_msat"),
    *("expected_msat", "offered_msat", "earned_msat", "claims"),
)
_TOTAL = (
    *("settled", "refused", "downstream", "asked_msat", "demand_msat", "recovered_msat"),
    *("expected_msat", "earned_msat", "claims", "repeats"),
)


def _sums(item: Item) -> Sums:
    return Sums(**{name: item.number(name) for name in _ROW})


def _totals(item: Item) -> Totals:
    sums = Sums(**{name: item.number(name) for name in _TOTAL})
    return Totals(item.number("forwards"), item.number("unknown"), item.number("in_flight"), sums)


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
    gaps = item.items("gaps", _gap)
    return Window(span(ends - begins), begins, ends, covered_ns, gaps, is_live=False)


def _gap(item: Item) -> Gap:
    times = item.time_ns("from"), item.time_ns("to")
    return Gap(*times, item.text("reason"), item.number("shed"))


def _status(window: Window, *, is_replay: bool) -> StatusView:
    return StatusView(
        state=State.STOPPED,
        reason="",
        attempt=0,
        next_try_ns=0,
        replay=is_replay,
        alive_ns=0,
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
    )
