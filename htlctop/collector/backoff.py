"""How long to wait before the next try, why, and what of it is worth a line in the log."""

import logging
import random
from dataclasses import dataclass

from htlctop.domain.types import NOT_READY, NodeState
from htlctop.errors import ConfigError, HtlctopError, NodeConnectionError, NodePermissionError

_log = logging.getLogger(__name__)

FIRST_S = 1.0
LAST_S = 60.0
STARTING_S = 1.0
"""A node that is starting may be ready at any moment, and each moment counts."""
ASLEEP_S = 2.0
"""A person has to act; the node then takes about that long to start."""
LIVED_S = 10.0
"""A stream that was open for so long was not just another failed try."""

_STARTING = (NodeState.UNLOCKED, NodeState.RPC_ACTIVE)


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause before the next try. `state`: "waiting", or "refused" where a person must act."""

    state: str
    reason: str
    pause_s: float
    error: HtlctopError


class Backoff:
    """Doubles from 1 s to 60 s, with jitter; counts the tries since the stream last lived."""

    def __init__(self, source: random.Random | None = None) -> None:
        self._random = source or random.Random()
        self._told: set[str] = set()
        self._last = ""
        self.attempt = 0

    def failed(self, error: HtlctopError) -> Wait:
        """The node cannot be reached, or refuses us, which only a person can mend."""
        if isinstance(error, NodePermissionError | ConfigError):
            self.attempt += 1
            wait = Wait("refused", str(error), LAST_S, error)
        else:
            wait = Wait("waiting", str(error), self._next_s(), error)
        self.tell(logging.ERROR if wait.state == "refused" else logging.WARNING, wait.reason)
        return wait

    def not_ready(self, state: NodeState) -> Wait:
        """The node answers, but has not come up; that is no failure of its connection."""
        reason = NOT_READY[state]
        pause_s = STARTING_S if state in _STARTING else ASLEEP_S
        self.attempt = 0
        wait = Wait("waiting", reason, pause_s, NodeConnectionError(reason))
        self.tell(logging.WARNING, reason)
        return wait

    def lived(self, text: str) -> None:
        """The stream has lived a while: `text` is what the log says last of it."""
        if self._last != text:
            _log.info("%s", text)
        self.reset()

    def reset(self) -> None:
        """Start over: everything may be told again."""
        self.attempt = 0
        self._told.clear()

    def _next_s(self) -> float:
        """Between half and all of the doubled step."""
        step = min(LAST_S, FIRST_S * (1 << min(self.attempt, 16)))
        self.attempt += 1
        return step * (0.5 + self._random.random() / 2)

    def tell(self, level: int, text: str) -> None:
        """A line in the log; each once, until the stream has lived again."""
        if text not in self._told:
            self._told.add(text)
            self._last = text
            _log.log(level, "%s", text)
