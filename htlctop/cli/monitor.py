"""`htlctop monitor`: a line for each forward that settles or is refused, as it happens."""

import asyncio
import errno
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from htlctop.cli.options import (
    channel_info,
    connection,
    keep_ns,
    keep_option,
    lnd_manage_option,
    node_options,
    store_option,
    store_path,
)
from htlctop.cli.signals import let_later_ones_kill
from htlctop.errors import NodeConnectionError, NodePermissionError, StoreError

if TYPE_CHECKING:
    from htlctop.analysis.models import HtlcLine
    from htlctop.analysis.status import StatusView
    from htlctop.config import Connection
    from htlctop.service import EventStream, OpportunityService

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STATUS_S = 1.0
_AT_ONCE = 500
"""Lines that are written together when they come that fast."""


@click.command("monitor")
@node_options
@store_option
@keep_option
@lnd_manage_option
@click.option("--duration", metavar="T", help="Stop after 30s, 5m, 48h, …")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: htlctop-monitor/1, see README.")
def command(
    store: Path | None,
    keep: str | None,
    lnd_manage: str | None,
    duration: str | None,
    as_json: bool,
    **flags: str | None,
) -> None:
    """Print each forward that settles or is refused here, as it happens; totals at the end.

    A line is when, from whom to whom, the sat to send on, the fee in sat, and what became of it.

    Collects too, unless another htlctop does already. What the collector is doing goes to stderr.
    Ctrl-C and SIGTERM print the totals and exit with 0, as a reader that closes the pipe does.
    """
    from htlctop.analysis.windows import duration_ns
    from htlctop.service import OpportunityService

    seconds = duration_ns(duration) / 1e9 if duration else None
    node = connection(**flags)
    path, kept = store_path(store, node.network), keep_ns(keep)
    asked_first = channel_info(lnd_manage)
    _be_quiet()

    async def run() -> int:
        signals = _Signals(asyncio.get_running_loop())
        async with OpportunityService.open(
            path, node, keep_ns=kept, channel_info=asked_first
        ) as service:
            await _Monitor(service, node, as_json, signals).run(seconds)
        return signals.exit_code

    sys.exit(asyncio.run(run()))


class _Signals:
    """SIGINT, SIGTERM and SIGHUP end it; a later one at once, even while a pipe is full."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.stop = asyncio.Event()
        self.number: int | None = None
        self._loop = loop
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._end, number)

    @property
    def exit_code(self) -> int:
        """0 also where a person or a service manager has ended it."""
        return 128 + signal.SIGHUP if self.number == signal.SIGHUP else 0

    def _end(self, number: int) -> None:
        self.stop.set()
        self.number = number
        let_later_ones_kill(self._loop, _ENDING)


class _Monitor:
    """One sitting: lines as they come, changes of status, totals."""

    def __init__(
        self, service: "OpportunityService", node: "Connection", as_json: bool, signals: _Signals
    ) -> None:
        from htlctop.export.monitor import Tally

        self._service, self._node = service, node
        self._as_json, self._signals = as_json, signals
        self._tally = Tally()
        self._output = _Output()
        self._started_ns = time.time_ns()
        self._said: tuple[str, str] | None = None
        self._told = ""
        self._was_live = False

    async def run(self, seconds: float | None) -> None:
        """Until the time is over, a signal, or nobody reads any more.

        Raises what the collector has given up with, or why the node was never listened to.
        """
        from htlctop.export.monitor import HEADING, start_json, totals_json, totals_text

        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self._signals.stop.set)
        events = self._service.events(since_open=True)
        stopping = asyncio.create_task(self._signals.stop.wait())
        tasks = [asyncio.create_task(self._show(events)), asyncio.create_task(self._watch())]
        try:
            if self._as_json:
                await self._output.write(start_json(str(self._service.store), self._started_ns))
            elif sys.stdout.isatty():
                await self._output.write(HEADING)
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in (stopping, *tasks):
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
            totals = totals_json if self._as_json else totals_text
            if self._signals.number == signal.SIGINT and sys.stdout.isatty():
                await self._output.write("")  # after the terminal's own ^C
            await self._output.write(
                totals(self._tally, self._started_ns, time.time_ns(), events.dropped)
            )
        except OSError as error:
            _nobody_reads(error)
            return
        if not self._was_live and self._signals.number is None:
            await self._complain()

    async def _show(self, events: "EventStream") -> None:
        from htlctop.export.monitor import is_shown, line_json, line_text

        text: Callable[[HtlcLine], str] = line_json if self._as_json else line_text
        waiting: list[str] = []
        async for line in events:
            if is_shown(line):
                self._tally.add(line)
                waiting.append(text(line))
            if waiting and (len(waiting) >= _AT_ONCE or not events.waiting):
                await self._output.write("\n".join(waiting))
                waiting.clear()

    async def _watch(self) -> None:
        """Says what the collector is doing when that changes."""
        while True:
            if self._service.collector_error is not None:
                raise self._service.collector_error
            try:
                await self._say(await self._service.status())
            except StoreError as error:
                self._tell(str(error))  # it may pass; the lines wait meanwhile
            await asyncio.sleep(_STATUS_S)

    async def _say(self, status: "StatusView") -> None:
        from htlctop.analysis.status import State
        from htlctop.export.monitor import status_json, status_text

        self._was_live = self._was_live or status.state in (State.LIVE, State.ENDED)
        told = status.state.value, status.reason
        # Nobody collects: that is over in a moment, when we do.
        if told == self._said or status.state in (State.NEVER, State.STOPPED):
            return
        self._said = told
        if self._as_json:
            await self._output.write(status_json(status, time.time_ns()))
        else:
            beside = "" if self._service.owns_collector else " (another htlctop collects)"
            self._tell(f"{status_text(status)}{beside}")

    def _tell(self, text: str) -> None:
        """To a person, the same thing once."""
        if text != self._told:
            self._told = text
            with suppress(OSError):
                click.echo(f"htlctop: {text}", err=True)

    async def _complain(self) -> None:
        """The time is over, and the node was never listened to."""
        from htlctop.analysis.status import State

        status = await self._service.status()
        if status.state is State.REFUSED:
            if self._service.owns_collector:  # it may be a file of ours that is at fault
                self._node.read_tls_cert()
                self._node.read_macaroon()
            raise NodePermissionError(status.reason)
        raise NodeConnectionError(status.reason or "the node was not reached")


class _Output:
    """Standard output, written and flushed in a thread: a full pipe holds up nothing but this."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="htlctop-stdout")

    async def write(self, text: str) -> None:
        """These lines, after those before; all of them, also where the caller is cancelled.

        Raises OSError when nobody reads, or they cannot be written.
        """
        loop = asyncio.get_running_loop()
        await asyncio.shield(loop.run_in_executor(self._thread, self._put, f"{text}\n"))

    @staticmethod
    def _put(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _nobody_reads(error: OSError) -> None:
    """A pipe or a terminal that was closed is no error; anything else is. Raises StoreError."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno not in (errno.EPIPE, errno.EIO):
        raise StoreError(f"cannot write to standard output: {error.strerror}") from error


def _be_quiet() -> None:
    """The collector's log says nothing here: its status is told instead."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logger = logging.getLogger("htlctop")
    logger.handlers[:] = [logging.NullHandler()]
    logger.propagate = False
