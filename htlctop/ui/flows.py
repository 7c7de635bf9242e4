"""Who wanted to reach whom: pairs as a matrix of in-peers and out-peers, with a cursor. Pure."""

from collections.abc import Sequence
from typing import cast

from htlctop.analysis.models import End, Matrix, PairRow
from htlctop.analysis.rows import Rows
from htlctop.domain.records import Pair


class Flows:
    """The first of `count` pairs by net demand (`peak_msat` is the largest), ranked and as a matrix
    of the peers with the most, and the pair under the cursor.

    The cursor belongs to a pair and stays with it when figures change. Until the user moves it,
    it is on the pair with the largest net demand. Where its peers are gone, it goes to the pair
    that took its place in the ranked list.
    """

    def __init__(self) -> None:
        self.pairs: Rows[PairRow] = Rows.of(())
        self.matrix = Matrix((), (), 0, 0, 0, self.pairs)
        self.sources: tuple[End, ...] = ()
        self.targets: tuple[End, ...] = ()
        self.peak_msat = 0
        self.count = 0
        self._nets: dict[Pair, int] = {}
        self._cells: dict[Pair, int] = {}
        self._ranks: dict[Pair, int] = {}
        self._at: Pair | None = None
        self._place = 0
        self._is_chosen = False

    def replace(
        self, rows: Rows[PairRow], matrix: Matrix, count: int, *, keep_order: bool = False
    ) -> None:
        """Take over the first of `count` pairs, ranked by net demand, and their matrix;
        `keep_order` leaves known ones in place."""
        pairs, last = cast(Sequence[Pair], rows.ids), len(self._ranks)
        order: Sequence[int] = range(len(pairs))
        if keep_order:
            order = sorted(order, key=lambda at: self._ranks.get(pairs[at], last))
        ids = [pairs[at] for at in order]
        self.pairs, self.matrix = Rows(ids, lambda at: rows[order[at]]), matrix
        self._ranks = {pair: rank for rank, pair in enumerate(ids)}
        among = cast(Sequence[Pair], matrix.between.ids)
        self._cells = {pair: at for at, pair in enumerate(among)}
        self._nets = dict(zip(among, matrix.between.worth, strict=True))
        self.sources = _kept(matrix.sources, self.sources) if keep_order else matrix.sources
        self.targets = _kept(matrix.targets, self.targets) if keep_order else matrix.targets
        self.peak_msat, self.count = max(rows.worth, default=0), count
        if not self._is_chosen or self._at is None:
            self._put(ids[0] if ids else None)
        elif not self._is_there(self._at):
            self._put(ids[self.rank] if ids else None)
        else:
            self._put(self._at)

    def _is_there(self, at: Pair) -> bool:
        return at in self._ranks or self._is_within(at)

    def _is_within(self, at: Pair) -> bool:
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
        if self._at in self._ranks:
            return self.listed
        return self.cell(*self._at) if self._at else None

    def cell(self, source: int, target: int) -> PairRow | None:
        """The pair of two peers of the matrix, None where nobody wanted that way."""
        at = self._cells.get((source, target))
        return None if at is None else self.matrix.between[at]

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


def _kept(new: Sequence[End], old: Sequence[End]) -> tuple[End, ...]:
    place = {end.peer: index for index, end in enumerate(old)}
    return tuple(sorted(new, key=lambda end: place.get(end.peer, len(place))))
