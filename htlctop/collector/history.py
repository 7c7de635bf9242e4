"""What the node itself remembers: fills in what its stream did not tell."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from htlctop.collector.ledger import Ledger
from htlctop.domain.codes import EventKind
from htlctop.domain.ports import Clock, FailureStatsStore, OutcomeProvider
from htlctop.domain.types import NS, Forward, HtlcEvent
from htlctop.errors import NodeConnectionError, NodePermissionError

_log = logging.getLogger(__name__)

REPAIR_SLACK_S = 10
"""How far before a gap the node's history is read: the last events may not have reached us."""
SETTLE_DOWN_S = 0.1
MAX_LOOKUPS = 200
"""HTLCs whose resolution is asked for after a gap, the newest first."""


class History:
    """A node that does not answer is no error: what it does not tell stays unknown. Raises
    StoreError."""

    def __init__(self, ledger: Ledger, store: FailureStatsStore, clock: Clock) -> None:
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._owed: list[Forward] = []

    async def repair(
        self, node: OutcomeProvider, told_since: Callable[[], int | None] | None = None
    ) -> int:
        """Fill the time since anybody last watched from what the node itself remembers.

        Its history gives back the forwards that settled; single resolutions tell how others that
        we saw start have ended. Returns how many outcomes were news. What the node does not tell
        stays unknown. `told_since`: the time of the first event of the new stream that has
        arrived, None while none has; what settled since is the stream's to tell, and only where it
        did not tell the beginning the history does, once what waits has been written.
        """
        since_ns = self._store.covered_until_ns()
        if since_ns is None:
            return 0
        slack_ns = REPAIR_SLACK_S * NS
        learned = 0
        try:
            history = await node.forwarding_history(
                (since_ns - slack_ns) // NS, self._clock.now_ns() // NS + REPAIR_SLACK_S
            )
            if told_since is not None:
                # What the node wrote before its answer is on its way through our own threads.
                await asyncio.sleep(SETTLE_DOWN_S)
            until_ns = (told_since() if told_since else None) or 2**63
            learned = self._ledger.fold.learn(
                f for f in history if since_ns - slack_ns < f.timestamp_ns < until_ns
            )
            self._owed = [f for f in history if f.timestamp_ns >= until_ns]
            await self._ledger.commit()
            at_ns = since_ns if self._ledger.by_events else self._clock.now_ns()
            for scid, htlc in self._store.waiting(self._clock.now_ns(), MAX_LOOKUPS):
                settled = await node.lookup_htlc(scid, htlc)
                if settled is not None:
                    final = HtlcEvent(EventKind.FINAL, 0, at_ns, scid, htlc, settled=settled)
                    self._ledger.fold.apply(final, at_ns)
                    learned += 1
        except (NodeConnectionError, NodePermissionError) as error:
            _log.warning("the gap could not be filled from the node's history: %s", error)
        await self._ledger.commit()
        return learned

    async def learn_owed(self) -> None:
        """Take over what was left to the stream to tell: what had arrived by then is written."""
        if self._owed:
            owed, self._owed = self._owed, []
            await self.learn(owed)

    async def half_told(self, node: OutcomeProvider) -> tuple[Forward, ...]:
        """What the node's history says of the forwards that were heard to settle but not to begin,
        as those do that were in flight when the stream was opened. Each is asked for once."""
        asked, self._ledger.fold.half_told = self._ledger.fold.half_told, {}
        if not asked:
            return ()
        from_s, until_s = min(asked.values()) // NS, max(asked.values()) // NS
        try:
            history = await node.forwarding_history(
                from_s - REPAIR_SLACK_S, until_s + REPAIR_SLACK_S
            )
        except (NodeConnectionError, NodePermissionError) as error:
            _log.warning("what some forwards earned is not known: %s", error)
            return ()
        return tuple(f for f in history if (f.incoming_scid, f.incoming_htlc_id) in asked)

    async def learn(self, forwards: Iterable[Forward]) -> None:
        """Take over what the node's history tells, between two batches."""
        self._ledger.fold.learn(forwards)
        await self._ledger.commit()
