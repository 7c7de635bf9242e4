"""What can be asked of a store, without a word on who reads it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from htlctop.analysis.advice.models import Advice, Curve, Explanation
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.details import (
    ChannelDetail,
    History,
    HtlcDetail,
    NodeDetail,
    PairDetail,
    PeerDetail,
)
from htlctop.analysis.models import ChannelRow, LogPage, Overview, Report
from htlctop.analysis.query import By, LogQuery, Query
from htlctop.analysis.status import StatusView
from htlctop.errors import UsageError

T = TypeVar("T")

Named = int | str
"""A peer by the store's id (`PeerRow.peer`), or by a public key or its beginning, an exact name,
or a channel of its in any form."""
_DAY = Query()


class Questions:
    """The questions, for a class that has `_read`; each raises what that does, and UsageError for
    a peer, channel or HTLC that the store does not know."""

    async def _read(self, question: Callable[[StoreAnalyst], T]) -> T:
        raise NotImplementedError

    async def status(self) -> StatusView:
        """The collector's state, whoever runs it, and the store's size."""
        return await self._read(lambda analyst: analyst.status())

    async def overview(self, query: Query = _DAY) -> Overview:
        """The node over the window, with a row for each peer, or by what the query groups."""
        return await self._read(lambda analyst: analyst.overview(query))

    async def channels(self, query: Query = _DAY) -> tuple[ChannelRow, ...]:
        """Our channels over the window, ranked and filtered as the query asks."""
        view = await self.overview(replace(query, by=By.CHANNEL))
        return tuple(row for row in view.rows if isinstance(row, ChannelRow))

    async def opportunities(self, query: Query = _DAY) -> Advice:
        """What to do about what is missed, the most worth first, or why there is nothing to do;
        drawn from seven days at least. Takes longer than the others."""
        return await self._read(lambda analyst: analyst.advice(query))

    async def explain(
        self, named: str = "", query: Query = _DAY, *, source: str = ""
    ) -> Explanation:
        """How every figure of the node comes about, or of a peer or channel by name, or of an HTLC
        by its incoming channel and number there ("777100x1200x1:4711"); with a `source`, another
        peer, of what came in from that one for the peer."""
        return await self._read(lambda analyst: explain(analyst, named, source, query))

    async def report(self, query: Query = _DAY) -> Report:
        """The node and every pair over the window, of one moment."""
        return await self._read(lambda analyst: analyst.report(query))

    async def peer(self, peer: Named, query: Query = _DAY) -> PeerDetail:
        """One peer over the window."""
        return await self._read(lambda analyst: analyst.peer(_peer(analyst, peer), query))

    async def channel(self, channel: Named, query: Query = _DAY) -> ChannelDetail:
        """One channel over the window, by the store's id (`ChannelRow.channel`) or in any form of
        its scid."""
        return await self._read(lambda analyst: analyst.channel(_channel(analyst, channel), query))

    async def pair(self, in_peer: Named, out_peer: Named, query: Query = _DAY) -> PairDetail:
        """What came in from one peer to leave by another, over the window."""
        return await self._read(
            lambda a: a.pair(_peer(a, in_peer), _peer(a, out_peer), query),
        )

    async def curve(self, peer: Named, query: Query = _DAY) -> Curve | None:
        """A peer's liquidity curve, None without liquidity claims."""
        return await self._read(lambda analyst: analyst.curve(_peer(analyst, peer), query))

    async def history(self, query: Query = _DAY) -> History:
        """Missed and earned over the window, with what changed in it."""
        return await self._read(lambda analyst: analyst.history(query))

    async def node(self, query: Query = _DAY) -> NodeDetail:
        """The node, its collector and its store."""
        return await self._read(lambda analyst: analyst.node(query))

    async def htlc(self, seq: int) -> HtlcDetail:
        """One HTLC by its number in the store (`HtlcLine.seq`), with the payment it belongs to."""
        return await self._read(lambda analyst: analyst.htlc(seq))

    async def log(self, query: LogQuery) -> LogPage:
        """HTLCs that are stored, newest first, and where to go on: `replace(query,
        before_seq=page.older_seq)` until that is None."""
        return await self._read(lambda analyst: analyst.log(query))


def explain(analyst: StoreAnalyst, named: str, source: str, query: Query) -> Explanation:
    """How every figure comes about of what is named: a peer or channel, an HTLC by its incoming
    circuit, a peer and whom payments for it came from, or ("") the node. Raises UsageError."""
    seq = analyst.find_htlc(named) if not source else None
    if seq is not None:
        return analyst.explain_htlc(seq)
    peer, channel = analyst.find(named) if named else (None, None)
    if not source:
        return analyst.explain(query, peer, channel)
    if peer is None or channel is not None:
        raise UsageError(
            "whom payments came from goes with the peer that they were for: name that one as well, "
            "and no channel of it"
        )
    return analyst.explain(query, peer, source=analyst.find_peer(source).peer)


def _peer(analyst: StoreAnalyst, peer: Named) -> int:
    return peer if isinstance(peer, int) else analyst.find_peer(peer).peer


def _channel(analyst: StoreAnalyst, channel: Named) -> int:
    if isinstance(channel, int):
        return channel
    _, found = analyst.find(channel)
    if found is None:
        raise UsageError(f"{channel!r} is no channel: give a channel id in any form")
    return found
