"""Details of the node made up in fake.py: balances, changes, advice and what hangs on channels.

What a figure on a page is the sum of is on that page, or comes from fake.py.
"""

from dataclasses import replace

from fake import HOUR, NODE, NOW, NS, STATUS, line

from htlctop.analysis.advice.models import (
    Advice,
    Confidence,
    Curve,
    CurvePoint,
    Figure,
    Kind,
    Opportunity,
    Urgency,
)
from htlctop.analysis.details import (
    Balance,
    Change,
    ChangeKind,
    HtlcDetail,
    Pending,
    Policy,
)
from htlctop.analysis.models import ChannelRow, HtlcLine, PairRow, PeerRow, Sums, Window
from htlctop.domain.codes import Category

DAY = 24 * HOUR


def balance(row: PeerRow | ChannelRow) -> tuple[Balance, ...]:
    """Full at first, drained over the night, refilled at seven, drained to what it is now."""
    full = row.capacity_sat or 0
    shares = ((30, 0.62), (20, 0.41), (18, 0.22), (16, 0.08), (7, 0.55), (5, 0.31), (3, 0.12))
    held = [Balance(NOW - hours * HOUR, int(full * share), full) for hours, share in shares]
    return (*held, Balance(NOW - HOUR, row.local_sat or 0, full))


def policies(row: PeerRow) -> tuple[Policy, ...]:
    """What each channel asks, and that the first one asked more until yesterday noon."""
    now = [
        Policy(
            NOW - 9 * HOUR if not index else NOW - 20 * DAY,
            channel.scid,
            channel.fee_base_msat or 0,
            channel.fee_rate_ppm or 0,
            0,
            -30 if not index else 0,
            1000,
            (channel.capacity_sat or 0) * 990,
            80,
            not channel.is_active,
        )
        for index, channel in enumerate(row.channels)
    ]
    old = [replace(now[0], at_ns=NOW - 12 * DAY, rate_ppm=300, inbound_rate_ppm=0)] if now else []
    return (*now, *old)


def pending(peers: list[PeerRow], only: int | None = None) -> tuple[Pending, ...]:
    """Four HTLCs that hang, one about to expire, one of which the height is not known."""
    acinq, boltz, kraken = (next(p for p in peers if p.peer == n) for n in (1, 2, 4))
    rows = (
        (boltz, 0, True, 900_000_000, 12),
        (acinq, 0, False, 900_000_000, 31),
        (kraken, 1, True, 44_000_000, 131),
        (acinq, 1, False, 43_900_100, 91),
        (kraken, 0, False, 1_000_000, None),
    )
    return tuple(
        Pending(
            peer.channels[channel].scid,
            peer.peer,
            peer.alias,
            incoming,
            amount,
            905_000 + (left or 0),
            left,
        )
        for peer, channel, incoming, amount, left in rows
        if only in (None, peer.peer)
    )


def changes() -> tuple[Change, ...]:
    """A fee lowered, a refill, a mark, a channel opened: as they were noticed."""
    acinq, kraken = "801000x12x1", "812002x33x2"
    return (
        Change(
            NOW - 7 * HOUR, ChangeKind.REFILL, 1, "ACINQ", acinq, "8% local", "55% local", "",
            121_000, 34_500,
        ),
        Change(
            NOW - 9 * HOUR, ChangeKind.FEE, 1, "ACINQ", acinq, "300 ppm", "250 ppm", "",
            98_200, 61_000,
        ),
        Change(
            NOW - 15 * HOUR, ChangeKind.OPENED, 4, "Kraken", kraken, "", "2,000,000 sat", "",
            55_000, 41_000,
        ),
        Change(
            NOW - 40 * 60 * NS, ChangeKind.MARK, 0, "", "", "", "", "moved to a new machine",
            None, None,
        ),
    )  # fmt: skip


def curve(peer: int) -> Curve | None:
    """ACINQ's: nine tenths of its 1,176 sat of liquidity for 1.2M sat; nobody else's is known."""
    if peer != 1:
        return None
    points = (
        (100_000, 0.11, HOUR // 2),
        (250_000, 0.22, HOUR),
        (500_000, 0.38, 2 * HOUR),
        (1_200_000, 0.80, 9 * HOUR),
        (2_000_000, 0.93, 19 * HOUR),
        (3_000_000, 1.0, 31 * HOUR),
        (5_000_000, 1.0, None),
    )
    found = tuple(CurvePoint(sat, round(1_176_480 * s), s, lasts) for sat, s, lasts in points)
    return Curve(found, 3, 196)


def opportunities(peers: list[PeerRow]) -> tuple[Opportunity, ...]:
    """Four, ranked by what they are worth; each worth is a cause's expected of the peer."""
    by = {peer.peer: peer for peer in peers}

    def one(kind: Kind, peer: int, worth: int, **more: object) -> Opportunity:
        row = by[peer]
        values: dict[str, object] = {
            "kind": kind,
            "peer": peer,
            "pubkey": row.pubkey or "",
            "alias": row.alias,
            "channels": tuple(channel.channel_id for channel in row.channels),
            "worth_msat": worth,
            "per_30d_msat": (worth * 24, worth * 38),
            "urgency": Urgency(91, 40, 30, 21),
            "confidence": Confidence.HIGH,
            "amount_msat": None,
            "break_even_ppm": None,
            "ceiling_ppm": None,
            "evidence": (),
        }
        return Opportunity(**(values | more))  # type: ignore[arg-type]

    return (
        one(
            Kind.REBALANCE_OUTBOUND,
            1,
            1_176_480,
            amount_msat=1_200_000_000,
            break_even_ppm=164,
            ceiling_ppm=82,
            source=5,
            source_pubkey=by[5].pubkey,
            source_alias="WoS",
            evidence=(
                Figure("expected", 1_176_480, "msat", "4,902 sat net demand x 24% settle rate"),
                Figure("fee_served", 941_184, "msat", "80% of 1,176 sat, by 1,200,000 sat more"),
                Figure("gross", 784, "ppm", "941.2 sat / 1,200,000 sat"),
                Figure("break_even", 164, "ppm", "784 x 0.25 - 32"),
                Figure("ceiling", 82, "ppm", "164 / 2"),
                Figure("claims", 196),
                Figure("also_holds", "increase_capacity"),
            ),
        ),
        one(Kind.RAISE_FEES, 2, 981_400, break_even_ppm=480, ceiling_ppm=550),
        one(
            Kind.RAISE_MAX_HTLC,
            3,
            433_100,
            amount_msat=1_750_000_000,
            urgency=Urgency(48, 30, 8, 10),
            confidence=Confidence.MEDIUM,
        ),
        one(
            Kind.RECONNECT_PEER,
            5,
            331_200,
            urgency=Urgency(41, 21, 12, 8),
            confidence=Confidence.LOW,
            per_30d_msat=None,
        ),
    )


def advice(peers: list[PeerRow], window: Window) -> Advice:
    """What to do about the made-up node."""
    return Advice(NODE, STATUS, window, opportunities(peers), 5, "", "")


def htlc(seq: int, lines: tuple[HtlcLine, ...]) -> HtlcDetail:
    """One of the log; of the liquidity ones the payment has two attempts."""
    one = next(each for each in lines if each.seq == seq)
    first = line(118, 32, Category.LIQUIDITY, short_msat=1_062_900_000)
    tried = (first, one) if one.retry_of_ns == first.at_ns else ()
    fee = one.fee_msat
    return HtlcDetail(
        node=NODE,
        status=STATUS,
        line=one,
        in_channel_id="854321098765434881",
        in_htlc=7_012,
        out_channel_id="880702999937253377",
        out_htlc=441,
        in_msat=None if one.amount_msat is None else one.amount_msat + (fee or 0),
        out_msat=one.amount_msat,
        fee_asked_msat=None if one.amount_msat is None else one.amount_msat * 250 // 1_000_000,
        best_msat=187_100_000 if one.short_msat else None,
        total_msat=230_000_000 if one.short_msat else None,
        known_ns=one.at_ns - 21 * NS if one.short_msat else None,
        from_history=False,
        attempts=tried,
    )


def pairs(peers: list[PeerRow]) -> tuple[PairRow, ...]:
    """Each peer's sums dealt out to two peers or three that wanted to reach it."""
    found = []
    for row in peers:
        names = Sums.__dataclass_fields__
        left = {name: getattr(row.sums, name) for name in names}
        steps = (3, 4, 7) if row.sums.refused > 20 else (2, 5)
        for index, step in enumerate(steps):
            source = peers[(row.peer + step) % len(peers)]
            last = index == len(steps) - 1
            share = {name: value if last else value // 2 for name, value in left.items()}
            left = {name: value - share[name] for name, value in left.items()}
            found.append(
                PairRow(
                    source.peer,
                    source.pubkey,
                    source.alias,
                    row.peer,
                    row.pubkey,
                    row.alias,
                    Sums(**share),
                )
            )
    return tuple(found)
