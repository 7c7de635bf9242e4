"""Records a live node: stays connected, asks again and again, and tapes all that it hears.

Answers are taped before the events that need them, so that whoever reads the recording knows the
channels that an event names.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress

from htlctop.config import Connection
from htlctop.domain.codes import UNKNOWN_NEXT_PEER, EventKind
from htlctop.domain.types import NO_CHANNEL, NOT_READY, Channel, NodeState
from htlctop.errors import ConfigError, NodeConnectionError, NodePermissionError
from htlctop.wire import decode
from htlctop.wire.client import LndClient
from htlctop.wire.gen import lnrpc_pb2 as ln
from htlctop.wire.methods import Method
from htlctop.wire.node import Answer
from htlctop.wire.refusals import Refusal
from htlctop.wire.tape import Tape

_log = logging.getLogger(__name__)

POLL_S = 15.0
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.5, 30.0
_EARLIER_S = 3600
"""How far back the first ForwardingHistory reaches."""
_AT_ONCE, _PACE_S = 50, 0.2
"""Questions about single channels and nodes: so many at once, then one at a time."""
_LAST_SNAPSHOT_S = 5.0
"""How long what is under way, and the snapshot at the end, may take once we were told to stop."""


class TapedClient(LndClient):
    """A client whose answers go on tape."""

    def __init__(self, connection: Connection, tape: Tape) -> None:
        super().__init__(connection)
        self._tape = tape

    async def ask(self, method: Method, request: bytes) -> Answer:
        """One unary call. Raises as LndClient's, and StoreError when the tape cannot be written."""
        try:
            answer = await super().ask(method, request)
        except Refusal as refusal:
            self._tape.unary_error(method, refusal.code, refusal.details)
            raise
        self._tape.unary(method, request, answer.data)
        return answer


class Recorder:
    """One recording of one node.

    The first connection must be permitted; what goes wrong later is waited out.
    """

    def __init__(self, connect: Callable[[], TapedClient], tape: Tape) -> None:
        self._connect = connect
        self._tape = tape
        self._pause_s = _FIRST_PAUSE_S
        self._queue: deque[tuple[int, bytes]] = deque()
        self._news = asyncio.Event()
        self._known: set[int] = set()
        self._listed_s, self._list_took_s = 0.0, 0.0
        self._history_s = int(time.time()) - _EARLIER_S

    async def run(self, stop: asyncio.Event) -> None:
        """Record until stopped.

        Raises:
            ConfigError, NodePermissionError: it could not begin.
            NodeConnectionError: nor could it until it was stopped.
            StoreError: the tape cannot be written.
        """
        waits_for: NodeConnectionError | None = None
        while not stop.is_set():
            try:
                await self._until_stopped(self._one_connection(stop), stop)
            except (ConfigError, NodePermissionError) as error:
                if not self._tape.begun:
                    raise
                _log.error("%s", error)
            except NodeConnectionError as error:
                waits_for = error
                _log.warning("%s; next try in %g s", error, self._pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._pause_s)
            self._pause_s = min(2 * self._pause_s, _LAST_PAUSE_S)
        if waits_for is not None and not self._tape.begun:
            raise waits_for

    async def _until_stopped(
        self, connection: Coroutine[None, None, None], stop: asyncio.Event
    ) -> None:
        """A connection to its end; after a stop it has only so long for it."""
        running, stopping = asyncio.ensure_future(connection), asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await asyncio.wait((running,), timeout=_LAST_SNAPSHOT_S)
        finally:
            stopping.cancel()
            running.cancel()
            await asyncio.wait((running,))
        if not running.cancelled():
            running.result()

    async def _one_connection(self, stop: asyncio.Event) -> None:
        async with self._connect() as node:
            state = await node.get_state()
            if state is not NodeState.SERVER_ACTIVE:
                raise NodeConnectionError(NOT_READY[state])
            if not self._tape.begun:
                self._tape.header((await node.get_info()).version)
            stream = asyncio.create_task(self._listen(node))
            single: asyncio.Task[None] | None = None
            heard = self._tape.events
            try:
                channels = await self._snapshot(node)
                self._pause_s = _FIRST_PAUSE_S
                single = asyncio.create_task(self._ask_singly(node, channels))
                await self._write_loop(node, stream, stop)
                if stop.is_set():
                    with suppress(NodeConnectionError, NodePermissionError):
                        await self._last_snapshot(node)
            finally:
                await _cancelled(single)
                await _cancelled(stream)
                self._write()
                ended = None if stream.cancelled() else stream.result()
                if self._tape.events > heard and not (stop.is_set() and ended is None):
                    told = ended or Refusal("CANCELLED", "")
                    self._tape.stream_end(Method.HTLC_EVENTS, told.code, told.details)
            if ended is not None:
                raise node.explained(ended, Method.HTLC_EVENTS)

    async def _listen(self, node: LndClient) -> Refusal:
        """Take everything off the stream at once; returns how it ended."""
        try:
            async for batch in node.messages(Method.HTLC_EVENTS):
                now_ns = time.time_ns()
                self._queue.extend([(now_ns, message) for message in batch])
                self._news.set()
        except Refusal as refusal:
            return refusal
        finally:
            self._news.set()
        return Refusal("OK", "")

    async def _write_loop(
        self, node: LndClient, stream: "asyncio.Task[Refusal]", stop: asyncio.Event
    ) -> None:
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set() and not (stream.done() and not self._queue):
                until_poll_s = self._listed_s + POLL_S - time.monotonic()
                if until_poll_s <= 0 or self._needs_listing():
                    await self._list(node, thoroughly=until_poll_s > 0)
                self._write()
                if stream.done():
                    continue
                news = asyncio.create_task(self._news.wait())
                await asyncio.wait(
                    (news, stopping),
                    timeout=max(0.0, until_poll_s),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                news.cancel()
                self._news.clear()
        finally:
            stopping.cancel()

    def _write(self) -> None:
        while self._queue:
            t_ns, message = self._queue.popleft()
            self._tape.message(t_ns, Method.HTLC_EVENTS, message)

    async def _snapshot(self, node: LndClient) -> tuple[Channel, ...]:
        """Everything that is asked in one call each."""
        await node.get_info()
        channels = await self._list(node, thoroughly=True)
        await node.connected_peers()
        now_s = int(time.time())
        await node.forwarding_history(self._history_s, now_s)
        self._history_s = now_s - 60  # forwards are entered a moment after they settled
        return channels

    async def _last_snapshot(self, node: LndClient) -> None:
        channels = await self._snapshot(node)
        await self._ask_singly(node, channels, most=_AT_ONCE)

    async def _list(self, node: LndClient, *, thoroughly: bool) -> tuple[Channel, ...]:
        """Channels and fees, and `thoroughly` the closed ones too."""
        started_s = time.monotonic()
        channels = await node.list_channels()
        closed = await node.closed_channels() if thoroughly else ()
        await node.fee_report()
        self._listed_s = time.monotonic()
        self._list_took_s = self._listed_s - started_s
        self._known.update(c.scid for c in channels)
        self._known.update(scid for c in channels for scid in c.other_scids)
        self._known.update(c.scid for c in closed)
        return channels

    def _needs_listing(self) -> bool:
        """Whether an event that waits names a channel never seen, or one that LND does not know.

        Senders can make ids up, so this asks no more often than a tenth of the time.
        """
        if time.monotonic() - self._listed_s < 10 * self._list_took_s:
            return False
        strange = False
        for _, message in self._queue:
            event = decode.htlc_event(message)
            if event is None or event.kind is EventKind.NONE:
                continue
            scids = {event.incoming_scid, event.outgoing_scid} - {NO_CHANNEL}
            strange |= event.wire_failure == UNKNOWN_NEXT_PEER or not scids <= self._known
            self._known |= scids
        return strange

    async def _ask_singly(
        self, node: LndClient, channels: tuple[Channel, ...], most: int | None = None
    ) -> None:
        """GetChanInfo of each channel and GetNodeInfo of each peer, without hurry."""
        questions = [
            (Method.GET_CHAN_INFO, ln.ChanInfoRequest(chan_id=c.scid).SerializeToString())
            for c in channels
        ] + [
            (Method.GET_NODE_INFO, ln.NodeInfoRequest(pub_key=peer).SerializeToString())
            for peer in dict.fromkeys(c.peer for c in channels)
        ]
        for asked, (method, request) in enumerate(questions[:most]):
            if asked >= _AT_ONCE:
                await asyncio.sleep(_PACE_S)
            with suppress(Refusal):  # it is on the tape; a private channel has no edge
                await node.ask(method, request)


async def _cancelled(task: "asyncio.Task[Refusal] | asyncio.Task[None] | None") -> None:
    """End a task; how it ended stays with it."""
    if task is not None:
        task.cancel()
        await asyncio.wait((task,))
