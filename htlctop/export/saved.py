"""Reads a report back that `report --format json` wrote, so that it can be written in any format.

What the contract leaves out comes back as not known (balances, why, the chart) or as 0
(fee_unknown and repeats of single rows).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

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
from htlctop.domain.codes import Category
from htlctop.domain.types import NS
from htlctop.errors import UsageError
from htlctop.export.format import span
from htlctop.export.report import SCHEMA

T = TypeVar("T")
_CATEGORIES = {category.label: category for category in Category}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 2**63


class Item:
    """One object of the document; reading a field that is missing or wrong names its place."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise UsageError(f"{place or 'the report'} is not an object")
        self._value: Mapping[str, object] = value
        self._place = place

    def text(self, key: str) -> str:
        """A string, "" for null."""
        value = self._get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        return value

    def number(self, key: str) -> int:
        """A whole number."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _MOST:
            raise self._wrong(key, "a whole number")
        return value

    def real(self, key: str) -> float:
        """A number."""
        value = self._get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _MOST:
            raise self._wrong(key, "a number")
        return value

    def flag(self, key: str) -> bool:
        """Yes or no."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def time_ns(self, key: str) -> int:
        """A time in RFC 3339, as ns since the epoch."""
        try:
            at = datetime.fromisoformat(self.text(key))
            return (at - _EPOCH) // timedelta(milliseconds=1) * 1_000_000
        except (ValueError, TypeError, OverflowError):
            raise self._wrong(key, "a time like 2026-07-03T14:02:00.000Z") from None

    def item(self, key: str) -> "Item":
        """An object."""
        return Item(self._get(key), self._at(key))

    def maybe_number(self, key: str) -> int | None:
        """A whole number, or null."""
        return None if self._get(key) is None else self.number(key)

    def maybe_numbers(self, key: str) -> tuple[int, ...] | None:
        """A list of whole numbers, or null."""
        value = self._get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        listed = Item({str(at): each for at, each in enumerate(value)}, self._at(key))
        return tuple(listed.number(str(at)) for at in range(len(value)))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._get(key)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong(key, "a list of strings")
        return tuple(value)

    def place(self, key: str) -> str:
        """Where a field is, for a message."""
        return self._at(key)

    def has(self, key: str) -> bool:
        """Whether it is there at all."""
        return key in self._value

    def pairs(self, key: str) -> tuple[tuple[str, object], ...]:
        """Names and values of an object, in their order."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return tuple(value.items())

    def items(self, key: str, read: "Callable[[Item], T]") -> tuple[T, ...]:
        """What is read from each object of a list."""
        value = self._get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return tuple(read(Item(each, f"{self._at(key)}[{at}]")) for at, each in enumerate(value))

    def category(self, key: str) -> Category:
        """A category by its label."""
        found = _CATEGORIES.get(self.text(key))
        if found is None:
            raise self._wrong(key, f"a category known to this htlctop: {self.text(key)!r}")
        return found

    def _get(self, key: str) -> object:
        if key not in self._value:
            raise UsageError(f"{self._at(key)} is missing")
        return self._value[key]

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def _wrong(self, key: str, wanted: str) -> UsageError:
        return UsageError(f"{self._at(key)} is not {wanted}")


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
        rows=peers,
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
