"""The reader thread's work: ask the store what changed, and read only that.

A `Reader` lives in one thread; `interrupt` alone may be called from another.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from htlctop.analysis.details import NodeDetail
from htlctop.analysis.ports import Analyst
from htlctop.analysis.query import Query
from htlctop.errors import ReadInterrupted
from htlctop.ui.parts import TABLES_EVERY_S, Key, Need, Part, Value, read

STATUS_EVERY_S = 5.0
"""A collector that fell silent changes nothing in the store: only asking tells."""
REOPEN_EVERY_S = 2.0
_JITTER_S = 0.05
_REST = 10
"""What took long to read (a large store, a small machine) is left alone ten times as long."""
_PREPARES_EVERY_S = 4.0
"""So often what is prepared is brought up to date: what was written is told for ten seconds, then
all has to be read again."""
_STORE: Key = (Part.STORE, None)


@dataclass(frozen=True, slots=True)
class Want:
    """What the screen needs. A raised `serial` means that the user asked: nothing waits for its
    turn then but what is costly.

    An empty `query.window` takes the smallest that says something; `minute` is the wall clock's.
    """

    query: Query
    minute: int
    needs: tuple[Need, ...]
    serial: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One part as read, and what it answers."""

    need: Need
    query: Query
    value: Value


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read where it was due; parts that failed are in `failures`.

    `serial` and `query` tell what it answers; `is_partial` that costly parts are still due.
    """

    serial: int
    query: Query = field(default_factory=Query)
    found: Sequence[Found] = ()
    failures: Mapping[Key, str] = field(default_factory=dict)
    tried: frozenset[Key] = frozenset()
    is_partial: bool = False
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """When a part was last read, which question that answered, of which moment of the store (none
    where it failed), and how long it took."""

    at_s: float
    question: Hashable
    moment: tuple[int, int] | None = None
    took_s: float = 0.0


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
        self._prepared: object = None
        self._prepares_at_s = 0.0
        self._seen: dict[Key, _Seen] = {}

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
        try:
            analyst = self._ready(want.serial)
            if analyst is None:
                return Answer(self._serial)
            generation = analyst.generation()
        except ReadInterrupted:
            return Answer(self._serial, interrupted=True)
        except Exception as error:
            self.close()
            return Answer(
                self._serial,
                tried=frozenset({_STORE}),
                failures={_STORE: str(error) or repr(error)},
            )
        return self._read(analyst, want, (generation, want.minute))

    def _ready(self, serial: int) -> Analyst | None:
        if self._analyst is None:
            now = self._clock()
            asked, at = self._opened
            if asked == serial and now - at < REOPEN_EVERY_S:
                return None
            self._opened = (serial, now)
            self._seen.clear()
            self._analyst = self._open()
            self._window = self._analyst.smallest_window()
        return self._analyst

    def _read(self, analyst: Analyst, want: Want, moment: tuple[int, int]) -> Answer:
        query = want.query if want.query.window else replace(want.query, window=self._window)
        asked = want.serial != self._serial
        self._forget_others(want.needs)
        due = [need for need in want.needs if self._is_due(need, query, moment, asked)]
        costly = [need for need in due if need.part.is_costly]
        # A costly part is read alone, so that the log and the tables never wait for two of them.
        chosen = [need for need in due if not need.part.is_costly] or costly[:1]
        found: list[Found] = []
        failures: dict[Key, str] = {}
        interrupted = False
        if not chosen:
            interrupted = not self._prepare(analyst, query, moment)
        for need in sorted(chosen, key=_urgency):
            try:
                found.append(self._get(analyst, need, query, moment))
            except ReadInterrupted:
                interrupted = True
                break
            except Exception as error:
                failures[need.key] = str(error) or repr(error)
        if not interrupted:
            self._serial = want.serial
        tried = {_STORE, *failures, *(part.need.key for part in found)} if chosen else set()
        return Answer(
            serial=self._serial,
            query=query,
            found=found,
            failures=failures,
            tried=frozenset(tried),
            is_partial=any(need not in chosen for need in costly),
            interrupted=interrupted,
        )

    def _prepare(self, analyst: Analyst, query: Query, moment: tuple[int, int]) -> bool:
        """Have what takes long at hand before it is asked for, in the time that nothing is read;
        whether that was not broken off. What cannot be read says so where it is shown."""
        wanted = moment, query.window, query.since_ns, query.until_ns
        began_s = self._clock()
        if self._prepared == wanted or began_s < self._prepares_at_s:
            return True
        is_ready = True
        try:
            is_ready = analyst.prepare(query)
        except ReadInterrupted:
            return False
        except Exception:
            pass  # tried again when there are news
        ended_s = self._clock()
        rest_s = 2 * _REST * (ended_s - began_s)
        if is_ready:
            self._prepared, rest_s = wanted, _PREPARES_EVERY_S
        self._prepares_at_s = ended_s + min(rest_s, _PREPARES_EVERY_S)
        return True

    def _forget_others(self, needs: Sequence[Need]) -> None:
        """What no page shows any more is read anew when one shows it again."""
        wanted = {need.key for need in needs}
        for key in [key for key in self._seen if key not in wanted]:
            del self._seen[key]

    def _is_due(self, need: Need, query: Query, moment: tuple[int, int], asked: bool) -> bool:
        """Whether it answers another question, or something changed and it is long enough ago."""
        seen = self._seen.get(need.key)
        if seen is None or seen.question != need.question(query):
            return True
        old_s = self._clock() - seen.at_s + _JITTER_S
        if seen.moment == moment:
            return need.part is Part.STATUS and old_s >= STATUS_EVERY_S
        new_minute = seen.moment is not None and seen.moment[1] != moment[1]
        rest_s = max(need.part.every_s, _REST * seen.took_s)
        return old_s >= rest_s or ((asked or new_minute) and not need.part.is_costly)

    def _get(self, analyst: Analyst, need: Need, query: Query, moment: tuple[int, int]) -> Found:
        """Read a part; one that fails is due again later, one broken off at once."""
        now, question = self._clock(), need.question(query)
        self._seen[need.key] = _Seen(now, question)
        try:
            value = read(analyst, need, query)
        except ReadInterrupted:
            del self._seen[need.key]
            raise
        took_s = self._clock() - now
        if isinstance(value, NodeDetail) and not value.node.pubkey:
            now -= need.part.every_s - TABLES_EVERY_S  # a new store; its node is about to be told
        self._seen[need.key] = _Seen(now, question, moment, took_s)
        return Found(need, query, value)


def _urgency(need: Need) -> int:
    return _ORDER[need.part]


_ORDER = {part: place for place, part in enumerate(Part)}
