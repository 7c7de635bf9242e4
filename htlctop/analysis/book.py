"""Who is who: channels, their peers and names, and the rows that tables show of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from htlctop.analysis.formulas import Rate
from htlctop.analysis.models import UNKNOWN_PEER, ChannelRow, PeerRow, Sums
from htlctop.analysis.sums import NOTHING, Figures, Priced, figures_of, together
from htlctop.domain.codes import Category
from htlctop.domain.records import ChannelRecord
from htlctop.domain.types import parse_scid, scid_text
from htlctop.errors import UsageError

DRY_BELOW = 0.10
_KEY_CHARS = 12
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
        self._by_peer: dict[int, list[int]] = defaultdict(list)
        for channel in self._channels.values():
            self._by_peer[channel.peer].append(channel.id)
        self._by_peer[UNKNOWN_PEER].append(0)

    @property
    def records(self) -> Collection[ChannelRecord]:
        """Every channel ever seen, strangers included."""
        return self._channels.values()

    @property
    def dry(self) -> int:
        """How many open channels have less than a tenth of their capacity on our side."""
        return sum(
            1
            for c in self._channels.values()
            if c.is_open and c.capacity_sat and (c.local_sat or 0) < DRY_BELOW * c.capacity_sat
        )

    @property
    def offline(self) -> int:
        """How many peers have open channels of a known capacity, none of them active."""
        known = [c for c in self._channels.values() if c.is_open and c.peer and not c.alias_of]
        peers = {c.peer for c in known if c.capacity_sat is not None}
        return len(peers - {c.peer for c in known if c.is_active})

    def peer_of(self, channel: int) -> int:
        """The peer of a channel id."""
        record = self._channels.get(channel)
        return record.peer if record else UNKNOWN_PEER

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

    def channels_of(self, peer: int) -> tuple[int, ...]:
        """A peer's channel ids, aliases included; () for a peer never seen."""
        return tuple(self._by_peer.get(peer, ()))

    def open_channels(self, peer: int) -> tuple[ChannelRecord, ...]:
        """A peer's open channels, each once whatever ids it goes by."""
        records = (self._channels[c] for c in self._by_peer.get(peer, ()) if c)
        return tuple(c for c in records if c.is_open and c.alias_of is None)

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
        """The peer of a key (or its beginning), an exact name, or a scid in any of its forms."""
        scid = parse_scid(text)
        found = {
            peer
            for peer, (key, alias) in self._peers.items()
            if (len(text) >= 6 and key.startswith(text.lower())) or alias == text
        } | {c.peer for c in self._channels.values() if c.scid == scid and c.peer}
        if len(found) != 1:
            count = "no peer" if not found else f"{len(found)} peers"
            raise UsageError(
                f"{count} found for {text!r}; give a whole public key, a name or a channel id"
            )
        return self.peer_rows([], {}, Rate(1, 2), only=found.pop())[0]

    def peer_rows(
        self,
        priced: Iterable[Priced],
        rates: Mapping[int, Rate],
        default: Rate,
        only: int | None = None,
    ) -> list[PeerRow]:
        """A row for every peer with an open channel or with sums, in no order."""
        by_channel: dict[int, list[Priced]] = defaultdict(list)
        for item in priced:
            by_channel[self.main_of(item.cell.channel)].append(item)
        figures = {channel: figures_of(items) for channel, items in by_channel.items()}
        return self.rows_of(figures, rates, default, only)

    def rows_of(
        self,
        figures: Mapping[int, Figures],
        rates: Mapping[int, Rate],
        default: Rate,
        only: int | None = None,
    ) -> list[PeerRow]:
        """The same from the figures of channels, aliases' among those they stand for."""
        shown = {c.id for c in self._channels.values() if c.is_open and c.alias_of is None}
        shown |= set(figures)
        channels: dict[int, list[ChannelRow]] = defaultdict(list)
        parts: dict[int, list[Figures]] = defaultdict(list)
        for channel in sorted(shown):
            peer = self.peer_of(channel)
            if only is not None and peer != only:
                continue
            part = figures.get(channel)
            if peer or part:
                channels[peer].append(self.channel_row(channel, part or NOTHING))
                parts[peer].append(part or NOTHING)
        if only is not None and only not in parts:
            parts[only] = []
        rows = []
        for peer, found in parts.items():
            of_peer = channels[peer]
            if len(of_peer) == 1:
                sums, why = of_peer[0].sums, of_peer[0].why
            else:
                whole = together(found)
                sums, why = whole.sums, whole.why
            rate = rates.get(peer, default)
            rows.append(self._peer_row(peer, tuple(of_peer), sums, why, rate))
        return rows

    def _peer_row(
        self,
        peer: int,
        channels: tuple[ChannelRow, ...],
        sums: Sums,
        why: Category | None,
        rate: Rate,
    ) -> PeerRow:
        known = [c for c in channels if c.is_open and c.capacity_sat is not None]
        return PeerRow(
            peer=peer,
            pubkey=self.pubkey_of(peer),
            alias=self.alias_of(peer),
            channels=channels,
            sums=sums,
            settle_rate=float(rate),
            why=why,
            online=any(c.is_active for c in channels if c.is_open),
            capacity_sat=sum(c.capacity_sat or 0 for c in known) if known else None,
            local_sat=sum(c.local_sat or 0 for c in known) if known else None,
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
            is_active=bool(record.is_active) and record.is_open,
            capacity_sat=record.capacity_sat,
            local_sat=record.local_sat,
            remote_sat=record.remote_sat,
            fee_base_msat=record.base_msat,
            fee_rate_ppm=record.rate_ppm,
        )
