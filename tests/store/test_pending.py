"""The HTLCs that are on channels: as the last listing told, the nearest expiry first."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.query import Query
from htlctop.collector.intake import Intake
from htlctop.domain.types import NodeInfo, PendingHtlc
from htlctop.store.reader import StoreReader
from htlctop.store.writer import StoreWriter
from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from tests.support import CHANNELS, T0

MINUTE = 60 * 10**9


class Node:
    """Lists two channels, one with what is pending on it."""

    def __init__(self, *pending: PendingHtlc) -> None:
        self.channels = (replace(CHANNELS[0], pending=pending, capacity_sat=10), CHANNELS[2])

    async def list_channels(self):
        return self.channels

    async def closed_channels(self):
        return ()

    async def fee_report(self):
        return ()


class Stopped:
    """A clock that stands still."""

    def now_ns(self) -> int:
        return T0


async def listed(store: Path, *pendings: tuple[PendingHtlc, ...], height: int = 900_000) -> None:
    """Each listing one after another."""
    async with StoreWriter(store) as writer:
        node = Node()
        intake = Intake(writer, node, Stopped())
        await intake.ledger.meet(NodeInfo("02" + "f" * 64, "me", "simnet", "0.21.2", height))
        for pending in pendings:
            node.channels = Node(*pending).channels
            await intake.channels.refresh()


async def test_what_is_pending_is_that_of_the_last_listing(tmp_path):
    near, far = PendingHtlc(True, 5_000, 900_031), PendingHtlc(False, 7_000, 900_144)
    await listed(tmp_path / "store.db", (near,), (far, near))
    analyst = StoreAnalyst(StoreReader(tmp_path / "store.db"), wall_ns=lambda: T0)
    node = analyst.node(Query())
    assert [(p.incoming, p.amount_msat, p.blocks_left) for p in node.pending] == [
        (True, 5_000, 31),
        (False, 7_000, 144),
    ]
    assert node.status.nearest_expiry_blocks == 31
    assert (node.block_height, node.status.synced) == (900_000, True)
    ann = analyst.find_peer("ann").peer
    assert analyst.peer(ann, Query()).pending == node.pending
    assert analyst.peer(analyst.find_peer("cat").peer, Query()).pending == ()
    analyst.close()


async def test_how_many_were_pending_is_kept_whenever_it_changes(tmp_path):
    near, far = PendingHtlc(True, 5_000, 900_031), PendingHtlc(False, 7_000, 900_144)
    clock = Stopped()
    async with StoreWriter(tmp_path / "store.db") as writer:
        node = Node()
        intake = Intake(writer, node, clock)
        await intake.ledger.meet(NodeInfo("02" + "f" * 64, "me", "simnet", "0.21.2", 900_000))
        for minutes, pending in ((0, (near,)), (1, (near,)), (2, (near, far)), (9, ())):
            clock.now_ns = lambda minutes=minutes: T0 + minutes * MINUTE
            node.channels = Node(*pending).channels
            await intake.channels.refresh()
    with closing(StoreReader(tmp_path / "store.db")) as reader:
        points = reader.pending_history(T0, T0 + 10 * MINUTE)
        assert points == [(T0, 1, 5_000), (T0 + 2 * MINUTE, 2, 12_000), (T0 + 9 * MINUTE, 0, 0)]
        later = reader.pending_history(T0 + 5 * MINUTE, T0 + 6 * MINUTE)
        assert later == [(T0 + 2 * MINUTE, 2, 12_000)], "what held when the window began"
    analyst = StoreAnalyst(StoreReader(tmp_path / "store.db"), wall_ns=lambda: T0 + 10 * MINUTE)
    assert [one.count for one in analyst.history(Query("1h")).in_flight] == [1, 2, 0]


async def test_nothing_is_pending_when_nothing_is_listed_any_more(tmp_path):
    await listed(tmp_path / "store.db", (PendingHtlc(True, 5_000, 900_031),), ())
    analyst = StoreAnalyst(StoreReader(tmp_path / "store.db"), wall_ns=lambda: T0)
    assert analyst.node(Query()).pending == ()
    assert analyst.status().nearest_expiry_blocks is None
    analyst.close()


async def test_an_expiry_that_is_not_told_is_not_the_nearest(tmp_path):
    unknown, known = PendingHtlc(True, 1_000, 0), PendingHtlc(True, 1_000, 900_100)
    await listed(tmp_path / "store.db", (unknown, known))
    analyst = StoreAnalyst(StoreReader(tmp_path / "store.db"), wall_ns=lambda: T0)
    assert analyst.status().nearest_expiry_blocks == 100
    assert [p.blocks_left for p in analyst.node(Query()).pending] == [None, 100]
    analyst.close()


def test_htlcs_of_a_listing_are_read_with_amount_and_expiry():
    raw = ln.Channel(
        chan_id=1, pending_htlcs=[ln.HTLC(incoming=True, amount=3, expiration_height=9)]
    )
    assert decode.channel(raw).pending == (PendingHtlc(True, 3_000, 9),)
