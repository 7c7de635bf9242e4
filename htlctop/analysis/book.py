"""Who is who: channels, their peers and names, and the rows that tables show of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from functools import cached_property

from htlctop.analysis.formulas import Rate
from htlctop.analysis.models import UNKNOWN_PEER, ChannelRow, PeerRow
from htlctop.analysis.sums import NOTHING, Figures, together
from htlctop.domain.records import ChannelRecord
from htlctop.domain.types import parse_scid, scid_text
from htlctop.errors import UsageError

DRY_BELOW = 0.10
_KEY_CHARS = 12
_MOST_NAMES = 3
_NOWHERE = ChannelRecord(0, 0, UNKNOWN_PEER, None, False, None, None, None, None, None, None, None)


class ChannelBook:
    """The channels and peers of a store at the moment of a read.

    An alias id counts as the channel it stands for; a scid the node never listed, and no scid at
    all, belong to the unknown peer.
    """

    def __init__(
        self, peers: Mapping[int, tuple[str, str]], channels: Iterable[ChannelRecord]
    ) -> None:
        self._peers = peers
        self._channels = {channel.id: channel for channel in channels}
        self._main = {c.id: c.alias_of or c.id for c in self._channels.values()}
        self._peer = {c.id: c.peer for c in self._channels.values()}
        self._by_peer: dict[int, list[int]] = defaultdict(list)
        for channel in self._channels.values():
            self._by_peer[channel.peer].append(channel.id)
        self._by_peer[UNKNOWN_PEER].append(0)

    @property
    def records(self) -> Collection[ChannelRecord]:
        """Every channel ever seen, strangers included."""
        return self._channels.values()

    @cached_property
    def all_open(self) -> tuple[ChannelRecord, ...]:
        """Our open channels, each once whatever ids it goes by."""
        records = self._channels.values()
        return tuple(c for c in records if c.is_open and c.peer and c.alias_of is None)

    @cached_property
    def dry(self) -> int:
        """How many open channels have less than a tenth of their capacity on our side, of those
        whose balance is known."""
        known = ((c.local_sat, c.capacity_sat or 0) for c in self.all_open)
        return sum(1 for local, every in known if local is not None and local < DRY_BELOW * every)

    @cached_property
    def offline(self) -> int:
        """How many peers have open channels of which it is known that none is active."""
        known = {c.peer for c in self.all_open if c.is_active is not None}
        return len(known - {c.peer for c in self.all_open if c.is_active})

    def peer_of(self, channel: int) -> int:
        """The peer of a channel id."""
        return self._peer.get(channel, UNKNOWN_PEER)

    def pubkey_of(self, peer: int) -> str | None:
        """A peer's public key, None for the unknown one."""
        return self._peers[peer][0] if peer in self._peers else None

    def alias_of(self, peer: int) -> str:
        """A peer's name; the beginning of its key where it has none; "" for the unknown one."""
        key, alias = self._peers.get(peer, ("", ""))
        return alias or key[:_KEY_CHARS]

    def main_of(self, channel: int) -> int:
        """The channel that an id counts as: for an alias the one it stands for."""
        return self._main.get(channel, channel)

    def name_of(self, channel: int) -> str:
        """The name of a channel's peer, else its scid, "" for no channel."""
        return self.alias_of(self.peer_of(channel)) or self.scid_of(channel)

    def scid_of(self, channel: int) -> str:
        """A channel's scid as text, "" for no channel."""
        record = self._channels.get(channel)
        return scid_text(record.scid) if record else ""

    def channel_id_of(self, channel: int) -> str:
        """A channel's id as LND's integer, text; "" for no channel."""
        record = self._channels.get(channel)
        return str(record.scid) if record else ""

    @staticmethod
    def scid_forms(scid: int) -> tuple[str, ...]:
        """The ways a scid is written, () for none."""
        return (scid_text(scid), str(scid)) if scid else ()

    @cached_property
    def open_channel_ids(self) -> frozenset[int]:
        """The ids of our open channels, no aliases."""
        return frozenset(record.id for record in self.all_open)

    @cached_property
    def _open_by_peer(self) -> Mapping[int, tuple[ChannelRecord, ...]]:
        found: dict[int, list[ChannelRecord]] = defaultdict(list)
        for record in self.all_open:
            found[record.peer].append(record)
        return {peer: tuple(records) for peer, records in found.items()}

    @property
    def open_peers(self) -> Set[int]:
        """The peers that have an open channel with us."""
        return self._open_by_peer.keys()

    def balance_of(self, channel: int) -> tuple[int, int]:
        """(local, capacity) of a channel, sat; nothing of nothing where they are not known."""
        record = self._channels.get(channel, _NOWHERE)
        return (0, 0) if record.local_sat is None else (record.local_sat, record.capacity_sat or 0)

    def balance_of_peer(self, peer: int) -> tuple[int, int]:
        """The same of a peer's open channels together."""
        balances = [self.balance_of(record.id) for record in self.open_channels(peer)]
        return sum(local for local, _ in balances), sum(capacity for _, capacity in balances)

    @cached_property
    def _peer_places(self) -> Mapping[int, int]:
        names = sorted((self.alias_of(peer).casefold(), peer) for peer in self._by_peer)
        named = [peer for _, peer in names if peer != UNKNOWN_PEER]
        return {peer: place for place, peer in enumerate((*named, UNKNOWN_PEER))}

    def peer_place(self, peer: int) -> int:
        """Where a peer stands by name, the unknown one last."""
        return self._peer_places.get(peer, len(self._peer_places))

    @cached_property
    def _channel_places(self) -> Mapping[int, int]:
        places = self._peer_places
        found = sorted((places[c.peer], scid_text(c.scid), c.id) for c in self._channels.values())
        return {channel: place for place, (*_, channel) in enumerate(found)}

    def channel_place(self, channel: int) -> int:
        """Where a channel stands by its peer's name and its own, one without a record last."""
        return self._channel_places.get(channel, len(self._channel_places))

    def channels_of(self, peer: int) -> tuple[int, ...]:
        """A peer's channel ids, aliases included; () for a peer never seen."""
        return tuple(self._by_peer.get(peer, ()))

    def open_channels(self, peer: int) -> tuple[ChannelRecord, ...]:
        """A peer's open channels, each once whatever ids it goes by."""
        return self._open_by_peer.get(peer, ())

    def peer_ids(self) -> tuple[int, ...]:
        """Every peer that has or had a channel with us."""
        return tuple(peer for peer in self._by_peer if peer != UNKNOWN_PEER)

    def same_channel(self, channel: int) -> tuple[int, ...]:
        """A channel and the aliases that stand for it, whichever of them is given."""
        main = self.main_of(channel)
        return (main, *(alias for alias, other in self._main.items() if other == main != alias))

    def find_channel(self, text: str) -> int | None:
        """The channel of a scid in any of its forms, None where it is none of ours."""
        scid = parse_scid(text)
        found = (c for c in self._channels.values() if c.scid == scid and c.peer)
        return next((self.main_of(channel.id) for channel in found), None)

    def find(self, text: str) -> PeerRow:
        """The peer of a key (or its beginning), a name, or a scid in any of its forms."""
        scid = parse_scid(text)
        name, start = text.casefold(), text.lower() if len(text) >= 6 else " "
        found = {
            peer
            for peer, (key, alias) in self._peers.items()
            if key.startswith(start) or alias.casefold() == name
        } | {c.peer for c in self._channels.values() if c.scid == scid and c.peer}
        if len(found) != 1:
            count = "no peer or channel" if not found else f"{len(found)} peers"
            raise UsageError(
                f"{count} found for {text[:80]!r}{self._perhaps(name)}; give a public key or the "
                "first 6 or more of its digits, a whole name, or a channel id"
            )
        return self.peer_row(found.pop(), {}, Rate(1, 2))

    def _perhaps(self, part: str) -> str:
        """Some names that a part of one may mean."""
        names = {alias for _, alias in self._peers.values() if part in alias.casefold() != part}
        some = ", ".join(repr(alias[:40]) for alias in sorted(names)[:_MOST_NAMES]) if part else ""
        return f" (perhaps {some})" if some else ""

    def peer_row(self, peer: int, parts: Mapping[int, Figures], rate: Rate) -> PeerRow:
        """A peer's row: its open channels, and those with sums; `parts` by channel, aliases' among
        those they stand for."""
        channels = tuple(
            self.channel_row(channel, parts.get(channel, NOTHING))
            for channel in sorted(parts.keys() | {record.id for record in self.open_channels(peer)})
        )
        whole = together(list(parts.values()))
        local_sat, capacity_sat = self.balance_of_peer(peer)
        is_known = any(c.is_open and c.local_sat is not None for c in channels)
        active = [c.is_active for c in channels if c.is_active is not None]
        return PeerRow(
            peer=peer,
            pubkey=self.pubkey_of(peer),
            alias=self.alias_of(peer),
            channels=channels,
            sums=whole.sums,
            settle_rate=float(rate),
            why=whole.why,
            online=any(active) if active else None,
            capacity_sat=capacity_sat if is_known else None,
            local_sat=local_sat if is_known else None,
        )

    def channel_row(self, channel: int, figures: Figures) -> ChannelRow:
        """A channel's row."""
        record = self._channels.get(channel, _NOWHERE)
        return ChannelRow(
            channel=channel,
            channel_id=str(record.scid) if record.scid else "",
            scid=self.scid_of(channel),
            peer=record.peer,
            pubkey=self.pubkey_of(record.peer),
            alias=self.alias_of(record.peer),
            sums=figures.sums,
            why=figures.why,
            is_open=record.is_open,
            is_active=record.is_active and record.is_open,
            capacity_sat=record.capacity_sat,
            local_sat=record.local_sat,
            remote_sat=record.remote_sat,
            fee_base_msat=record.base_msat,
            fee_rate_ppm=record.rate_ppm,
        )
