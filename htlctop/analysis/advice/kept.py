"""The last advice, kept until there is something new, and longer where drawing it is costly."""

import time
from collections.abc import Callable
from dataclasses import replace

from htlctop.analysis.advice.models import Advice
from htlctop.analysis.query import Query
from htlctop.analysis.status import StatusView

_CHEAP_S = 0.05
_REST = 20
"""Advice that took long is drawn anew after so many times as long: a twentieth of a core."""
_LONGEST_S = 60.0


class KeptAdvice:
    """Draws advice again only when it may have changed and enough time has passed.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._query: Query | None = None
        self._generation = -1
        self._advice: Advice | None = None
        self._drawn_s = self._took_s = 0.0

    def get(
        self, query: Query, generation: int, status: StatusView, draw: Callable[[], Advice]
    ) -> Advice:
        """The advice for a query at a store's generation; its status is always the newest."""
        if self._advice is None or not self._is_good(query, generation):
            began = self._clock()
            self._advice = draw()
            self._drawn_s = self._clock()
            self._took_s = self._drawn_s - began
            self._query, self._generation = query, generation
        return replace(self._advice, status=status)

    def _is_good(self, query: Query, generation: int) -> bool:
        age = self._clock() - self._drawn_s
        if query != self._query or age > _LONGEST_S:
            return False
        rests = self._took_s > _CHEAP_S and age < _REST * self._took_s
        return generation == self._generation or rests
