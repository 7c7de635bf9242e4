"""One read of the store: what every view needs of it, as of the time that is looked from."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property

from htlctop.analysis.book import ChannelBook
from htlctop.analysis.formulas import Rate, settle_rates
from htlctop.analysis.kept import KeptCells, KeptChart, KeptPairs, Shelf
from htlctop.analysis.models import Window
from htlctop.analysis.naming import Naming
from htlctop.analysis.query import Query
from htlctop.analysis.status import NodeView, State, StatusView
from htlctop.analysis.sums import (
    Figures,
    Priced,
    figures_apart,
    price,
    together,
)
from htlctop.analysis.windows import SINCE, align, resolve, step_ns
from htlctop.domain.coverage import Interval, last_break_ns
from htlctop.domain.readers import PairSums, StatsReader
from htlctop.domain.records import PairPick, StatusRecord, Way, Worth
from htlctop.domain.types import NS, Settings

SILENT_NS = 15 * NS
EXACT_UP_TO = 20_000
_ENDED_STATES = (State.NEVER, State.STOPPED)


class Moment:
    """The store within one snapshot; whatever is asked twice is read once.

    `as_of_ns` is the past time that is looked from, None for now: channels, balances and policies
    are of then, outcomes as they are known today. `exact`: what would have been earned is rounded
    for each incoming peer however many there are; else, in a window of more than `EXACT_UP_TO`
    HTLCs, once for a channel and category, which is some msat apart and many times faster.
    """

    def __init__(
        self,
        reader: StatsReader,
        settings: Settings,
        wall_ns: Callable[[], int],
        until_ns: int | None = None,
        shelf: Shelf | None = None,
        *,
        exact: bool = False,
    ) -> None:
        self._exact = exact
        self.reader = reader
        self.shelf = shelf or Shelf()
        self.settings = settings
        self._wall_ns = wall_ns
        is_past = until_ns is not None and until_ns < self.now_ns
        self.as_of_ns = until_ns if is_past else None
        self._figures: dict[object, dict[int, Figures]] = {}
        self._rates: dict[int, tuple[dict[int, Rate], Rate]] = {}
        self._priced: dict[object, list[Priced]] = {}
        self._nets: dict[object, dict[int, dict[int, int]]] = {}

    @cached_property
    def meta(self) -> dict[str, str | int]:
        """What is known of the node."""
        return self.reader.meta()

    @cached_property
    def record(self) -> StatusRecord:
        """What the collector last said of itself."""
        return self.reader.status()

    @cached_property
    def intervals(self) -> list[Interval]:
        """When the stream was open."""
        return self.reader.intervals()

    @cached_property
    def first_event_ns(self) -> int | None:
        """The oldest HTLC stored."""
        return self.reader.first_event_ns()

    @cached_property
    def book(self) -> ChannelBook:
        """Who is who."""
        if self.as_of_ns is not None:
            return ChannelBook(self.reader.peers(), self.reader.channels(self.as_of_ns))
        return self.shelf.book(
            self.record.books,
            lambda: ChannelBook(self.reader.peers(), self.reader.channels()),
        )

    @cached_property
    def naming(self) -> Naming:
        """What they go by."""
        return Naming(self.book)

    @cached_property
    def now_ns(self) -> int:
        """Node time: the wall clock, or the newest event where the store holds a playback."""
        return self.record.last_event_ns if self.meta.get("replay") else self._wall_ns()

    @cached_property
    def node(self) -> NodeView:
        """Whose store this is."""
        return NodeView(
            *(str(self.meta.get(k, "")) for k in ("pubkey", "alias", "network", "version"))
        )

    @property
    def block_height(self) -> int | None:
        """The node's newest block, None before it was told."""
        return int(self.meta.get("block_height", 0)) or None

    @cached_property
    def status(self) -> StatusView:
        """The collector's state and the store's size, now."""
        record = self.record
        state, reason = State(record.state), record.reason
        if state not in _ENDED_STATES and self._is_silent:
            state = State.SILENT
            # A collector that cannot write cannot say why either.
            reason = self.reader.disk_trouble() or reason
        elif state is State.LIVE and self.meta.get("ended"):
            state = State.ENDED
        path, size = self.reader.location()
        break_ns = self.break_ns(self.now_ns)
        waiting = self.reader.unresolved(break_ns, self.now_ns + 1, break_ns)
        expiry, height = self.reader.nearest_expiry(), self.block_height
        synced = self.meta.get("synced")
        return StatusView(
            state=state,
            reason=reason,
            attempt=record.attempt,
            next_try_ns=record.next_try_ns,
            replay=bool(self.meta.get("replay")),
            alive_ns=record.alive_ns,
            last_event_ns=record.last_event_ns,
            now_ns=self.now_ns,
            lag_ns=record.lag_ns,
            queued=record.queued,
            shed=record.shed,
            events=record.events,
            in_flight=waiting.in_flight,
            oldest_in_flight_ns=waiting.oldest_ns,
            store_path=path,
            store_bytes=size,
            synced=None if synced is None or self.as_of_ns is not None else bool(synced),
            nearest_expiry_blocks=None if expiry is None or height is None else expiry - height,
        )

    def window(self, query: Query) -> Window:
        """What the query looks at."""
        return resolve(
            query, self.now_ns, self.record.last_event_ns, self.first_event_ns, self.intervals
        )

    def edges_ns(self, window: Window) -> tuple[int, int]:
        """Where the buckets begin and end that the window's ends lie in."""
        newest_ns = self.record.last_event_ns
        return align(window.from_ns, newest_ns), align(end_ns(window), newest_ns, up=True)

    def break_ns(self, until_ns: int) -> int:
        """What was in flight before this moment may have ended unseen; 0 where nothing may."""
        live_end = not self.meta.get("replay") and self._is_silent
        return last_break_ns(self.intervals, until_ns, live_end=live_end) or 0

    @property
    def _is_silent(self) -> bool:
        alive_ns = self.record.alive_ns
        return bool(alive_ns) and self._wall_ns() - alive_ns > SILENT_NS

    def _is_exact(self, window: Window) -> bool:
        if self._exact:
            return True
        counted = self.kept_cells(window).categories.values()
        return sum(sums[0] for sums in counted) <= EXACT_UP_TO

    def priced_pairs(
        self, window: Window, channels: Sequence[int] = (), *, in_peer: int | None = None
    ) -> list[Priced]:
        """The window's cells by channel, incoming peer and category, of some channels or one
        incoming peer where named, each with what it would have earned."""
        edges = self.edges_ns(window)
        key = edges, tuple(channels), in_peer
        if key not in self._priced:
            cells = self.reader.pair_cells(*edges, channels, in_peer=in_peer)
            self._priced[key] = price(cells, self.book.peer_of, *self.rates(window))
        return self._priced[key]

    def step_ns(self, window: Window) -> int:
        """How wide a slice of the window's chart is."""
        return step_ns(window, self.record.last_event_ns)

    def nets(
        self, window: Window, channels: Sequence[int] = (), *, in_peer: int | None = None
    ) -> dict[int, dict[int, int]]:
        """Net demand by slice and channel, msat; of everything, some channels or one incoming
        peer. Slice k begins at k·step."""
        edges, step = self.edges_ns(window), self.step_ns(window)
        key = edges, step, tuple(channels), in_peer
        if key not in self._nets:
            found = self.reader.net_over_time(*edges, step, channels, in_peer=in_peer)
            self._nets[key] = dict(found)
        return self._nets[key]

    def worth(self, window: Window) -> Worth:
        """How the net demand of a sum by pair is priced."""
        rates, default = self.rates(window)
        # Asked for every sum: as Rate.of_amount, without the steps on the way there.
        parts = {peer: (2 * rate.part, rate.of) for peer, rate in rates.items()}
        any_other = 2 * default.part, default.of

        def worth(peer: int, net_msat: int) -> int:
            twice, of = parts.get(peer, any_other)
            return (net_msat * twice + of) // (2 * of)

        return worth

    def kept_pairs(self, window: Window) -> PairSums:
        """The window's sums by pair, where they can be ranked and picked."""
        kept = self._pairs_of(window)
        kept.advance(self.reader, self.record, *self.edges_ns(window))
        return kept.pairs

    def _pairs_of(self, window: Window) -> KeptPairs:
        key = repr(_identity(window))
        return KeptPairs(self.reader.pairs(key), key)

    def prepare_pairs(self, window: Window) -> bool:
        """Have them at hand before they are asked for, a step at a time; whether they are."""
        kept = self._pairs_of(window)
        return kept.prepare(self.reader, self.record, *self.edges_ns(window))

    def rates(self, window: Window) -> tuple[dict[int, Rate], Rate]:
        """Every peer's settle rate over the 30 days before the window's end, and that of a peer
        without any claim."""
        _, until_ns = self.edges_ns(window)
        if until_ns not in self._rates:
            start_ns = align(until_ns - self.settings.rate_window_ns, self.record.last_event_ns)
            kept = self.shelf.claims(None if window.is_live else until_ns)
            kept.advance(self.reader, self.record, start_ns, until_ns)
            claims: dict[int, tuple[int, int]] = {}
            for channel, (settled, failed) in kept.channels.items():
                peer = self.book.peer_of(channel)
                known = claims.get(peer, (0, 0))
                claims[peer] = known[0] + settled, known[1] + failed
            self._rates[until_ns] = settle_rates(claims, self.settings)
        return self._rates[until_ns]

    def kept_cells(self, window: Window) -> KeptCells:
        """The window's sums."""
        kept = self.shelf.cells(_identity(window))
        kept.advance(self.reader, self.record, *self.edges_ns(window))
        return kept

    def figures(
        self, window: Window, categories: frozenset[int] | None = None
    ) -> dict[int, Figures]:
        """What each channel adds up to over the window, its aliases with it; of some categories
        only where named."""
        key = *self.edges_ns(window), categories
        if key in self._figures:
            return self._figures[key]
        if self._is_exact(window):
            self._figures[key] = self.picked_figures(window, PairPick(categories=categories))
            return self._figures[key]
        rates, default = self.rates(window)
        book, kept, found = self.book, self.kept_cells(window), dict[int, Figures]()
        for channel in kept.channels:
            unpriced = (
                kept.of_all(channel) if categories is None else kept.of_some(channel, categories)
            )
            if unpriced is not None:
                part = unpriced.priced(rates.get(book.peer_of(channel), default))
                main = book.main_of(channel)
                found[main] = together((found[main], part)) if main in found else part
        self._figures[key] = found
        return found

    def picked_figures(self, window: Window, pick: PairPick) -> dict[int, Figures]:
        """The same of the pairs that are picked, rounded for each incoming peer."""
        found: dict[int, list[Figures]] = defaultdict(list)
        sums = self.kept_pairs(window).sums(Way.CHANNEL, pick, self.worth(window))
        for (channel,), of in figures_apart(sums).items():
            found[self.book.main_of(channel)].append(of)
        return {channel: together(parts) for channel, parts in found.items()}

    def kept_chart(self, window: Window) -> KeptChart:
        """The window's net demand by slice."""
        kept = self.shelf.chart(_identity(window), self.step_ns(window))
        kept.advance(self.reader, self.record, *self.edges_ns(window))
        return kept


def end_ns(window: Window) -> int:
    """The window's end, exclusive: what happens this very moment still belongs to a live one."""
    return window.until_ns + window.is_live


def _identity(window: Window) -> tuple[object, ...]:
    """What a window is while time goes on."""
    since_ns = window.from_ns if window.label == SINCE else None
    return window.label, since_ns, None if window.is_live else window.until_ns
