"""Single payments, forwards and settings that advice is drawn from, kept once they were read.

A cache that may be dropped at any time: it gives what reading anew would give.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from htlctop.analysis.advice.bids import Bid, Policies
from htlctop.analysis.advice.newest import NEVER_NS, Newest
from htlctop.domain.codes import Category
from htlctop.domain.evidence import ActivityPoint, BalancePoint, LimitsPoint, LostClaim, Settled
from htlctop.domain.readers import StatsReader
from htlctop.domain.records import MINUTE, SPANS, Delta, StatusRecord

MOST_KEPT = 150_000
"""Payments, forwards and settings; with more of them everything is dropped."""
P = TypeVar("P")
_SETTLED = int(Category.SETTLED)


class _History(Generic[P]):
    """What is in force on channels from a time on, read once while nothing of it changes; what is
    thinned out of it meanwhile goes with the next change."""

    def __init__(self, read: Callable[[Sequence[int], int, int], list[P]], until_ns: int) -> None:
        self._read, self._until_ns = read, until_ns
        self._kept: dict[tuple[tuple[int, ...], int], list[P]] = {}

    def get(self, channels: tuple[int, ...], from_ns: int) -> list[P]:
        """Oldest first."""
        key = channels, from_ns
        if key not in self._kept:
            self._kept[key] = self._read(channels, from_ns, self._until_ns)
        return self._kept[key]

    def __len__(self) -> int:
        return len(self._kept) + sum(map(len, self._kept.values()))


class Evidence:
    """What was seen before `until_ns`. Payments and forwards are read as they come, as long as the
    news say how many; settings anew when one of them changed."""

    def __init__(self, reader: StatsReader, until_ns: int = NEVER_NS) -> None:
        self._reader, self._until_ns = reader, until_ns
        self._generation = self._books = self._gone_ns = -1
        self._forget_htlcs()
        self._forget_settings()

    def advance(self, record: StatusRecord, gone_ns: int, peer_of: Callable[[int], int]) -> None:
        """Make it what is known at a moment. HTLCs from before `gone_ns` are kept no more."""
        is_too_much = self._count() > MOST_KEPT
        if record.books != self._books or is_too_much:
            self._forget_settings()
            self._books = record.books
        if record.generation != self._generation or gone_ns != self._gone_ns:
            news = self._reader.news(self._generation) if self._generation >= 0 else None
            if news is None or gone_ns != self._gone_ns or is_too_much:
                self._forget_htlcs()
            else:
                self._take(news, peer_of)
            self._generation, self._gone_ns = record.generation, gone_ns

    def claims(
        self, pool: int, peer: int, categories: tuple[int, ...], from_ns: int, limit: int
    ) -> list[LostClaim]:
        """The newest payments of a pool toward a peer since a time, oldest first."""
        lists, key = self._claims[peer], (pool, categories)
        if key not in lists:
            reader, until_ns, what = self._reader, self._until_ns, (pool, peer, categories)
            lists[key] = Newest(
                lambda since_ns, most, after: reader.claims(*what, since_ns, until_ns, most, after),
                lambda since_ns, most, after: reader.claims(
                    *what, since_ns, until_ns, most, after, recovered=True
                ),
            )
        return lists[key].get(from_ns, limit)

    def settled(
        self, peer: int, channels: tuple[int, ...], from_ns: int, limit: int, *, incoming: bool
    ) -> list[Settled]:
        """The newest forwards of a peer that left by (or came in on) its channels since a time and
        settled, oldest first."""
        lists = self._settled[peer, incoming]
        if channels not in lists:

            def read(since_ns: int, most: int, after_seq: int) -> list[Settled]:
                return self._reader.settled(
                    channels, since_ns, self._until_ns, most, after_seq, incoming=incoming
                )

            lists[channels] = Newest(read, read)
        return lists[channels].get(from_ns, limit)

    def policies(self, channels: set[int], from_ns: int) -> Policies:
        """What was asked on channels since a time, and perhaps on others."""
        known = self._policies.setdefault(from_ns, Policies())
        new = sorted(channel for channel in channels if channel not in known.channels)
        if new:
            known.add(new, self._reader.policy_history(new, from_ns, self._until_ns))
        return known

    def limits(self, channels: tuple[int, ...], from_ns: int) -> list[LimitsPoint]:
        """The limits of channels since a time and the one before, oldest first."""
        return self._limits.get(channels, from_ns)

    def balances(self, channels: tuple[int, ...], from_ns: int) -> list[BalancePoint]:
        """The kept balances of channels since a time and the one before, oldest first."""
        return self._balances.get(channels, from_ns)

    def activity(self, channels: tuple[int, ...]) -> list[ActivityPoint]:
        """When channels went away and came back, oldest first."""
        return self._activity.get(channels, 0)

    def away(self, from_ns: int) -> list[int]:
        """The open channels that could not be used at some time since then."""
        return self._reader.away(from_ns, self._until_ns)

    def count_private(self) -> tuple[int, int]:
        """(private, all) of the open channels whose balance is known."""
        return self._reader.count_private()

    def _take(self, news: Iterable[Delta], peer_of: Callable[[int], int]) -> None:
        for delta in news:
            peer, at_ns = peer_of(delta.channel), delta.minute * SPANS[MINUTE]
            if delta.category == _SETTLED:
                # One that began before others may settle after them.
                for key in ((peer, False), (delta.in_peer, True)):
                    for forwards in self._settled.get(key, {}).values():
                        forwards.tell(delta.n, at_ns)
                continue
            for (_, categories), payments in self._claims.get(peer, {}).items():
                if delta.category in categories:
                    # A payment only ever gets more back, and none leaves its category.
                    payments.tell(delta.claims, at_ns if delta.recovered_msat else NEVER_NS)

    def _count(self) -> int:
        lost = (len(kept) for lists in self._claims.values() for kept in lists.values())
        moved = (len(kept) for lists in self._settled.values() for kept in lists.values())
        asked = (len(policies.channels) for policies in self._policies.values())
        settings = len(self._limits) + len(self._balances) + len(self._activity)
        return sum((*lost, *moved, *asked, settings, len(self.causes), len(self.bids)))

    def _forget_htlcs(self) -> None:
        self._claims: dict[int, dict[tuple[int, tuple[int, ...]], Newest[LostClaim]]]
        self._settled: dict[tuple[int, bool], dict[tuple[int, ...], Newest[Settled]]]
        self._claims, self._settled = defaultdict(dict), defaultdict(dict)

    def _forget_settings(self) -> None:
        reader, until_ns = self._reader, self._until_ns
        self._policies: dict[int, Policies] = {}
        self.causes: dict[int, str] = {}
        """Payment -> what would have let it through, as `refusals` has it."""
        self.bids: dict[int, tuple[int, Bid]] = {}
        """Payment -> what it offered, as `bids` judges it."""
        self.spare: list[tuple[int, int, int]] | None = None
        """(rate asked, sat to spare in one channel, peer), the cheapest first, as `sources` has
        it."""
        self.full: set[int] | None = None
        """The largest peers whose channels are full on our side, as `advisor` has it."""
        self._limits = _History(reader.limits_history, until_ns)
        self._balances = _History(reader.balance_history, until_ns)
        self._activity = _History(reader.activity_history, until_ns)
