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
        self._ranks: dict[Pair, int] = {}
        self._at: Pair | None = None
        self._is_chosen = False

    def replace(self, pairs: Sequence[PairRow], *, keep_order: bool = False) -> None:
        """Take over new pairs, ranked by net demand; `keep_order` leaves known ones in place."""
        if keep_order:
            last = len(self._ranks)
            pairs = sorted(pairs, key=lambda pair: self._ranks.get(key_of(pair), last))
        sources, targets = _ends(pairs)
        self.sources = _kept(sources, self.sources) if keep_order else sources
        self.targets = _kept(targets, self.targets) if keep_order else targets
        self.pairs = tuple(pairs)
        self._ranks = {key_of(pair): index for index, pair in enumerate(pairs)}
        self.peak_msat = max((pair.sums.net_demand_msat for pair in pairs), default=0)
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
        return self.cell(*self._at) if self._at else None

    def cell(self, source: int, target: int) -> PairRow | None:
        """The pair of two peers, None where nobody wanted that way."""
        rank = self._ranks.get((source, target))
        return None if rank is None else self.pairs[rank]

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
        return self._ranks.get(self._at, 0) if self._at else 0

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


def _index(ends: Sequence[End], peer: int) -> int:
    return next((index for index, end in enumerate(ends) if end.peer == peer), 0)


def _ends(pairs: Iterable[PairRow]) -> tuple[tuple[End, ...], tuple[End, ...]]:
    """The in-peers and the out-peers, each by the net demand of all its pairs."""
    sources: dict[int, list[PairRow]] = {}
    targets: dict[int, list[PairRow]] = {}
    for pair in pairs:
        sources.setdefault(pair.in_peer, []).append(pair)
        targets.setdefault(pair.out_peer, []).append(pair)
    return (
        _ranked(End(p, o[0].in_pubkey, o[0].in_alias, _net(o)) for p, o in sources.items()),
        _ranked(End(p, o[0].out_pubkey, o[0].out_alias, _net(o)) for p, o in targets.items()),
    )


def _net(pairs: Iterable[PairRow]) -> int:
    return sum(pair.sums.net_demand_msat for pair in pairs)


def _ranked(ends: Iterable[End]) -> tuple[End, ...]:
    return tuple(sorted(ends, key=lambda end: (-end.net_msat, end.peer)))


def _kept(new: Sequence[End], old: Sequence[End]) -> tuple[End, ...]:
    place = {end.peer: index for index, end in enumerate(old)}
    return tuple(sorted(new, key=lambda end: place.get(end.peer, len(place))))
