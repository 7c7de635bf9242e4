"""One sitting at one store: readers, and the collector unless another process has it."""

import asyncio
import threading
import time
from contextlib import suppress
from pathlib import Path

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.config import Connection
from htlctop.domain.ports import ChannelInfoProvider
from htlctop.domain.types import DEFAULTS, Access, Settings
from htlctop.errors import ConfigError, StoreError
from htlctop.service.collecting import TAKEOVER_S, collect
from htlctop.store.lock import StoreBusyError
from htlctop.store.marks import add_mark
from htlctop.store.reader import StoreReader

FIRST_START_S = 1.5
"""How long a reader waits for the collector beside it to make the store."""


def open_analyst(store: Path, settings: Settings = DEFAULTS) -> StoreAnalyst:
    """The analyst of an existing store. Raises StoreError when there is none to read."""
    return StoreAnalyst(StoreReader(store), settings=settings)


class LocalSession:
    """One sitting at one store: readers, and the collector unless another process has it.

    Implements what the screen calls a session.
    """

    def __init__(
        self,
        store: Path,
        connection: Connection,
        *,
        keep_ns: int | None = None,
        settings: Settings = DEFAULTS,
        channel_info: ChannelInfoProvider | None = None,
    ) -> None:
        self.store = store
        self._channel_info = channel_info
        self._keep_ns = keep_ns
        self._settings = settings
        self._collecting: bool | None = None
        """None before it is known whether another process does."""
        self._connection = connection

    @property
    def title(self) -> str:
        """What is looked at, until the node has said its name."""
        return self._connection.rpcserver

    @property
    def owns_collector(self) -> bool:
        """Whether quitting ends the watching."""
        return self._collecting is True

    @property
    def is_attached(self) -> bool:
        """Whether another process collects."""
        return self._collecting is False

    def access(self) -> Access | None:
        """What the macaroon permits that the collector of this process connects with, as its file
        says now; None where another process collects."""
        from htlctop.wire.macaroon import NoMacaroonError, read_macaroon

        if not self._collecting:
            return None
        try:
            macaroon = read_macaroon(bytes.fromhex(self._connection.read_macaroon()))
        except (ConfigError, NoMacaroonError):
            return Access((), ())
        return Access(tuple(sorted(macaroon.permissions or ())), macaroon.beyond_reading)

    def open_analyst(self) -> StoreAnalyst:
        """A reader of the store, which on a first start is being made. Raises StoreError."""
        made_by = time.monotonic() + FIRST_START_S
        while True:
            try:
                return open_analyst(self.store, self._settings)
            except StoreError:
                if time.monotonic() > made_by:
                    raise
                time.sleep(0.05)

    def mark(self, text: str, at_ns: int, peer: int) -> None:
        """Note what the operator did. Raises StoreError where the store cannot be written."""
        add_mark(self.store, text, at_ns, peer)

    def run_collector(self, stop: threading.Event) -> None:
        """Collect until `stop` is set; while another process does, keep trying to take over."""
        asyncio.run(self._run(stop))

    async def _run(self, stop: threading.Event) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()

        def watch() -> None:
            stop.wait()
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(stopping.set)

        threading.Thread(target=watch, name="htlctop-stop", daemon=True).start()
        while not stopping.is_set():
            try:
                await collect(
                    self._connection,
                    self.store,
                    stopping,
                    settings=self._settings,
                    keep_ns=self._keep_ns,
                    channel_info=self._channel_info,
                    begun=self._begun,
                )
                return
            except StoreBusyError:
                self._collecting = False
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), TAKEOVER_S)

    def _begun(self) -> None:
        self._collecting = True
