"""A node made by hand for the screens: every figure adds up.

Peers sum their channels, totals sum the peers, causes and the chart sum to the totals.
"""

from collections.abc import Callable
from dataclasses import dataclass

from htlctop.analysis.advice.models import (
    Confidence,
    Figure,
    Kind,
    Opportunity,
    Urgency,
)
from htlctop.analysis.details import (
    Balance,
    Change,
    ChangeKind,
    InFlight,
    Pending,
    Policy,
)
from htlctop.analysis.models import (
    CategoryRow,
    ChannelRow,
    Gap,
    HtlcLine,
    PairRow,
    PeerRow,
    Row,
    Series,
    Slice,
    Sums,
)
from htlctop.analysis.query import SortKey
from htlctop.analysis.status import NodeView, State, StatusView
from htlctop.domain.codes import Category as C
from htlctop.domain.codes import EventType, Outcome

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


def flying() -> tuple[InFlight, ...]:
    """A day of HTLCs on the channels, with a jam in the night, down to those pending now."""
    counts = (12, 18, 31, 40, 22, 9, 96, 14)
    made = [
        InFlight(NOW - (24 - 3 * index) * HOUR, many, many * 210_000_000)
        for index, many in enumerate(counts)
    ]
    total_msat = sum(one.amount_msat for one in PENDING)
    return (*made, InFlight(NOW - HOUR // 2, len(PENDING), total_msat))


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
    synced=True,
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


def _half(sums: Sums) -> Sums:
    return Sums(**{name: getattr(sums, name) // 2 for name in Sums.__dataclass_fields__})


def _less(sums: Sums, other: Sums) -> Sums:
    names = Sums.__dataclass_fields__
    return Sums(**{name: getattr(sums, name) - getattr(other, name) for name in names})
