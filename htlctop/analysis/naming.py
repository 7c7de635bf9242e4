"""What channels and peers go by, and which of them a term of the filter means."""

from collections import defaultdict
from functools import cached_property

from htlctop.analysis.book import ChannelBook
from htlctop.analysis.filters import Named, NameTerm, Side

_MAX_CHARS = 100
"""What of a name is looked at: it is whatever its owner wrote."""


class Naming:
    """The names of everything in a book; channels answer to their aliases' numbers too."""

    def __init__(self, book: ChannelBook) -> None:
        self._book = book
        self._peers: dict[tuple[int, bool], Named] = {}

    @cached_property
    def _scids(self) -> dict[int, set[int]]:
        """The numbers that each channel answers to; made when first asked for."""
        scids: dict[int, set[int]] = defaultdict(set)
        for record in self._book.records:
            scids[record.alias_of or record.id].add(record.scid)
        return scids

    def channels(self, term: NameTerm) -> frozenset[int]:
        """The channels that fit a term, aliases among them; 0 where no channel at all does."""
        found = {r.id for r in self._book.records if self.channel_fits(term, r.id)}
        return frozenset(found | ({0} if self.channel_fits(term, 0) else set()))

    def channel_fits(self, term: NameTerm, channel: int) -> bool:
        """Whether a term is found in what a channel goes by, whatever it negates."""
        main = self._book.main_of(channel)
        named = self._named(self._book.peer_of(channel), {main}, term)
        return term.fits(named)

    def peer_fits(self, term: NameTerm, peer: int) -> bool:
        """Whether a term is found in what a peer, or a channel with it, goes by."""
        by_number = term.side is Side.CHANNEL
        named = self._peers.get((peer, by_number))
        if named is None:
            mains = {self._book.main_of(c) for c in self._book.channels_of(peer) if c}
            named = self._peers[peer, by_number] = self._named(peer, mains, term)
        return term.fits(named)

    def _named(self, peer: int, mains: set[int], term: NameTerm) -> Named:
        numbers = {scid for main in mains for scid in self._scids.get(main, ())}
        texts = [text for scid in numbers for text in self._book.scid_forms(scid)]
        if term.side is not Side.CHANNEL:
            texts = [self._book.alias_of(peer), self._book.pubkey_of(peer) or "", *texts]
        return Named(
            tuple(text[:_MAX_CHARS].casefold() for text in texts if text), frozenset(numbers)
        )
