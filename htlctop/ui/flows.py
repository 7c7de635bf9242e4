"""Who wanted to reach whom: pairs as a matrix of in-peers and out-peers, with a cursor. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from htlctop.analysis.models import PairRow

Pair = tuple[int, int]
"""In-peer and out-peer, by their store ids."""


@dataclass(frozen=True, slots=True)
class End:
    """A peer at one side of the matrix, with the net demand of its row or column, msat."""

    peer: int
    pubkey: str | None
    alias: str
    net_msat: int


class Flows:
    """The pairs, ordered by net demand (`peak_msat` is the largest), and the one under the cursor.

    The cursor belongs to a pair and stays with it when figures change. Until the user moves it,
    it is on the pair with the largest net demand.
    """

    def __init__(self) -> None:
        self.pairs: tuple[PairRow, ...] = ()
        self.sources: tuple[End, ...] = ()
        self.targets: tuple[End, ...] = ()
        self.peak_msat = 0
        self._by: dict[Pair, PairRow] = {}
        self._at: Pair | None = None
        self._is_chosen = False

    def replace(self, pairs: Iterable[PairRow], *, keep_order: bool = False) -> None:
        """Take over new pairs; `keep_order` leaves rows and columns that are known in place."""
        ranked = sorted(pairs, key=_rank)
        if keep_order:
            place = {key_of(pair): index for index, pair in enumerate(self.pairs)}
            ranked.sort(key=lambda pair: place.get(key_of(pair), len(place)))
        sources, targets = _sources(ranked), _targets(ranked)
        self.sources = _kept(sources, self.sources) if keep_order else sources
        self.targets = _kept(targets, self.targets) if keep_order else targets
        self.pairs = tuple(ranked)
        self._by = {key_of(pair): pair for pair in ranked}
        self.peak_msat = max((pair.sums.net_demand_msat for pair in ranked), default=0)
        if not self._is_chosen or self._at is None or not self._is_there(self._at):
            self._at = key_of(self.pairs[0]) if self.pairs else None

    def _is_there(self, at: Pair) -> bool:
        return any(end.peer == at[0] for end in self.sources) and any(
            end.peer == at[1] for end in self.targets
        )

    @property
    def at(self) -> Pair | None:
        """In-peer and out-peer under the cursor; there may be no pair of the two."""
        return self._at

    @property
    def current(self) -> PairRow | None:
        """The pair under the cursor."""
        return self._by.get(self._at) if self._at else None

    def cell(self, source: int, target: int) -> PairRow | None:
        """The pair of two peers, None where nobody wanted that way."""
        return self._by.get((source, target))

    @property
    def row(self) -> int:
        """Where the cursor's in-peer is among the sources."""
        return _index(self.sources, self._at[0]) if self._at else 0

    @property
    def column(self) -> int:
        """Where the cursor's out-peer is among the targets."""
        return _index(self.targets, self._at[1]) if self._at else 0

    @property
    def rank(self) -> int:
        """Where the cursor's pair is in the ranked list; 0 where there is no such pair."""
        return next((i for i, pair in enumerate(self.pairs) if key_of(pair) == self._at), 0)

    def move(self, rows: int, columns: int) -> None:
        """Move the cursor over the matrix, within it."""
        if self._at is None:
            return
        self._is_chosen = True
        row = max(0, min(self.row + rows, len(self.sources) - 1))
        column = max(0, min(self.column + columns, len(self.targets) - 1))
        self._at = self.sources[row].peer, self.targets[column].peer

    def go(self, at: Pair) -> None:
        """Put the cursor on the cell of two peers, where the matrix has one."""
        if self._is_there(at):
            self._is_chosen = True
            self._at = at

    def step(self, lines: int) -> None:
        """Move the cursor along the ranked list, within it."""
        if self.pairs:
            self._is_chosen = True
            at = max(0, min(self.rank + lines, len(self.pairs) - 1))
            self._at = key_of(self.pairs[at])


def key_of(pair: PairRow) -> Pair:
    """A pair's identity."""
    return pair.in_peer, pair.out_peer


def _rank(pair: PairRow) -> tuple[int, int, int, int]:
    sums = pair.sums
    return -sums.net_demand_msat, -sums.refused, pair.in_peer, pair.out_peer


def _index(ends: Sequence[End], peer: int) -> int:
    return next((index for index, end in enumerate(ends) if end.peer == peer), 0)


def _sources(pairs: Iterable[PairRow]) -> tuple[End, ...]:
    return _ends((p.in_peer, p.in_pubkey, p.in_alias, p.sums.net_demand_msat) for p in pairs)


def _targets(pairs: Iterable[PairRow]) -> tuple[End, ...]:
    return _ends((p.out_peer, p.out_pubkey, p.out_alias, p.sums.net_demand_msat) for p in pairs)


def _ends(found: Iterable[tuple[int, str | None, str, int]]) -> tuple[End, ...]:
    ends: dict[int, End] = {}
    for peer, pubkey, alias, net in found:
        before = ends[peer].net_msat if peer in ends else 0
        ends[peer] = End(peer, pubkey, alias, before + net)
    return tuple(sorted(ends.values(), key=lambda end: (-end.net_msat, end.peer)))


def _kept(new: Sequence[End], old: Sequence[End]) -> tuple[End, ...]:
    place = {end.peer: index for index, end in enumerate(old)}
    return tuple(sorted(new, key=lambda end: place.get(end.peer, len(place))))
