"""An analyst and a session of the node made by hand: nothing moves unless told to."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bigfoot import (
    CHANGES,
    GAP,
    HOUR,
    NODE,
    NOW,
    NS,
    PENDING,
    PRICED_OUT,
    SORTS,
    SPANS,
    STATUS,
    UNKNOWN_NEXT,
    advised,
    all_peers,
    balances,
    causes,
    flying,
    log,
    names,
    policies,
    series,
    split,
    total,
)

from htlctop.analysis.advice.models import (
    Advice,
    Curve,
    CurvePoint,
    Explanation,
    Figure,
    Opportunity,
    Section,
)
from htlctop.analysis.details import (
    Asked,
    ChannelDetail,
    History,
    HtlcDetail,
    InFlight,
    NodeDetail,
    PairDetail,
    PeerDetail,
    Pending,
)
from htlctop.analysis.models import (
    CategoryRow,
    End,
    HtlcLine,
    LogPage,
    Matrix,
    Overview,
    PairRow,
    PeerRow,
    Row,
    SourceRow,
    Totals,
    Window,
)
from htlctop.analysis.query import By, LogQuery, Query, SortKey
from htlctop.analysis.rows import Rows
from htlctop.analysis.status import NodeView, StatusView
from htlctop.domain.codes import Category as C
from htlctop.domain.types import Access
from htlctop.errors import UsageError


def matrix(pairs: Sequence[PairRow]) -> Matrix:
    """All that is between the peers of some pairs, which are ranked by net demand."""
    ends: tuple[dict[int, End], dict[int, End]] = {}, {}
    for row in pairs:
        net = row.sums.net_demand_msat
        for side, end in zip(
            ends,
            (
                End(row.in_peer, row.in_pubkey, row.in_alias, net),
                End(row.out_peer, row.out_pubkey, row.out_alias, net),
            ),
            strict=True,
        ):
            known = side.get(end.peer)
            side[end.peer] = replace(end, net_msat=net + (known.net_msat if known else 0))
    sources, targets = (
        tuple(sorted(side.values(), key=lambda end: (-end.net_msat, end.peer))) for side in ends
    )
    between = Rows.of(pairs, [row.sums.net_demand_msat for row in pairs])
    net = sum(between.worth)
    return Matrix(sources, targets, len(sources), len(targets), net, between)


READING = ("info:read", "offchain:read", "peers:read")


@dataclass
class FakeAnalyst:
    """Answers like a store that nobody writes to; tests change its fields and `bump` it."""

    peers: list[PeerRow] = field(default_factory=all_peers)
    categories: tuple[CategoryRow, ...] | None = None
    lines: tuple[HtlcLine, ...] = field(default_factory=log)
    the_status: StatusView = STATUS
    identity: NodeView = NODE
    pending: tuple[Pending, ...] = PENDING
    flying: tuple[InFlight, ...] = field(default_factory=flying)
    advised: tuple[Opportunity, ...] | None = None
    sends: int = 3
    receives: int = 2
    first_event_ns: int | None = NOW - 20 * 24 * HOUR
    forwards: int | None = None
    generations: int = 1
    fail: dict[str, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    closed: bool = False
    meanwhile: Callable[[str], object] = lambda name: None
    """What goes on while a method works, by its name."""
    steps: int = 1
    """How many it takes until everything is prepared."""
    looks_at: int | None = None
    """How many HTLCs one read of the log looks at, None for all."""
    looked_at: list[int] = field(default_factory=list)
    """The oldest that each read looked at."""
    explained: list[tuple[int | None, int | None, int | None]] = field(default_factory=list)
    """Of which peer, channel and source each explanation was; none of them is the node."""

    def bump(self) -> None:
        """Something visible changed."""
        self.generations += 1

    def generation(self) -> int:
        self._called("generation")
        return self.generations

    def status(self) -> StatusView:
        self._called("status")
        return self.the_status

    def overview(self, query: Query) -> Overview:
        self._called("overview")
        sums = total([peer.sums for peer in self.peers])
        categories = self.categories
        if categories is None:
            categories = (*causes(), PRICED_OUT, UNKNOWN_NEXT)
            own = PRICED_OUT.count + UNKNOWN_NEXT.count
            sums = replace(sums, refused=sums.refused + own, offered_msat=PRICED_OUT.offered_msat)
        rows = self._ranked(query)
        unknown, hanging = 4, self.the_status.in_flight
        forwards = sums.settled + sums.refused + sums.downstream + unknown + hanging
        return Overview(
            node=self.identity,
            status=self.the_status,
            window=self._window(query),
            totals=Totals(
                forwards if self.forwards is None else self.forwards, unknown, hanging, sums
            ),
            categories=categories,
            rows=Rows.of(rows, [row.sums.net_demand_msat for row in rows]),
            count=len(rows),
            unfiltered=len(self._rows(query.by)),
            series=series(sums.expected_msat, sums.net_demand_msat),
            offline=sum(not peer.online for peer in self.peers),
            dry=sum(
                (channel.local_sat or 0) * 10 < (channel.capacity_sat or 1)
                for peer in self.peers
                for channel in peer.channels
            ),
            sends=self.sends,
            receives=self.receives,
            first_event_ns=self.first_event_ns,
        )

    def flows(self, query: Query) -> Overview:
        self._called("flows")
        view = self.overview(replace(query, by=By.PAIR, sort=SortKey.DEMAND, reverse=False))
        pairs = [row for row in view.rows if isinstance(row, PairRow)]
        return replace(view, matrix=matrix(pairs))

    def prepare(self, query: Query) -> bool:
        self._called("prepare")
        self.steps -= 1
        return self.steps < 1

    def peer(self, peer: int, query: Query) -> PeerDetail:
        self._called("peer")
        row = self._peer(peer)
        return PeerDetail(
            node=self.identity,
            status=self.the_status,
            window=self._window(query),
            row=row,
            online=0.9812 if row.online else 0.4,
            categories=causes(peer),
            sources=self._pairs_to(row),
            series=series(row.sums.expected_msat, row.sums.net_demand_msat),
            balance=balances(row.capacity_sat, row.local_sat),
            policies=policies(row.channels),
            pending=tuple(one for one in self.pending if one.peer == peer),
            events=self.log(LogQuery(50, peer=peer)).lines,
        )

    def channel(self, channel: int, query: Query) -> ChannelDetail:
        self._called("channel")
        owner = self._peer(channel // 10)
        row = next((row for row in owner.channels if row.channel == channel), None)
        if row is None:
            raise UsageError("the store knows no such channel")
        shares = split(row.sums, 3)
        pairs = zip(self._pairs_to(owner), shares, strict=True)
        return ChannelDetail(
            node=self.identity,
            status=self.the_status,
            window=self._window(query),
            row=row,
            peer_row=owner,
            categories=causes(row.peer, channel % 10),
            sources=tuple(replace(pair, sums=share) for pair, share in pairs),
            series=series(row.sums.expected_msat, row.sums.net_demand_msat),
            balance=balances(row.capacity_sat, row.local_sat),
            policies=policies((row,)),
            pending=tuple(one for one in self.pending if one.scid == row.scid),
            events=self.log(LogQuery(50, channel=channel)).lines,
        )

    def pair(self, in_peer: int, out_peer: int, query: Query) -> PairDetail:
        self._called("pair")
        row = next(
            row
            for row in self._pairs_to(self._peer(out_peer))
            if row.in_peer == in_peer or not in_peer
        )
        sums = row.sums
        return PairDetail(
            node=self.identity,
            status=self.the_status,
            window=self._window(query),
            row=row,
            categories=(
                CategoryRow(
                    C.LIQUIDITY,
                    sums.lost,
                    0,
                    sums.asked_msat,
                    sums.demand_msat,
                    sums.net_demand_msat,
                    sums.expected_msat,
                    0,
                ),
            ),
            series=series(sums.expected_msat, sums.net_demand_msat),
            events=self.log(LogQuery(50, pair=(in_peer, out_peer))).lines,
        )

    def htlc(self, seq: int) -> HtlcDetail:
        self._called("htlc")
        found = next((one for one in self.lines if one.seq == seq), None)
        if found is None:
            raise UsageError("the store does not hold this HTLC any more")
        tries = [one for one in self.lines if one.at_ns == found.retry_of_ns]
        amount, fee = found.amount_msat, found.fee_msat
        return HtlcDetail(
            node=self.identity,
            status=self.the_status,
            line=found,
            in_channel_id="854485",
            in_htlc=4711,
            out_channel_id="880688",
            out_htlc=0,
            in_msat=None if amount is None or fee is None else amount + fee,
            out_msat=amount,
            asked=None if fee is None else Asked(fee, 0, 0, 0, fee),
            best_msat=None if not amount or not found.short_msat else amount - found.short_msat,
            total_msat=None if not amount or not found.short_msat else amount - found.short_msat,
            known_ns=found.at_ns - 22 * NS,
            from_history=False,
            attempts=(*tries, found) if tries else (),
        )

    def node(self, query: Query) -> NodeDetail:
        self._called("node")
        window = self._window(query)
        channels = [channel for peer in self.peers for channel in peer.channels]
        return NodeDetail(
            node=self.identity,
            status=self.the_status,
            window=window,
            rows=31_880,
            oldest_ns=self.first_event_ns,
            wal_bytes=2_400_000,
            block_height=861_000,
            channels_open=len(channels),
            channels_active=sum(channel.is_active for channel in channels),
            capacity_sat=sum(channel.capacity_sat or 0 for channel in channels),
            local_sat=sum(channel.local_sat or 0 for channel in channels),
            pending=self.pending,
            gaps=window.gaps,
            cannot_tell=("final_htlc_event: settles are seen, their order is not",),
        )

    def history(self, query: Query) -> History:
        self._called("history")
        sums = total([peer.sums for peer in self.peers])
        return History(
            node=self.identity,
            status=self.the_status,
            window=self._window(query),
            series=series(sums.expected_msat, sums.net_demand_msat),
            changes=CHANGES,
            in_flight=self.flying,
        )

    def advice(self, query: Query) -> Advice:
        self._called("advice")
        found = advised(self.peers) if self.advised is None else self.advised
        return Advice(
            node=self.identity,
            status=self.the_status,
            window=self._window(query),
            opportunities=found,
            hidden=2 if found else 0,
            too_early="",
            why_none="" if found else "nothing refused that would be worth anything",
        )

    def curve(self, peer: int, query: Query) -> Curve | None:
        self._called("curve")
        row = self._peer(peer)
        if row.why is not C.LIQUIDITY:
            return None
        most = row.sums.expected_msat
        points = (
            CurvePoint(500_000, most * 38 // 100, 0.38, 2 * HOUR),
            CurvePoint(1_200_000, most * 80 // 100, 0.80, 9 * HOUR),
            CurvePoint(3_000_000, most, 1.0, 31 * HOUR),
        )
        return Curve(points, 1, row.sums.claims)

    def explain(
        self,
        query: Query,
        peer: int | None = None,
        channel: int | None = None,
        source: int | None = None,
    ) -> Explanation:
        self._called("explain")
        self.explained.append((peer, channel, source))
        watched = Section(
            "How much was watched",
            (Figure("watched", 79_800.0, "s", "window 86,400 − gaps 6,600"),),
        )
        if peer is None and channel is None:
            peers = [Figure(p.alias, p.sums.expected_msat, "msat") for p in self.peers]
            return self._explanation(query, "the node", watched, Section("Peers", tuple(peers)))
        row = self._peer(peer or (channel or 0) // 10)
        sums = row.sums
        cells = list(causes(row.peer, channel % 10 if channel is not None else None))
        parts = " + ".join(f"{c.category.label} {c.expected_msat:,}" for c in cells)
        figures = (
            Figure("net demand", sums.net_demand_msat, "msat"),
            Figure("settle rate", row.settle_rate),
            Figure("missed", sum(c.expected_msat for c in cells), "msat", parts),
        )
        advice = (
            Section(f"Advice: {one.kind.value}", (Figure("worth", one.worth_msat, "msat"),))
            for one in advised(self.peers)
            if one.peer == row.peer
        )
        return self._explanation(query, row.alias, watched, Section("Sums", figures), *advice)

    def _explanation(self, query: Query, about: str, *sections: Section) -> Explanation:
        window = self._window(query)
        return Explanation(self.identity, self.the_status, window, about, sections)

    def explain_htlc(self, seq: int) -> Explanation:
        self._called("explain_htlc")
        detail = self.htlc(seq)
        offered = Section("What it offered", (Figure("fee offered", detail.line.fee_msat, "msat"),))
        return Explanation(self.identity, self.the_status, None, "an HTLC", (offered,))

    def log(self, query: LogQuery) -> LogPage:
        self._called("log")
        found = [one for one in self.lines if query.peer in (None, one.in_peer, one.out_peer)]
        if query.pair is not None:
            found = [one for one in found if (one.in_peer, one.out_peer) == query.pair]
        if query.channel is not None:
            scid = next(
                row.scid
                for row in self._peer(query.channel // 10).channels
                if row.channel == query.channel
            )
            found = [one for one in found if scid in (one.in_scid, one.out_scid)]
        if query.before_seq is not None:
            found = [one for one in found if one.seq < query.before_seq]
        if query.until_ns is not None:
            found = [one for one in found if one.at_ns <= query.until_ns]
        older = None
        if self.looks_at is not None and len(found) > self.looks_at:
            found = found[: self.looks_at]
            older = found[-1].seq
        self.looked_at += [found[-1].seq] if found else []
        if query.filter:
            text = query.filter.lower()
            found = [one for one in found if text in f"{one.in_alias} {one.out_alias}".lower()]
        lines = tuple(found[: query.limit])
        return LogPage(lines, lines[-1].seq if len(lines) == query.limit else older)

    def smallest_window(self) -> str:
        self._called("smallest_window")
        return "24h"

    def interrupt(self) -> None:
        self.calls.append("interrupt")

    def close(self) -> None:
        self._called("close")
        self.closed = True

    def _called(self, name: str) -> None:
        self.calls.append(name)
        self.threads.add(threading.get_ident())
        self.meanwhile(name)
        if name in self.fail:
            raise self.fail[name]

    def _peer(self, number: int) -> PeerRow:
        row = next((row for row in self.peers if row.peer == number), None)
        if row is None:
            raise UsageError("the store knows no such peer")
        return row

    def _pairs_to(self, row: PeerRow) -> tuple[PairRow, ...]:
        """Three peers that wanted to reach this one; they add up to its sums."""
        sources = [self.peers[(row.peer + step) % len(self.peers)] for step in (3, 4, 7)]
        return tuple(
            PairRow(
                source.peer, source.pubkey, source.alias, row.peer, row.pubkey, row.alias, share
            )
            for source, share in zip(sources, split(row.sums, 3), strict=True)
        )

    def _rows(self, by: By) -> list[Row]:
        if by is By.PEER:
            return list(self.peers)
        if by is By.CHANNEL:
            return [channel for peer in self.peers for channel in peer.channels]
        pairs = [pair for peer in self.peers for pair in self._pairs_to(peer)]
        if by is By.PAIR:
            return list(pairs)
        sources: dict[int, list[PairRow]] = {}
        for pair in pairs:
            sources.setdefault(pair.in_peer, []).append(pair)
        return [
            SourceRow(
                peer,
                some[0].in_pubkey,
                some[0].in_alias,
                total([pair.sums for pair in some]),
                C.LIQUIDITY,
            )
            for peer, some in sources.items()
        ]

    def _ranked(self, query: Query) -> tuple[Row, ...]:
        """Sorted as asked; the filter is a part of a name here, and "bad:" is no filter."""
        if query.filter.startswith("bad:"):
            raise UsageError("no such key: bad")
        rows = [r for r in self._rows(query.by) if query.filter.lower() in names(r).lower()]
        rows.sort(key=lambda row: (SORTS[query.sort](row), names(row).lower()))
        return tuple(reversed(rows) if query.reverse else rows)

    def _window(self, query: Query) -> Window:
        hours = SPANS.get(query.window, 24)
        until = NOW if query.until_ns is None else query.until_ns
        start = until - hours * HOUR
        gaps = (GAP,) if start < GAP.from_ns and GAP.until_ns < until else ()
        lost = sum(one.until_ns - one.from_ns for one in gaps)
        live = query.until_ns is None
        return Window(query.window, start, until, hours * HOUR - lost, gaps, live)


class FakeSession:
    """A session on a fake analyst; its collector waits until it is stopped."""

    title = "bigfoot"

    def __init__(self, analyst: FakeAnalyst | None = None, owns_collector: bool = False) -> None:
        self.analyst = analyst or FakeAnalyst()
        self.owns_collector = owns_collector
        self.is_attached = False
        self.collecting = threading.Event()
        self.stopped = threading.Event()
        self.collector_error: Exception | None = None
        self.the_access: Access | None = Access(READING, ())
        self.access_asked = 0
        self.marks: list[tuple[str, int, int]] = []

    def access(self) -> Access | None:
        self.access_asked += 1
        return self.the_access

    def open_analyst(self) -> FakeAnalyst:
        if error := self.analyst.fail.get("open"):
            raise error
        return self.analyst

    def mark(self, text: str, at_ns: int, peer: int) -> None:
        if error := self.analyst.fail.get("mark"):
            raise error
        self.marks.append((text, at_ns, peer))

    def run_collector(self, stop: threading.Event) -> None:
        self.collecting.set()
        if self.collector_error is not None:
            raise self.collector_error
        stop.wait()
        self.stopped.set()
