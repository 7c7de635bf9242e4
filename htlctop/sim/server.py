"""The simulated node: real gRPC on the loopback, TLS, a macaroon, and something to play."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from htlctop.domain.types import NS
from htlctop.errors import UsageError
from htlctop.sim.faults import read_plan, seeded_plan
from htlctop.sim.listener import Context, Listener, abort
from htlctop.sim.macaroon import BadMacaroonError, Bakery
from htlctop.sim.mischief import Mischief
from htlctop.sim.playback import TERMINATED, Playback, Subscriber
from htlctop.sim.source import End, RecordedSource, Source
from htlctop.sim.synthetic.simulation import CHANNELS, HOUR_NS
from htlctop.sim.synthetic.source import SyntheticSource
from htlctop.sim.told import ToldLog
from htlctop.wire.methods import ENDED_KEY, REPLAY_KEY, Method
from htlctop.wire.recording import read_recording
from htlctop.wire.refusals import Refusal

_LND_FILES = ("lnd.conf", "tls.key", "data")


@dataclass(frozen=True, slots=True)
class SyntheticOptions:
    """A made-up node.

    Attributes:
        seed: which.
        channels: how many it has.
        history_s: how much of its time is over before it is played.
        hours: after how much of its time it falls silent, None: never.
        shift_ns: what to add to its times, where that is settled beforehand.
        truth: where to log what its payers did.
    """

    seed: int = 1
    channels: int = CHANNELS
    history_s: float = 0.0
    hours: float | None = None
    shift_ns: int | None = None
    truth: Path | None = None


@dataclass(frozen=True, slots=True)
class SimOptions:
    """What to simulate.

    Attributes:
        plays: a recording's file, or a made-up node.
        directory: where tls.cert and readonly.macaroon are written.
        port: 0 for one that is free.
        speed: how many times as fast as it was recorded; None: as fast as it is taken.
        verbatim: leave times as recorded at speed 1 too.
        lossy: time runs on while nobody is subscribed.
        break_after: end the stream after this HTLC message, once.
        start_at: where to start, as a fraction of a recording's HTLC messages.
        exit_with_parent: stop when stdin closes.
        faults: a plan of what goes wrong. faults_seed: or a plan made from this number.
        faults_per_minute: how many of the latter.
        told: where to log what was told.
    """

    plays: Path | SyntheticOptions
    directory: Path
    port: int = 0
    speed: float | None = 1.0
    verbatim: bool = False
    lossy: bool = False
    break_after: int | None = None
    start_at: float = 0.0
    exit_with_parent: bool = False
    faults: Path | None = None
    faults_seed: int | None = None
    faults_per_minute: float = 6.0
    told: Path | None = None

    @property
    def shifted(self) -> bool:
        """Whether times are moved so that it plays now; else it is a replay and says so."""
        return self.speed == 1.0 and not self.verbatim


class Simulator:
    """The server; an async context manager.

    Raises:
        UsageError: the recording, the plan, the directory or the port cannot be used.
    """

    def __init__(self, options: SimOptions) -> None:
        self._options = options
        self._source = _source(options)
        self.playback = Playback(
            self._source,
            speed=options.speed,
            shifted=options.shifted,
            lossy=options.lossy,
            break_after=options.break_after,
            starts_now=options.start_at > 0,
            shift_ns=_shift_ns(options),
        )
        self._bakery = Bakery()
        self._told = ToldLog(options.told)
        plan = read_plan(options.faults) if options.faults else []
        seed = options.faults_seed
        self._mischief = Mischief(
            plan if seed is None else seeded_plan(seed, options.faults_per_minute),
            self._told,
            seed or 0,
        )
        self._listener = Listener(
            options.port,
            self.unary,
            {
                Method.HTLC_EVENTS.value: self.htlc_events,
                Method.CHANNEL_EVENTS.value: self.channel_events,
            },
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def address(self) -> str:
        """host:port."""
        return self._listener.address

    async def __aenter__(self) -> "Simulator":
        await self._listener.open()
        try:
            self._write_files()
        except UsageError:
            await self._listener.close(abrupt=True)
            raise
        self._tasks = [
            asyncio.create_task(self.playback.run()),
            asyncio.create_task(self._mischief.run(self.playback, self)),
        ]
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.playback.end_all(TERMINATED)
        self._mischief.stop()
        for task in self._tasks:
            task.cancel()
        await self._listener.close()
        self._told.close()
        if isinstance(self._source, SyntheticSource):
            self._source.close()

    async def go_down(self, *, abrupt: bool) -> None:
        """Close the listener; abrupt: in the middle of every call."""
        await self._listener.close(abrupt=abrupt)

    async def come_up(self, *, new_credentials: bool) -> None:
        """Open it again on the same port."""
        if new_credentials:
            self._bakery = Bakery()
        await self._listener.open(new_certificate=new_credentials)
        if new_credentials:
            self._write_files()

    async def unary(self, method: str, request: bytes, context: Context) -> bytes:
        """Answer a call as of this moment of the playback."""
        if not method.startswith("/lnrpc.State/"):
            await self._check_macaroon(context)
        await context.send_initial_metadata(self._metadata())
        try:
            return await self._mischief.answer(
                method, lambda: self.playback.answers.answer(method, request)
            )
        except Refusal as refusal:
            await abort(context, End(refusal.code, refusal.details))
            raise

    async def htlc_events(self, _request: bytes, context: Context) -> None:
        """SubscribeHtlcEvents."""
        await self._meet(context)
        subscriber = self.playback.subscribe()
        number = self._told.subscribed()
        try:
            await self._send_all(subscriber, context, lambda data: self._told.told(number, data))
        finally:
            self._told.unsubscribed(number)
            self.playback.unsubscribe(subscriber)

    async def channel_events(self, _request: bytes, context: Context) -> None:
        """SubscribeChannelEvents."""
        await self._meet(context)
        watcher = self.playback.watch()
        try:
            await self._send_all(watcher, context, lambda data: None)
        finally:
            self.playback.unwatch(watcher)

    async def _meet(self, context: Context) -> None:
        """Let a subscriber in, or not."""
        await self._mischief.thawed()
        await self._check_macaroon(context)
        try:
            self._mischief.check_open()
        except Refusal as refusal:
            await abort(context, End(refusal.code, refusal.details))
        await context.send_initial_metadata(self._metadata())

    async def _send_all(
        self, subscriber: Subscriber, context: Context, tell: Callable[[bytes], None]
    ) -> None:
        while True:
            item = await subscriber.next()
            await self._mischief.thawed()
            if isinstance(item, End):
                await abort(context, item)
            else:
                await context.write(item)
                tell(item)
                subscriber.sent()

    async def _check_macaroon(self, context: Context) -> None:
        sent = [str(value) for key, value in context.invocation_metadata() if key == "macaroon"]
        try:
            self._bakery.check(sent)
        except BadMacaroonError as error:
            await abort(context, End("UNKNOWN", str(error)))

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        replay = () if self._options.shifted else ((REPLAY_KEY, "1"),)
        ended = ((ENDED_KEY, "1"),) if self.playback.ended else ()
        return replay + ended

    def _write_files(self) -> None:
        _write(self._options.directory, self._listener.certificate, self._bakery.bake())


def _source(options: SimOptions) -> Source:
    plays = options.plays
    if isinstance(plays, Path):
        return RecordedSource(read_recording(plays), options.start_at)
    return SyntheticSource(
        plays.seed,
        channels=plays.channels,
        lively=options.shifted,
        history_ns=int(plays.history_s * NS),
        until_ns=None if plays.hours is None else int(plays.hours * HOUR_NS),
        senders_log=plays.truth,
    )


def _shift_ns(options: SimOptions) -> int | None:
    return options.plays.shift_ns if isinstance(options.plays, SyntheticOptions) else None


async def serve(
    options: SimOptions, say: Callable[[str], None] = lambda line: print(line, flush=True)
) -> None:
    """Simulate until SIGTERM or SIGINT, or until stdin closes if asked to.

    Says the address in its first line; with `start_at` `shift_ns=N` in its second.

    Raises:
        UsageError: the recording, the plan, the directory or the port cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Simulator(options) as simulator:
        say(simulator.address)
        if options.start_at > 0:
            say(f"shift_ns={simulator.playback.shift_ns}")
        if options.exit_with_parent:
            _when_stdin_closes(lambda: loop.call_soon_threadsafe(stop.set))
        await stop.wait()


def _when_stdin_closes(tell: Callable[[], object]) -> None:
    def wait() -> None:
        try:
            while os.read(sys.stdin.fileno(), 4096):
                pass
        except (OSError, ValueError):
            pass
        tell()

    threading.Thread(target=wait, name="htlctop-sim-stdin", daemon=True).start()


def _write(directory: Path, certificate: bytes, macaroon: bytes) -> None:
    """Write the two files a client needs, readable by their owner only."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any((directory / name).exists() for name in _LND_FILES):
            raise UsageError(f"{directory} is the folder of a real LND: name another with --dir")
        for name, data in (("tls.cert", certificate), ("readonly.macaroon", macaroon)):
            path = directory / name
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
    except OSError as error:
        raise UsageError(
            f"{directory} cannot be written: {error.strerror}: name another with --dir"
        ) from None
