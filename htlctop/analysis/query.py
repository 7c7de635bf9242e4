"""What is asked: of which time, grouped, filtered and ranked how; and which HTLCs.

Times are ns since the epoch UTC (`_ns`).
"""

from dataclasses import dataclass
from enum import StrEnum


class SortKey(StrEnum):
    """What ranked tables can be sorted by."""

    MISSED = "missed"
    DEMAND = "demand"
    REFUSED = "refused"
    ASKED = "asked"
    EARNED = "earned"
    SETTLED = "settled"
    LOCAL = "local"
    NAME = "name"


class By(StrEnum):
    """What a row of a ranked table is: an outgoing peer, a channel, a pair, an incoming peer."""

    PEER = "peer"
    CHANNEL = "channel"
    PAIR = "pair"
    SOURCE = "source"

    @property
    def has_balance(self) -> bool:
        """Whether such a row has a balance, to be sorted by: only channels of ours do."""
        return self in (By.PEER, By.CHANNEL)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked at. window: "1h", "24h", "7d", "30d", "all" or any duration.

    until_ns: a past time to look from (None: now); balances, policies and coverage are then of
    that time. since_ns overrides the window's start. filter: as typed, see `filters.parse`. most:
    so many rows at most where they are pairs, which may be a hundred thousand (None: all).
    """

    window: str = "24h"
    until_ns: int | None = None
    since_ns: int | None = None
    sort: SortKey = SortKey.MISSED
    reverse: bool = False
    by: By = By.PEER
    filter: str = ""
    most: int | None = None


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which HTLCs, newest first, at most `limit`.

    Of one peer or channel (on either side) or pair (in-peer, out-peer) where named; older than
    `before_seq`; not after `until_ns`; that the filter (see `filters.parse`) lets through.
    """

    limit: int
    before_seq: int | None = None
    peer: int | None = None
    channel: int | None = None
    pair: tuple[int, int] | None = None
    until_ns: int | None = None
    filter: str = ""
