"""A made-up busy node: its channels, and its stream of HTLC events made one by one.

In and out channels are drawn by Zipf's law; amounts are random, so that nearly every refusal is a
claim of its own: the most expensive traffic there is for fold, store and buckets.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from htlctop.domain.codes import EventKind, EventType
from htlctop.domain.types import NS, Channel, ClosedChannel, FeePolicy, HtlcEvent, NodeInfo

START_NS = 1_795_300_000 * NS
DAY_NS = 24 * 3600 * NS
NODE = NodeInfo("02" + "be" * 32, "bench", "simnet", "0.21.2-beta", 900_000)
SCID = 800_000 << 40
_CHUNK = 1_000
# (wire, detail) of refusals and how often; 15/8 comes without amounts.
_REFUSALS = (((15, 6), 76), ((12, 1), 10), ((15, 5), 5), ((18, 1), 3), ((15, 8), 3), ((13, 1), 3))

Item = tuple[int, int, HtlcEvent]


@dataclass(frozen=True, slots=True)
class Load:
    """How much of what. `refused`: the share of HTLCs that we refuse. `span_ns`: node time.
    `first_id`: where each channel's HTLC ids begin."""

    events: int
    channels: int = 10_000
    peers: int = 10_000
    zipf: float = 1.1
    refused: float = 0.6
    seed: int = 1
    span_ns: int = DAY_NS
    start_ns: int = START_NS
    first_id: int = 0

    @property
    def htlcs(self) -> float:
        """About how many HTLCs these events are: two events for a refusal, three for others."""
        return self.events / (2 * self.refused + 3 * (1 - self.refused))


class FakeNode:
    """Implements `ports.ChannelInfoProvider`: the channels of a load, all open."""

    def __init__(self, load: Load) -> None:
        self._load = load

    async def list_channels(self) -> tuple[Channel, ...]:
        """Made anew at each call, as a node's answer is."""
        return tuple(channels(self._load))

    async def closed_channels(self) -> tuple[ClosedChannel, ...]:
        """None."""
        return ()

    async def fee_report(self) -> tuple[FeePolicy, ...]:
        """The same fee everywhere."""
        return tuple(FeePolicy(SCID + k, 1000, 250) for k in range(self._load.channels))


def channels(load: Load) -> Iterator[Channel]:
    """The channels of a load."""
    for k in range(load.channels):
        peer = k % load.peers
        yield Channel(
            SCID + k, f"02{peer:064x}", f"peer {peer}",
            capacity_sat=5_000_000, local_sat=2_500_000, remote_sat=2_490_000, reserve_sat=50_000,
        )  # fmt: skip


class Traffic:
    """The stream of a load, in time order; iterate once. `htlcs` counts those begun."""

    def __init__(self, load: Load) -> None:
        self.htlcs = 0
        self.refused = 0
        self._load = load
        self._random = random.Random(load.seed)
        self._weights = list(accumulate((k + 1) ** -load.zipf for k in range(load.channels)))
        self._ins = list(range(load.channels))
        self._outs = list(range(load.channels))
        self._random.shuffle(self._ins)
        self._next_in = [load.first_id] * load.channels
        self._next_out = [load.first_id] * load.channels
        self._pending: list[Item] = []
        self._order = 0

    def __iter__(self) -> Iterator[HtlcEvent]:
        left = self._load.events
        step_ns = self._load.span_ns / self._load.htlcs
        at_ns = float(self._load.start_ns)
        pending = self._pending
        while left:
            for source, target in self._pairs():
                at_ns += self._random.expovariate(1 / step_ns)
                while pending and pending[0][0] <= at_ns and left:
                    yield heapq.heappop(pending)[2]
                    left -= 1
                if not left:
                    return
                yield self._begin(int(at_ns), source, target)
                left -= 1
                if not left:
                    return

    def _pairs(self) -> Iterator[tuple[int, int]]:
        sources = self._random.choices(self._ins, cum_weights=self._weights, k=_CHUNK)
        targets = self._random.choices(self._outs, cum_weights=self._weights, k=_CHUNK)
        return ((s, t) for s, t in zip(sources, targets, strict=True) if s != t)

    def _begin(self, at_ns: int, source: int, target: int) -> HtlcEvent:
        """The first event of an HTLC; those that follow are put into `_pending`."""
        chance = self._random
        self.htlcs += 1
        number = self._next_in[source]
        self._next_in[source] += 1
        out_msat = int(1_000_000 * 5_000 ** chance.random())
        in_msat = out_msat + 1000 + out_msat * chance.randrange(50, 1000) // 1_000_000
        circuit = (SCID + source, number)
        if chance.random() < self._load.refused:
            self.refused += 1
            codes, shares = zip(*_REFUSALS, strict=True)
            wire, detail = chance.choices(codes, shares)[0]
            known = detail != 8
            self._final(at_ns, circuit, settled=False)
            return HtlcEvent(
                EventKind.LINK_FAIL, EventType.FORWARD, at_ns, *circuit, SCID + target, 0,
                in_msat if known else 0, out_msat if known else 0, wire, detail,
            )  # fmt: skip
        leaves = (SCID + target, self._next_out[target])
        self._next_out[target] += 1
        ended_ns = at_ns + int(chance.expovariate(0.5) * NS)
        settled = chance.random() < 0.5
        kind = EventKind.SETTLE if settled else EventKind.FORWARD_FAIL
        self._later(HtlcEvent(kind, EventType.FORWARD, ended_ns, *circuit, *leaves))
        self._final(ended_ns, circuit, settled=settled)
        return HtlcEvent(
            EventKind.FORWARD, EventType.FORWARD, at_ns, *circuit, *leaves, in_msat, out_msat
        )

    def _final(self, ended_ns: int, circuit: tuple[int, int], *, settled: bool) -> None:
        at_ns = ended_ns + self._random.randrange(9_000_000, 236_000_000)
        self._later(HtlcEvent(EventKind.FINAL, EventType.UNKNOWN, at_ns, *circuit, settled=settled))

    def _later(self, event: HtlcEvent) -> None:
        self._order += 1
        heapq.heappush(self._pending, (event.timestamp_ns, self._order, event))
