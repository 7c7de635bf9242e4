"""On a made-up node, whose payers wrote down what they lost: advice finds it, and keeps to itself.

`python -m tests.advice.seeds` tries twenty such nodes, and follows the advice.
"""

from htlctop import service
from htlctop.analysis.advice.models import Advice, Kind
from htlctop.analysis.query import Query
from tests.advice.seeds import CAUSES, HEALTHY, first_about, top_loser

QUIET = (
    {Kind.REBALANCE_OUTBOUND, Kind.RAISE_FEES, Kind.INCREASE_CAPACITY},
    {Kind.LOWER_FEES, Kind.REBALANCE_OUTBOUND},
    {Kind.LOWER_FEES, Kind.RAISE_FEES},
    {Kind.LOWER_FEES, Kind.ALIGN_CHANNELS},
    {Kind.REBALANCE_INBOUND, Kind.REBALANCE_OUTBOUND},
    {Kind.REBALANCE_INBOUND, Kind.RAISE_FEES},
    {Kind.REBALANCE_INBOUND, Kind.INCREASE_CAPACITY},
)
"""Of each of these sets a peer is told one at most."""


def check_consistent(advice: Advice) -> None:
    """No advice about a peer contradicts another, nor takes from whom it gives to."""
    by_peer: dict[int, set[Kind]] = {}
    for item in advice.opportunities:
        kinds = by_peer.setdefault(item.peer, set())
        assert item.kind not in kinds, "one for a peer and cause"
        kinds.add(item.kind)
    for kinds in by_peer.values():
        assert all(len(kinds & quiet) <= 1 for quiet in QUIET), kinds
    needy = {i.peer for i in advice.opportunities if i.kind is Kind.REBALANCE_OUTBOUND}
    for item in advice.opportunities:
        assert item.source not in needy
        if item.kind is Kind.REBALANCE_OUTBOUND:
            assert (item.break_even_ppm or 0) >= 1
            assert item.ceiling_ppm == (item.break_even_ppm or 0) // 2
    worth = [item.worth_msat for item in advice.opportunities]
    assert worth == sorted(worth, reverse=True)


def test_whoever_lost_most_to_a_cause_is_advised_about_it_first(made_up_store, simulation):
    analyst = service.open_analyst(made_up_store)
    advice = analyst.advice(Query(window="all"))
    analyst.close()
    payments = [*simulation.payments, *simulation.open_payments]
    for cause in CAUSES:
        assert first_about(advice, cause) == top_loser(payments, cause), cause
    roles = {peer.pubkey: peer.role for peer in simulation.people.peers}
    assert not [i for i in advice.opportunities if roles[i.pubkey] in HEALTHY]
    check_consistent(advice)


def test_what_is_expected_of_a_peer_is_given_to_its_causes_once(analyst):
    advice = analyst.advice(Query(window="all"))
    check_consistent(advice)
    peers = {row.peer: row for row in analyst.overview(Query(window="all")).peers}
    lost = (
        Kind.REBALANCE_OUTBOUND, Kind.RAISE_FEES, Kind.INCREASE_CAPACITY, Kind.RAISE_MAX_HTLC,
        Kind.ALIGN_CHANNELS,
    )  # fmt: skip
    for peer, row in peers.items():
        of_it = [i for i in advice.opportunities if i.peer == peer and i.kind in lost]
        # Advice rounds once for a channel and reason, a row as its pairs do.
        rounding_msat = min(row.sums.lost, 5 * len(row.channels))
        assert sum(item.worth_msat for item in of_it) <= row.sums.expected_msat + rounding_msat
