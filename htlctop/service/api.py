"""The Python API: what the screen and the reports know, for your own programs."""

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.following import Cursor
from htlctop.analysis.reading import ReadingThread
from htlctop.config import Connection
from htlctop.domain.ports import ChannelInfoProvider
from htlctop.domain.types import DEFAULTS, Settings
from htlctop.errors import HtlctopError, StoreError, UsageError
from htlctop.service.events import QUEUE, Callback, EventStream, Follower
from htlctop.service.questions import Questions
from htlctop.service.session import LocalSession, open_analyst

_log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_START_S = 10.0
"""How long the collector may take to make a store or to bring it up to date."""
_RETRY_S = 0.05


class OpportunityService(Questions):
    """Reads a store, and collects into it where a connection is given and nobody else does.

    Use as `async with OpportunityService.open(store) as service`. The methods never block the
    event loop: one thread reads, another collects, with an event loop of its own. What was asked
    is answered in order; a read that takes over a minute is broken off.

    Raises, from every method:
        StoreError: the store cannot be read, or not in time; the next call tries again.
        UsageError: the service is not open, or what was asked for is not there.
    """

    def __init__(self, store: Path, session: LocalSession | None, settings: Settings) -> None:
        self.store = store
        self._session = session
        self._reading = ReadingThread(lambda: open_analyst(store, settings))
        self._follower = Follower(self._reading)
        self._stop = threading.Event()
        self._collecting: threading.Thread | None = None
        self._collector_error: Exception | None = None
        self._opened_at: Cursor | None = None
        self._is_open = False

    @classmethod
    def open(
        cls,
        store: Path,
        connection: Connection | None = None,
        *,
        settings: Settings = DEFAULTS,
        keep_ns: int | None = None,
        channel_info: ChannelInfoProvider | None = None,
    ) -> "OpportunityService":
        """A service to be entered with `async with`, which raises StoreError when the store
        cannot be read or, with a connection, made.

        Args:
            store: its file.
            connection: the node to listen to. While another process collects into the store this
                one reads, and takes over within a second when that ends. None: only read.
            settings: the constants behind demand.
            keep_ns: how long single HTLCs are kept when this process collects, None for ever.
            channel_info: who is asked for channels and policies, then, before the node is.
        """
        session = None
        if connection is not None:
            session = LocalSession(
                store, connection, keep_ns=keep_ns, settings=settings, channel_info=channel_info
            )
        return cls(store, session, settings)

    async def __aenter__(self) -> "OpportunityService":
        if self._collecting is not None or self._stop.is_set():
            raise UsageError("a service is entered once; open another one")
        try:
            self._opened_at = await self._now()
            if self._session is not None:
                self._collecting = threading.Thread(
                    target=self._collect,
                    args=(self._session,),
                    name="htlctop-collector",
                    daemon=True,
                )
                self._collecting.start()
            self._is_open = True
            await self._until_readable()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._close()

    @property
    def owns_collector(self) -> bool:
        """Whether this process collects, so that closing ends the watching."""
        collecting = self._collecting
        return bool(
            self._session is not None
            and self._session.owns_collector
            and collecting is not None
            and collecting.is_alive()
        )

    @property
    def collector_error(self) -> Exception | None:
        """Why this process has given up collecting, None while it has not.

        A node that is away, locked or refuses us is no such reason: `status` tells that.
        """
        return self._collector_error

    @property
    def callback_errors(self) -> int:
        """How often a callback of `on_event` has raised."""
        return self._follower.callback_errors

    @property
    def last_callback_error(self) -> BaseException | None:
        """What a callback last raised."""
        return self._follower.last_callback_error

    @property
    def dropped_events(self) -> int:
        """HTLCs that a callback or an iterator was too slow for, all together."""
        return self._follower.dropped

    @property
    def events_error(self) -> HtlctopError | None:
        """Why no event can be read from the store at the moment, None while they can."""
        return self._follower.store_error

    def events(self, limit: int = QUEUE, *, since_open: bool = False) -> EventStream:
        """HTLCs from now on, as they become visible in the store: `async for line in s.events()`.

        Each is told when it is first seen, and once more when its outcome comes later. It ends
        when the service is closed. `limit`: how many may wait to be taken; then the oldest is
        dropped and counted. `since_open`: begin with what has come since the service was opened;
        UsageError where somebody listens already.
        """
        self._check()
        return self._follower.stream(limit, self._opened_at if since_open else None)

    def on_event(self, callback: Callback, limit: int = QUEUE) -> Callable[[], None]:
        """Call back, in the event loop, with what `events` gives; sync or async. Returns what
        ends it.

        What it raises is counted in `callback_errors`, and it is called for the next one.
        """
        self._check()
        return self._follower.call(callback, limit)

    async def _read(self, question: Callable[[StoreAnalyst], T]) -> T:
        self._check()
        return await asyncio.wrap_future(self._reading.ask(question))

    def _check(self) -> None:
        if not self._is_open:
            raise UsageError("the service is not open: use it inside of its `async with`")

    async def _now(self) -> Cursor | None:
        """What is stored before we collect; None where only the collector makes it readable."""
        try:
            if not await asyncio.to_thread(self.store.exists):
                return Cursor(0, ())
            return await asyncio.wrap_future(self._reading.ask(lambda a: a.follow(None)[0]))
        except (StoreError, OSError):
            return None

    async def _until_readable(self) -> None:
        """The store can be read; on a first start the collector makes it meanwhile."""
        give_up_at = asyncio.get_running_loop().time() + FIRST_START_S
        while True:
            try:
                await self._read(lambda analyst: analyst.generation())
                return
            except StoreError:
                if self._collector_error is not None:
                    raise self._collector_error from None
                if self._session is None or asyncio.get_running_loop().time() > give_up_at:
                    raise
            await asyncio.sleep(_RETRY_S)

    def _collect(self, session: LocalSession) -> None:
        """The collector's thread."""
        try:
            session.run_collector(self._stop)
        except Exception as error:
            self._collector_error = error
            _log.error("the collector has given up: %s", error)

    async def _close(self) -> None:
        """Events first, then what they are read with, then what is written."""
        self._is_open = False
        self._stop.set()
        try:
            await self._follower.close()
        finally:
            await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        self._reading.close()
        if self._collecting is not None:
            self._collecting.join()
