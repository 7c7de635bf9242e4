"""Runs a collector on a store, until it is stopped.

gRPC and protobuf are imported where they are first needed: a screen paints before they are there.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from htlctop.collector.collector import Collector, Limits
from htlctop.collector.notify import Notifier
from htlctop.config import Connection
from htlctop.domain.ports import ChannelInfoProvider
from htlctop.domain.types import DEFAULTS, Settings
from htlctop.store.lock import StoreBusyError
from htlctop.store.writer import StoreWriter

_log = logging.getLogger(__name__)

TAKEOVER_S = 1.0
"""How often a viewer tries to become the collector."""


async def collect(
    connection: Connection,
    store: Path,
    stop: asyncio.Event,
    limits: Limits | None = None,
    settings: Settings = DEFAULTS,
    *,
    reload: asyncio.Event | None = None,
    notifier: Notifier | None = None,
    take_over: bool = False,
    keep_ns: int | None = None,
    channel_info: ChannelInfoProvider | None = None,
    begun: Callable[[], None] = lambda: None,
) -> None:
    """Listen to a node and write what it tells, until `stop` is set or a limit is reached.

    Args:
        reload: set to connect anew, with the certificate and macaroon as they are then.
        notifier: the service manager to keep informed.
        take_over: wait while another process collects into the store; a limit of time runs
            meanwhile.
        keep_ns: how long single HTLCs are kept, None for ever; totals stay in any case.
        channel_info: who is asked for channels and policies before the node is; for example
            `wire.lnd_manage.LndManage`.
        begun: called once the store is ours to collect into.

    Raises:
        StoreBusyError: somebody else collects into the store.
        StoreError: it cannot be written, or is another node's.
        HtlctopError: with `limits.fail_fast`, why the node cannot be listened to.
    """
    notifier = notifier or Notifier({})
    waited, begun_s = False, time.monotonic()
    while not stop.is_set():
        left = _left(limits, begun_s)
        if left is not None and left.duration_s is not None and left.duration_s <= 0:
            return
        try:
            async with StoreWriter(store, keep_ns=keep_ns, hurry=stop) as writer:
                begun()
                await _collect(
                    connection, writer, stop, left, settings,
                    reload=reload, notifier=notifier, channel_info=channel_info,
                )  # fmt: skip
            return
        except StoreBusyError as busy:
            if not take_over:
                raise
            if not waited:
                _log.info("%s; waiting for it to end", busy.who)
                waited = True
            notifier.ready(f"waiting: {busy.who}")
            notifier.watchdog()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TAKEOVER_S)


def _left(limits: Limits | None, begun_s: float) -> Limits | None:
    """The limits, less the time that has passed."""
    if limits is None or limits.duration_s is None:
        return limits
    return replace(limits, duration_s=limits.duration_s + begun_s - time.monotonic())


async def _collect(
    connection: Connection,
    writer: StoreWriter,
    stop: asyncio.Event,
    limits: Limits | None,
    settings: Settings,
    *,
    reload: asyncio.Event | None,
    notifier: Notifier,
    channel_info: ChannelInfoProvider | None,
) -> None:
    from htlctop.wire.client import LndClient
    from htlctop.wire.signs import signs

    collector = Collector(
        lambda: LndClient(connection),
        writer,
        settings=settings,
        limits=limits,
        signs=lambda: signs(connection),
        notifier=notifier,
        channel_info=channel_info,
    )
    await collector.run(stop, reload)
