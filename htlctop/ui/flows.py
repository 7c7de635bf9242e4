"""Who wanted to reach whom: pairs as a matrix of in-peers and out-peers, with a cursor. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from htlctop.analysis.models import PairRow
from htlctop.analysis.rows import Rows

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
    it is on the pair with the largest net demand. Where its peers are gone, it goes to the pair
    that took its place in the ranked list.
    """

    def __init__(self) -> None:
        self.pairs: Rows[PairRow] = Rows.of(())
        self.sources: tuple[End, ...] = ()
        self.targets: tuple[End, ...] = ()
        self.peak_msat = 0
        self._nets: dict[Pair, int] = {}
        self._ranks: dict[Pair, int] = {}
        self._at: Pair | None = None
        self._place = 0
        self._is_chosen = False

    def replace(self, rows: Rows[PairRow], *, keep_order: bool = False) -> None:
        """Take over new pairs, ranked by net demand, which is their worth; `keep_order` leaves
        known ones in place."""
        pairs, last = cast(Sequence[Pair], rows.ids), len(self._ranks)
        order: Sequence[int] = range(len(pairs))
        if keep_order:
            order = sorted(order, key=lambda at: self._ranks.get(pairs[at], last))
        ids = [pairs[at] for at in order]
        self.pairs = Rows(ids, lambda at: rows[order[at]])
        self._ranks = {pair: rank for rank, pair in enumerate(ids)}
        self._nets = dict(zip(pairs, rows.worth, strict=True))
        sources, targets = self._ends()
        self.sources = _kept(sources, self.sources) if keep_order else sources
        self.targets = _kept(targets, self.targets) if keep_order else targets
        self.peak_msat = max(self._nets.values(), default=0)
        if not self._is_chosen or self._at is None:
            self._put(ids[0] if ids else None)
        elif not self._is_there(self._at):
            self._put(ids[self.rank] if ids else None)
        else:
            self._put(self._at)

    def _ends(self) -> tuple[tuple[End, ...], tuple[End, ...]]:
        """The in-peers and the out-peers, each by the net demand of all its pairs."""
        sources: dict[int, int] = defaultdict(int)
        targets: dict[int, int] = defaultdict(int)
        pair_of: tuple[dict[int, Pair], dict[int, Pair]] = {}, {}
        for pair, net in self._nets.items():
            source, target = pair
            sources[source] += net
            targets[target] += net
            pair_of[0][source] = pair_of[1][target] = pair
        ins = ((net, self._row(pair_of[0][peer])) for peer, net in sources.items())
        outs = ((net, self._row(pair_of[1][peer])) for peer, net in targets.items())
        return (
            _ranked(End(row.in_peer, row.in_pubkey, row.in_alias, net) for net, row in ins),
            _ranked(End(row.out_peer, row.out_pubkey, row.out_alias, net) for net, row in outs),
        )

    def _row(self, pair: Pair) -> PairRow:
        return self.pairs[self._ranks[pair]]

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
        return self._row((source, target)) if (source, target) in self._ranks else None

    def net_msat(self, source: int, target: int) -> int | None:
        """The net demand of that pair."""
        return self._nets.get((source, target))

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
        """Where the cursor is in the ranked list: at its pair, where there is no such pair at the
        place of the last one it was on."""
        return max(0, min(self._place, len(self.pairs) - 1))

    @property
    def listed(self) -> PairRow | None:
        """The pair under the cursor of the ranked list, None where there are no pairs."""
        return self.pairs[self.rank] if self.pairs else None

    def _put(self, at: Pair | None) -> None:
        self._at = at
        if at is not None:
            self._place = self._ranks.get(at, self._place)

    def move(self, rows: int, columns: int) -> None:
        """Move the cursor over the matrix, within it."""
        if self._at is None:
            return
        self._is_chosen = True
        row = max(0, min(self.row + rows, len(self.sources) - 1))
        column = max(0, min(self.column + columns, len(self.targets) - 1))
        self._put((self.sources[row].peer, self.targets[column].peer))

    def go(self, at: Pair) -> None:
        """Put the cursor on the cell of two peers, where the matrix has one."""
        if self._is_there(at):
            self._is_chosen = True
            self._put(at)

    def step(self, lines: int) -> None:
        """Move the cursor along the ranked list, within it."""
        if self.pairs:
            self._is_chosen = True
            at = max(0, min(self.rank + lines, len(self.pairs) - 1))
            self._put(self.pairs[at].id)


def _index(ends: Sequence[End], peer: int) -> int:
    return next((index for index, end in enumerate(ends) if end.peer == peer), 0)


def _ranked(ends: Iterable[End]) -> tuple[End, ...]:
    return tuple(sorted(ends, key=lambda end: (-end.net_msat, end.peer)))


def _kept(new: Sequence[End], old: Sequence[End]) -> tuple[End, ...]:
    place = {end.peer: index for index, end in enumerate(old)}
    return tuple(sorted(new, key=lambda end: place.get(end.peer, len(place))))
