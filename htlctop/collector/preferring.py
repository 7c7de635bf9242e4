"""Channel info from somebody who watches the node, and from the node where he cannot tell."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from htlctop.domain.ports import ChannelInfoProvider
from htlctop.domain.types import Channel, ChannelLimits, ClosedChannel, FeePolicy
from htlctop.errors import HtlctopError

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Preferring:
    """Implements `ports.ChannelInfoProvider`: asks `first`, and `node` when that fails.

    Private channels are listed by the node alone: HTLCs name them by alias ids, which nobody else
    knows. What fails is logged once, until it is mended.
    """

    def __init__(self, first: ChannelInfoProvider, node: ChannelInfoProvider) -> None:
        self._first, self._node = first, node
        self._failed = ""

    async def list_channels(self) -> tuple[Channel, ...]:
        """The open channels, with balances."""
        listed = await self._ask(self._first.list_channels, self._node.list_channels)
        if any(channel.private for channel in listed):
            return await self._node.list_channels()
        return listed

    async def closed_channels(self) -> tuple[ClosedChannel, ...]:
        """The channels that are closed or closing."""
        return await self._ask(self._first.closed_channels, self._node.closed_channels)

    async def fee_report(self) -> tuple[FeePolicy, ...]:
        """What we ask on each channel."""
        return await self._ask(self._first.fee_report, self._node.fee_report)

    async def channel_limits(self, scid: int, pubkey: str) -> ChannelLimits | None:
        """What else we ask on a channel; the node is asked too where `first` does not know."""
        try:
            limits = await self._first.channel_limits(scid, pubkey)
        except HtlctopError as error:
            self._tell(error)
            limits = None
        return limits or await self._node.channel_limits(scid, pubkey)

    async def _ask(self, first: Callable[[], Awaitable[T]], node: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await first()
        except HtlctopError as error:
            self._tell(error)
            return await node()
        self._failed = ""
        return answer

    def _tell(self, error: HtlctopError) -> None:
        if str(error) != self._failed:
            self._failed = str(error)
            _log.warning("%s; the node is asked instead", error)
