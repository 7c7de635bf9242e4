"""The Protocols of what reads a store, which all figures come from."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from htlctop.domain.coverage import Interval
from htlctop.domain.evidence import (
    ActivityPoint,
    BalancePoint,
    ChannelSpan,
    LimitsPoint,
    LostClaim,
    Mark,
    PendingPoint,
    PolicyPoint,
    Settled,
)
from htlctop.domain.records import (
    Cell,
    ChannelRecord,
    ClaimOpener,
    Delta,
    Found,
    HtlcFacts,
    HtlcRecord,
    Measure,
    Pair,
    PairPick,
    PairsHeld,
    PairSum,
    PendingRecord,
    Pick,
    StatusRecord,
    Unresolved,
    Way,
    Worth,
)


class EvidenceReader(Protocol):
    """What advice is drawn from. Raises as `StatsReader` does.

    The histories give what was in force in [from, until): the last change before and all within.
    """

    def claims(
        self, pool: int, peer: int, categories: Sequence[int], from_ns: int, until_ns: int,
        limit: int, after_seq: int = 0, *, recovered: bool = False,
    ) -> list[LostClaim]:  # fmt: skip
        """The newest payments of a pool toward a peer in [from, until), oldest first, those after
        a seq; `recovered`: only those of which something came back."""

    def settled(
        self, channels: Sequence[int], from_ns: int, until_ns: int, limit: int, after_seq: int = 0,
        *, incoming: bool,
    ) -> list[Settled]:  # fmt: skip
        """The newest forwards of [from, until) that settled and left by (or came in on) channels,
        oldest first, those after a seq."""

    def balance_history(
        self, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[BalancePoint]:
        """The kept balances of channels, oldest first."""

    def policy_history(
        self, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[PolicyPoint]:
        """The policies of channels, oldest first."""

    def limits_history(
        self, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[LimitsPoint]:
        """The limits of channels, oldest first."""

    def activity_history(
        self, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[ActivityPoint]:
        """When channels went away and came back, oldest first."""

    def pending_history(self, from_ns: int, until_ns: int) -> list[PendingPoint]:
        """How many HTLCs were on the channels, oldest first."""

    def away(self, from_ns: int, until_ns: int) -> list[int]:
        """The open channels that could not be used at some time in [from, until)."""

    def channel_spans(self) -> list[ChannelSpan]:
        """When each of our channels came and went."""

    def count_private(self) -> tuple[int, int]:
        """(private, all) of the open channels whose balance is known."""

    def marks(self, from_ns: int, until_ns: int) -> list[Mark]:
        """The operator's notes in [from, until), oldest first."""


class PairSums(Protocol):
    """The sums of one window by pair, kept by a reader from one snapshot to the next.

    A snapshot that is broken off leaves what it began with. Raises as StatsReader does.
    """

    def held(self) -> PairsHeld:
        """What they are the sums of; of no window at first."""

    def hold(self, held: PairsHeld) -> None:
        """Remember that."""

    def clear(self) -> None:
        """Nothing is summed up."""

    def add(self, from_ns: int, until_ns: int, sign: int = 1) -> None:
        """Add what the buckets over [from, until) hold, or (sign -1) take it away."""

    def take(self, news: Iterable[Delta]) -> None:
        """Add what was written meanwhile."""

    def ranked(
        self, order: Sequence[Measure], pick: PairPick, worth: Worth, *,
        most: int | None = None, reverse: bool = False,
    ) -> list[Pair]:  # fmt: skip
        """The first pairs by some measures, the largest first; the second measure ranks the equals
        of the first. All of them where no `most` is given."""

    def count(self, way: Way, pick: PairPick) -> int:
        """How many pairs, peers or channels there are."""

    def nets(self, way: Way, pick: PairPick) -> list[tuple[int, int]]:
        """(peer, net demand msat) of the incoming or outgoing peers of what was lost, the largest
        first."""

    def sums(self, way: Way, pick: PairPick, worth: Worth) -> list[PairSum]:
        """The sums of each category, apart by pair, peer or channel."""


class StatsReader(EvidenceReader, Protocol):
    """Where figures come from. It belongs to one thread; only `interrupt` crosses threads.

    Raises:
        StoreError: the store cannot be read.
        ReadInterrupted: a read was broken off.
    """

    def close(self) -> None:
        """Give the store back."""

    def interrupt(self) -> None:
        """Break off a running read; from any thread."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Everything read inside is of one moment."""

    def meta(self) -> dict[str, str | int]:
        """What is known of the node: pubkey, alias, network, version, replay, ended."""

    def status(self) -> StatusRecord:
        """What the collector last said of itself."""

    def location(self) -> tuple[str, int]:
        """Where the store is, and its bytes on disk."""

    def disk_trouble(self) -> str:
        """Why its disk takes nothing now; "" where it does."""

    def peers(self) -> dict[int, tuple[str, str]]:
        """peer id -> (public key, alias)."""

    def channels(self, as_of_ns: int | None = None) -> list[ChannelRecord]:
        """Every channel ever seen, strangers included; balances, policies, and whether it was
        open, as of a time (None: now)."""

    def pending(self) -> list[PendingRecord]:
        """The HTLCs that were on channels at the last listing, the nearest expiry first."""

    def nearest_expiry(self) -> int | None:
        """The height at which the first of them expires, None where there are none."""

    def count_rows(self) -> int:
        """How many HTLCs are stored."""

    def wal_bytes(self) -> int:
        """The size of the write-ahead log on disk."""

    def cells(self, from_ns: int, until_ns: int) -> list[Cell]:
        """Sums by channel and category over [from, until), edges on buckets that are kept; some
        may be nothing."""

    def forwarded_claims(self, from_ns: int, until_ns: int) -> list[tuple[int, int, int]]:
        """(channel, category, payments) of what settled or failed further on over [from, until)."""

    def pair_cells(
        self, from_ns: int, until_ns: int, channels: Sequence[int] = (), *,
        in_peer: int | None = None,
    ) -> list[Cell]:  # fmt: skip
        """Sums by channel, incoming peer and category; of some channels, or of one incoming peer,
        only where named."""

    def pairs(self, key: str) -> PairSums:
        """The sums by pair that are kept of a window, by its key; of none at first."""

    def net_over_time(
        self, from_ns: int, until_ns: int, step_ns: int, channels: Sequence[int] = (), *,
        in_peer: int | None = None,
    ) -> list[tuple[int, dict[int, int]]]:  # fmt: skip
        """(slice, channel -> net demand msat of lost HTLCs), of some only where named; slice k
        holds the times from k·step on."""

    def news(self, since: int) -> list[Delta] | None:
        """What was added to the buckets after a generation, in order; None where that is no longer
        known."""

    def unresolved(self, from_ns: int, until_ns: int, break_ns: int) -> Unresolved:
        """The forwards first seen in [from, until) without an outcome; those before the break may
        have ended unseen."""

    def intervals(self) -> list[Interval]:
        """The times in which the stream was open, in the order they began."""

    def first_event_ns(self) -> int | None:
        """The first event of the oldest HTLC stored, None in an empty store."""

    def find(self, pick: Pick, limit: int, before_seq: int | None = None) -> Found:
        """At most `limit` HTLCs that fit, older than `before_seq`, newest first.

        It may stop early: `older_seq` then says where to go on.
        """

    def htlc_facts(self, seq: int) -> HtlcFacts | None:
        """All that is stored of one HTLC, None where it is not stored."""

    def htlc_seq(self, channels: Sequence[int], in_htlc: int) -> int | None:
        """The HTLC that came in as a number on a channel, by whichever of its ids; None where it is
        not stored."""

    def attempts(self, opener: int, limit: int) -> list[HtlcRecord]:
        """The HTLCs of the payment that one opened, oldest first."""

    def last_seq(self) -> int:
        """The arrival number of the newest HTLC stored, 0 for none."""

    def waiting(self, limit: int) -> list[int]:
        """The seqs of forwards without an outcome, the newest first."""

    def since(self, seq: int, limit: int) -> list[HtlcRecord]:
        """HTLCs first seen after that one, oldest first."""

    def decided(self, seqs: Sequence[int]) -> list[HtlcRecord]:
        """Those of some HTLCs that have an outcome."""

    def claim_openers(self, seqs: Sequence[int]) -> dict[int, ClaimOpener]:
        """The openers of claims, by their seq."""
