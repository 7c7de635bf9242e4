"""The rows of a large table: ranked by what they add up to, made only where they are looked at."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar, overload

RowId = int | tuple[int, int]
"""A peer, a channel, or the in-peer and the out-peer of a pair, by their store ids."""


class _Identified(Protocol):
    @property
    def id(self) -> RowId: ...


R = TypeVar("R", bound=_Identified, covariant=True)
S = TypeVar("S", bound=_Identified)


class Rows(Sequence[R]):
    """A sequence of rows, known without making them by `ids` and `worth`: what each is ranked by,
    msat or HTLCs (() where they are ranked by name or balance). `make` gives the row at a place.
    """

    def __init__(
        self, ids: Sequence[RowId], make: Callable[[int], R], worth: Sequence[int] = ()
    ) -> None:
        self.ids = ids
        self.worth = worth
        self._make = make

    @classmethod
    def of(cls, rows: Iterable[R], worth: Sequence[int] = ()) -> "Rows[R]":
        """Rows that are made already."""
        made = tuple(rows)
        return cls([row.id for row in made], made.__getitem__, worth)

    def changed(self, change: Callable[[R], S]) -> "Rows[S]":
        """The same rows, each changed where it is looked at."""
        return Rows(self.ids, lambda at: change(self._make(at)), self.worth)

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[R, ...]: ...
    def __getitem__(self, at: int | slice) -> R | tuple[R, ...]:
        places = range(len(self.ids))[at]
        return self._make(places) if isinstance(places, int) else tuple(map(self._make, places))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self.ids))
