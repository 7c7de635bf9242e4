"""The newest of some kind, kept from one read to the next: what is new is read, the rest is known.

A cache that may be dropped at any time: it gives what reading anew would give.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from htlctop.domain.types import NS

NEVER_NS = 2**62
"""Later than anything that is stored."""
_DISORDER_NS = NS
"""By how much one may lie before another of an earlier time, and more."""


class Item(Protocol):
    """A row of a store: its arrival number and the time of its first event."""

    @property
    def seq(self) -> int: ...

    @property
    def at_ns(self) -> int: ...


T = TypeVar("T", bound=Item)
Read = Callable[[int, int, int], list[T]]
"""(from_ns, limit, after_seq) -> the newest `limit` since a time, after a seq, oldest first."""


class Newest(Generic[T]):
    """The newest of what `read` reads, as the news say how many more there are.

    Args:
        reread: reads those that may be what they were not, or have come late.
    """

    def __init__(self, read: Read[T], reread: Read[T]) -> None:
        self._read, self._reread = read, reread
        self._from_ns, self._limit = NEVER_NS, 0
        self._found: list[T] = []
        self._more, self._changed_ns = 0, NEVER_NS

    def __len__(self) -> int:
        return len(self._found)

    def tell(self, more: int, changed_ns: int = NEVER_NS) -> None:
        """So many more came; since a time some may not be what they were, or have come late."""
        self._more += more
        self._changed_ns = min(self._changed_ns, changed_ns)

    def get(self, from_ns: int, limit: int) -> list[T]:
        """The newest `limit` since a time, oldest first."""
        if self._is_whole:  # as many as they are, and what is new goes with them
            self._limit = max(self._limit, limit)
        if not self._has(from_ns, limit) or not self._goes_on():
            self._found = self._read(from_ns, limit, 0)
            self._from_ns, self._limit = from_ns, limit
            self._more, self._changed_ns = 0, NEVER_NS
        found = self._found
        early = 0
        while early < len(found) and found[early].at_ns < from_ns + _DISORDER_NS:
            early += 1
        if early:
            found = [item for item in found[:early] if item.at_ns >= from_ns] + found[early:]
        return found[-limit:]

    @property
    def _is_whole(self) -> bool:
        """Whether they are all since their time."""
        return len(self._found) < self._limit

    def _has(self, from_ns: int, limit: int) -> bool:
        """Whether all that is asked for is among them."""
        return self._from_ns <= from_ns if self._is_whole else limit <= self._limit

    def _goes_on(self) -> bool:
        """Read what is new: unless it is just as many as the news told, something else is new."""
        if not self._more and self._changed_ns == NEVER_NS:
            return True
        found, limit = self._found, self._limit
        before_seq = found[0].seq - 1 if len(found) == limit else 0
        news = self._read(self._from_ns, limit, found[-1].seq if found else 0)
        if self._changed_ns < NEVER_NS:
            by_seq = {item.seq: item for item in found}
            again = self._reread(max(self._from_ns, self._changed_ns), limit, before_seq)
            by_seq.update((item.seq, item) for item in (*again, *news))
            every = [by_seq[seq] for seq in sorted(by_seq)]
        else:
            every = found + news
        if len(every) != len(found) + self._more and len(news) < limit:
            return False
        self._found = every[-limit:]
        self._more, self._changed_ns = 0, NEVER_NS
        return True
