"""Reads a store for those who scrape it: one read at a time, however many ask."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import Overview
from htlctop.analysis.query import Query
from htlctop.analysis.reading import ReadingThread
from htlctop.analysis.status import State, StatusView
from htlctop.errors import HtlctopError
from htlctop.export.format import LONGEST_LINE, clean, span
from htlctop.metrics.exposition import families

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

KEPT_S = 5.0
"""How long what was read is given out again."""
UNCHANGED_S = 60.0
"""How long figures are good for where nothing has changed in the store."""
WINDOW = "24h"
_EVER = Query(window="all")
_WELL = (State.LIVE, State.ENDED)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a request."""

    status: int
    content_type: str
    body: bytes


class Scraper:
    """Answers with metrics and with health; from any thread.

    Args:
        open_analyst: opens the store, in the thread that then reads it.
        callback_errors: how often callbacks of this process have raised.
        kept_s: how long what was read is given out again.
    """

    def __init__(
        self,
        open_analyst: Callable[[], StoreAnalyst],
        *,
        callback_errors: Callable[[], int] = int,
        kept_s: float = KEPT_S,
    ) -> None:
        self._reading = ReadingThread(open_analyst)
        self._callback_errors = callback_errors
        self._kept_s = kept_s
        self._one_at_a_time = threading.Lock()
        self._read: _Read | None = None

    def close(self) -> None:
        """Give the store back."""
        self._reading.close()

    def metrics(self, accept: str = "") -> Page:
        """All metrics, as text or OpenMetrics by what is accepted; 503 with a line why not."""
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(accept)
        try:
            found = self._families()
        except HtlctopError as error:
            return Page(503, "text/plain; charset=utf-8", f"{clean(str(error), 400)}\n".encode())
        return Page(200, content_type, encode(_registry(found)))

    def health(self) -> Page:
        """200 while the collector is live (or a playback has ended), else 503 with the reason."""
        try:
            status = self._reading.ask(lambda analyst: analyst.status()).result()
        except HtlctopError as error:
            return _health(False, "unreadable", str(error))
        return _health(status.state in _WELL, status.state.value, _reason(status))

    def _families(self) -> list["Metric"]:
        with self._one_at_a_time:
            read, now_s = self._read, time.monotonic()
            if read is None or now_s - read.at_s >= self._kept_s:
                self._read = None
                self._read = read = self._reading.ask(lambda a: _look(a, read)).result()
        errors = self._callback_errors()
        return list(families(read.ever, read.window, read.status, errors, read.took_s))


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read: figures at one time, the collector's status at a later one, maybe.

    Times are the monotonic clock's; `took_s`: how long reading the figures took.
    """

    at_s: float
    figures_s: float
    took_s: float
    generation: int
    ever: Overview
    window: Overview
    status: StatusView


def _look(analyst: StoreAnalyst, before: _Read | None) -> _Read:
    """Figures are read where something has changed, or the window has moved by a minute."""
    now_s, generation = time.monotonic(), analyst.generation()
    if before and before.generation == generation and now_s - before.figures_s < UNCHANGED_S:
        return replace(before, at_s=now_s, status=analyst.status())
    ever, window = analyst.overview(_EVER), analyst.overview(Query(window=WINDOW))
    end_s = time.monotonic()
    return _Read(end_s, end_s, end_s - now_s, generation, ever, window, window.status)


class _Families:
    """What a registry collects from."""

    def __init__(self, found: Iterable["Metric"]) -> None:
        self._found = found

    def collect(self) -> Iterable["Metric"]:
        return self._found


def _registry(found: Iterable["Metric"]) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(found))
    return registry


def _health(is_well: bool, state: str, reason: str) -> Page:
    document = {"healthy": is_well, "state": state, "reason": clean(reason, LONGEST_LINE)}
    body = json.dumps(document, ensure_ascii=False) + "\n"
    return Page(200 if is_well else 503, "application/json; charset=utf-8", body.encode())


def _reason(status: StatusView) -> str:
    if status.reason or status.state in _WELL:
        return status.reason
    if status.state is State.SILENT:
        silent_ns = time.time_ns() - status.alive_ns
        return f"the collector was last heard of {span(silent_ns)} ago"
    if status.state in (State.STOPPED, State.NEVER):
        return "nobody collects into the store: start htlctop collect"
    return ""
