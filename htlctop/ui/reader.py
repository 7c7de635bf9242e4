"""The reader thread's work: ask the store what changed, and read only that.

A `Reader` lives in one thread; `interrupt` alone may be called from another.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

from htlctop.analysis.details import PeerDetail
from htlctop.analysis.models import HtlcLine, Overview, Query, StatusView
from htlctop.analysis.ports import Analyst, Interrupted, LogQuery

LIVE_EVERY_S = 0.5
TABLES_EVERY_S = 2.0
STATUS_EVERY_S = 5.0
"""A collector that fell silent changes nothing in the store: only asking tells."""
REOPEN_EVERY_S = 2.0
_JITTER_S = 0.05

T = TypeVar("T")


class Part(Enum):
    """What can be read, and can fail, by itself."""

    STORE = "store"
    STATUS = "status"
    OVERVIEW = "overview"
    PEER = "peer"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Want:
    """What the screen needs. A raised `serial` means that the user asked: all is read at once.

    An empty `query.window` takes the smallest that says something. `peer` is the peer of the
    drill-down, `lines` the length of the log, `minute` the wall clock's.
    """

    query: Query
    minute: int
    lines: int
    peer: int | None = None
    serial: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read, None where nothing was due; `tried` parts that failed are in `failures`.

    `serial`, `query` and `peer` tell what it answers.
    """

    serial: int
    query: Query = field(default_factory=Query)
    peer: int | None = None
    status: StatusView | None = None
    overview: Overview | None = None
    detail: PeerDetail | None = None
    log: tuple[HtlcLine, ...] | None = None
    tried: frozenset[Part] = frozenset()
    failures: Mapping[Part, str] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new in it."""
        return not self.tried


class Reader:
    """Reads through an analyst it opens itself, and opens again when the store failed."""

    def __init__(
        self, open_analyst: Callable[[], Analyst], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._open = open_analyst
        self._clock = clock
        self._analyst: Analyst | None = None
        self._window = ""
        self._opened: tuple[int, float] = (-1, float("-inf"))
        self._serial = -1
        self._minute = -1
        self._generation: dict[Part, int] = {}
        self._read_at: dict[Part, float] = {}

    def interrupt(self) -> None:
        """Break off what is being read. From any thread."""
        if analyst := self._analyst:
            with suppress(Exception):
                analyst.interrupt()

    def close(self) -> None:
        """Give the store back."""
        analyst, self._analyst = self._analyst, None
        if analyst:
            with suppress(Exception):
                analyst.close()

    def read(self, want: Want) -> Answer:
        """Read what is due; errors come back in the answer, nothing is raised."""
        asked = want.serial != self._serial
        try:
            analyst = self._ready(want.serial)
            if analyst is None:
                return Answer(self._serial)
            generation = analyst.generation()
        except Interrupted:
            return Answer(self._serial, interrupted=True)
        except Exception as error:
            self.close()
            return Answer(
                self._serial,
                tried=frozenset({Part.STORE}),
                failures={Part.STORE: str(error) or repr(error)},
            )
        try:
            return self._read(analyst, want, generation, asked)
        except Interrupted:
            return Answer(self._serial, interrupted=True)

    def _ready(self, serial: int) -> Analyst | None:
        if self._analyst is None:
            now = self._clock()
            asked, at = self._opened
            if asked == serial and now - at < REOPEN_EVERY_S:
                return None
            self._opened = (serial, now)
            self._generation.clear()
            self._read_at.clear()
            self._analyst = self._open()
            self._window = self._analyst.smallest_window()
        return self._analyst

    def _read(self, analyst: Analyst, want: Want, generation: int, asked: bool) -> Answer:
        round_ = _Round(
            self._clock(),
            generation,
            asked or want.minute != self._minute,
            self._generation,
            self._read_at,
        )
        query = want.query if want.query.window else replace(want.query, window=self._window)
        peer, status, overview, detail, log = want.peer, None, None, None, None
        if want.lines > 0 and round_.due(Part.LOG, LIVE_EVERY_S):
            log = round_.get(Part.LOG, lambda: analyst.log(LogQuery(limit=want.lines, peer=peer)))
        if round_.due(Part.STATUS, LIVE_EVERY_S) or round_.due(
            Part.STATUS, STATUS_EVERY_S, always=True
        ):
            status = round_.get(Part.STATUS, analyst.status)
        if peer is None and round_.due(Part.OVERVIEW, TABLES_EVERY_S):
            overview = round_.get(Part.OVERVIEW, lambda: analyst.overview(query))
        if peer is not None and round_.due(Part.PEER, TABLES_EVERY_S):
            detail = round_.get(Part.PEER, lambda: analyst.peer(peer, query))
        self._serial, self._minute = want.serial, want.minute
        return Answer(
            serial=want.serial,
            query=query,
            peer=peer,
            status=status,
            overview=overview,
            detail=detail,
            log=log,
            tried=frozenset(round_.tried | {Part.STORE}) if round_.tried else frozenset(),
            failures=round_.failures,
        )


class _Round:
    """One pass over the parts: which are due, and what came of reading them."""

    def __init__(
        self,
        now: float,
        generation: int,
        everything: bool,
        seen: dict[Part, int],
        read_at: dict[Part, float],
    ) -> None:
        self._now = now
        self._generation = generation
        self._everything = everything
        self._seen = seen
        self._read_at = read_at
        self.tried: set[Part] = set()
        self.failures: dict[Part, str] = {}

    def due(self, part: Part, every_s: float, always: bool = False) -> bool:
        """Whether to read a part: something changed (or `always`), and it is long enough ago."""
        if self._everything:
            return True
        if self._now - self._read_at.get(part, float("-inf")) < every_s - _JITTER_S:
            return False
        return always or self._seen.get(part) != self._generation

    def get(self, part: Part, read: Callable[[], T]) -> T | None:
        """Read a part; its failure is noted, it stays due, and the others go on."""
        self.tried.add(part)
        self._read_at[part] = self._now
        self._seen.pop(part, None)
        try:
            found = read()
        except Interrupted:
            raise
        except Exception as error:
            self.failures[part] = str(error) or repr(error)
            return None
        self._seen[part] = self._generation
        return found
