"""Whether to ask less of those who would not pay: only if it is sure to bring more."""

from collections.abc import Iterable

from htlctop.analysis.advice.bids import Bid
from htlctop.analysis.advice.case import PeerCase
from htlctop.analysis.advice.finding import FORGOTTEN, Finding, Reason, many, whole
from htlctop.analysis.advice.models import Figure, Kind
from htlctop.analysis.formulas import Rate
from htlctop.domain.codes import Category
from htlctop.domain.fees import fee_asked

_LEAST_BIDS = 20
_LEAST_SOURCES = 3
_LIQUID = 0.25
_LIQUID_TIME = 0.80
_BETTER_BY = 1.20


def about_fees(case: PeerCase) -> Finding | Reason | None:
    """lower_fees where the bids seen make up for what those who pay today would pay less; of the
    bids those that would be refused by what is asked now as well."""
    if not case.channels or case.is_away:
        return None
    if not case.priced_out:
        offered = case.sums.demand(Category.FEE)
        return Reason(FORGOTTEN, offered) if offered else None
    asked = [(c.base_msat or 0, c.rate_ppm) for c in case.channels if c.rate_ppm is not None]
    bids = [bid for bid in case.bids.bids if not _would_pass(bid, asked)]
    sources = {bid.in_peer for bid in bids}
    counted = (
        Figure("payments that offered too little", len(case.priced_out), ""),
        Figure("offers of a fee that we no longer ask", len(case.bids.stale), ""),
        Figure("offers of under 5 ppm", len(case.bids.zero), ""),
        Figure("bids", len(bids), ""),
        Figure("bids from so many peers", len(sources), ""),
    )

    def not_lowered(because: str, *figures: Figure) -> Reason:
        """Lowering it could bring no more than all that they bid."""
        worth = sum(bid.fee_msat for bid in bids)
        return Reason(because, worth, (*counted, *figures, Figure("bid by them", worth, "msat")))

    if len(bids) < _LEAST_BIDS or len(sources) < _LEAST_SOURCES:
        return not_lowered(
            f"{many(len(bids), 'payment')} from {many(len(sources), 'peer')} would come for a "
            f"lower fee; one is advised from {_LEAST_BIDS} payments of {_LEAST_SOURCES} peers on"
        )
    liquid = case.levels.time_where(lambda level: level.spendable > _LIQUID)
    if liquid <= _LIQUID_TIME:
        return not_lowered(
            f"payments that come for a lower fee would often find too little: over {_LIQUID:.0%} "
            f"could be sent in {liquid:.0%} of the time; one is advised over {_LIQUID_TIME:.0%}",
            Figure("watched time with over 25% to send", round(liquid, 4), ""),
        )
    rates = [rate for _, rate in asked]
    bases = [c.base_msat or 0 for c in case.channels]
    if not rates:
        return not_lowered("its fee is not lowered, since what it asks now is not known")
    today = max(0, case.sums.earned)
    # Volume at today's mean rate; nothing is lost on a peer that sends nothing today.
    flow = case.outflow
    settled = today * flow.amount_msat // flow.fee_msat if flow.fee_msat else flow.amount_msat
    # With a base fee, what is asked in parts per million hangs on the amount: its mean counts.
    now = round(today * 1e6 / settled) if any(bases) and settled and today else max(rates)
    if any(bases) and not settled:
        now = max(now, round(max(bid.rate_ppm for bid in bids)) + 1)
    best = _best_rate(bids, now, settled, case.rate)
    if best is None:
        return not_lowered(
            f"none of {len(bids):,} payments that would come for a lower fee bids less than the "
            f"{now:,} ppm that is earned on average, since there is a base fee"
        )
    income, rate, volume = best
    if income < _BETTER_BY * today:
        brings = round(income)
        return not_lowered(
            f"the best lower fee would have earned {whole(brings // 1000)} sat, today's earned "
            f"{whole(today // 1000)}; a lower one is advised where it earns a fifth more",
            Figure("earned at today's fee", today, "msat"),
            Figure("income at the best lower fee", brings, "msat"),
        )
    expected_volume = case.rate.of_amount(volume)
    return Finding(
        Kind.LOWER_FEES,
        case.peer,
        round(income) - today,
        sum(1 for bid in bids if int(bid.rate_ppm) >= rate),
        case.ids,
        [
            Figure("earned at today's fee", today, "msat"),
            Figure("volume settled at today's fee", settled, "msat"),
            Figure("volume of bids at the new rate", volume, "msat"),
            Figure("settle rate", round(float(case.rate), 6), ""),
            Figure(
                "income at the new rate", round(income), "msat",
                f"rate {whole(rate)} × (settled {whole(settled)} + "
                f"bids that settle {whole(expected_volume)}) ÷ 1,000,000",
            ),
            Figure("base fee asked now", max(bases), "msat"),
            Figure("bids", len(bids), ""),
            Figure("bids from so many peers", len(sources), ""),
            Figure("offers of a fee that we no longer ask", len(case.bids.stale), ""),
            Figure("offers of under 5 ppm", len(case.bids.zero), ""),
            Figure("watched time with over 25% to send", round(liquid, 4), ""),
            Figure("note", "who finds the price too high never comes: bids are a lower bound"),
        ],
        break_even_ppm=now,
        ceiling_ppm=rate,
    )  # fmt: skip


def _best_rate(
    bids: Iterable[Bid], now_ppm: int, settled_msat: int, settles: Rate
) -> tuple[float, int, int] | None:
    """(income msat, ppm, msat that would come for it) of the rate below today's that would bring
    most, None where nobody bids less than today's."""
    best: tuple[float, int, int] | None = None
    volume = 0
    # From the highest down: every bid of a rate or more would come at that rate.
    for rate, amount_msat in sorted(((int(b.rate_ppm), b.amount_msat) for b in bids), reverse=True):
        volume += amount_msat
        if not 0 < rate < now_ppm:
            continue
        income = rate * (settled_msat + settles.of_amount(volume)) / 1e6
        if best is None or income > best[0]:
            best = income, rate, volume
    return best


def _would_pass(bid: Bid, asked: Iterable[tuple[int, int]]) -> bool:
    """Whether a bid pays what one of the channels asks now, (base msat, ppm)."""
    return any(bid.fee_msat >= fee_asked(bid.amount_msat, base, rate) for base, rate in asked)
