"""The log: which HTLCs a query means, and each as a line to read."""

from collections.abc import Iterable

from htlctop.analysis.book import ChannelBook
from htlctop.analysis.filters import AmountTerm, Fate, Filter, Measured, NameTerm, Side, parse
from htlctop.analysis.models import HtlcLine, LogPage
from htlctop.analysis.moment import Moment
from htlctop.analysis.naming import Naming
from htlctop.analysis.query import LogQuery
from htlctop.domain.codes import Category, EventType, Outcome
from htlctop.domain.fees import fee_offered
from htlctop.domain.records import Bounds, ClaimOpener, Ends, HtlcRecord, Pick

_OUTCOMES = {
    Fate.SETTLED: Outcome.SETTLED,
    Fate.REFUSED: Outcome.REFUSED,
    Fate.DOWNSTREAM: Outcome.DOWNSTREAM,
    Fate.UNKNOWN: Outcome.UNSEEN,
    Fate.IN_FLIGHT: Outcome.NONE,
}


def page(moment: Moment, query: LogQuery) -> LogPage:
    """The HTLCs that a query means, newest first, as many as are found in a moment. Raises
    UsageError for its filter."""
    pick = _pick(moment, query, parse(query.filter))
    if pick is None:
        return LogPage((), None)
    found = moment.reader.find(pick, query.limit, query.before_seq)
    return LogPage(lines(moment, found.records), found.older_seq)


def lines(moment: Moment, records: Iterable[HtlcRecord]) -> tuple[HtlcLine, ...]:
    """HTLCs as lines, in the order given."""
    rows = list(records)
    openers = moment.reader.claim_openers(
        sorted({row.claim_seq for row in rows if row.claim_seq is not None})
    )
    break_ns = moment.break_ns(moment.now_ns)
    book = moment.book
    return tuple(_line(row, openers.get(row.claim_seq or 0), book, break_ns) for row in rows)


def _pick(moment: Moment, query: LogQuery, filtered: Filter) -> Pick | None:
    """What the store is to look for; None where nothing can fit."""
    book = moment.book
    naming = moment.naming
    ends = [_ends(term, naming) for term in filtered.names]
    if query.peer is not None:
        channels = frozenset(book.channels_of(query.peer))
        ends.append(Ends(channels, channels))
    if query.channel is not None:
        channels = frozenset(book.same_channel(query.channel))
        ends.append(Ends(channels, channels))
    if query.pair is not None:
        in_peer, out_peer = query.pair
        ends.append(Ends(frozenset(book.channels_of(in_peer)), frozenset()))
        ends.append(Ends(frozenset(), frozenset(book.channels_of(out_peer))))
    if any(not each.negated and not each.ins and not each.outs for each in ends):
        return None
    fates = filtered.fates
    return Pick(
        ends=tuple(ends),
        bounds=tuple(map(_bounds, filtered.amounts)),
        categories=filtered.categories,
        event_types=None if filtered.types is None else frozenset(map(int, filtered.types)),
        fates=None if fates is None else frozenset(int(_OUTCOMES[fate]) for fate in fates),
        break_ns=moment.break_ns(moment.now_ns),
        until_ns=query.until_ns,
    )


def _ends(term: NameTerm, naming: Naming) -> Ends:
    channels = naming.channels(term)
    nothing: frozenset[int] = frozenset()
    ins = nothing if term.side is Side.OUT else channels
    outs = nothing if term.side is Side.IN else channels
    return Ends(ins, outs, term.negated)


def _bounds(term: AmountTerm) -> Bounds:
    return Bounds(term.measured is Measured.FEE, term.low_msat, term.high_msat, term.negated)


def _line(
    record: HtlcRecord, claim: ClaimOpener | None, book: ChannelBook, break_ns: int
) -> HtlcLine:
    is_retry = claim is not None and claim.seq != record.seq and record.outcome != Outcome.SETTLED
    is_missed = record.outcome == Outcome.NONE and record.at_ns < break_ns
    return HtlcLine(
        seq=record.seq,
        at_ns=record.at_ns,
        ended_ns=record.ended_ns,
        event_type=EventType(record.event_type) if record.event_type <= 3 else EventType.UNKNOWN,
        outcome=Outcome.UNSEEN if is_missed else Outcome(record.outcome),
        category=Category(record.category) if record.category else None,
        in_peer=book.peer_of(record.in_channel),
        in_alias=book.name_of(record.in_channel),
        in_scid=book.scid_of(record.in_channel),
        out_peer=book.peer_of(record.out_channel),
        out_alias=book.name_of(record.out_channel),
        out_scid=book.scid_of(record.out_channel),
        amount_msat=record.out_msat or record.in_msat or None,
        fee_msat=fee_offered(record.in_msat, record.out_msat),
        wire_failure=record.wire or 0,
        failure_detail=record.detail or 0,
        short_msat=_short_msat(record),
        retry_of_ns=claim.at_ns if claim is not None and is_retry else None,
        repeat=claim is not None and claim.is_repeat,
    )


def _short_msat(record: HtlcRecord) -> int | None:
    """By how much the peer's best channel fell short; None where we knew of enough, or of nothing:
    LND's word is right then, and ours is old."""
    if record.best_msat is None or not record.out_msat or record.best_msat >= record.out_msat:
        return None
    return record.out_msat - record.best_msat
