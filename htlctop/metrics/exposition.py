"""View models -> Prometheus metric families. No registry but our own, nothing global.

Counters come from everything ever stored, so they go on where they were when a process or the
collector is restarted. Gauges named for a window are what the screen shows of it. All families
have few labels, and of the peers only the first ones are told apart.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from htlctop import __version__
from htlctop.analysis.models import CategoryRow, Overview, PeerRow, Sums
from htlctop.analysis.status import State, StatusView
from htlctop.domain.codes import Group
from htlctop.domain.types import NS
from htlctop.export.format import LONGEST_KEY, clean, name

if TYPE_CHECKING:
    from prometheus_client.core import Metric

MOST_PEERS = 50
OTHER = "other"
"""The label of all the peers that are not told apart."""

Labels = Sequence[str]
Sample = tuple[Labels, float]

_PEER_GAUGES: tuple[tuple[str, str, Callable[[Sums], int]], ...] = (
    ("expected_msat", "What would have been earned toward a peer", lambda s: s.expected_msat),
    ("net_demand_msat", "Net demand toward a peer", lambda s: s.net_demand_msat),
    ("earned_msat", "Fees earned toward a peer", lambda s: s.earned_msat),
    ("refused", "Forwards to a peer refused here", lambda s: s.refused),
)


def families(
    ever: Overview, window: Overview, status: StatusView, callback_errors: int, read_s: float
) -> Iterator["Metric"]:
    """Every family.

    Args:
        ever: the node over all time. window: over the window that the gauges are of.
        status: the collector's, as of now.
        callback_errors: raised so far by callbacks of this process.
        read_s: how long it took to read them.
    """
    yield from _node(ever)
    yield from _counters(ever)
    yield from _window(window)
    yield from _peers(window.window.label, window.peers)
    yield from _collector(status)
    yield _counter("callback_errors", "Errors raised by callbacks", [((), callback_errors)])
    yield _gauge("read_seconds", "How long reading these figures took", [((), read_s)])


def _node(view: Overview) -> Iterator["Metric"]:
    node = view.node
    labels = ("pubkey", "alias", "network", "version", "htlctop")
    key = clean(node.pubkey, LONGEST_KEY)
    who = (key, clean(node.alias), clean(node.network), clean(node.version), __version__)
    yield _gauge("node_info", "Whose figures these are", [(who, 1)], labels)
    yield _gauge("offline_peers", "Peers without an active channel", [((), view.offline)])
    yield _gauge("dry_channels", "Open channels with under 10% on our side", [((), view.dry)])


def _counters(view: Overview) -> Iterator["Metric"]:
    sums = view.totals.sums
    for title, text, value in (
        ("settled", "Forwards that settled", sums.settled),
        ("downstream", "Forwards that failed further on", sums.downstream),
        ("earned_msat", "Fees earned", sums.earned_msat),
        ("claims", "Payments lost, repeats left out", sums.claims),
        ("repeats", "Claims of hammering rebalancers, which add nothing", sums.repeats),
    ):
        yield _counter(title, text, [((), value)])
    for title, text, groups, value_of in _BY_REASON:
        rows = [row for row in view.categories if row.category.group in groups]
        samples = [((r.category.label, r.category.group.label), value_of(r)) for r in rows]
        yield _counter(title, text, samples, ("category", "group"))


_LOST, _PRICED_OUT = frozenset({Group.LOST}), frozenset({Group.PRICED_OUT})
_REFUSED = frozenset(Group) - {Group.EARNED, Group.ELSEWHERE, Group.OWN}
_BY_REASON: tuple[tuple[str, str, frozenset[Group], Callable[[CategoryRow], int]], ...] = (
    ("refused", "Forwards refused here", _REFUSED, lambda r: r.count),
    ("fee_unknown", "Lost forwards of unknown fee", _LOST, lambda r: r.fee_unknown),
    ("asked_msat", "Fees lost forwards offered, every try", _LOST, lambda r: r.asked_msat),
    ("demand_msat", "The same, each payment once", _LOST, lambda r: r.demand_msat),
    ("recovered_msat", "Came back by itself", _LOST, lambda r: r.demand_msat - r.net_demand_msat),
    ("offered_msat", "Fees that were too low", _PRICED_OUT, lambda r: r.offered_msat),
)


def _window(view: Overview) -> Iterator["Metric"]:
    sums, labels = view.totals.sums, (view.window.label,)
    for title, text, value in (
        ("expected_msat", "What would have been earned: missed", sums.expected_msat),
        ("net_demand_msat", "Demand less what came back by itself", sums.net_demand_msat),
        ("asked_msat", "Fees offered by lost forwards, every try", sums.asked_msat),
        ("earned_msat", "Fees earned", sums.earned_msat),
        ("coverage_ratio", "The watched part of the window, 0 to 1", view.window.coverage),
        ("unknown", "Forwards whose outcome nobody saw", view.totals.unknown),
    ):
        yield _gauge(f"window_{title}", f"{text}; over the window", [(labels, value)], ("window",))


def _peers(window: str, peers: Sequence[PeerRow]) -> Iterator["Metric"]:
    shown, rest = peers[:MOST_PEERS], [row.sums for row in peers[MOST_PEERS:]]
    for title, text, value in _PEER_GAUGES:
        samples: list[Sample] = [(_labels(window, row), value(row.sums)) for row in shown]
        if rest:
            samples.append(((window, OTHER, OTHER), sum(map(value, rest))))
        yield _gauge(f"peer_{title}", f"{text}; over the window", samples, _PEER_LABELS)
    local = [
        (_labels(window, row), row.local_sat / row.capacity_sat)
        for row in shown
        if row.local_sat is not None and row.capacity_sat
    ]
    yield _gauge("peer_local_ratio", "Our side of a peer's open channels", local, _PEER_LABELS)


_PEER_LABELS = ("window", "peer", "alias")


def _labels(window: str, row: PeerRow) -> Labels:
    key = clean(row.pubkey or "", LONGEST_KEY)
    return window, key, name(row.alias, row.pubkey, row.peer)


def _collector(status: StatusView) -> Iterator["Metric"]:
    states = [((state.value,), float(state is status.state)) for state in State]
    yield _gauge("collector_state", "What the collector is doing: 1 for one", states, ("state",))
    age_s = max(0.0, time.time() - status.alive_ns / NS) if status.alive_ns else float("nan")
    oldest_ns = status.oldest_in_flight_ns
    oldest_s = 0.0 if oldest_ns is None else max(0, status.now_ns - oldest_ns) / NS
    for title, text, value in (
        ("alive_age_seconds", "Since the collector's last sign of life", age_s),
        ("lag_seconds", "How late the newest event arrived", status.lag_ns / NS),
        ("queued_events", "Events waiting to be written", status.queued),
        ("in_flight", "Forwards without an outcome", status.in_flight),
        ("oldest_in_flight_seconds", "Age of the oldest of those", oldest_s),
        (
            "last_event_timestamp_seconds",
            "Node time of the newest event",
            status.last_event_ns / NS,
        ),
        ("store_bytes", "Store and WAL on disk", status.store_bytes),
    ):
        yield _gauge(title, text, [((), value)])
    yield _counter("events", "Events stored", [((), status.events)])
    shed = [((), float(status.shed))]
    yield _counter("shed_events", "Events there was no room for, since the collector's start", shed)


def _counter(title: str, text: str, samples: Iterable[Sample], labels: Labels = ()) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"htlctop_{title}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _gauge(title: str, text: str, samples: Iterable[Sample], labels: Labels = ()) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"htlctop_{title}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
