"""A node made by hand for the screens: every figure adds up, nothing moves unless told to.

Peers sum their channels, totals sum the peers, causes and the chart sum to the totals.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from htlctop.analysis.advice.models import (
    Advice,
    Confidence,
    Curve,
    CurvePoint,
    Explanation,
    Figure,
    Kind,
    Opportunity,
    Section,
    Urgency,
)
from htlctop.analysis.details import (
    Balance,
    Change,
    ChangeKind,
    ChannelDetail,
    History,
    HtlcDetail,
    NodeDetail,
    PairDetail,
    PeerDetail,
    Pending,
    Policy,
)
from htlctop.analysis.models import (
    By,
    CategoryRow,
    ChannelRow,
    Gap,
    HtlcLine,
    NodeView,
    Overview,
    PairRow,
    PeerRow,
    Query,
    Row,
    Series,
    Slice,
    SortKey,
    SourceRow,
    State,
    StatusView,
    Sums,
    Totals,
    Window,
)
from htlctop.analysis.ports import LogQuery
from htlctop.domain.codes import Category as C
from htlctop.domain.codes import EventType, Outcome
from htlctop.errors import UsageError

NS = 1_000_000_000
HOUR = 3600 * NS
NOW = 1_783_087_320 * NS  # 2026-07-03 14:02:00 UTC
SPANS = {"1h": 1, "6h": 6, "24h": 24, "7d": 168, "30d": 720, "all": 2160}

NODE = NodeView("02" + "b1" * 32, "bigfoot", "mainnet", "0.21.2-beta commit=v0.21.2-beta")


@dataclass(frozen=True)
class Made:
    """One channel as made up: demand per cause in sat, counts, balance."""

    scid: str
    lost: tuple[tuple[C, int, int], ...]
    capacity: int
    local: int
    earned: int
    settled: int
    rate: int = 250
    is_active: bool = True


L, F, X, E, A = C.LIQUIDITY, C.OFFLINE, C.MAX_HTLC, C.EXPOSURE, C.ADD_FAILED
PEERS: tuple[tuple[str, float, tuple[Made, ...]], ...] = (
    (
        "ACINQ",
        0.24,
        (
            Made("801000x12x1", ((L, 4902, 590), (X, 108, 11)), 8_000_000, 120_000, 2210, 401),
            Made("811200x907x0", ((X, 100, 10),), 4_000_000, 110_000, 804, 96, 250),
        ),
    ),
    ("Boltz", 0.70, (Made("790001x3x0", ((L, 1402, 74),), 5_000_000, 9_000, 1903, 310, 480),)),
    ("kappa", 0.71, (Made("801200x44x1", ((X, 610, 12),), 2_000_000, 1_760_000, 402, 77),)),
    (
        "Kraken",
        0.55,
        (
            Made("777100x1200x1", ((L, 402, 61), (E, 220, 30)), 10_000_000, 611_000, 3100, 512),
            Made("777100x1201x0", ((L, 188, 22),), 10_000_000, 205_000, 1210, 230),
            Made("812002x33x2", (), 2_000_000, 1_100_000, 95, 18),
        ),
    ),
    (
        "WoS",
        0.48,
        (Made("805555x10x1", ((F, 690, 41),), 3_000_000, 2_210_000, 640, 88, 300, False),),
    ),
    ("LNBIG [Hub-3]", 0.31, (Made("765432x2x1", ((L, 455, 88),), 6_000_000, 31_000, 288, 51),)),
    ("日本ライトニング", 0.62, (Made("799000x700x1", ((L, 199, 15),), 1_500_000, 4_200, 150, 20),)),
    (
        "deezy.io",
        0.44,
        (Made("803003x3x3", ((L, 120, 9), (A, 0, 12)), 4_000_000, 380_000, 510, 61),),
    ),
    ("fast⚡sats", 0.5, (Made("808080x8x0", ((X, 88, 4),), 1_000_000, 720_000, 66, 9),)),
    (
        "a very long alias, of thirty-two",
        0.5,
        (Made("802020x2x1", ((F, 61, 3),), 900_000, 450_000, 40, 6, 90, False),),
    ),
    ("cafe", 0.9, (Made("809999x1x1", ((L, 12, 2),), 500_000, 20_000, 9, 3),)),
    ("quiet", 0.5, (Made("810101x5x1", (), 2_000_000, 1_000_000, 617, 44),)),
)


def _sums(made: Made, rate: float, scale: float = 1.0) -> Sums:
    net = sum(sat for _, sat, _ in made.lost) * 1000
    expected = sum(round(sat * 1000 * rate) for _, sat, _ in made.lost)
    lost = sum(count for _, _, count in made.lost)
    return Sums(
        settled=made.settled,
        refused=lost,
        lost=lost,
        downstream=made.settled // 3,
        fee_unknown=sum(count for cause, _, count in made.lost if cause is A),
        asked_msat=net * 4,
        demand_msat=net + net // 10,
        recovered_msat=net // 10,
        expected_msat=expected,
        earned_msat=made.earned * 1000,
        claims=max(0, lost // 3),
    )


def total(parts: list[Sums]) -> Sums:
    """The sum of sums."""
    names = Sums.__dataclass_fields__
    return Sums(**{name: sum(getattr(part, name) for part in parts) for name in names})


def _why(lost: tuple[tuple[C, int, int], ...]) -> C | None:
    return max(lost, key=lambda row: (row[1], row[2]))[0] if lost else None


def _pubkey(number: int) -> str:
    return f"{2 + number % 2:02x}{number:02x}" + "ac" * 31


def make_peer(number: int, alias: str, rate: float, made: tuple[Made, ...]) -> PeerRow:
    """One peer with its channels, summed."""
    channels = tuple(
        ChannelRow(
            channel=number * 10 + index,
            channel_id=str(8_000_000 + number * 10 + index),
            scid=one.scid,
            peer=number,
            pubkey=_pubkey(number),
            alias=alias,
            sums=_sums(one, rate),
            why=_why(one.lost),
            is_open=True,
            is_active=one.is_active,
            capacity_sat=one.capacity,
            local_sat=one.local,
            remote_sat=one.capacity - one.local,
            fee_base_msat=0,
            fee_rate_ppm=one.rate,
        )
        for index, one in enumerate(made)
    )
    return PeerRow(
        peer=number,
        pubkey=_pubkey(number),
        alias=alias,
        channels=channels,
        sums=total([channel.sums for channel in channels]),
        settle_rate=rate,
        why=_why(tuple(row for one in made for row in one.lost)),
        online=any(one.is_active for one in made),
        capacity_sat=sum(one.capacity for one in made),
        local_sat=sum(one.local for one in made),
    )


def all_peers() -> list[PeerRow]:
    """The peers of the made-up node."""
    return [make_peer(n, alias, rate, made) for n, (alias, rate, made) in enumerate(PEERS, 1)]


def balances(capacity: int | None, local: int | None) -> tuple[Balance, ...]:
    """A day in which our side ran dry, down to what is left now."""
    if not capacity or local is None:
        return ()
    shares = (0.62, 0.60, 0.66, 0.41, 0.30, 0.12)
    made = [
        Balance(NOW - (24 - 4 * index) * HOUR, int(capacity * share), capacity)
        for index, share in enumerate(shares)
    ]
    return (*made, Balance(NOW - HOUR, local, capacity))


def policies(channels: tuple[ChannelRow, ...]) -> tuple[Policy, ...]:
    """What each channel asked nine days ago, and since the day before yesterday."""
    found = []
    for row in channels:
        limits = (1_000, 990_000_000, 80, False)
        rate = row.fee_rate_ppm or 0
        for at, ppm in ((NOW - 216 * HOUR, rate - 40), (NOW - 40 * HOUR, rate)):
            found.append(Policy(at, row.scid, 0, ppm, 0, 0, *limits))
    return tuple(sorted(found, key=lambda policy: policy.at_ns))


CHANGES = (
    Change(
        NOW - 40 * HOUR,
        ChangeKind.FEE,
        1,
        "ACINQ",
        "801000x12x1",
        "210 ppm",
        "250 ppm",
        "",
        61_000,
        51_000,
    ),
    Change(
        NOW - 9 * HOUR,
        ChangeKind.REFILL,
        2,
        "Boltz",
        "790001x3x0",
        "9,000 sat",
        "1,210,000 sat",
        "",
        48_000,
        12_000,
    ),
    Change(NOW - 2 * HOUR, ChangeKind.MARK, 0, "", "", "", "", "new rebalancer", None, None),
)


def advised(peers: list[PeerRow]) -> tuple[Opportunity, ...]:
    """What to do about the three that miss the most by a known cause."""
    kinds = {
        L: (Kind.REBALANCE_OUTBOUND, 1_200_000_000, 164, 82),
        X: (Kind.RAISE_MAX_HTLC, 2_000_000_000, None, None),
        F: (Kind.RECONNECT_PEER, None, None, None),
    }
    found = []
    for row in sorted(peers, key=lambda row: -row.sums.expected_msat)[:4]:
        if row.why not in kinds or row.sums.expected_msat < 300_000:
            continue
        kind, amount, most, ceiling = kinds[row.why]
        worth = row.sums.expected_msat
        evidence = (
            Figure("net demand", row.sums.net_demand_msat, "msat"),
            Figure("settle rate", row.settle_rate, "", "settled / (settled + failed), 30 d"),
            Figure("expected", worth, "msat", "net demand x settle rate"),
        )
        source = peers[-1] if kind is Kind.REBALANCE_OUTBOUND else None
        found.append(
            Opportunity(
                kind=kind,
                peer=row.peer,
                pubkey=row.pubkey or "",
                alias=row.alias,
                channels=tuple(channel.channel_id for channel in row.channels),
                worth_msat=worth,
                per_30d_msat=(worth * 24, worth * 36),
                urgency=Urgency(91, 40, 30, 21),
                confidence=Confidence.HIGH,
                amount_msat=amount,
                break_even_ppm=most,
                ceiling_ppm=ceiling,
                evidence=evidence,
                source=source.peer if source else None,
                source_pubkey=source.pubkey if source else None,
                source_alias=source.alias if source else "",
            )
        )
    return tuple(found)


PRICED_OUT = CategoryRow(C.FEE, 31, 0, 0, 0, 0, 0, 1_204_000)
UNKNOWN_NEXT = CategoryRow(C.UNKNOWN_NEXT, 57, 0, 0, 0, 0, 0, 0)


def causes(only: int | None = None, channel: int | None = None) -> tuple[CategoryRow, ...]:
    """The lost causes of one peer, of one of its channels, or of all; sums of channels' cells."""
    cells: dict[C, list[int]] = {}
    for number, (_, rate, made) in enumerate(PEERS, 1):
        if only not in (None, number):
            continue
        for index, one in enumerate(made):
            if channel not in (None, index):
                continue
            for cause, sat, count in one.lost:
                cell = cells.setdefault(cause, [0, 0, 0])
                cell[0] += count
                cell[1] += sat * 1000
                cell[2] += round(sat * 1000 * rate)
    return tuple(
        CategoryRow(
            cause,
            count,
            count if cause is A else 0,
            net * 4,
            net + net // 10,
            net,
            expected,
            0,
        )
        for cause, (count, net, expected) in cells.items()
    )


GAP = Gap(NOW // HOUR * HOUR - 11 * HOUR, NOW // HOUR * HOUR - 11 * HOUR + 6600 * NS, "node down")
"""From 03:00 to 04:50."""
SHAPE = (3, 5, 9, 14, 20, 31, 22, 13, 9, 4, 2, 2, 0, 0, 3, 5, 9, 13, 17, 21, 20, 12, 10, 6)


def series(expected: int, net: int, step: int = HOUR) -> Series:
    """A day in hours that adds up to the totals; GAP lies in hours 12 and 13."""
    weight = sum(SHAPE)
    slices = []
    for index, part in enumerate(SHAPE):
        last = index == len(SHAPE) - 1
        given = [expected * part // weight, net * part // weight]
        if last:
            given = [
                expected - sum(s.expected_msat for s in slices),
                net - sum(s.net_demand_msat for s in slices),
            ]
        covered = {12: 0.0, 13: 1 / 6}.get(index, 1.0)
        start = NOW // HOUR * HOUR - (23 - index) * step
        slices.append(Slice(start, given[1], given[0], covered))
    return Series(step, tuple(slices))


def line(seq: int, at_s: int, what: C | None, **more: object) -> HtlcLine:
    """One HTLC of the live log."""
    outcome = Outcome.REFUSED
    if what is None:
        outcome = Outcome.NONE
    elif what is C.SETTLED:
        outcome = Outcome.SETTLED
    elif what is C.DOWNSTREAM:
        outcome = Outcome.DOWNSTREAM
    values: dict[str, object] = {
        "seq": seq,
        "at_ns": NOW - at_s * NS,
        "ended_ns": None if what is None else NOW - at_s * NS + NS // 5,
        "event_type": EventType.FORWARD,
        "outcome": outcome,
        "category": what,
        "in_peer": 4,
        "in_alias": "Kraken",
        "in_scid": "777100x1200x1",
        "out_peer": 1,
        "out_alias": "ACINQ",
        "out_scid": "801000x12x1",
        "amount_msat": 1_250_000_000,
        "fee_msat": 312_500,
        "wire_failure": 15,
        "failure_detail": 6,
    }
    return HtlcLine(**(values | more))


BOLTZ = {"out_peer": 2, "out_alias": "Boltz", "out_scid": "790001x3x0"}
WOS = {"in_peer": 5, "in_alias": "WoS", "in_scid": "805555x10x1"}


def log() -> tuple[HtlcLine, ...]:
    """The newest HTLCs, newest first."""
    return (
        line(120, 30, C.LIQUIDITY, short_msat=1_062_900_000, retry_of_ns=NOW - 32 * NS),
        line(119, 31, C.SETTLED, amount_msat=40_000_000, fee_msat=11_200, **BOLTZ, **WOS),
        line(118, 32, C.LIQUIDITY, short_msat=1_062_900_000),
        line(117, 45, C.DOWNSTREAM, amount_msat=3_000, fee_msat=1_001, **WOS),
        line(116, 58, C.FEE, amount_msat=75_001_075, fee_msat=1_750, wire_failure=12, **BOLTZ),
        line(115, 61, C.ADD_FAILED, amount_msat=None, fee_msat=None),
        line(114, 75, None, amount_msat=900_000_000, fee_msat=225_000, **BOLTZ),
        line(113, 80, C.OTHER, wire_failure=15, failure_detail=21),
        line(112, 95, C.LIQUIDITY, repeat=True, short_msat=2_000),
        line(111, 99, C.RECEIVE, event_type=EventType.RECEIVE, out_alias="", out_scid=""),
    )


STATUS = StatusView(
    state=State.LIVE,
    reason="",
    attempt=0,
    next_try_ns=0,
    replay=False,
    alive_ns=NOW,
    last_event_ns=NOW - 30 * NS,
    now_ns=NOW,
    lag_ns=0,
    queued=0,
    shed=0,
    events=131_072,
    in_flight=12,
    oldest_in_flight_ns=NOW - 3 * HOUR - 60 * NS,
    store_path="/tmp/bigfoot.db",
    store_bytes=12_000_000,
    owner=False,
)

SORTS: dict[SortKey, Callable[[Row], int]] = {
    SortKey.MISSED: lambda row: -row.sums.expected_msat,
    SortKey.DEMAND: lambda row: -row.sums.net_demand_msat,
    SortKey.REFUSED: lambda row: -row.sums.refused,
    SortKey.ASKED: lambda row: -row.sums.asked_msat,
    SortKey.EARNED: lambda row: -row.sums.earned_msat,
    SortKey.SETTLED: lambda row: -row.sums.settled,
    SortKey.LOCAL: lambda row: -(getattr(row, "local_sat", None) or 0),
    SortKey.NAME: lambda row: 0,
}


def names(row: Row) -> str:
    """What a row is called, for sorting and for the filter."""
    if isinstance(row, PairRow):
        return f"{row.in_alias} {row.out_alias}"
    return f"{row.alias} {row.scid}" if isinstance(row, ChannelRow) else row.alias


def split(sums: Sums, parts: int) -> list[Sums]:
    """Sums in halves, quarters and so on, the last takes the rest; they add up to the whole."""
    found = []
    for _ in range(parts - 1):
        share = _half(sums)
        found.append(share)
        sums = _less(sums, share)
    return [*found, sums]


def _hanging() -> tuple[Pending, ...]:
    """Twelve forwards on their way: each one HTLC that came in and one that went out."""
    kraken, acinq = ("777100x1200x1", 4, "Kraken"), ("801000x12x1", 1, "ACINQ")
    boltz, wos = ("790001x3x0", 2, "Boltz"), ("805555x10x1", 5, "WoS")
    ways = [(kraken, boltz, 900_000_000, 225_000, 144), (wos, acinq, 1_250_000_000, 312_500, 31)]
    ways += [(kraken, acinq, 1_000_000 * n, 250 * n, 60 + 9 * n) for n in range(1, 11)]
    found = []
    for source, target, amount, fee, blocks in ways:
        out_height, in_height = 861_000 + blocks, 861_000 + blocks + 40
        found.append(Pending(*target, False, amount, out_height, blocks))
        found.append(Pending(*source, True, amount + fee, in_height, blocks + 40))
    return tuple(sorted(found, key=lambda one: one.expiry_height))


PENDING = _hanging()


@dataclass
class FakeAnalyst:
    """Answers like a store that nobody writes to; tests change its fields and `bump` it."""

    peers: list[PeerRow] = field(default_factory=all_peers)
    categories: tuple[CategoryRow, ...] | None = None
    lines: tuple[HtlcLine, ...] = field(default_factory=log)
    the_status: StatusView = STATUS
    identity: NodeView = NODE
    pending: tuple[Pending, ...] = PENDING
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
            rows=self._ranked(query),
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

    def peer(self, peer: int, query: Query) -> PeerDetail:
        self._called("peer")
        row = self._peer(peer)
        return PeerDetail(
            node=self.identity,
            status=self.the_status,
            window=self._window(query),
            row=row,
            categories=causes(peer),
            sources=self._pairs_to(row),
            series=series(row.sums.expected_msat, row.sums.net_demand_msat),
            balance=balances(row.capacity_sat, row.local_sat),
            policies=policies(row.channels),
            pending=tuple(one for one in self.pending if one.peer == peer),
            events=self.log(LogQuery(50, peer=peer)),
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
            events=self.log(LogQuery(50, channel=channel)),
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
            events=self.log(LogQuery(50, pair=(in_peer, out_peer))),
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
            fee_asked_msat=fee,
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
            synced=True,
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
        self, query: Query, peer: int | None = None, channel: int | None = None
    ) -> Explanation:
        self._called("explain")
        row = self._peer(peer or (channel or 0) // 10)
        sums = row.sums
        cells = list(causes(row.peer, channel % 10 if channel is not None else None))
        parts = " + ".join(f"{c.category.label} {c.expected_msat:,}" for c in cells)
        return Explanation(
            self.identity,
            self.the_status,
            self._window(query),
            row.alias,
            (
                Section(
                    "How much was watched",
                    (Figure("watched", 79_800.0, "s", "window 86,400 − gaps 6,600"),),
                ),
                Section(
                    "Sums",
                    (
                        Figure("net demand", sums.net_demand_msat, "msat"),
                        Figure("settle rate", row.settle_rate),
                        Figure("missed", sum(c.expected_msat for c in cells), "msat", parts),
                    ),
                ),
            ),
        )

    def log(self, query: LogQuery) -> tuple[HtlcLine, ...]:
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
        if query.filter:
            text = query.filter.lower()
            found = [one for one in found if text in f"{one.in_alias} {one.out_alias}".lower()]
        return tuple(found[: query.limit])

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


def _half(sums: Sums) -> Sums:
    return Sums(**{name: getattr(sums, name) // 2 for name in Sums.__dataclass_fields__})


def _less(sums: Sums, other: Sums) -> Sums:
    names = Sums.__dataclass_fields__
    return Sums(**{name: getattr(sums, name) - getattr(other, name) for name in names})


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
        self.marks: list[tuple[str, int, int]] = []

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
