"""Liquidity at the moment: what of our side of a channel can really be sent, and toward whom."""

from collections.abc import Iterable
from dataclasses import dataclass

from htlctop.domain.types import Channel

_HTLC_WEIGHT = 172
_FEE_BUFFER = 2
"""LND keeps room for the commitment fee to double with two more HTLCs on it."""


def spendable_sat(channel: Channel) -> int:
    """What we can send on now, sat.

    The balance, less our reserve; who opened the channel also pays the commitment fee and keeps
    a buffer for it.
    """
    spendable = channel.local_sat - channel.reserve_sat
    if channel.initiator:
        buffered = channel.fee_per_kw * (channel.commit_weight + 2 * _HTLC_WEIGHT) // 1000
        spendable += channel.commit_fee_sat - _FEE_BUFFER * buffered
    return max(0, spendable)


@dataclass(frozen=True, slots=True)
class Usable:
    """What could be sent toward a peer: its best channel and all of them, msat; known since ns."""

    best_msat: int
    total_msat: int
    known_ns: int


class Liquidity:
    """The newest balances, by peer. A peer without an active channel has nothing usable."""

    def __init__(self) -> None:
        self._peers: dict[str, dict[int, tuple[int, int]]] = {}

    def listed(self, channels: Iterable[Channel], at_ns: int) -> None:
        """All open channels, as just listed."""
        self._peers = {}
        for channel in channels:
            self.changed(channel, at_ns)

    def changed(self, channel: Channel, at_ns: int) -> None:
        """One channel's balance changed."""
        usable_msat = spendable_sat(channel) * 1000 if channel.active else 0
        self._peers.setdefault(channel.peer, {})[channel.scid] = (usable_msat, at_ns)

    def toward(self, pubkey: str) -> Usable | None:
        """What is usable toward a peer; None for one that we have no channel with."""
        channels = self._peers.get(pubkey)
        if not channels:
            return None
        amounts = [msat for msat, _ in channels.values()]
        return Usable(max(amounts), sum(amounts), min(at_ns for _, at_ns in channels.values()))
