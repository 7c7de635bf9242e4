"""Carries a plan of faults out on a playback and its server."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Protocol

from htlctop.sim.faults import Fault, FaultKind
from htlctop.sim.playback import TERMINATED, Playback
from htlctop.sim.source import End
from htlctop.sim.strange import StrangeMessages
from htlctop.sim.told import ToldLog
from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import Method
from htlctop.wire.refusals import Refusal

_REMEMBERED = 1_000
_LOCKED, _UNLOCKED, _SYNCING = 1, 2, 3
_LOCKED_TEXT = "wallet locked, unlock it to enable full RPC access"
_STARTING_TEXT = (
    "the RPC server is in the process of starting up, but not yet ready to accept calls"
)
_PADDING = b"\xc2\x3e"
"""The key of a field that no ListChannelsResponse has (1000, bytes)."""
_LASTING = frozenset(
    {
        FaultKind.FREEZE, FaultKind.SLOW, FaultKind.REFUSE, FaultKind.LOCK, FaultKind.BEHIND,
        FaultKind.BIG, FaultKind.CLOCK,
    }
)  # fmt: skip


class Server(Protocol):
    """What of the simulated node a fault can turn off and on."""

    async def go_down(self, *, abrupt: bool) -> None:
        """Close the listener; abrupt: in the middle of every call."""

    async def come_up(self, *, new_credentials: bool) -> None:
        """Open it again on the same port."""


class Mischief:
    """Stands between playback and clients; without a plan it changes nothing."""

    def __init__(self, plan: Iterable[Fault], told: ToldLog, seed: int = 0) -> None:
        """Args:
        plan: faults with `at` in order; those with `after` must be a finite part of a list.
        seed: for what is made up.
        """
        faults = sorted(plan, key=lambda f: f.at or 0) if isinstance(plan, list) else plan
        counted = [f for f in faults if f.after is not None] if isinstance(faults, list) else []
        self._counted = deque(sorted(counted, key=lambda f: f.after or 0))
        self._timed: Iterator[Fault] = (f for f in faults if f.at is not None)
        self._told = told
        self._strange = StrangeMessages(random.Random(seed))
        self._active: dict[FaultKind, tuple[Fault, float]] = {}
        self._recent: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._played = self._twice = self._swaps = 0
        self._held: bytes | None = None
        self._version = ""
        self._restarting = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._playback: Playback
        self._server: Server

    async def run(self, playback: Playback, server: Server) -> None:
        """Do what the plan says, from the first subscription on."""
        self._playback, self._server = playback, server
        playback.shape, playback.after = self.shape, self.after
        await playback.started.wait()
        started_s = time.monotonic()
        for fault in self._timed:
            await asyncio.sleep(max(0.0, started_s + (fault.at or 0) - time.monotonic()))
            self._begin(fault)

    def stop(self) -> None:
        """Nothing more goes wrong."""
        for task in self._tasks:
            task.cancel()

    def shape(self, message: bytes) -> list[bytes]:
        """What is sent in place of a message."""
        self._played += 1
        self._strange.remember(message)
        messages = [self._at_this_clock(message)]
        if self._swaps and self._held is None:
            self._held = messages.pop()
        elif self._held is not None:
            messages.append(self._held)
            self._held = None
            self._swaps -= 1
        if self._twice:
            self._twice -= 1
            messages += messages
        self._recent.extend(messages)
        return messages

    def after(self) -> None:
        """Begin what is due after the message that was just sent."""
        while self._counted and (self._counted[0].after or 0) <= self._played:
            self._begin(self._counted.popleft())

    async def thawed(self) -> None:
        """Wait while the node is frozen."""
        while FaultKind.FREEZE in self._active:
            left_s = self._active[FaultKind.FREEZE][1] - time.monotonic()
            if left_s <= 0:
                return
            await asyncio.sleep(left_s)

    def check_open(self) -> None:
        """Raises Refusal while the wallet is locked."""
        if (lock := self._lock_state()) is not None:
            raise Refusal("UNKNOWN", _LOCKED_TEXT if lock == _LOCKED else _STARTING_TEXT)

    async def answer(self, method: str, ask: Callable[[], bytes]) -> bytes:
        """A unary call's answer. Raises: Refusal."""
        await self.thawed()
        slow, refuse = self._now(FaultKind.SLOW), self._now(FaultKind.REFUSE)
        if slow and method.endswith(slow.method):
            await asyncio.sleep(slow.delay)
        if method == Method.GET_STATE:
            lock = self._lock_state()
            return ask() if lock is None else ln.GetStateResponse(state=lock).SerializeToString()
        self.check_open()
        if refuse and method.endswith(refuse.method):
            raise Refusal(refuse.code, refuse.details)
        return self._changed(method, ask())

    def _begin(self, fault: Fault) -> None:
        how = {key: value for key, value in asdict(fault).items() if key != "fault"}
        self._told.fault(fault.fault, **how)
        playback = self._playback
        if fault.fault in _LASTING:
            self._active[fault.fault] = fault, time.monotonic() + fault.for_s
        match fault.fault:
            case FaultKind.BREAK:
                playback.end_all(End(fault.code, fault.details))
            case FaultKind.LOCK:
                playback.end_all(TERMINATED)
            case FaultKind.RESTART:
                if not fault.abrupt:
                    playback.end_all(TERMINATED)
                task = asyncio.get_running_loop().create_task(self._restart(fault))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case FaultKind.DUPLICATE:
                self._twice += fault.n
            case FaultKind.SWAP:
                self._swaps += fault.n
            case FaultKind.REPLAY:
                playback.tell(self._last(fault.n))
            case FaultKind.BURST:
                playback.hurry(fault.n)
            case FaultKind.MALFORMED:
                playback.tell(list(self._strange.malformed(fault.n)))
            case FaultKind.UNKNOWN:
                playback.tell(list(self._strange.unknown(fault.n)))
            case FaultKind.ABSURD:
                playback.tell(list(self._strange.absurd(fault.n)))

    async def _restart(self, fault: Fault) -> None:
        async with self._restarting:
            await self._server.go_down(abrupt=fault.abrupt)
            self._told.listening(up=False)
            await asyncio.sleep(fault.for_s)
            self._version = fault.version or self._version
            self._playback.tell_the_next(self._last(fault.n))
            await self._server.come_up(new_credentials=fault.credentials)
            self._told.listening(up=True)

    def _last(self, n: int) -> list[bytes]:
        return list(self._recent)[max(0, len(self._recent) - n) :]

    def _at_this_clock(self, message: bytes) -> bytes:
        clock = self._now(FaultKind.CLOCK)
        event = decode.parse(router.HtlcEvent, message) if clock else None
        if clock is None or event is None or not event.timestamp_ns:
            return message
        event.timestamp_ns = max(1, event.timestamp_ns + int(clock.step * 1e9))
        return event.SerializeToString()

    def _changed(self, method: str, answer: bytes) -> bytes:
        big = self._now(FaultKind.BIG)
        if big and method == Method.LIST_CHANNELS:
            size = max(0, int(big.mb * 2**20) - len(answer))
            return b"".join((answer, _PADDING, _varint(size), bytes(size)))
        if method == Method.GET_INFO:
            info = decode.parse(ln.GetInfoResponse, answer)
            if info is not None:
                info.version = self._version or info.version
                info.synced_to_chain &= self._now(FaultKind.BEHIND) is None
                return info.SerializeToString()
        return answer

    def _lock_state(self) -> int | None:
        """LND's state while the wallet is locked, then while it starts and syncs; None when it is
        open."""
        lock = self._now(FaultKind.LOCK)
        if lock is None:
            return None
        left = (self._active[FaultKind.LOCK][1] - time.monotonic()) / lock.for_s
        return _LOCKED if left > 1 / 4 else _UNLOCKED if left > 1 / 8 else _SYNCING

    def _now(self, kind: FaultKind) -> Fault | None:
        """The fault of this kind that lasts, None for none."""
        fault, until_s = self._active.get(kind, (None, 0.0))
        return fault if time.monotonic() < until_s else None


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])
