"""The analyst: reads the store once for a question and answers with a frozen view model."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from htlctop.analysis import following
from htlctop.analysis.advice.advisor import Advisor
from htlctop.analysis.advice.explain import Explainer, Explanation
from htlctop.analysis.advice.ground import Ground
from htlctop.analysis.advice.models import Advice, Curve
from htlctop.analysis.book import ChannelBook
from htlctop.analysis.details import PeerDetail
from htlctop.analysis.following import Cursor
from htlctop.analysis.formulas import Rate, settle_rates
from htlctop.analysis.models import (
    HtlcLine,
    NodeView,
    Overview,
    PairRow,
    PeerRow,
    Query,
    Report,
    Series,
    Slice,
    State,
    StatusView,
    Totals,
    Window,
)
from htlctop.analysis.ports import LogQuery
from htlctop.analysis.sums import (
    Priced,
    add_up,
    category_rows,
    is_refused,
    pair_rows,
    price,
    sort_peers,
)
from htlctop.analysis.windows import align, resolve, step_ns, widened
from htlctop.domain.codes import Category, EventType, Outcome
from htlctop.domain.coverage import Interval, covered_ns, last_break_ns
from htlctop.domain.ports import StatsReader
from htlctop.domain.records import Cell, ClaimOpener, HtlcRecord
from htlctop.domain.types import DEFAULTS, Settings
from htlctop.errors import UsageError

SILENT_NS = 15 * 10**9
ENOUGH_REFUSALS = 30
_ENDED_STATES = (State.NEVER, State.STOPPED)


class StoreAnalyst:
    """Implements `ports.Analyst` over a store. `wall_ns` is the wall clock."""

    def __init__(
        self,
        reader: StatsReader,
        *,
        settings: Settings = DEFAULTS,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._wall_ns = wall_ns
        self._advisor = Advisor(reader)
        self._rates: tuple[tuple[int, int], tuple[dict[int, Rate], Rate]] | None = None

    def close(self) -> None:
        """Give the store back."""
        self._reader.close()

    def interrupt(self) -> None:
        """Break off a read that is running in the reader thread."""
        self._reader.interrupt()

    def generation(self) -> int:
        """A counter of visible changes."""
        with self._reader.snapshot():
            return self._reader.status().generation

    def status(self) -> StatusView:
        """The collector's state and the store's size."""
        with self._reader.snapshot():
            return self._status(self._reader.intervals())

    def smallest_window(self) -> str:
        """The smallest of 24h, 7d, 30d that holds 30 refusals."""
        with self._reader.snapshot():
            for label in ("24h", "7d"):
                window = self._window(Query(window=label), self._reader.intervals())
                refused = sum(cell.n for cell in self._cells(window) if is_refused(cell.category))
                if refused >= ENOUGH_REFUSALS:
                    return label
            return "30d"

    def overview(self, query: Query) -> Overview:
        """The node over the window."""
        with self._reader.snapshot():
            return self._overview(query)

    def report(self, query: Query) -> Report:
        """The node and every pair over the window, of one moment."""
        with self._reader.snapshot():
            overview = self._overview(query)
            return Report(overview, self._pairs(overview.window, self._book()))

    def peer(self, peer: int, query: Query) -> PeerDetail:
        """One peer over the window. Raises UsageError when the store does not know it."""
        with self._reader.snapshot():
            intervals = self._reader.intervals()
            window = self._window(query, intervals)
            book = self._book()
            channels = book.channels_of(peer)
            if not channels:
                raise UsageError("the store knows no such peer")
            priced = [p for p in self._price(window, book) if p.peer == peer]
            rows = book.peer_rows(priced, *self._rates_at(window))
            return PeerDetail(
                node=self._node(),
                status=self._status(intervals),
                window=window,
                row=next(row for row in rows if row.peer == peer),
                categories=category_rows(priced),
                sources=self._pairs(window, book, channels),
                series=self._series(window, intervals, book, channels),
                balance=(),
                policies=(),
                pending=(),
                events=self._lines(self._reader.log(100, channels=channels), book),
            )

    def advice(self, query: Query) -> Advice:
        """What to do about it, drawn from seven days at least unless a start is given."""
        with self._reader.snapshot():
            return self._advisor.advise(self._ground(widened(query)))

    def curve(self, peer: int, query: Query) -> Curve | None:
        """A peer's liquidity curve, None without liquidity claims."""
        with self._reader.snapshot():
            return self._advisor.curve(self._ground(widened(query)), peer)

    def explain(
        self, query: Query, peer: int | None = None, channel: int | None = None
    ) -> Explanation:
        """How every figure of a peer, a channel or (neither named) the node comes about.

        Raises UsageError for a peer that the store does not know.
        """
        with self._reader.snapshot():
            ground = self._ground(query)
            wide = self._ground(widened(query))
            explainer = Explainer(ground, wide, self._reader, self._advisor, self._settings)
            if channel is not None:
                return explainer.channel(channel)
            if peer is None:
                return explainer.node()
            if not ground.book.channels_of(peer):
                raise UsageError("the store knows no such peer")
            return explainer.peer(peer, self._advisor.advise(wide).opportunities)

    def find_peer(self, text: str) -> PeerRow:
        """The peer of a public key (or its beginning), an exact name, or a scid in any form.

        Raises UsageError when none or several fit.
        """
        with self._reader.snapshot():
            return self._book().find(text)

    def find(self, text: str) -> tuple[int, int | None]:
        """(peer, channel) of a scid in any form; (peer, None) of a key or a name.

        Raises UsageError when none or several fit.
        """
        with self._reader.snapshot():
            book = self._book()
            channel = book.find_channel(text)
            if channel is not None:
                return book.peer_of(channel), channel
            return book.find(text).peer, None

    def log(self, query: LogQuery) -> tuple[HtlcLine, ...]:
        """HTLCs newest first."""
        with self._reader.snapshot():
            book = self._book()
            channels = book.channels_of(query.peer) if query.peer is not None else ()
            if query.peer is not None and not channels:
                return ()
            records = self._reader.log(
                query.limit,
                before_seq=query.before_seq,
                channels=channels,
                until_ns=query.until_ns,
            )
            return self._lines(records, book)

    def follow(self, cursor: Cursor | None) -> tuple[Cursor, tuple[HtlcLine, ...]]:
        """What is new since the cursor, oldest first; without one nothing, and a cursor of now.

        An HTLC is a line when it is first seen, and once more when its outcome arrives later.
        """
        with self._reader.snapshot():
            if cursor is None:
                return following.start(self._reader), ()
            cursor, records = following.step(self._reader, cursor)
            return cursor, self._lines(records, self._book()) if records else ()

    def _overview(self, query: Query) -> Overview:
        intervals = self._reader.intervals()
        window = self._window(query, intervals)
        book = self._book()
        priced = self._price(window, book)
        own: dict[int, int] = defaultdict(int)
        for item in priced:
            own[item.cell.category] += item.cell.n
        peers = book.peer_rows(priced, *self._rates_at(window))
        unresolved = self._reader.unresolved(window.from_ns, _end_ns(window))
        unknown = self._unknown(unresolved, intervals, window.until_ns)
        sums = add_up(priced)
        forwards = sums.settled + sums.refused + sums.downstream + len(unresolved)
        return Overview(
            node=self._node(),
            status=self._status(intervals),
            window=window,
            totals=Totals(forwards, unknown, len(unresolved) - unknown, sums),
            categories=category_rows(priced),
            rows=sort_peers(peers, query),
            unfiltered=len(peers),
            series=self._series(window, intervals, book),
            offline=sum(1 for p in peers if p.capacity_sat is not None and not p.online),
            dry=book.dry,
            sends=own[Category.SEND],
            receives=own[Category.RECEIVE],
            first_event_ns=self._reader.first_event_ns(),
        )

    def _ground(self, query: Query) -> Ground:
        intervals = self._reader.intervals()
        window = self._window(query, intervals)
        book = self._book()
        return Ground(
            node=self._node(),
            status=self._status(intervals),
            window=window,
            intervals=intervals,
            book=book,
            priced=self._price(window, book),
            rates=self._rates_at(window),
        )

    def _node(self) -> NodeView:
        meta = self._reader.meta()
        return NodeView(*(str(meta.get(k, "")) for k in ("pubkey", "alias", "network", "version")))

    def _now_ns(self) -> int:
        """Node time: the wall clock, or the newest event where the store holds a playback."""
        if self._reader.meta().get("replay"):
            return self._reader.status().last_event_ns
        return self._wall_ns()

    def _status(self, intervals: list[Interval]) -> StatusView:
        record, meta = self._reader.status(), self._reader.meta()
        now_ns = self._now_ns()
        state = State(record.state)
        silent_ns = self._wall_ns() - record.alive_ns if record.alive_ns else 0
        if state not in _ENDED_STATES and silent_ns > SILENT_NS:
            state = State.SILENT
        elif state is State.LIVE and meta.get("ended"):
            state = State.ENDED
        path, size = self._reader.location()
        waiting = self._reader.unresolved(0, now_ns + 1)
        break_ns = self._break_ns(intervals, now_ns)
        in_flight = [at for at, outcome in waiting if outcome == Outcome.NONE and at >= break_ns]
        return StatusView(
            state=state,
            reason=record.reason,
            attempt=record.attempt,
            next_try_ns=record.next_try_ns,
            replay=bool(meta.get("replay")),
            alive_ns=record.alive_ns,
            last_event_ns=record.last_event_ns,
            now_ns=now_ns,
            lag_ns=record.lag_ns,
            queued=record.queued,
            shed=record.shed,
            events=record.events,
            in_flight=len(in_flight),
            oldest_in_flight_ns=min(in_flight, default=None),
            store_path=path,
            store_bytes=size,
        )

    def _window(self, query: Query, intervals: list[Interval]) -> Window:
        return resolve(
            query,
            self._now_ns(),
            self._reader.status().last_event_ns,
            self._reader.first_event_ns(),
            intervals,
        )

    def _break_ns(self, intervals: list[Interval], until_ns: int) -> int:
        """What was in flight before this moment may have ended unseen; 0 where nothing may."""
        live_end = not self._reader.meta().get("replay") and (
            self._wall_ns() - self._reader.status().alive_ns > SILENT_NS
        )
        return last_break_ns(intervals, until_ns, live_end=live_end) or 0

    def _unknown(
        self, unresolved: Iterable[tuple[int, int]], intervals: list[Interval], until_ns: int
    ) -> int:
        break_ns = self._break_ns(intervals, until_ns)
        return sum(1 for at, outcome in unresolved if outcome != Outcome.NONE or at < break_ns)

    def _book(self) -> ChannelBook:
        return ChannelBook(self._reader.peers(), self._reader.channels())

    def _edges_ns(self, window: Window) -> tuple[int, int]:
        """Where the buckets begin and end that the window's ends lie in."""
        newest_ns = self._reader.status().last_event_ns
        until_ns = _end_ns(window)
        return align(window.from_ns, newest_ns), align(until_ns, newest_ns, up=True)

    def _cells(self, window: Window) -> list[Cell]:
        return self._reader.cells(*self._edges_ns(window))

    def _price(self, window: Window, book: ChannelBook) -> list[Priced]:
        return price(self._cells(window), book.peer_of, *self._rates_at(window))

    def _rates_at(self, window: Window) -> tuple[dict[int, Rate], Rate]:
        """Every peer's settle rate over the 30 days before the window's end."""
        _, until_ns = self._edges_ns(window)
        key = until_ns, self._reader.status().generation
        if self._rates is None or self._rates[0] != key:
            book = self._book()
            start = align(
                until_ns - self._settings.rate_window_ns, self._reader.status().last_event_ns
            )
            claims: dict[int, list[int]] = defaultdict(lambda: [0, 0])
            for cell in self._reader.cells(start, until_ns):
                if cell.category in (Category.SETTLED, Category.DOWNSTREAM):
                    failed = int(cell.category == Category.DOWNSTREAM)
                    claims[book.peer_of(cell.channel)][failed] += cell.claims
            rates = settle_rates({p: (s, f) for p, (s, f) in claims.items()}, self._settings)
            self._rates = key, rates
        return self._rates[1]

    def _pairs(
        self, window: Window, book: ChannelBook, channels: Sequence[int] = ()
    ) -> tuple[PairRow, ...]:
        priced = self._price(window, book)
        cells = self._reader.pair_cells(*self._edges_ns(window), channels)
        return pair_rows(cells, priced, book)

    def _series(
        self,
        window: Window,
        intervals: list[Interval],
        book: ChannelBook,
        channels: Sequence[int] = (),
    ) -> Series:
        step = step_ns(window)
        start = window.from_ns // step * step
        count = max(1, -(-(window.until_ns - start) // step))
        rates, default = self._rates_at(window)
        net, expected = [0] * count, [0.0] * count
        proven_ns = max((item.until_ns for item in intervals), default=0)
        for slot, channel, msat in self._reader.net_over_time(
            start, self._edges_ns(window)[1], step, channels
        ):
            if 0 <= slot < count:
                net[slot] += msat
                expected[slot] += msat * float(rates.get(book.peer_of(channel), default))
        slices = []
        for slot in range(count):
            begins = start + slot * step
            ends = min(begins + step, max(window.until_ns, begins + 1))
            if window.is_live and proven_ns > window.until_ns - SILENT_NS:
                # The last seconds are not proven yet; that is no time unwatched.
                ends = max(begins + 1, min(ends, proven_ns))
            watched = covered_ns(intervals, begins, ends) / (ends - begins)
            slices.append(Slice(begins, net[slot], round(expected[slot]), min(1.0, watched)))
        return Series(step, tuple(slices))

    def _lines(self, records: Iterable[HtlcRecord], book: ChannelBook) -> tuple[HtlcLine, ...]:
        rows = list(records)
        openers = self._reader.claim_openers(
            sorted({row.claim_seq for row in rows if row.claim_seq is not None})
        )
        return tuple(_line(row, openers.get(row.claim_seq or 0), book) for row in rows)


def _end_ns(window: Window) -> int:
    """The window's end, exclusive: what happens this very moment still belongs to a live one."""
    return window.until_ns + window.is_live


def _line(record: HtlcRecord, claim: ClaimOpener | None, book: ChannelBook) -> HtlcLine:
    known = record.in_msat and record.out_msat
    is_retry = claim is not None and claim.seq != record.seq and record.outcome != Outcome.SETTLED
    return HtlcLine(
        seq=record.seq,
        at_ns=record.at_ns,
        ended_ns=record.ended_ns,
        event_type=EventType(record.event_type) if record.event_type <= 3 else EventType.UNKNOWN,
        outcome=Outcome(record.outcome),
        category=Category(record.category) if record.category else None,
        in_peer=book.peer_of(record.in_channel),
        in_alias=book.name_of(record.in_channel),
        in_scid=book.scid_of(record.in_channel),
        out_peer=book.peer_of(record.out_channel),
        out_alias=book.name_of(record.out_channel),
        out_scid=book.scid_of(record.out_channel),
        amount_msat=record.out_msat or record.in_msat or None,
        fee_msat=record.in_msat - record.out_msat if known else None,
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
