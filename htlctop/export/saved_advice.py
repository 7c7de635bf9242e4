"""Reads the advice of a saved report back, so that it can be written in any format."""

import json
import re
from collections.abc import Iterable

from htlctop.analysis.advice.models import (
    Advice,
    Confidence,
    Figure,
    Kind,
    NotAdvised,
    Opportunity,
    Urgency,
)
from htlctop.analysis.details import Change, ChangeKind
from htlctop.analysis.models import UNKNOWN_PEER, Report, Window
from htlctop.errors import UsageError
from htlctop.export.format import span
from htlctop.export.saved_item import Item

_WITH_UNIT = re.compile(r"(.+) \((msat|sat|ppm|h|s)\)", re.DOTALL)
_KINDS = {kind.value: kind for kind in Kind}
_SURE = {sure.value: sure for sure in Confidence}
_CHANGES = {kind.value: kind for kind in ChangeKind}


def read_advice(text: str, report: Report) -> tuple[Advice | None, tuple[Change, ...]]:
    """The advice and the changes of a report that `read_report` has read; None where it has none.

    Raises UsageError, which says what is wrong and where.
    """
    whole = Item(json.loads(text), "")
    if not whole.has("opportunities"):
        return None, ()
    view = report.overview
    head = whole.item("advice")
    begins, ends = head.time_ns("from"), head.time_ns("to")
    covered_ns = round(head.real("covered_s") * 1000) * 1_000_000
    ids = {peer.pubkey: peer.peer for peer in view.peers}
    advice = Advice(
        node=view.node,
        status=view.status,
        window=Window(span(ends - begins), begins, ends, covered_ns, (), is_live=False),
        opportunities=whole.items("opportunities", lambda item: _opportunity(item, ids)),
        hidden=head.number("hidden"),
        too_early=head.text("too_early"),
        why_none=head.text("why_none"),
        not_advised=(
            head.items("not_advised", lambda item: _not_advised(item, ids))
            if head.has("not_advised")
            else ()
        ),
    )
    return advice, whole.items("changes", _change) if whole.has("changes") else ()


def _opportunity(item: Item, ids: dict[str | None, int]) -> Opportunity:
    urgency, source = item.item("urgency"), item.text("source")
    parts = (urgency.number(name) for name in ("total", "revenue", "frequency", "rate"))
    pubkey = item.text("peer")
    return Opportunity(
        kind=item.one_of("kind", _KINDS),
        peer=ids.get(pubkey, UNKNOWN_PEER + 1),
        pubkey=pubkey,
        alias=item.text("alias"),
        channels=item.texts("channels"),
        worth_msat=item.number("worth_msat"),
        per_30d_msat=_range(item),
        urgency=Urgency(*parts),
        confidence=item.one_of("confidence", _SURE),
        amount_msat=item.maybe_number("amount_msat"),
        break_even_ppm=item.maybe_number("break_even_ppm"),
        ceiling_ppm=item.maybe_number("ceiling_ppm"),
        evidence=tuple(_figures(item)),
        source=ids.get(source, UNKNOWN_PEER + 1) if source else None,
        source_pubkey=source or None,
        source_alias=item.text("source_alias"),
    )


def _not_advised(item: Item, ids: dict[str | None, int]) -> NotAdvised:
    pubkey = item.text("peer")
    return NotAdvised(
        peer=ids.get(pubkey, UNKNOWN_PEER + 1),
        pubkey=pubkey,
        alias=item.text("alias"),
        because=item.text("because"),
        worth_msat=item.number("worth_msat"),
        evidence=tuple(_figures(item)),
    )


def _range(item: Item) -> tuple[int, int] | None:
    ends = item.maybe_numbers("per_30d_msat")
    if ends is None:
        return None
    if len(ends) != 2:
        raise UsageError(f"{item.place('per_30d_msat')} is not two numbers")
    return ends[0], ends[1]


def _figures(item: Item) -> Iterable[Figure]:
    for key, value in item.pairs("evidence"):
        found = _WITH_UNIT.fullmatch(key)
        name, unit = found.groups() if found else (key, "")
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, bool) or not isinstance(each, str | int | float | None):
                raise UsageError(f"{item.place('evidence')} holds something else than figures")
            yield Figure(name, each, unit)


def _change(item: Item) -> Change:
    return Change(
        at_ns=item.time_ns("at"),
        kind=item.one_of("kind", _CHANGES),
        peer=UNKNOWN_PEER,
        alias=item.text("alias"),
        scid=item.text("scid"),
        before=item.text("before"),
        after=item.text("after"),
        text=item.text("text"),
        rate_before_msat=item.maybe_number("rate_before_msat"),
        rate_after_msat=item.maybe_number("rate_after_msat"),
    )
