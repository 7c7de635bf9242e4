"""The reads that advice is drawn from: single payments and forwards, and what changed when."""

import sqlite3
from collections.abc import Mapping, Sequence

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

Values = Sequence[int] | Mapping[str, int]
_REMEMBERED = 64
_DISORDER_NS = 10**9
"""By how much rows may lie out of the order of their times, and more."""


class EvidenceReads:
    """Implements `readers.EvidenceReader`; part of the store's reader, which runs its questions."""

    def __init__(self) -> None:
        self._first_seqs: dict[int, int] = {}

    def _run(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        raise NotImplementedError

    def claims(
        self, pool: int, peer: int, categories: Sequence[int], from_ns: int, until_ns: int,
        limit: int, after_seq: int = 0, *, recovered: bool = False,
    ) -> list[LostClaim]:  # fmt: skip
        """The newest payments of a pool toward a peer in [from, until), oldest first, those after
        a seq; `recovered`: only those of which something came back."""
        which = "AND recovered != 0" if recovered else ""
        first, last = self._seqs(from_ns, until_ns)
        found = self._run(
            "SELECT claim.seq, at, category, in_peer, in_channel, out_channel, amount, "
            "in_msat - out_msat, recovered, best_msat FROM claim JOIN htlc ON htlc.seq = claim.seq "
            f"WHERE pool = ? AND pool IN (1, 2) AND out_peer = ? AND claim.seq BETWEEN ? AND ? "
            f"AND NOT is_repeat AND at >= ? AND at < ? AND category IN ({_marks(categories)}) "
            f"{which} ORDER BY claim.seq DESC LIMIT ?",
            (
                *(pool, peer, max(first, after_seq + 1), last),
                *(from_ns, until_ns, *categories, limit),
            ),
        ).fetchall()
        return [LostClaim._make(row) for row in reversed(found)]

    def settled(
        self, channels: Sequence[int], from_ns: int, until_ns: int, limit: int, after_seq: int = 0,
        *, incoming: bool,
    ) -> list[Settled]:  # fmt: skip
        """The newest forwards of [from, until) that settled and left by (or came in on) channels,
        oldest first, those after a seq."""
        first, last = self._seqs(from_ns, until_ns)
        side = "in_channel" if incoming else "out_channel"
        found: list[Settled] = []
        for channel in channels:
            rows = self._run(
                f"SELECT seq, at, {side}, out_msat, in_msat - out_msat FROM htlc "
                f"WHERE {side} = ? AND category = 1 AND seq BETWEEN ? AND ? "
                "AND at >= ? AND at < ? ORDER BY seq DESC LIMIT ?",
                (channel, max(first, after_seq + 1), last, from_ns, until_ns, limit),
            )
            found += map(Settled._make, rows)
        return sorted(found)[-limit:]

    def balance_history(
        self, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[BalancePoint]:
        """The kept balances of channels in [from, until) and the one before, oldest first."""
        return [
            BalancePoint._make(row)
            for row in self._changes(
                "balance_history", "local_sat, remote_sat", channels, from_ns, until_ns
            )
        ]

    def policy_history(
        self, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[PolicyPoint]:
        """The policies of channels in [from, until) and the one before, oldest first."""
        columns = "base, ppm, inbound_base, inbound_ppm"
        return [
            PolicyPoint._make(row)
            for row in self._changes("policy", columns, channels, from_ns, until_ns)
        ]

    def limits_history(
        self, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[LimitsPoint]:
        """The limits of channels in [from, until) and the one before, oldest first."""
        columns = "min_htlc, max_htlc, delta, is_disabled"
        return [
            LimitsPoint._make(row)
            for row in self._changes("limits", columns, channels, from_ns, until_ns)
        ]

    def activity_history(
        self, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[ActivityPoint]:
        """When channels went away and came back in [from, until) and before, oldest first."""
        return [
            ActivityPoint._make(row)
            for row in self._changes("activity", "is_active", channels, from_ns, until_ns)
        ]

    def pending_history(self, from_ns: int, until_ns: int) -> list[PendingPoint]:
        """How many HTLCs were on the channels in [from, until) and before, oldest first."""
        return [
            PendingPoint._make(row)
            for row in self._run(
                "SELECT at, n, amount FROM pending_history WHERE at < ? AND at >= coalesce((SELECT "
                "max(at) FROM pending_history WHERE at <= ?), ?) ORDER BY at",
                (until_ns, from_ns, from_ns),
            )
        ]

    def away(self, from_ns: int, until_ns: int) -> list[int]:
        """The open channels that could not be used at some time in [from, until)."""
        found = self._run(
            "SELECT DISTINCT activity.channel FROM activity JOIN channel ON channel.id = "
            "activity.channel WHERE NOT is_active AND is_open AND at < ? AND (at >= ? OR NOT "
            "EXISTS (SELECT 1 FROM activity AS later WHERE later.channel = activity.channel "
            "AND later.at > activity.at AND later.at <= ?))",
            (until_ns, from_ns, from_ns),
        )
        return [channel for (channel,) in found]

    def channel_spans(self) -> list[ChannelSpan]:
        """When each of our channels came and went."""
        return [
            ChannelSpan._make(row)
            for row in self._run(
                "SELECT id, opened, closed FROM channel WHERE peer > 0 AND alias_of IS NULL"
            )
        ]

    def count_private(self) -> tuple[int, int]:
        """(private, all) of the open channels whose balance is known."""
        private, every = self._run(
            "SELECT total(is_private), count(*) FROM balance JOIN channel ON id = channel "
            "WHERE is_open"
        ).fetchone()
        return int(private), int(every)

    def marks(self, from_ns: int, until_ns: int) -> list[Mark]:
        """The operator's notes in [from, until), oldest first."""
        return [
            Mark._make(row)
            for row in self._run(
                "SELECT at, peer, text FROM mark WHERE at >= ? AND at < ? ORDER BY at, id",
                (from_ns, until_ns),
            )
        ]

    def _changes(
        self, table: str, columns: str, channels: Sequence[int], from_ns: int, until_ns: int
    ) -> list[tuple[int, ...]]:
        if not channels:
            return []
        return self._run(
            f"SELECT t.channel, at, {columns} FROM {table} AS t "
            f"WHERE t.channel IN ({_marks(channels)}) AND at < ? AND at >= coalesce((SELECT "
            f"max(at) FROM {table} WHERE channel = t.channel AND at <= ?), ?) "
            "ORDER BY at, t.channel",
            (*channels, until_ns, from_ns, from_ns),
        ).fetchall()

    def _seqs(self, from_ns: int, until_ns: int) -> tuple[int, int]:
        """(first, last) seq between which lies all that began in [from, until), and a little
        more: rows lie in time order, but for fractions of a second."""
        newest = self._run("SELECT seq, at FROM htlc ORDER BY seq DESC LIMIT 1").fetchone()
        if newest is None or newest[1] < until_ns:
            return self._seq_at(from_ns), newest[0] if newest else 0
        return self._seq_at(from_ns), self._seq_at(until_ns + 2 * _DISORDER_NS)

    def _seq_at(self, at_ns: int) -> int:
        """A seq before which no HTLC began at or after a time."""
        if at_ns in self._first_seqs:
            return self._first_seqs[at_ns]
        began_ns = at_ns - _DISORDER_NS
        # Apart, since SQLite finds either end at once but scans for both.
        ((low,),) = self._run("SELECT coalesce(min(seq), 0) FROM htlc")
        ((last,),) = self._run("SELECT coalesce(max(seq), 0) FROM htlc")
        high = last
        while low < high:
            middle = (low + high) // 2
            found = self._run(
                "SELECT seq, at FROM htlc WHERE seq > ? ORDER BY seq LIMIT 1", (middle,)
            ).fetchone()
            if found is None or found[1] >= began_ns:
                high = middle
            else:
                low = found[0]
        if len(self._first_seqs) > _REMEMBERED:
            self._first_seqs.clear()
        if low < last:  # beyond the last one there will be others
            self._first_seqs[at_ns] = int(low)
        return int(low)


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))
