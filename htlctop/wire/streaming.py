"""Reads a server's stream in a thread of its own and hands it to an event loop in batches.

LND queues without bound for a slow reader, so the thread does nothing but take messages; what the
loop has not taken yet waits on our side.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator

import grpc

from htlctop.wire.channel import Stream
from htlctop.wire.refusals import Refusal

MAX_BATCH = 1000
"""Messages in a batch at most: a few ms of work, so that the loop stays alive in a burst."""
GATHER_S = 0.01
"""How long a batch may gather: waking the loop for single messages costs more than reading them."""
_END_S = 1.0
"""How long a stream may take to end with its connection."""


class StreamReader:
    """One stream under way; use `batches` once, from the loop that made the reader.

    It ends with its connection. What comes after nobody takes batches any more is dropped: gRPC
    would keep all that the connection holds of a stream that is cancelled by itself.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._waiting: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._idle = False
        self._ended = self._dropped = False
        self._refusal: Refusal | None = None
        self._thread = threading.Thread(target=self._read, name="htlctop-stream", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Messages received that nobody took yet."""
        return len(self._waiting)

    def join(self) -> None:
        """Wait, blocking, until the thread is through: at once after the connection was closed.

        One that Python ends at its exit may hold a lock of gRPC, which the exit then waits for.
        """
        self._thread.join(_END_S)

    async def batches(self) -> AsyncGenerator[list[bytes], None]:
        """What arrived since the last batch, 1 to `MAX_BATCH`; ends when the server does.

        Raises:
            Refusal: the stream broke.
        """
        waiting = self._waiting
        try:
            while True:
                if not waiting:
                    if self._ended:
                        break
                    await self._wait()
                    continue
                await asyncio.sleep(GATHER_S if len(waiting) < MAX_BATCH else 0)
                yield [waiting.popleft() for _ in range(min(len(waiting), MAX_BATCH))]
        finally:
            self._dropped = True
            waiting.clear()
        if self._refusal is not None:
            raise self._refusal

    async def _wait(self) -> None:
        self._news.clear()
        self._idle = True
        # Looked at after the flag is up: whoever adds a message looks at the flag after adding.
        if not self._waiting and not self._ended:
            await self._news.wait()
        self._idle = False

    def _read(self) -> None:
        add = self._waiting.append
        try:
            for message in self._stream:
                if not self._dropped:
                    add(message)
                if self._idle:
                    self._tell()
        except grpc.RpcError as error:
            self._refusal = refusal_of(error)
        except Exception as error:
            self._refusal = Refusal("INTERNAL", f"the stream broke: {type(error).__name__}")
        finally:
            self._ended = True
            self._tell()

    def _tell(self) -> None:
        self._idle = False
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:
            self._stream.cancel()  # the loop is closed: nobody will ever take more


def refusal_of(error: grpc.RpcError) -> Refusal:
    """gRPC's error as ours."""
    try:
        code, details = error.code(), error.details()
    except Exception:
        return Refusal("UNKNOWN", "")
    return Refusal(code.name if code is not None else "UNKNOWN", details or "")
