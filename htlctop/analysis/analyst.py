"""The analyst: reads the store once for a question and answers with a frozen view model."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from htlctop.analysis import drilldown, following, log
from htlctop.analysis.advice.advisor import Advisor
from htlctop.analysis.advice.changes import changes
from htlctop.analysis.advice.evidence import Evidence
from htlctop.analysis.advice.explain import Explainer
from htlctop.analysis.advice.ground import Ground
from htlctop.analysis.advice.kept import KeptAdvice
from htlctop.analysis.advice.models import Advice, Curve, Explanation
from htlctop.analysis.advice.one_htlc import explain_htlc
from htlctop.analysis.advice.peer_sums import PeerSums, by_peer
from htlctop.analysis.details import (
    ChannelDetail,
    History,
    HtlcDetail,
    NodeDetail,
    PairDetail,
    PeerDetail,
)
from htlctop.analysis.following import Cursor
from htlctop.analysis.kept import Shelf
from htlctop.analysis.models import (
    HtlcLine,
    LogPage,
    Overview,
    PeerRow,
    Report,
    Window,
)
from htlctop.analysis.moment import Moment, end_ns
from htlctop.analysis.node import node
from htlctop.analysis.overview import flows, overview, totals
from htlctop.analysis.pairs import every_pair
from htlctop.analysis.query import LogQuery, Query
from htlctop.analysis.series import in_flight, series
from htlctop.analysis.status import StatusView
from htlctop.analysis.sums import Priced, add_up, over_sources
from htlctop.analysis.windows import widened
from htlctop.domain.codes import REFUSED
from htlctop.domain.readers import StatsReader
from htlctop.domain.types import DEFAULTS, Settings
from htlctop.errors import UsageError

ENOUGH_REFUSALS = 30


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
        self._shelf = Shelf()
        self._evidence = Evidence(reader)
        self._peers: dict[int, PeerSums] = {}
        self._kept = KeptAdvice()

    def close(self) -> None:
        """Give the store back."""
        self._reader.close()

    def interrupt(self) -> None:
        """Break off a read that is running in the reader thread."""
        self._reader.interrupt()

    def generation(self) -> int:
        """A counter of visible changes."""
        with self._moment() as moment:
            return moment.record.generation

    def status(self) -> StatusView:
        """The collector's state and the store's size."""
        with self._moment() as moment:
            return moment.status

    def smallest_window(self) -> str:
        """The smallest of 24h, 7d, 30d that holds 30 refusals, or as many as the largest does."""
        refused: dict[str, int] = {}
        with self._moment() as moment:
            for label in ("24h", "7d", "30d"):
                edges = moment.edges_ns(moment.window(Query(window=label)))
                cells = moment.reader.cells(*edges)
                refused[label] = sum(c.n for c in cells if c.category in REFUSED)
                if refused[label] >= ENOUGH_REFUSALS:
                    return label
        return next(label for label, count in refused.items() if count >= refused["30d"])

    def prepare(self, query: Query) -> bool:
        """Have at hand what views of pairs add up, a step at a time; whether it is."""
        with self._moment(query) as moment:
            return moment.prepare_pairs(moment.window(query))

    def overview(self, query: Query) -> Overview:
        """The node over the window. Raises UsageError for its filter."""
        with self._moment(query) as moment:
            return overview(moment, query)

    def flows(self, query: Query) -> Overview:
        """The node with its pairs by net demand, and their matrix. Raises UsageError for its
        filter."""
        with self._moment(query) as moment:
            return flows(moment, query)

    def report(self, query: Query) -> Report:
        """The node and every pair over the window, of one moment, to the msat."""
        with self._moment(query, exact=True) as moment:
            return Report(overview(moment, query), every_pair(moment, moment.window(query)))

    def peer(self, peer: int, query: Query) -> PeerDetail:
        """One peer over the window. Raises UsageError when the store does not know it."""
        with self._moment(query) as moment:
            return drilldown.peer(moment, peer, query)

    def channel(self, channel: int, query: Query) -> ChannelDetail:
        """One channel over the window. Raises UsageError when the store does not know it."""
        with self._moment(query) as moment:
            return drilldown.channel(moment, channel, query)

    def pair(self, in_peer: int, out_peer: int, query: Query) -> PairDetail:
        """One pair over the window. Raises UsageError when the store does not know them."""
        with self._moment(query) as moment:
            return drilldown.pair(moment, in_peer, out_peer, query)

    def htlc(self, seq: int) -> HtlcDetail:
        """One HTLC. Raises UsageError when the store does not hold it (any more)."""
        with self._moment() as moment:
            return drilldown.htlc(moment, seq)

    def node(self, query: Query) -> NodeDetail:
        """The node, its collector and its store."""
        with self._moment(query) as moment:
            return node(moment, query)

    def history(self, query: Query) -> History:
        """The chart over the window with what changed in it."""
        with self._moment(query) as moment:
            window = moment.window(query)
            return History(
                node=moment.node,
                status=moment.status,
                window=window,
                series=series(moment, window),
                changes=changes(self._ground(moment, window), self._reader),
                in_flight=in_flight(moment, window),
            )

    def advice(self, query: Query) -> Advice:
        """What to do about it, drawn from seven days at least unless a start is given."""
        with self._moment(query) as moment:
            return self._kept.get(
                query,
                moment.record.generation,
                moment.status,
                lambda: self._advisor(moment, query).advise(),
            )

    def curve(self, peer: int, query: Query) -> Curve | None:
        """A peer's liquidity curve, None without liquidity claims."""
        with self._moment(query) as moment:
            return self._advisor(moment, query).curve(peer)

    def explain(
        self,
        query: Query,
        peer: int | None = None,
        channel: int | None = None,
        source: int | None = None,
    ) -> Explanation:
        """How every figure of a channel, a peer, what came to it from a source, or (nothing named)
        the node comes about.

        Raises UsageError for what the store does not know.
        """
        with self._moment(query) as moment:
            book, window = moment.book, moment.window(query)
            target = peer if channel is None else book.peer_of(channel)
            channels = book.channels_of(target) if target is not None else ()
            if target is not None and not channels:
                raise UsageError("the store knows no such peer")
            pairs = moment.priced_pairs(window, channels)
            ground = self._ground(moment, window, over_sources(pairs))
            explainer = Explainer(ground, pairs, self._reader, self._settings)
            if target is None:
                return explainer.node(
                    totals(moment, window, add_up(pairs)),
                    node(moment, query),
                    series(moment, window),
                    moment.nets(window),
                    in_flight(moment, window),
                )
            if channel is not None:
                parts = moment.nets(window, book.same_channel(channel))
                return explainer.channel(drilldown.channel(moment, channel, query, events=0), parts)
            if source is not None:
                parts = moment.nets(window, channels, in_peer=source)
                return explainer.pair(
                    drilldown.pair(moment, source, target, query, events=0), parts
                )
            return explainer.peer(
                drilldown.peer(moment, target, query, events=0),
                moment.priced_pairs(window, in_peer=target),
                moment.nets(window, channels),
                self._advisor(moment, query),
            )

    def explain_htlc(self, seq: int) -> Explanation:
        """How the figures of one HTLC come about. Raises UsageError when it is not stored."""
        return explain_htlc(self.htlc(seq))

    def find_htlc(self, text: str) -> int | None:
        """The HTLC of an incoming circuit, a channel in any form and the HTLC's number there as in
        777100x1200x1:4711; None for a text that names none.

        Raises UsageError when it is not stored.
        """
        channel_text, _, number = text.rpartition(":")
        with self._moment() as moment:
            book = moment.book
            if book.find_channel(text) is not None or not (number.isascii() and number.isdigit()):
                return None
            channel = book.find_channel(channel_text)
            if channel is None:
                return None
            channels, most = book.same_channel(channel), 2**63 - 1
            seq = moment.reader.htlc_seq(channels, min(int(number[:20]), most))
        if seq is None:
            raise UsageError(f"the store does not hold HTLC {number} of {channel_text} (any more)")
        return seq

    def find_peer(self, text: str) -> PeerRow:
        """The peer of a public key (or its beginning), an exact name, or a scid in any form.

        Raises UsageError when none or several fit.
        """
        with self._moment() as moment:
            return moment.book.find(text)

    def find(self, text: str) -> tuple[int, int | None]:
        """(peer, channel) of a scid in any form; (peer, None) of a key or a name.

        Raises UsageError when none or several fit.
        """
        with self._moment() as moment:
            book = moment.book
            channel = book.find_channel(text)
            if channel is not None:
                return book.peer_of(channel), channel
            return book.find(text).peer, None

    def log(self, query: LogQuery) -> LogPage:
        """HTLCs newest first, and where to go on."""
        with self._moment() as moment:
            return log.page(moment, query)

    def follow(self, cursor: Cursor | None) -> tuple[Cursor, tuple[HtlcLine, ...]]:
        """What is new since the cursor, oldest first; without one nothing, and a cursor of now.

        An HTLC is a line when it is first seen, and once more when its outcome arrives later.
        """
        with self._moment() as moment:
            if cursor is None:
                return following.start(self._reader), ()
            cursor, records = following.step(self._reader, cursor)
            return cursor, log.lines(moment, records) if records else ()

    def _advisor(self, moment: Moment, query: Query) -> Advisor:
        """Whose advice stands on what may reach further back than the query."""
        window = moment.window(widened(query))
        cells = moment.kept_cells(window)
        self._peers = by_peer(cells, moment.book.peer_of, self._peers)
        return Advisor(self._ground(moment, window, peers=self._peers))

    def _ground(
        self,
        moment: Moment,
        window: Window,
        priced: Sequence[Priced] = (),
        peers: Mapping[int, PeerSums] | None = None,
    ) -> Ground:
        if window.is_live:
            evidence = self._evidence
            gone_ns = int(moment.meta.get("rows_since_ns", 0))
            evidence.advance(moment.record, gone_ns, moment.book.peer_of)
        else:
            evidence = Evidence(self._reader, end_ns(window))
        return Ground(
            moment.node, moment.status, window, moment.intervals, moment.book,
            moment.rates(window), evidence, peers=peers, priced=priced,
        )  # fmt: skip

    @contextmanager
    def _moment(self, query: Query | None = None, *, exact: bool = False) -> Iterator[Moment]:
        """The store at this moment, looked at from the query's time."""
        with self._reader.snapshot():
            until_ns = query.until_ns if query else None
            yield Moment(
                self._reader, self._settings, self._wall_ns, until_ns, self._shelf,
                exact=exact,
            )  # fmt: skip
