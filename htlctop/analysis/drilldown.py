"""The drill-downs: one peer, channel, pair or HTLC, each with what adds up to it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from htlctop.analysis.advice.levels import Watched, away_ns
from htlctop.analysis.details import (
    Asked,
    Balance,
    ChannelDetail,
    HtlcDetail,
    PairDetail,
    PeerDetail,
    Pending,
    Policy,
)
from htlctop.analysis.log import lines, page
from htlctop.analysis.models import ChannelRow, HtlcLine, PairRow, PeerRow, Sums, Window
from htlctop.analysis.moment import Moment, end_ns
from htlctop.analysis.pairs import pair_rows
from htlctop.analysis.query import LogQuery, Query
from htlctop.analysis.series import series
from htlctop.analysis.sums import Priced, category_rows, figures_of, grouped, over_sources
from htlctop.domain.circuits import Source
from htlctop.domain.codes import EventType
from htlctop.domain.evidence import LimitsPoint, PolicyPoint
from htlctop.domain.fees import fee_asked
from htlctop.domain.records import HtlcRecord
from htlctop.errors import UsageError

EVENTS = 100
"""HTLCs shown at the foot of a drill-down."""
MOST_ATTEMPTS = 200


def peer(moment: Moment, peer_id: int, query: Query, events: int = EVENTS) -> PeerDetail:
    """One peer over the window, with so many of its newest HTLCs."""
    book, window = moment.book, moment.window(query)
    channels = book.channels_of(peer_id)
    if not channels:
        raise UsageError("the store knows no such peer")
    sources = moment.priced_pairs(window, channels)
    priced = over_sources(sources)
    row = _peer_row(moment, window, peer_id, priced)
    newest = LogQuery(events, peer=peer_id, until_ns=moment.as_of_ns, filter=query.filter)
    return PeerDetail(
        node=moment.node,
        status=moment.status,
        window=window,
        row=row,
        online=_online(moment, window, peer_id),
        categories=category_rows(priced),
        sources=pair_rows(moment, sources),
        series=series(moment, window, channels),
        balance=_balance(moment, window, row.channels),
        policies=_policies(moment, window, channels),
        pending=pending(moment, channels),
        events=_events(moment, newest),
    )


def channel(moment: Moment, channel_id: int, query: Query, events: int = EVENTS) -> ChannelDetail:
    """One channel over the window; an alias means the channel it stands for."""
    book, window = moment.book, moment.window(query)
    main = book.main_of(channel_id)
    owner = book.peer_of(main)
    if channel_id and not book.scid_of(main):
        raise UsageError("the store knows no such channel")
    channels = book.same_channel(main)
    sources = moment.priced_pairs(window, book.channels_of(owner))
    peer_row = _peer_row(moment, window, owner, over_sources(sources))
    row = next((r for r in peer_row.channels if r.channel == main), None)
    sources = [p for p in sources if p.cell.channel in channels]
    priced = over_sources(sources)
    row = row or book.channel_row(main, figures_of(priced))
    newest = LogQuery(events, channel=main, until_ns=moment.as_of_ns, filter=query.filter)
    return ChannelDetail(
        node=moment.node,
        status=moment.status,
        window=window,
        row=row,
        peer_row=peer_row if owner else None,
        categories=category_rows(priced),
        sources=pair_rows(moment, sources),
        series=series(moment, window, channels),
        balance=_balance(moment, window, (row,)),
        policies=_policies(moment, window, channels),
        pending=pending(moment, channels),
        events=_events(moment, newest),
    )


def pair(
    moment: Moment, in_peer: int, out_peer: int, query: Query, events: int = EVENTS
) -> PairDetail:
    """One pair over the window; nothing but zeros for one that never met."""
    book, window = moment.book, moment.window(query)
    channels = book.channels_of(out_peer)
    if not channels or not book.channels_of(in_peer):
        raise UsageError("the store knows no such pair")
    priced = moment.priced_pairs(window, channels, in_peer=in_peer)
    rows = pair_rows(moment, priced)
    row = rows[0] if rows else PairRow(
        in_peer, book.pubkey_of(in_peer), book.alias_of(in_peer),
        out_peer, book.pubkey_of(out_peer), book.alias_of(out_peer), Sums(),
    )  # fmt: skip
    newest = LogQuery(
        events, pair=(in_peer, out_peer), until_ns=moment.as_of_ns, filter=query.filter
    )
    return PairDetail(
        node=moment.node,
        status=moment.status,
        window=window,
        row=row,
        categories=category_rows(priced),
        series=series(moment, window, channels, in_peer=in_peer),
        events=_events(moment, newest),
    )


def htlc(moment: Moment, seq: int) -> HtlcDetail:
    """One HTLC, and the payment it belongs to."""
    facts = moment.reader.htlc_facts(seq)
    if facts is None:
        raise UsageError("the store does not hold this HTLC (any more)")
    record, book = facts.record, moment.book
    attempts = (
        moment.reader.attempts(record.claim_seq, MOST_ATTEMPTS)
        if record.claim_seq is not None
        else []
    )
    (line,) = lines(moment, [record])
    return HtlcDetail(
        node=moment.node,
        status=moment.status,
        line=line,
        in_channel_id=book.channel_id_of(record.in_channel),
        in_htlc=facts.in_htlc,
        out_channel_id=book.channel_id_of(record.out_channel),
        out_htlc=facts.out_htlc,
        in_msat=record.in_msat or None,
        out_msat=record.out_msat or None,
        asked=_asked(moment, record),
        best_msat=record.best_msat,
        total_msat=facts.usable_msat,
        known_ns=facts.known_ns,
        from_history=facts.source != Source.STREAM,
        attempts=lines(moment, attempts),
    )


def _events(moment: Moment, newest: LogQuery) -> tuple[HtlcLine, ...]:
    return page(moment, newest).lines if newest.limit else ()


def _peer_row(moment: Moment, window: Window, peer_id: int, priced: Iterable[Priced]) -> PeerRow:
    """The row of a peer that these cells are of."""
    book, (rates, default) = moment.book, moment.rates(window)
    parts = grouped(priced, lambda item: book.main_of(item.cell.channel))
    return book.peer_row(peer_id, parts, rates.get(peer_id, default))


def pending(moment: Moment, channels: Sequence[int] = ()) -> tuple[Pending, ...]:
    """The HTLCs on channels now, of some only where named, the nearest expiry first; none in the
    past, since nobody kept them."""
    if moment.as_of_ns is not None:
        return ()
    book, height, wanted = moment.book, moment.block_height, set(channels)
    return tuple(
        Pending(
            scid=book.scid_of(each.channel),
            peer=book.peer_of(each.channel),
            alias=book.name_of(each.channel),
            incoming=each.is_incoming,
            amount_msat=each.amount_msat,
            expiry_height=each.expiry_height,
            blocks_left=each.expiry_height - height if height and each.expiry_height else None,
        )
        for each in moment.reader.pending()
        if not wanted or each.channel in wanted
    )


def _balance(moment: Moment, window: Window, channels: Sequence[ChannelRow]) -> tuple[Balance, ...]:
    """Our side of some channels together, each time that one of them changed, and at the end; of
    those that something is known of by then."""
    rows = {row.channel: row for row in channels if row.capacity_sat}
    local: dict[int, int] = {}
    found: dict[int, Balance] = {}
    for point in moment.reader.balance_history(list(rows), window.from_ns, end_ns(window)):
        local[point.channel] = point.local_sat
        at_ns = max(point.at_ns, window.from_ns)
        capacity = sum(rows[each].capacity_sat or 0 for each in local)
        found[at_ns] = Balance(at_ns, sum(local.values()), capacity)
    # The history is thinned; the newest balance is not.
    known = [row for row in rows.values() if row.local_sat is not None]
    if known:
        found[window.until_ns] = Balance(
            window.until_ns,
            sum(row.local_sat or 0 for row in known),
            sum(row.capacity_sat or 0 for row in known),
        )
    return tuple(found[at_ns] for at_ns in sorted(found))


def _online(moment: Moment, window: Window, peer_id: int) -> float | None:
    """In what share of the time watched one of a peer's channels could be used."""
    channels = moment.book.open_channels(peer_id)
    if not channels or not window.covered_ns:
        return None
    until_ns = end_ns(window)
    history = moment.reader.activity_history([c.id for c in channels], window.from_ns, until_ns)
    watched = Watched(moment.intervals)
    away, _times = away_ns(channels, history, watched, window.from_ns, window.until_ns)
    return 1 - away / window.covered_ns


def _policies(moment: Moment, window: Window, channels: Sequence[int]) -> tuple[Policy, ...]:
    """What was asked on some channels in the window, and what was in force when it began; a
    change of the limits alone is an entry too."""
    span = (window.from_ns, end_ns(window))
    limits: dict[int, list[LimitsPoint]] = defaultdict(list)
    for point in moment.reader.limits_history(channels, *span):
        limits[point.channel].append(point)
    fees: dict[int, list[PolicyPoint]] = defaultdict(list)
    for asked_then in moment.reader.policy_history(channels, *span):
        fees[asked_then.channel].append(asked_then)
    found = []
    for each, asked in fees.items():
        times = {p.at_ns for p in asked}
        times |= {p.at_ns for p in limits[each] if p.at_ns > asked[0].at_ns}
        for at_ns in times:
            fee = [p for p in asked if p.at_ns <= at_ns][-1]
            known = [p for p in limits[each] if p.at_ns <= at_ns]
            limit = known[-1] if known else None
            found.append(
                Policy(
                    at_ns=at_ns,
                    scid=moment.book.scid_of(each),
                    base_msat=fee.base_msat,
                    rate_ppm=fee.rate_ppm,
                    inbound_base_msat=fee.inbound_base_msat,
                    inbound_rate_ppm=fee.inbound_rate_ppm,
                    min_htlc_msat=limit.min_htlc_msat if limit else None,
                    max_htlc_msat=limit.max_htlc_msat if limit else None,
                    time_lock_delta=limit.time_lock_delta if limit else None,
                    is_disabled=bool(limit.is_disabled) if limit else None,
                )
            )
    return tuple(sorted(found, key=lambda p: (p.at_ns, p.scid)))


def _asked(moment: Moment, record: HtlcRecord) -> Asked | None:
    """By the policies in force then; None where no policy of the outgoing channel is known, no
    amount, or for what is no forward."""
    if record.event_type != EventType.FORWARD or not record.out_msat:
        return None
    book, at_ns = moment.book, record.at_ns
    ins, outs = book.main_of(record.in_channel), book.main_of(record.out_channel)
    found = moment.reader.policy_history(sorted({ins, outs} - {0}), at_ns, at_ns + 1)
    asked = {policy.channel: policy for policy in found}
    out, into = asked.get(outs), asked.get(ins)
    if out is None:
        return None
    discount = (into.inbound_base_msat, into.inbound_rate_ppm) if into else (0, 0)
    policy = (out.base_msat, out.rate_ppm, *discount)
    return Asked(*policy, fee_msat=fee_asked(record.out_msat, *policy))
