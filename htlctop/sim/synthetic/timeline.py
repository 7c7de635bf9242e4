"""What happens when: a clock of events to come."""

import heapq
from collections.abc import Callable

from htlctop.domain.types import NS


class Timeline:
    """Things to do at their time, in order; those of one moment in the order they were planned."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self._planned: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, at_ns: int, do: Callable[[], None]) -> None:
        """Plan something, at the earliest for now."""
        self._count += 1
        heapq.heappush(self._planned, (max(at_ns, self.now_ns), self._count, do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Plan something for so much later."""
        self.at(self.now_ns + int(seconds * NS), do)

    def next_ns(self) -> int | None:
        """When the next thing happens; None when nothing is planned."""
        return self._planned[0][0] if self._planned else None

    def step(self) -> None:
        """Let the next thing happen."""
        self.now_ns, _, do = heapq.heappop(self._planned)
        do()
