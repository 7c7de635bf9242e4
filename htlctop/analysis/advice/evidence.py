"""Single payments, forwards and settings that advice is drawn from, kept once they were read.

A cache that may be dropped at any time: it gives what reading anew would give.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from htlctop.analysis.advice.bids import Bid, Policies
from htlctop.domain.evidence import ActivityPoint, BalancePoint, LimitsPoint, LostClaim, Settled
from htlctop.domain.readers import StatsReader
from htlctop.domain.records import MINUTE, SPANS, Delta, StatusRecord

NEVER_NS = 2**62
"""Later than anything that is stored."""
MOST_KEPT = 150_000
"""Payments, forwards and settings; with more of them everything is dropped."""
P = TypeVar("P")


@dataclass(slots=True)
class _Lost:
    """The newest payments of some categories from a time on, and of the like what the news told
    since: how many there are more of, and from when on one may not be what it was."""

    from_ns: int
    limit: int
    found: list[LostClaim]
    more: int = 0
    changed_ns: int = NEVER_NS

    def has(self, from_ns: int, limit: int) -> bool:
        """Whether all that is asked for is among them."""
        is_whole = len(self.found) < self.limit
        return self.from_ns <= from_ns if is_whole else limit <= self.limit


@dataclass(frozen=True, slots=True)
class _Forwards:
    """Forwards that settled from a time on."""

    from_ns: int
    found: list[Settled]


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
    """What was seen before `until_ns`. Payments are read as they come, as long as the news say how
    many; forwards anew when there are news of their peer; settings when one of them changed."""

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
        lists = self._claims.setdefault(peer, {})
        kept = lists.get((pool, categories))
        if (
            kept is None
            or not kept.has(from_ns, limit)
            or not self._goes_on(kept, pool, peer, categories, limit)
        ):
            found = self._reader.claims(pool, peer, categories, from_ns, self._until_ns, limit)
            kept = lists[pool, categories] = _Lost(from_ns, limit, found)
        if from_ns == kept.from_ns:
            return kept.found[-limit:]
        return [claim for claim in kept.found if claim.at_ns >= from_ns][-limit:]

    def settled(
        self, peer: int, channels: tuple[int, ...], from_ns: int, limit: int, *, incoming: bool
    ) -> list[Settled]:
        """A peer's forwards that left by (or came in on) channels since a time, oldest first; of
        the newest `limit` HTLCs of each."""
        lists = self._settled.setdefault((peer, incoming), {})
        kept = lists.get((channels, limit))
        if kept is None or from_ns < kept.from_ns:
            found = self._reader.settled(
                channels, from_ns, self._until_ns, limit, incoming=incoming
            )
            kept = lists[channels, limit] = _Forwards(from_ns, found)
        if from_ns == kept.from_ns:
            return kept.found
        return [item for item in kept.found if item.at_ns >= from_ns]

    def policies(self, channels: set[int], from_ns: int) -> Policies:
        """What was asked on channels since a time, and perhaps on others."""
        known = self._policies.setdefault(from_ns, Policies())
        new = channels - known.channels
        if new:
            known.add(new, self._reader.policy_history(sorted(new), from_ns, self._until_ns))
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

    def _goes_on(
        self, kept: _Lost, pool: int, peer: int, categories: tuple[int, ...], limit: int
    ) -> bool:
        """Read what changed and those that came since, which have higher numbers: unless these are
        just as many as the news told, something else is new."""
        if not kept.more and kept.changed_ns == NEVER_NS:
            return True
        last = kept.found[-1].seq if kept.found else 0
        if kept.changed_ns == NEVER_NS:
            since_ns, after = kept.from_ns, last
        else:
            since_ns, after = max(kept.from_ns, kept.changed_ns), 0
        news = self._reader.claims(pool, peer, categories, since_ns, self._until_ns, limit, after)
        if sum(claim.seq > last for claim in news) != min(kept.more, limit):
            return False
        same = (claim for claim in kept.found[-limit:] if claim.at_ns < kept.changed_ns)
        kept.found, kept.limit = sorted([*same, *news])[-limit:], limit
        kept.more, kept.changed_ns = 0, NEVER_NS
        return True

    def _take(self, news: Iterable[Delta], peer_of: Callable[[int], int]) -> None:
        ins, outs = set[int](), set[int]()
        for delta in news:
            peer = peer_of(delta.channel)
            ins.add(delta.in_peer)
            outs.add(peer)
            for (_, categories), kept in self._claims.get(peer, {}).items():
                if delta.category in categories:
                    kept.more += delta.claims
                    # A payment only ever gets more back, and none leaves its category.
                    if delta.recovered_msat:
                        kept.changed_ns = min(kept.changed_ns, delta.minute * SPANS[MINUTE])
        for peer, incoming in list(self._settled):
            if peer in (ins if incoming else outs):
                del self._settled[peer, incoming]

    def _count(self) -> int:
        lost = (len(kept.found) for lists in self._claims.values() for kept in lists.values())
        moved = (len(kept.found) for lists in self._settled.values() for kept in lists.values())
        asked = (len(policies.channels) for policies in self._policies.values())
        settings = len(self._limits) + len(self._balances) + len(self._activity)
        return sum((*lost, *moved, *asked, settings, len(self.differing), len(self.bids)))

    def _forget_htlcs(self) -> None:
        self._claims: dict[int, dict[tuple[int, tuple[int, ...]], _Lost]] = {}
        self._settled: dict[tuple[int, bool], dict[tuple[tuple[int, ...], int], _Forwards]] = {}

    def _forget_settings(self) -> None:
        reader, until_ns = self._reader, self._until_ns
        self._policies: dict[int, Policies] = {}
        self.differing: dict[int, str | None] = {}
        """Payment -> the field by which a sibling channel refused what it had room for, if any."""
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
