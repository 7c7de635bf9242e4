"""What LND Manage (lnd-manageJ, by C-Otto) tells of our channels over its HTTP API.

Asks with GET alone, so it changes nothing. As with LND's own bytes, any answer gives values or a
clear error; a channel or policy that cannot be read is left out.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from htlctop.domain.types import Channel, ChannelLimits, ClosedChannel, FeePolicy, scid_text
from htlctop.errors import NodeConnectionError
from htlctop.wire.http import NotFound, Site

T = TypeVar("T")
Json = object

AT_ONCE = 4
"""Questions under way at a time: LND Manage asks LND in turn."""
ALIASES_S = 3600.0
"""How long names are believed."""
_KEY = re.compile(r"0[23][0-9a-f]{64}")
_SCID = re.compile(r"(\d{1,8})[x:](\d{1,8})[x:](\d{1,5})")
_MOST = 2**62


class LndManage:
    """Implements `domain.ports.ChannelInfoProvider`; raises what that says.

    It has no commitment fees, so that what can be spent is a little too much where we opened the
    channel; and no alias ids: LND knows more of private channels.
    """

    def __init__(self, url: str, *, timeout_s: float = 10.0) -> None:
        """Args:
        url: where it is served, "http://127.0.0.1:8081".
        timeout_s: how long one answer may take.

        Raises ConfigError when the URL is none.
        """
        self._site = Site(url, "LND Manage", "--lnd-manage", timeout_s)
        self._aliases: dict[str, str] = {}
        self._forget_aliases_s = 0.0
        self._closed: dict[int, ClosedChannel] = {}

    async def list_channels(self) -> tuple[Channel, ...]:
        """The open channels, with balances and their peers' names."""
        return await self._each(await self._scids("open-channels"), self._channel)

    async def closed_channels(self) -> tuple[ClosedChannel, ...]:
        """The channels that are closed or closing."""
        known = set(await self._scids("all-channels"))
        gone = known - set(await self._scids("open-channels"))
        return await self._each(sorted(gone), self._closed_channel)

    async def fee_report(self) -> tuple[FeePolicy, ...]:
        """What we ask on each open channel."""
        return await self._each(await self._scids("open-channels"), self._policy)

    async def channel_limits(self, scid: int, pubkey: str) -> ChannelLimits | None:
        """What else we ask on a channel; `pubkey` is our own, it knows no other's of ours."""
        try:
            policy = await self._local_policy(scid)
        except NotFound:
            return None
        most = _number(policy, "maxHtlcMilliSat") if policy else 0
        if policy is None or not most:
            return None
        return ChannelLimits(
            scid,
            min_htlc_msat=_number(policy, "minHtlcMilliSat"),
            max_htlc_msat=most,
            time_lock_delta=_number(policy, "timeLockDelta"),
            is_disabled=policy.get("enabled") is False,
        )

    async def node_alias(self, pubkey: str) -> str:
        """A node's name, "" where it has none."""
        if time.monotonic() > self._forget_aliases_s:
            self._forget_aliases_s = time.monotonic() + ALIASES_S
            self._aliases.clear()
        if pubkey not in self._aliases:
            text = await self._get_text(f"/api/node/{pubkey}/alias")
            self._aliases[pubkey] = "" if text == pubkey else text[:200]
        return self._aliases.get(pubkey, "")

    async def is_online(self, pubkey: str) -> bool | None:
        """Whether a peer is connected, None where that is not known."""
        details = await self._get(f"/api/node/{pubkey}/details")
        online = _part(details, "onlineReport").get("online")
        return online if isinstance(online, bool) else None

    async def _channel(self, scid: int) -> Channel | None:
        path = f"/api/channel/{scid_text(scid)}"
        basic = _object(await self._get(f"{path}/"))
        status = _part(basic, "status")
        peer = _key(basic.get("remotePubkey"))
        if peer is None or status.get("openClosed") != "OPEN":
            return None
        balance = _object(await self._get(f"{path}/balance"))
        return Channel(
            scid,
            peer,
            await self.node_alias(peer),
            capacity_sat=_number(basic, "capacitySat"),
            local_sat=_number(balance, "localBalanceSat"),
            remote_sat=_number(balance, "remoteBalanceSat"),
            reserve_sat=_number(balance, "localReserveSat"),
            initiator=basic.get("openInitiator") == "LOCAL",
            active=status.get("active") is True,
            private=status.get("private") is True,
        )

    async def _closed_channel(self, scid: int) -> ClosedChannel | None:
        if scid not in self._closed:
            basic = _object(await self._get(f"/api/channel/{scid_text(scid)}/"))
            peer = _key(basic.get("remotePubkey"))
            if peer is None or _part(basic, "status").get("openClosed") == "OPEN":
                return None
            self._closed[scid] = ClosedChannel(scid, peer)
        return self._closed[scid]

    async def _policy(self, scid: int) -> FeePolicy | None:
        policy = await self._local_policy(scid)
        if policy is None:
            return None
        return FeePolicy(
            scid,
            _number(policy, "baseFeeMilliSat"),
            _number(policy, "feeRatePpm"),
            _number(policy, "inboundBaseFeeMilliSat", signed=True),
            _number(policy, "inboundFeeRatePpm", signed=True),
        )

    async def _local_policy(self, scid: int) -> dict[str, Json] | None:
        """Our policy as told, None where it is not known: that is told as zeros."""
        found = await self._get(f"/api/channel/{scid_text(scid)}/policies")
        policy = _part(found, "local")
        return policy if policy.get("enabled") or _number(policy, "timeLockDelta") else None

    async def _scids(self, which: str) -> tuple[int, ...]:
        found = _object(await self._get(f"/api/status/{which}")).get("channels")
        if not isinstance(found, list):
            raise NodeConnectionError(
                f"{self._site.url} does not answer as LND Manage does: check --lnd-manage"
            )
        return tuple(dict.fromkeys(filter(None, map(_scid, found))))

    async def _each(
        self, scids: Iterable[int], ask: Callable[[int], Awaitable[T | None]]
    ) -> tuple[T, ...]:
        """What can be told of each; one that has gone meanwhile is left out."""

        room = asyncio.Semaphore(AT_ONCE)

        async def one(scid: int) -> T | None:
            async with room:
                try:
                    return await ask(scid)
                except NotFound:
                    return None

        tasks = [asyncio.create_task(one(scid)) for scid in scids]
        try:
            found = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return tuple(item for item in found if item is not None)

    async def _get(self, path: str) -> Json:
        text = await self._get_text(path)
        try:
            document: Json = json.loads(text)
        except (ValueError, RecursionError):
            raise NodeConnectionError(
                f"{self._site.url}{path} answers with what is not JSON: check --lnd-manage"
            ) from None
        return document

    async def _get_text(self, path: str) -> str:
        return await asyncio.to_thread(self._site.get, path)


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _part(value: Json, name: str) -> dict[str, Json]:
    return _object(_object(value).get(name))


def _number(source: dict[str, Json], name: str, *, signed: bool = False) -> int:
    """A whole number, which may come as text; 0 where there is none that can be."""
    value = source.get(name)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MOST:
        return 0
    return value if signed or value >= 0 else 0


def _key(value: Json) -> str | None:
    return value if isinstance(value, str) and _KEY.fullmatch(value) else None


def _scid(value: Json) -> int | None:
    """A channel id in its compact form, 712345x123x1."""
    found = _SCID.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    if found is None:
        return None
    block, transaction, output = map(int, found.groups())
    if block >= 1 << 24 or transaction >= 1 << 24 or output >= 1 << 16:
        return None
    return block << 40 | transaction << 16 | output
