"""Twenty made-up nodes: who lost most, who is advised first, and what following it brings.

`python -m tests.advice.seeds [SEEDS [DAYS [FIRST]]]` prints a row for each.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from htlctop import service
from htlctop.analysis.advice.models import Advice, Kind, Opportunity
from htlctop.analysis.query import Query
from htlctop.domain.codes import Category
from htlctop.sim.synthetic.house import Refill
from htlctop.sim.synthetic.node import SyntheticNode
from htlctop.sim.synthetic.people import Role
from htlctop.sim.synthetic.simulation import DAY_NS, START_NS, Simulation
from htlctop.sim.synthetic.truth import PaymentRecord
from tests.truth import tally

HEALTHY = (Role.ROUTER, Role.SOURCE, Role.SINK, Role.LEAF)
CAUSES: dict[str, tuple[Kind, ...]] = {
    "liquidity": (Kind.REBALANCE_OUTBOUND, Kind.RAISE_FEES, Kind.INCREASE_CAPACITY),
    "offline": (Kind.RECONNECT_PEER,),
    "max_htlc": (Kind.RAISE_MAX_HTLC,),
    "align": (Kind.ALIGN_CHANNELS,),
    "add_failed": (Kind.INVESTIGATE,),
}


def top_loser(payments: Iterable[PaymentRecord], cause: str) -> str | None:
    """The key of the peer that its payers lost most to a cause with."""
    lost: dict[str, int] = {}
    for pubkey, mine in tally(payments).items():
        if cause == "align":
            lost[pubkey] = mine.misaligned_msat
        else:
            lost[pubkey] = mine.lost.get(Category[cause.upper()], 0)
            if cause == "liquidity":
                lost[pubkey] -= mine.misaligned_msat
    pubkey = max(lost, key=lambda key: lost[key])
    return pubkey if lost[pubkey] > 0 else None


def first_about(advice: Advice, cause: str) -> str | None:
    """The key of the peer that the first advice about a cause is for."""
    kinds = CAUSES[cause]
    return next((item.pubkey for item in advice.opportunities if item.kind in kinds), None)


def served_by(seed: int, days: float, item: Opportunity, before: Iterable[PaymentRecord]) -> int:
    """What a peer's payments bring more, msat, when the advised amount is moved to it at first."""
    action = Refill(START_NS + 1, item.pubkey, (item.amount_msat or 0) // 1000, item.source_pubkey)
    moved = Simulation(seed, actions=[action])
    moved.run(START_NS + int(days * DAY_NS))
    after = [*moved.payments, *moved.open_payments]
    return _earned(after, item.pubkey) - _earned(before, item.pubkey)


def _earned(payments: Iterable[PaymentRecord], pubkey: str) -> int:
    return sum(
        attempt.fee_msat
        for payment in payments
        if payment.peer == pubkey
        for attempt in payment.attempts
        if attempt.result == "OK"
    )


def _try(seed: int, days: float, folder: Path) -> tuple[dict[str, bool], int, float | None]:
    simulation = Simulation(seed)
    node = SyntheticNode(simulation, START_NS + int(days * DAY_NS))
    path = folder / f"{seed}.db"
    asyncio.run(service.ingest_played(node, path))
    analyst = service.open_analyst(path)
    advice = analyst.advice(Query(window="all"))
    analyst.close()
    payments = [*simulation.payments, *simulation.open_payments]
    hits = {cause: first_about(advice, cause) == top_loser(payments, cause) for cause in CAUSES}
    roles = {peer.pubkey: peer.role for peer in simulation.people.peers}
    false = sum(roles[item.pubkey] in HEALTHY for item in advice.opportunities)
    refill = next((i for i in advice.opportunities if i.kind is Kind.REBALANCE_OUTBOUND), None)
    if refill is None:
        return hits, false, None
    promised = next(f.value for f in refill.evidence if f.name == "fee served by it")
    assert isinstance(promised, int)
    return hits, false, served_by(seed, days, refill, payments) / promised


def main(seeds: int = 20, days: float = 2.0, first: int = 1) -> None:
    """Print a row for each seed, and how many hit."""
    total = dict.fromkeys(CAUSES, 0)
    kept = 0
    print("seed ", *(f"{cause:>10}" for cause in CAUSES), "     false   served/promised")
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + seeds):
            hits, false, ratio = _try(seed, days, Path(folder))
            for cause, hit in hits.items():
                total[cause] += hit
            kept += ratio is not None and abs(ratio - 1) <= 0.25
            said = "none advised" if ratio is None else f"{ratio:.2f}"
            marks = (f"{'hit' if hit else 'missed':>10}" for hit in hits.values())
            print(f"{seed:>4} ", *marks, f"{false:>10}   {said:>15}", flush=True)
    print("of", seeds, "", *(f"{hits:>9}" for hits in total.values()), f"{'':>12}{kept:>15} kept")


if __name__ == "__main__":
    main(*(parse(text) for parse, text in zip((int, float, int), sys.argv[1:], strict=False)))
