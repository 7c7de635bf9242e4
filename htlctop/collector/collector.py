"""The collector: stays connected to one node and writes what it tells, until it is stopped.

Its states, which everybody reads in the status row: connecting; waiting (for what, and until
when); refused (what a person must mend); live (the node has confirmed the stream); stopped.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from htlctop.collector.backoff import LIVED_S, Backoff, Wait
from htlctop.collector.clock import SystemClock
from htlctop.collector.intake import Intake
from htlctop.collector.listening import ALIVE_S, LAST_PROOF_S, Listening
from htlctop.collector.notify import Notifier
from htlctop.collector.preferring import Preferring
from htlctop.domain.ports import ChannelInfoProvider, Clock, FailureStatsStore, LightningNode
from htlctop.domain.records import Progress
from htlctop.domain.types import DEFAULTS, NodeInfo, NodeState, Settings
from htlctop.errors import HtlctopError, StoreError, StoreUnavailableError

_log = logging.getLogger(__name__)

TICK_S = 0.25
CONFIRM_S = 2.0
"""How long a node may take to confirm the stream before we say that it has not."""
LOOK_S = 1.0
"""How often a pause looks for signs that a try is worth while now."""
_UNCONFIRMED = "the stream is open, but the node has not confirmed it: it may still be starting"


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end by itself: after so long, when nothing has arrived for so long (s) and all is
    written, or with the error of the first try that fails."""

    duration_s: float | None = None
    until_idle_s: float | None = None
    fail_fast: bool = False


class Collector:
    """Runs until its stop event is set, or a limit is reached.

    Faults of the node are waited out; faults of the store that do not pass end the run.
    """

    def __init__(
        self,
        connect: Callable[[], LightningNode],
        store: FailureStatsStore,
        *,
        clock: Clock | None = None,
        settings: Settings = DEFAULTS,
        limits: Limits | None = None,
        signs: Callable[[], object] = lambda: None,
        notifier: Notifier | None = None,
        channel_info: ChannelInfoProvider | None = None,
    ) -> None:
        """Args:
        connect: makes a fresh client for each connection, which reads the credentials anew.
        signs: gives another value once something has changed that makes a try worth while,
            such as a replaced macaroon: a pause then ends at once.
        notifier: who is told how we are, besides the store.
        channel_info: who is asked for channels and policies before the node is.
        """
        self._connect = connect
        self._store = store
        self._clock = clock or SystemClock()
        self._settings = settings
        self._limits = limits or Limits()
        self._signs = signs
        self._notifier = notifier or Notifier({})
        self._channel_info = channel_info
        self._backoff = Backoff()
        self._wait: Wait | None = None
        self._info: NodeInfo | None = None
        self._listening: Listening | None = None
        self._started_s = self._active_s = time.monotonic()
        self._alive_s = float("-inf")
        self._ending = asyncio.Event()
        self._interrupt = asyncio.Event()
        """Set with `_ending`, and by a reload: leave what you wait for."""

    async def run(self, stop: asyncio.Event, reload: asyncio.Event | None = None) -> None:
        """Collect until stopped; `reload` connects anew, with the credentials as they are then.

        Raises:
            StoreError: the store cannot be written.
            HtlctopError: what the node's failure was, with `fail_fast`, or when a limit was
                reached and the node never listened to.
        """
        await self._alive()
        supervisor = asyncio.create_task(self._supervise(stop, reload or asyncio.Event()))
        last_words = ""
        try:
            while not self._ending.is_set():
                self._interrupt.clear()
                seen = self._signs()
                self._wait = await self._one_connection()
                if self._wait is not None:
                    if self._limits.fail_fast and not self._ending.is_set():
                        raise self._wait.error
                    await self._pause(self._wait, seen)
            if self._wait is not None and self._info is None and not stop.is_set():
                raise self._wait.error  # the time is over, and nothing was ever heard
        except HtlctopError as error:
            last_words = str(error)
            raise
        finally:
            self._ending.set()
            self._notifier.stopping()
            await supervisor
            with suppress(StoreError):
                await self._store.set_state("stopped", last_words)
                await self._store.checkpoint()

    async def _supervise(self, stop: asyncio.Event, reload: asyncio.Event) -> None:
        """Turns with the loop: proves that it does, and notices what ends or interrupts us."""
        while not self._ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TICK_S)
            self._notifier.watchdog()
            await self._alive()
            if reload.is_set():
                reload.clear()
                _log.info("connecting anew, as asked")
                self._backoff.reset()
                self._interrupt.set()
            if stop.is_set() or self._limit_is_reached():
                self._ending.set()
                self._interrupt.set()

    async def _one_connection(self) -> Wait | None:
        """One connection from dialling to its end. Returns the pause before the next, if any."""
        if self._wait is None or self._backoff.attempt:
            await self._say("connecting", self._wait.reason if self._wait else "")
        try:
            node = self._connect()
        except HtlctopError as error:
            return self._backoff.failed(error)
        # Whatever waits for the node ends with an error once it is closed.
        closer = asyncio.create_task(self._close_when_interrupted(node))
        try:
            state = await node.get_state()
            if state is not NodeState.SERVER_ACTIVE:
                return self._backoff.not_ready(state)
            await self._listen(node)
        except StoreUnavailableError as error:
            if self._ending.is_set():
                raise
            return self._backoff.failed(error)
        except StoreError:
            raise
        except HtlctopError as error:
            if not self._interrupt.is_set():
                return self._backoff.failed(error)
        finally:
            closer.cancel()
            await node.close()
        return None

    async def _listen(self, node: LightningNode) -> None:
        """From the subscription to its end; the end by itself is raised."""
        info = await node.get_info()
        info_from = Preferring(self._channel_info, node) if self._channel_info else node
        intake = Intake(self._store, info_from, self._clock, self._settings, give_up=self._ending)
        await intake.ledger.meet(info)
        listening = self._listening = Listening(
            node,
            intake,
            self._store,
            self._clock,
            self._ending,
            replay=info.replay,
            ended_by_us=self._why_we_end,
        )
        try:
            async with listening:
                # Events wait in the queue until the channels they name are known.
                await intake.channels.refresh()
                await intake.history.repair(node, listening.told_since)
                opened_s, live_s = time.monotonic(), None
                while not self._interrupt.is_set():
                    now_s = time.monotonic()
                    if live_s is None and listening.is_confirmed:
                        live_s = now_s
                        await self._is_live(info)
                    elif live_s is None and opened_s and now_s - opened_s >= CONFIRM_S:
                        opened_s = 0.0
                        await self._say("waiting", _UNCONFIRMED)
                    elif live_s and now_s - live_s >= LIVED_S:
                        live_s = 0.0
                        self._backoff.lived(f"listening to {_who(info)}")
                    await listening.turn()
        finally:
            self._active_s = listening.active_s
            self._listening = None

    def _why_we_end(self) -> str:
        if self._ending.is_set():
            return "stopped"
        return "connected anew, as asked" if self._interrupt.is_set() else ""

    async def _is_live(self, info: NodeInfo) -> None:
        before, self._info = self._info, info
        if before is not None and before.version != info.version:
            _log.info("the node now runs LND %s, it was %s", _version(info), _version(before))
        await self._say("live", told=f"live: {_who(info)}")
        self._backoff.tell(logging.INFO, f"listening to {_who(info)}")

    async def _pause(self, wait: Wait, seen: object) -> None:
        """Wait until the next try is due, we are interrupted, or there are signs of a change."""
        until_s = time.monotonic() + wait.pause_s
        next_try_ns = self._clock.now_ns() + int(wait.pause_s * 1e9)
        await self._say(wait.state, wait.reason, next_try_ns=next_try_ns)
        while (left_s := until_s - time.monotonic()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._interrupt.wait(), min(left_s, LOOK_S))
            if self._interrupt.is_set():
                return
            if self._signs() != seen:
                return

    async def _alive(self) -> None:
        """We are there, though nothing is written: not connected, or the node takes its time."""
        now_s, listening = time.monotonic(), self._listening
        if now_s - max(self._alive_s, listening.alive_s if listening else 0.0) < 2 * ALIVE_S:
            return
        self._alive_s = now_s
        with suppress(StoreUnavailableError):
            await self._store.alive(
                Progress(
                    0,
                    0,
                    0,
                    None,
                    queued=listening.queued if listening else 0,
                    shed=listening.shed if listening else 0,
                    alive_ns=self._clock.now_ns(),
                )
            )

    async def _say(
        self, state: str, reason: str = "", *, next_try_ns: int = 0, told: str = ""
    ) -> None:
        """To the status row and to the service manager, which calls us started once we listen,
        or know what we wait for."""
        with suppress(StoreUnavailableError):
            await self._store.set_state(
                state, reason, attempt=self._backoff.attempt, next_try_ns=next_try_ns
            )
        text = told or (f"{state}: {reason}" if reason else state)
        if state == "connecting" or (self._limits.fail_fast and state != "live"):
            self._notifier.status(text)
        else:
            self._notifier.ready(text)

    async def _close_when_interrupted(self, node: LightningNode) -> None:
        await self._interrupt.wait()
        await asyncio.sleep(LAST_PROOF_S)
        await node.close()

    def _limit_is_reached(self) -> bool:
        now, limits, listening = time.monotonic(), self._limits, self._listening
        if limits.duration_s is not None and now - self._started_s >= limits.duration_s:
            return True
        if limits.until_idle_s is None or (listening and listening.queued):
            return False
        active_s = listening.active_s if listening else self._active_s
        return now - active_s >= limits.until_idle_s


def _who(info: NodeInfo) -> str:
    return f"{info.alias or info.pubkey[:12]}, LND {_version(info)}"


def _version(info: NodeInfo) -> str:
    return info.version.split(" ")[0]
