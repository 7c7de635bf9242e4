"""Channels, their balances and policies: as rows, and what changed since they were last stored.

The newest balance of a channel is one row; its history is thinned as it is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from htlctop.domain.channels import OurChannel
from htlctop.domain.liquidity import spendable_sat
from htlctop.domain.types import NS, Channel, ChannelLimits, FeePolicy
from htlctop.store.connect import open_reader

PUT_PEER = "INSERT INTO peer VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET alias = excluded.alias"
PUT_CHANNEL = (
    "INSERT INTO channel VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
    "is_open = excluded.is_open, closed = excluded.closed"
)
_PUT_BALANCE = (
    "INSERT INTO balance VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel) DO UPDATE SET "
    "at = excluded.at, capacity_sat = excluded.capacity_sat, local_sat = excluded.local_sat, "
    "remote_sat = excluded.remote_sat, spendable_sat = excluded.spendable_sat, "
    "is_active = excluded.is_active, is_private = excluded.is_private"
)
_PUT_BALANCE_HISTORY = "INSERT OR REPLACE INTO balance_history VALUES (?, ?, ?, ?)"
_PUT_ACTIVITY = "INSERT OR REPLACE INTO activity VALUES (?, ?, ?)"
_PUT_PENDING = "INSERT INTO pending VALUES (?, ?, ?, ?)"
_PUT_PENDING_HISTORY = "INSERT OR REPLACE INTO pending_history VALUES (?, ?, ?)"
_PUT_POLICY = "INSERT OR REPLACE INTO policy VALUES (?, ?, ?, ?, ?, ?)"
_PUT_LIMITS = "INSERT OR REPLACE INTO limits VALUES (?, ?, ?, ?, ?, ?)"

_NEWEST = {
    _PUT_BALANCE: "SELECT * FROM balance",
    _PUT_BALANCE_HISTORY: (
        "SELECT channel, max(at), local_sat, remote_sat FROM balance_history GROUP BY channel"
    ),
    _PUT_POLICY: "SELECT * FROM policy_now",
    _PUT_LIMITS: "SELECT * FROM limits_now",
}
"""The last row of each channel that a statement has put: the channel, its time, what it says."""

_HISTORY_EVERY_NS = 15 * 60 * NS
_LEAP = 0.05
"""A change of this part of the capacity is kept at once."""

_MOST_PENDING = 10_000
"""HTLCs on channels that are kept, those that expire first."""
_ACTIVE = 4
"""Where a channel's state says whether it can be used."""

_Row = tuple[int, ...]
Writes = list[tuple[str, Sequence[_Row]]]
"""What is to be written, in this order: statements, and the rows for each; empty for no news."""


def channel_row(channel: OurChannel, now_ns: int) -> tuple[int | str | None, ...]:
    """For `PUT_CHANNEL`; `now_ns`: when it came, or went."""
    return (
        channel.id, str(channel.scid), channel.peer, channel.alias_of, int(channel.is_open),
        now_ns, None if channel.is_open else now_ns,
    )  # fmt: skip


class ChannelBooks:
    """What is stored of each channel, kept in memory to tell what is news."""

    def __init__(self, store: Path) -> None:
        with_store = open_reader(store)
        try:
            self._stored: dict[str, dict[int, _Row]] = {
                put: {row[0]: tuple(row[1:]) for row in with_store.execute(newest)}
                for put, newest in _NEWEST.items()
            }
        finally:
            with_store.close()
        self._pending: Sequence[_Row] | None = None

    def written(self, writes: Writes) -> None:
        """What was told is stored now; until then it is news whenever it is told."""
        for sql, rows in writes:
            if sql == _PUT_PENDING:
                self._pending = rows
            elif sql in self._stored:
                self._stored[sql].update({row[0]: row[1:] for row in rows})

    def balances(self, channels: Iterable[Channel], ids: Mapping[int, int], at_ns: int) -> Writes:
        """The balances that are not the last ones stored, and what of them is kept as history."""
        stored, kept = self._stored[_PUT_BALANCE], self._stored[_PUT_BALANCE_HISTORY]
        rows: list[_Row] = []
        history: list[_Row] = []
        activity: list[_Row] = []
        for c in channels:
            channel = ids[c.scid]
            state = (
                c.capacity_sat, c.local_sat, c.remote_sat, spendable_sat(c),
                int(c.active), int(c.private),
            )  # fmt: skip
            before = stored.get(channel, ())[1:]
            if before == state:
                continue
            if not before or before[_ACTIVE] != state[_ACTIVE]:
                activity.append((channel, at_ns, state[_ACTIVE]))
            rows.append((channel, at_ns, *state))
            kept_ns, kept_sat, _ = kept.get(channel, (0, -1, -1))
            leapt = abs(c.local_sat - kept_sat) >= _LEAP * c.capacity_sat
            if kept_sat != c.local_sat and (leapt or at_ns - kept_ns >= _HISTORY_EVERY_NS):
                history.append((channel, at_ns, c.local_sat, c.remote_sat))
        writes = ((_PUT_BALANCE, rows), (_PUT_BALANCE_HISTORY, history), (_PUT_ACTIVITY, activity))
        return [(sql, some) for sql, some in writes if some]

    def pending(self, channels: Iterable[Channel], ids: Mapping[int, int], at_ns: int) -> Writes:
        """The HTLCs on all channels, those that expire first, in place of all there were, and how
        many there are; nothing where they are the same."""
        rows: list[_Row] = [
            (ids[c.scid], int(htlc.is_incoming), htlc.amount_msat, htlc.expiry_height)
            for c in channels
            for htlc in c.pending
        ]
        many = (at_ns, len(rows), sum(row[2] for row in rows))
        rows = sorted(rows, key=lambda row: (row[3], row))[:_MOST_PENDING]
        if rows == self._pending:
            return []
        return [("DELETE FROM pending", [()]), (_PUT_PENDING, rows), (_PUT_PENDING_HISTORY, [many])]

    def policies(self, policies: Iterable[FeePolicy], ids: Mapping[int, int], at_ns: int) -> Writes:
        """The policies that are not the ones in force."""
        stored = self._stored[_PUT_POLICY]
        rows: list[_Row] = []
        for p in policies:
            channel = ids.get(p.scid)
            state = (p.base_msat, p.rate_ppm, p.inbound_base_msat, p.inbound_rate_ppm)
            if channel is not None and stored.get(channel, ())[1:] != state:
                rows.append((channel, at_ns, *state))
        return [(_PUT_POLICY, rows)] if rows else []

    def limits(self, limits: Iterable[ChannelLimits], ids: Mapping[int, int], at_ns: int) -> Writes:
        """The limits that are not the ones in force."""
        stored = self._stored[_PUT_LIMITS]
        rows: list[_Row] = []
        for each in limits:
            channel = ids[each.scid]
            state = (
                each.min_htlc_msat, each.max_htlc_msat, each.time_lock_delta,
                int(each.is_disabled),
            )  # fmt: skip
            if stored.get(channel, ())[1:] != state:
                rows.append((channel, at_ns, *state))
        return [(_PUT_LIMITS, rows)] if rows else []
