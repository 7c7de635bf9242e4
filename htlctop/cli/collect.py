"""`htlctop collect`: the collector without a screen."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from htlctop.cli.logs import log_to_stderr
from htlctop.cli.options import (
    channel_info,
    connection,
    keep_ns,
    keep_option,
    lnd_manage_option,
    node_options,
    preferences,
    store_option,
    store_path,
)
from htlctop.cli.signals import let_later_ones_kill
from htlctop.errors import StoreError

_ENDING = (signal.SIGINT, signal.SIGTERM)


@click.command("collect")
@node_options
@store_option
@keep_option
@lnd_manage_option
@click.option("--duration", metavar="T", help="Stop after 30s, 5m, 48h, …")
@click.option("--until-idle", metavar="T", help="Stop when nothing has arrived for so long.")
@click.option(
    "--fail-fast", is_flag=True,
    help="End with the error's exit code instead of waiting for the node.",
)  # fmt: skip
@click.option(
    "--metrics", metavar="HOST:PORT", help="Serve /metrics and /healthz there (127.0.0.1:9740)."
)
@click.option("--wait", is_flag=True, help="While another htlctop collects, wait to take over.")
def command(
    store: Path | None,
    keep: str | None,
    lnd_manage: str | None,
    duration: str | None,
    until_idle: str | None,
    fail_fast: bool,
    metrics: str | None,
    wait: bool,
    **flags: str | None,
) -> None:
    """Listen to the node and write what it tells, until stopped. Viewers may come and go.

    A node that cannot be reached, is locked or refuses us is waited for: each reason is logged
    once, and a certificate or macaroon replaced on disk is tried at once. SIGHUP connects anew;
    Ctrl-C and SIGTERM stop, with exit code 0.
    """
    from htlctop import service
    from htlctop.analysis.windows import duration_ns
    from htlctop.collector.collector import Limits
    from htlctop.collector.notify import Notifier
    from htlctop.store.lock import StoreBusyError

    log_to_stderr()
    limits = Limits(
        duration_ns(duration) / 1e9 if duration else None,
        duration_ns(until_idle) / 1e9 if until_idle else None,
        fail_fast,
    )
    node = connection(**flags)
    path, kept = store_path(store, node.network), keep_ns(keep)
    asked_first = channel_info(lnd_manage)
    notifier = Notifier(os.environ)
    listen = metrics or preferences().profile.metrics
    serving = served(listen, path) if listen else nullcontext()

    async def run() -> int:
        signals = _Signals(asyncio.get_running_loop())
        await service.collect(
            node, path, signals.stop, limits,
            reload=signals.reload, notifier=notifier, take_over=wait, keep_ns=kept,
            channel_info=asked_first,
        )  # fmt: skip
        return signals.exit_code

    with serving:
        try:
            code = asyncio.run(run())
        except StoreBusyError as busy:
            raise StoreError(
                f"{busy.who}; stop it first, take over when it ends (--wait), "
                "or give another --store"
            ) from None
    sys.exit(code)


@contextmanager
def served(listen: str, store: Path) -> Iterator[None]:
    """Metrics and health of a store, meanwhile. Raises ConfigError, UsageError."""
    from htlctop import service
    from htlctop.cli.metrics import say_where
    from htlctop.metrics.scrape import Scraper
    from htlctop.metrics.server import MetricsServer

    with MetricsServer(Scraper(lambda: service.open_analyst(store)), listen) as server:
        say_where(server)
        yield


class _Signals:
    """SIGTERM and SIGINT stop, a later one at once. SIGHUP reloads, unless it says that our
    terminal is gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.stop, self.reload = asyncio.Event(), asyncio.Event()
        self.exit_code = 0
        self._loop = loop
        self._had_terminal = _has_terminal()
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # nohup
        loop.add_signal_handler(signal.SIGHUP, self.reload.set if ignored else self._hang_up)
        for number in _ENDING:
            loop.add_signal_handler(number, self._end)

    def _end(self) -> None:
        self.stop.set()
        let_later_ones_kill(self._loop, _ENDING)

    def _hang_up(self) -> None:
        if self._had_terminal and not _has_terminal():
            self.exit_code = 128 + signal.SIGHUP
            self.stop.set()
        else:
            self.reload.set()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
