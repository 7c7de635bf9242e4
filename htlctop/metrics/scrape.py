"""Reads a store for those who scrape it: one read at a time, however many ask."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import Overview, Query, State, StatusView
from htlctop.analysis.reading import ReadingThread
from htlctop.errors import HtlctopError
from htlctop.export.format import LONGEST_LINE, clean, span
from htlctop.metrics.exposition import families

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

KEPT_S = 5.0
"""How long what was read is given out again."""
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
        self._read: tuple[float, Overview, Overview, float] | None = None

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
            now_s = time.monotonic()
            if self._read is None or now_s - self._read[0] >= self._kept_s:
                self._read = None
                ever, window = self._reading.ask(_both).result()
                read_s = time.monotonic() - now_s
                self._read = now_s + read_s, ever, window, read_s
            _, ever, window, read_s = self._read
        errors = self._callback_errors()
        return list(families(ever, window, callback_errors=errors, read_s=read_s))


def _both(analyst: StoreAnalyst) -> tuple[Overview, Overview]:
    return analyst.overview(_EVER), analyst.overview(Query(window=WINDOW))


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
