"""How often the node is asked what its channels take at most and at least."""

from htlctop.collector.intake import Intake
from htlctop.domain.types import NS, FeePolicy
from htlctop.store.writer import StoreWriter
from tests.support import CHANNELS, T0

SCID = CHANNELS[0].scid


class Node:
    """Lists the channels, and asks so much on one of them."""

    def __init__(self) -> None:
        self.ppm = 250

    async def list_channels(self):
        return CHANNELS

    async def closed_channels(self):
        return ()

    async def fee_report(self):
        return (FeePolicy(SCID, 0, self.ppm),)


class Clock:
    """Told what time it is."""

    ns = T0

    def now_ns(self) -> int:
        return self.ns


async def test_limits_are_asked_for_when_fees_change_and_every_hour(store_file):
    node, clock = Node(), Clock()
    async with StoreWriter(store_file) as writer:
        channels = Intake(writer, node, clock).channels
        await channels.refresh()
        assert channels.limits_due() == [SCID]
        await channels.limits({SCID: None})
        clock.ns += 61 * NS
        await channels.refresh()
        assert channels.limits_due() == [], "nothing has changed"
        node.ppm, clock.ns = 300, clock.ns + 61 * NS
        await channels.refresh()
        assert channels.limits_due() == [SCID]
        await channels.limits({SCID: None})
        clock.ns += 3601 * NS
        assert channels.limits_due() == [SCID], "max_htlc may have changed by itself"
