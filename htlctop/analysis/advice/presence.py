"""What is missed because a peer is away, is full on our side, or refuses for reasons of its own."""

from htlctop.analysis.advice.case import PeerCase
from htlctop.analysis.advice.finding import Finding, Reason, whole
from htlctop.analysis.advice.ground import HOUR_NS
from htlctop.analysis.advice.models import Figure, Kind
from htlctop.analysis.advice.peer_sums import STRANGE, UNPRICED, PeerSums
from htlctop.analysis.advice.sources import Sources
from htlctop.domain.codes import Category

FULL = 0.90
_LEAST_INFLOW = 10
_LEAST_BEFORE_H = 6
_LEAST_REFUSALS = 5


def about_absence(case: PeerCase) -> Finding | None:
    """reconnect_peer: what it earned per watched hour online, times the hours it was away.

    What was refused meanwhile is a lower bound: after 20 minutes nobody asks any more.
    """
    if not case.channels:
        return None
    refused = case.expected(Category.OFFLINE)
    away_ns, times = case.away
    if not refused and not away_ns:
        return None
    online_h = (case.ground.covered_ns - away_ns) / HOUR_NS
    away_h = away_ns / HOUR_NS
    inflow = case.inflow
    earned = max(0, case.sums.earned) + max(0, case.of_window(inflow.fee_msat, inflow))
    cost = earned / online_h * away_h if online_h > 0 else 0.0
    worth = max(round(cost), refused)
    if not worth:
        return None
    forwards = case.sums.count(Category.SETTLED) + inflow.count
    claims = case.sums.claims(Category.OFFLINE)
    return Finding(
        Kind.RECONNECT_PEER,
        case.peer,
        worth,
        forwards if cost > refused else claims,
        case.ids,
        [
            Figure("earned with it while online", earned, "msat"),
            Figure("watched hours online", round(online_h, 4), "h"),
            Figure("watched hours away", round(away_h, 4), "h"),
            Figure("times it went away", times, ""),
            Figure("away now", "yes" if case.is_away else "no"),
            Figure(
                "what it would have earned", round(cost), "msat",
                f"earned {whole(earned)} ÷ hours online {whole(round(online_h, 6))} × "
                f"hours away {whole(round(away_h, 6))}",
            ),
            Figure("missed by what was refused meanwhile", refused, "msat"),
            Figure("payments refused meanwhile", claims, ""),
        ],
    )  # fmt: skip


def about_fullness(case: PeerCase, sources: Sources) -> Finding | None:
    """rebalance_inbound: a peer that used to send to us, until our side was full. A guess."""
    share = case.local_share
    if share is None or share <= FULL or case.is_away:
        return None
    ground = case.ground
    since_ns = case.levels.since_ns(lambda level: level.local > FULL)
    if since_ns is None:
        return None
    start_ns = case.inflow.since_ns  # as far back as the newest that are read
    before_h = ground.watched.between(start_ns, since_ns) / HOUR_NS
    after_h = ground.watched.between(since_ns, ground.until_ns) / HOUR_NS
    if before_h < _LEAST_BEFORE_H or after_h < 1:
        return None
    settled = case.settled(start_ns, incoming=True)
    before = [item for item in settled if item.at_ns < since_ns]
    if len(before) < _LEAST_INFLOW:
        return None
    fee_before = sum(item.fee_msat for item in before)
    fee_after = sum(item.fee_msat for item in settled) - fee_before
    loss = (fee_before / before_h - fee_after / after_h) * after_h
    if loss < 1:
        return None
    local_sat, capacity_sat = case.balance
    room_sat = round(local_sat - capacity_sat / 2)
    target = sources.used.get(case.peer)
    figures = [
        Figure("our side now", round(share, 4), ""),
        Figure("earned on what came in before it filled", fee_before, "msat"),
        Figure("watched hours before", round(before_h, 6), "h"),
        Figure("earned on what came in since", fee_after, "msat"),
        Figure("watched hours since", round(after_h, 6), "h"),
        Figure(
            "missed since", round(loss), "msat",
            f"(before {whole(fee_before)} ÷ hours {whole(round(before_h, 6))} − "
            f"since {whole(fee_after)} ÷ hours {whole(round(after_h, 6))}) × "
            f"hours since {whole(round(after_h, 6))}",
        ),
    ]  # fmt: skip
    if target is not None:
        figures.append(Figure("refill with it", ground.book.alias_of(target)))
    return Finding(
        Kind.REBALANCE_INBOUND,
        case.peer,
        round(loss),
        len(before),
        case.ids,
        figures,
        amount_msat=room_sat * 1000,
        guess=True,
    )


def is_strange(sums: PeerSums) -> bool:
    """Whether often enough a peer refuses for reasons that have no remedy of their own."""
    return sums.strange >= _LEAST_REFUSALS and 10 * sums.strange >= sums.refused


def about_strange(case: PeerCase) -> Finding | Reason | None:
    """investigate: HTLCs could not be added, the fee exposure was reached, or something else."""
    sums = case.sums
    if not case.channels:
        return None
    counts = {category: sums.count(category) for category in map(Category, STRANGE)}
    worth = case.expected(*UNPRICED)
    figures = [Figure(f"refused: {c.label}", n, "") for c, n in counts.items() if n]
    if not is_strange(sums):
        every = sums.refused
        unnamed = ", or for a reason that has no name here" if counts[Category.OTHER] else ""
        because = (
            f"{sum(counts.values()):,} of {every:,} refusals were for want of slots or reserve, or "
            f"for too much fee at stake{unnamed}; looking into it is advised from "
            f"{_LEAST_REFUSALS} on, where they are a tenth of all"
        )
        return Reason(because, worth, (*figures, Figure("refused here", every, "")))
    unknown = sums.fee_unknown(*UNPRICED)
    if unknown:
        figures.append(Figure("of these with unknown fee", unknown, ""))
    if worth:
        figures.append(Figure("missed by those whose fee is known", worth, "msat"))
    return Finding(
        Kind.INVESTIGATE,
        case.peer,
        worth,
        sums.claims(*UNPRICED) + counts[Category.OTHER],
        case.ids,
        figures,
        guess=bool(unknown or counts[Category.OTHER]),
    )
