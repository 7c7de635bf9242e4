"""What the screen asks for. The reader-backed analyst implements it; tests may fake it."""

from typing import Protocol

from htlctop.analysis.models import HtlcLine, Overview, PeerDetail, Query, StatusView
from htlctop.errors import ReadInterrupted as Interrupted

__all__ = ["Analyst", "Interrupted"]


class Analyst(Protocol):
    """Reads the store and answers with view models.

    All methods are synchronous and belong to one thread, the reader thread; `interrupt` alone may
    be called from another one and makes a running read raise `errors.ReadInterrupted`.

    Raises:
        StoreError: the store cannot be read; the message says why.
    """

    def generation(self) -> int:
        """A counter of visible changes; unchanged means that nothing need be read again."""

    def status(self) -> StatusView:
        """The collector's state and the store's size."""

    def overview(self, query: Query) -> Overview:
        """The node over the window."""

    def peer(self, peer: int, query: Query) -> PeerDetail:
        """One peer over the window."""

    def log(
        self,
        *,
        limit: int,
        before_seq: int | None = None,
        peer: int | None = None,
        until_ns: int | None = None,
    ) -> tuple[HtlcLine, ...]:
        """HTLCs newest first, of one peer (in or out) where named, older than `before_seq`."""

    def smallest_window(self) -> str:
        """The smallest of 24h, 7d, 30d that holds 30 refusals."""

    def interrupt(self) -> None:
        """Break off a read that is running in the reader thread."""

    def close(self) -> None:
        """Give the store back."""
