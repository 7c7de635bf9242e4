"""Stores made through the real fold and writer, for advice: who did what to whom, in hours."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from htlctop import service
from htlctop.analysis.advice.models import Advice, Kind, Opportunity
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.query import Query
from htlctop.domain.fold import Fold
from htlctop.domain.records import Progress
from htlctop.domain.types import NS, Channel, ChannelLimits, FeePolicy, HtlcEvent, NodeInfo
from htlctop.store.writer import StoreWriter
from tests.support import ANN, BEN, CAT, CAT2, DAN, T0, Stream

HOUR_S = 3600.0
KEYS = {name: f"02{name[0] * 64}" for name in ("ann", "ben", "cat", "dan")}
SAT = 1000
ALIAS = 16_000_000 << 40 | 5
"""An id that a channel may go by besides its own."""


def channel(scid: int, name: str, capacity: int = 5_000_000, share: float = 0.5) -> Channel:
    """A channel with so much of it on our side."""
    local = int(capacity * share)
    return Channel(
        scid, KEYS[name], name, capacity_sat=capacity, local_sat=local,
        remote_sat=capacity - local, reserve_sat=capacity // 100,
    )  # fmt: skip


USUAL = {
    ANN: channel(ANN, "ann"),
    BEN: channel(BEN, "ben", 10_000_000, 0.88),
    DAN: channel(DAN, "dan", 5_000_000, 0.02),
}


@dataclass
class Node:
    """A node's story. Times are hours after the start."""

    hours: float = 72.0
    channels: dict[int, Channel] = field(default_factory=lambda: dict(USUAL))
    policies: list[tuple[float, FeePolicy]] = field(default_factory=list)
    limits: list[tuple[float, ChannelLimits]] = field(default_factory=list)
    balances: list[tuple[float, Channel]] = field(default_factory=list)
    stream: Stream = field(default_factory=Stream)

    def refuse(self, hour: float, sat: int, fee_sat: float, **how: int) -> None:
        """A payment that we refuse, for want of liquidity unless said otherwise."""
        self.stream.refuse(hour * HOUR_S, sat * SAT, round(fee_sat * SAT), **how)

    def settle(self, hour: float, sat: int, fee_sat: float, **how: int) -> None:
        """A forward that settles."""
        at = hour * HOUR_S
        htlc = self.stream.forward(at, sat * SAT, round(fee_sat * SAT), **how)
        self.stream.settle(at + 1, htlc, **how)

    def asks(self, scid: int, ppm: int, base: int = 0, hour: float = 0.0) -> None:
        """From then on we ask that on a channel."""
        self.policies.append((hour, FeePolicy(scid, base, ppm)))

    def allows(self, scid: int, max_sat: int, hour: float = 0.0) -> None:
        """From then on a channel takes so much at most."""
        self.limits.append((hour, ChannelLimits(scid, 1000, max_sat * SAT, 80, False)))

    def becomes(self, hour: float, scid: int, **changes: object) -> None:
        """A channel's balance changes, or it goes away (active=False)."""
        self.balances.append((hour, replace(self.channels[scid], **changes)))

    async def store(self, path: Path) -> StoreAnalyst:
        """Everything through the fold and the writer, in the order of its times."""
        async with StoreWriter(path) as writer:
            await writer.save_node(
                NodeInfo("02" + "e" * 64, "made", "regtest", "0.21", replay=True)
            )
            fold: Fold = writer.restore_fold()
            now = dict(self.channels)
            fold.channels.update(now.values(), ())
            fold.liquidity.listed(now.values(), T0)
            await writer.commit(fold.take(), _progress(0))
            await writer.start_interval(T0)
            ids = {scid: fold.channels.resolve(scid).id for scid in now}
            await writer.save_balances(now.values(), ids, T0)
            for hour, item in self._in_order():
                at_ns = T0 + round(hour * 3600 * NS)
                if isinstance(item, HtlcEvent):
                    fold.apply(item, at_ns)
                elif isinstance(item, Channel):
                    await writer.commit(fold.take(), _progress(hour))
                    fold.liquidity.changed(item, at_ns)
                    await writer.save_balances([item], ids, at_ns)
                elif isinstance(item, FeePolicy):
                    await writer.save_policies([item], ids, at_ns)
                else:
                    await writer.save_limits([item], ids, at_ns)
            await writer.commit(fold.take(), _progress(self.hours))
        return service.open_analyst(path)

    def _in_order(
        self,
    ) -> list[tuple[float, HtlcEvent | Channel | FeePolicy | ChannelLimits]]:
        # A forward of no account at the end makes the playback's clock reach it.
        self.settle(self.hours - 0.001, 1, 0.001, src=BEN, out=ANN)
        events = [((e.timestamp_ns - T0) / NS / 3600, e) for e in self.stream.events]
        items = [*self.policies, *self.limits, *self.balances, *events]
        return sorted(items, key=lambda item: item[0])


def _progress(hours: float) -> Progress:
    at_ns = T0 + round(hours * 3600 * NS)
    return Progress(0, 0, at_ns, at_ns)


async def advice(node: Node, path: Path, window: str = "all") -> Advice:
    """What the node is advised."""
    analyst = await node.store(path)
    try:
        return analyst.advice(Query(window=window))
    finally:
        analyst.close()


def kinds(advice: Advice, name: str) -> set[Kind]:
    """What is advised about a peer."""
    return {item.kind for item in advice.opportunities if item.alias == name}


def one(advice: Advice, kind: Kind) -> Opportunity:
    """The only opportunity of a kind."""
    (found,) = [item for item in advice.opportunities if item.kind is kind]
    return found


def figure(item: Opportunity, name: str) -> object:
    """The value of a figure that it rests on."""
    (found,) = [each.value for each in item.evidence if each.name == name]
    return found


def spread(count: int, hours: float = 70.0, start: float = 0.5) -> Iterable[float]:
    """So many moments, evenly."""
    return (start + number * (hours - start) / count for number in range(count))


__all__ = ["ANN", "BEN", "CAT", "CAT2", "DAN"]
