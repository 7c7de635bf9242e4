"""The way in for what a node tells: a batch of events, once the channels that it names are known.

The ledger folds and commits; channels and history go into it beside the events.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from htlctop.collector.channels import Channels
from htlctop.collector.history import History
from htlctop.collector.ledger import Arrived, Ledger
from htlctop.domain.ports import ChannelInfoProvider, Clock, FailureStatsStore
from htlctop.domain.types import DEFAULTS, Settings
from htlctop.errors import NodeConnectionError, NodePermissionError


class Intake:
    """One node's way into a store. `by_events`, `give_up`: as `Ledger` says."""

    def __init__(
        self,
        store: FailureStatsStore,
        provider: ChannelInfoProvider,
        clock: Clock,
        settings: Settings = DEFAULTS,
        *,
        by_events: bool = False,
        give_up: asyncio.Event | None = None,
    ) -> None:
        self.ledger = Ledger(store, clock, settings, by_events=by_events, give_up=give_up)
        self.channels = Channels(self.ledger, store, provider, clock)
        self.history = History(self.ledger, store, clock)

    async def write(self, batch: Sequence[Arrived]) -> None:
        """Fold a batch and write it. Listing happens first where the batch needs it.

        Raises:
            StoreError: it cannot be written.
        """
        if self.channels.needs_listing(batch):
            # A node that no longer answers must not cost us what it said before.
            with suppress(NodeConnectionError, NodePermissionError):
                await self.channels.refresh()
        if self.ledger.start_clock(batch):
            await self.channels.refresh()  # a recording's balances are of its first event
        await self.ledger.enter(batch)
        if not self.ledger.queued:
            await self.history.learn_owed()
