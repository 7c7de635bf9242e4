"""The door between the app's loop and the reader's thread: one read at a time, answers in the loop.

The thread, and with it the store's connection, belongs to the pump.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from htlctop.analysis.ports import Analyst
from htlctop.ui.reader import Answer, Reader, Want

CLOSES_WITHIN_S = 10.0


class Pump:
    """Asks the reader; `answered` is called in the loop with each answer until it is closed."""

    def __init__(
        self, open_analyst: Callable[[], Analyst], answered: Callable[[Answer], object]
    ) -> None:
        self.reader = Reader(open_analyst)
        self._answered = answered
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="htlctop-reader")
        self._reading: asyncio.Future[Answer] | None = None
        self._closing: Future[None] | None = None

    @property
    def is_reading(self) -> bool:
        """Whether an answer is under way."""
        return self._reading is not None

    def ask(self, want: Want) -> bool:
        """Read what is wanted, unless a read is running; whether it was begun."""
        if self._closing or self._reading is not None:
            return False
        loop = asyncio.get_running_loop()
        self._reading = loop.run_in_executor(self._thread, self.reader.read, want)
        self._reading.add_done_callback(self._done)
        return True

    def _done(self, future: "asyncio.Future[Answer]") -> None:
        self._reading = None
        if not self._closing and not future.cancelled():
            self._answered(future.result())

    def interrupt(self) -> None:
        """Break off a running read; its answer says so."""
        self.reader.interrupt()

    def let_go(self) -> None:
        """Take no more answers, and have the thread end once it has given the store back."""
        if self._closing is None:
            self.interrupt()
            self._closing = self._thread.submit(self.reader.close)
            self._thread.shutdown(wait=False)

    async def close(self) -> None:
        """Let go, and wait until the store is closed."""
        self.let_go()
        with suppress(Exception):
            async with asyncio.timeout(CLOSES_WITHIN_S):
                if self._closing is not None:
                    await asyncio.wrap_future(self._closing)
