"""One thread that reads a store for everybody in a process who asks, one question at a time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.errors import ReadInterrupted, StoreError, UsageError

T = TypeVar("T")


class ReadingThread:
    """Opens the store with the first question, and anew with the next one after it failed.

    `ask` and `close` may be called from any thread. A question raises what the analyst raises,
    and UsageError once the thread was closed.
    """

    def __init__(self, open_analyst: Callable[[], StoreAnalyst]) -> None:
        self._open = open_analyst
        self._analyst: StoreAnalyst | None = None
        self._closed = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="htlctop-reader")

    def ask(self, question: Callable[[StoreAnalyst], T]) -> Future[T]:
        """Have a question answered in the thread, after those before it."""
        try:
            return self._thread.submit(self._answer, question)
        except RuntimeError:
            raise _closed() from None

    def close(self) -> None:
        """Break off what is being read and give the store back; waits until that is done."""
        if self._closed.is_set():
            return
        self._closed.set()
        if analyst := self._analyst:
            with suppress(Exception):
                analyst.interrupt()
        self._thread.submit(self._let_go)
        self._thread.shutdown()

    def _answer(self, question: Callable[[StoreAnalyst], T]) -> T:
        if self._closed.is_set():
            raise _closed()
        try:
            if self._analyst is None:
                self._analyst = self._open()
            return question(self._analyst)
        except ReadInterrupted:
            if self._closed.is_set():
                raise _closed() from None
            raise
        except StoreError:
            self._let_go()
            raise
        except OverflowError:
            raise UsageError("a time or number that was asked for is beyond any store") from None

    def _let_go(self) -> None:
        analyst, self._analyst = self._analyst, None
        if analyst is not None:
            analyst.close()


def _closed() -> UsageError:
    return UsageError("it is closed: nothing can be read from it any more")
