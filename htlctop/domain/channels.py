"""Which channel and which peer a short channel id means: small ids for rows, scids for people.

Ids are given out here and never change their meaning. A scid that the node does not list becomes
a channel without a peer and stays one, so that nothing already counted ever moves.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from htlctop.domain.types import NO_CHANNEL, Channel, ClosedChannel

MAX_STRANGERS = 10_000
"""How many unlisted scids get an id of their own; senders can name as many as they like."""


@dataclass(slots=True)
class Peer:
    """A node we have or had a channel with. alias is its own word, unchecked text."""

    id: int
    pubkey: str
    alias: str


@dataclass(slots=True)
class OurChannel:
    """A channel (or a stranger's scid, peer 0) under its small id."""

    id: int
    scid: int
    peer: int
    is_open: bool
    alias_of: int | None = None

    @property
    def claim_peer(self) -> int:
        """The peer that claims are kept under: a stranger is its own peer."""
        return self.peer or -self.id


class ChannelMap:
    """scid -> channel -> peer, as last listed by the node.

    What changed since the last `take_changes` is kept for the writer.
    """

    def __init__(self, peers: Iterable[Peer] = (), channels: Iterable[OurChannel] = ()) -> None:
        self.nowhere = OurChannel(0, NO_CHANNEL, 0, False)
        self._peers = {peer.pubkey: peer for peer in peers}
        self._pubkeys = {peer.id: peer.pubkey for peer in self._peers.values()}
        self._by_scid = {channel.scid: channel for channel in channels}
        self._by_scid[NO_CHANNEL] = self.nowhere
        self._by_id = {channel.id: channel for channel in self._by_scid.values()}
        self._last_peer = max((p.id for p in self._peers.values()), default=0)
        self._last_channel = max((c.id for c in self._by_scid.values()), default=0)
        self._strangers = sum(1 for c in self._by_scid.values() if not c.peer)
        self._changed_peers: dict[int, Peer] = {}
        self._changed_channels: dict[int, OurChannel] = {}

    def knows(self, scid: int) -> bool:
        """Whether the scid has an id already."""
        return scid in self._by_scid

    def is_open(self, scid: int) -> bool:
        """Whether the scid is a channel of ours held as open."""
        channel = self._by_scid.get(scid)
        return channel is not None and channel.is_open

    def by_id(self, channel: int) -> OurChannel:
        """The channel of a small id that `resolve` gave out."""
        return self._by_id[channel]

    def pubkey(self, peer: int) -> str:
        """A peer's public key, "" for none."""
        return self._pubkeys.get(peer, "")

    def resolve(self, scid: int) -> OurChannel:
        """The channel of a scid; a new stranger if the node never listed it."""
        channel = self._by_scid.get(scid)
        if channel is not None:
            return channel
        if self._strangers >= MAX_STRANGERS:
            return self.nowhere
        self._strangers += 1
        return self._add(scid, 0, is_open=False)

    def update(self, listed: Iterable[Channel], closed: Iterable[ClosedChannel]) -> None:
        """Take over what the node lists: open and closed channels; the rest is closed too."""
        seen: set[int] = set()
        for item in listed:
            peer = self._peer(item.peer, item.peer_alias)
            main = self._list(item.scid, peer.id, None)
            seen.add(item.scid)
            for other in item.other_scids:
                if other not in seen and other != NO_CHANNEL:
                    self._list(other, peer.id, main.id)
                    seen.add(other)
        for gone in closed:
            if gone.scid not in self._by_scid and gone.scid != NO_CHANNEL:
                self._add(gone.scid, self._peer(gone.peer, "").id, is_open=False)
        for channel in self._by_scid.values():
            if channel.is_open and channel.scid not in seen:
                channel.is_open = False
                self._changed_channels[channel.id] = channel

    def closed(self, scid: int) -> None:
        """The node told that a channel of ours is closed."""
        channel = self._by_scid.get(scid)
        if channel is not None and channel.is_open:
            channel.is_open = False
            self._changed_channels[channel.id] = channel

    def take_changes(self) -> tuple[list[Peer], list[OurChannel]]:
        """Peers and channels that are new or changed since the last call."""
        peers, channels = list(self._changed_peers.values()), list(self._changed_channels.values())
        self._changed_peers, self._changed_channels = {}, {}
        return peers, channels

    def _peer(self, pubkey: str, alias: str) -> Peer:
        peer = self._peers.get(pubkey)
        if peer is None:
            self._last_peer += 1
            peer = self._peers[pubkey] = Peer(self._last_peer, pubkey, alias)
            self._pubkeys[peer.id] = pubkey
        elif alias and alias != peer.alias:
            peer.alias = alias
        else:
            return peer
        self._changed_peers[peer.id] = peer
        return peer

    def _list(self, scid: int, peer: int, alias_of: int | None) -> OurChannel:
        channel = self._by_scid.get(scid)
        if channel is None:
            return self._add(scid, peer, is_open=True, alias_of=alias_of)
        if channel.peer and not channel.is_open:
            channel.is_open = True
            self._changed_channels[channel.id] = channel
        return channel

    def _add(
        self, scid: int, peer: int, *, is_open: bool, alias_of: int | None = None
    ) -> OurChannel:
        self._last_channel += 1
        channel = OurChannel(self._last_channel, scid, peer, is_open, alias_of)
        self._by_scid[scid] = self._by_id[channel.id] = channel
        self._changed_channels[channel.id] = channel
        return channel
