"""What the fold asks the store for while it folds: rows and claims of earlier batches."""

from pathlib import Path
from typing import Any

from htlctop.domain.channels import ChannelMap, OurChannel, Peer
from htlctop.domain.circuits import Htlc
from htlctop.domain.claims import Claim
from htlctop.domain.fold import MINUTE_NS, Fold
from htlctop.domain.types import DEFAULTS, Settings
from htlctop.store.connect import explained, open_reader
from htlctop.store.rows import SELECT_HTLC, htlc_of


class StoreMemory:
    """Implements `fold.Memory` on a read-only connection of the calling thread.

    A batch's questions share one read transaction, which `end_batch` closes. Every method raises
    StoreError when the store cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_reader(path)
        # It asks for single rows here and there: a large cache would only fill up.
        self._connection.execute("PRAGMA cache_size = -2000")

    def end_batch(self) -> None:
        """The batch is folded: what is written next is to be seen, and may be checkpointed."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def _ask(self, sql: str, values: tuple[int, ...] = ()) -> list[Any]:
        """All rows of an answer; what they hold is up to the question."""
        with explained(self._path):
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN")
            return self._connection.execute(sql, values).fetchall()

    def htlc(self, in_channel: int, in_htlc: int) -> Htlc | None:
        """The row of a circuit."""
        found = self._ask(
            f"{SELECT_HTLC}WHERE in_channel = ? AND in_htlc = ? AND in_channel > 0",
            (in_channel, in_htlc),
        )
        return htlc_of(found[0]) if found else None

    def sends(self, out_channel: int, out_htlc: int) -> list[Htlc]:
        """Our own sends that used this outgoing id, oldest first."""
        found = self._ask(
            f"{SELECT_HTLC}WHERE in_channel = 0 AND out_channel = ? AND out_htlc = ? ORDER BY seq",
            (out_channel, out_htlc),
        )
        return [htlc_of(row) for row in found]

    def highest_htlc(self, in_channel: int) -> int:
        """The highest HTLC id stored for an incoming channel, -1 for none."""
        ((highest,),) = self._ask(
            "SELECT max(in_htlc) FROM htlc WHERE in_channel = ? AND in_channel > 0", (in_channel,)
        )
        return -1 if highest is None else int(highest)

    def unresolved_like(
        self, in_channel: int, out_channel: int, in_msat: int, out_msat: int, until_ns: int
    ) -> Htlc | None:
        """The oldest forward of these channels and amounts, seen before, without an outcome."""
        found = self._ask(
            SELECT_HTLC
            + "WHERE outcome IN (0, 4) AND event_type = 3 AND at <= ? AND in_channel = ? "
            "AND out_channel = ? AND in_msat = ? AND out_msat = ? ORDER BY at LIMIT 1",
            (until_ns, in_channel, out_channel, in_msat, out_msat),
        )
        return htlc_of(found[0]) if found else None

    def settled_without_amounts(
        self, in_channel: int, out_channel: int, from_ns: int, until_ns: int
    ) -> Htlc | None:
        """A forward between these channels that settled in [from, until], of unknown amounts."""
        found = self._ask(
            SELECT_HTLC + "INDEXED BY htlc_settled "
            "WHERE category = 1 AND out_channel = ? AND out_msat = 0 AND in_channel = ? "
            "AND at + took BETWEEN ? AND ? ORDER BY at + took LIMIT 1",
            (out_channel, in_channel, from_ns, until_ns),
        )
        return htlc_of(found[0]) if found else None

    def count_settled(
        self,
        in_channel: int,
        out_channel: int,
        in_msat: int,
        out_msat: int,
        from_ns: int,
        until_ns: int,
    ) -> int:
        """How many forwards of these channels and amounts settled in [from, until]."""
        ((count,),) = self._ask(
            "SELECT count(*) FROM htlc INDEXED BY htlc_settled "
            "WHERE category = 1 AND out_channel = ? AND out_msat = ? AND in_channel = ? "
            "AND in_msat = ? AND at + took BETWEEN ? AND ?",
            (out_channel, out_msat, in_channel, in_msat, from_ns, until_ns),
        )
        return int(count)

    def covered_until_ns(self) -> int | None:
        """Until when anybody has watched, ns; None where nobody has."""
        self.end_batch()
        ((until,),) = self._ask("SELECT max(until) FROM coverage")
        return None if until is None else int(until)

    def waiting(self, before_ns: int, limit: int) -> list[tuple[int, int]]:
        """(incoming scid, HTLC id) of forwards first seen before then without an outcome, the
        newest first."""
        self.end_batch()
        found = self._ask(
            "SELECT scid, in_htlc FROM htlc JOIN channel ON channel.id = in_channel "
            "WHERE outcome IN (0, 4) AND outcome = 0 AND event_type = 3 AND at < ? "
            "ORDER BY at DESC LIMIT ?",
            (before_ns, limit),
        )
        return [(int(scid), in_htlc) for scid, in_htlc in found]

    def claim_times(
        self, pool: int, in_peer: int, out_peer: int, low_msat: int, high_msat: int, since_ns: int
    ) -> list[int]:
        """When claims of [low, high] opened on a pair since then, ns."""
        found = self._ask(
            "SELECT htlc.at FROM claim JOIN htlc ON htlc.seq = claim.seq "
            "WHERE in_peer = ? AND out_peer = ? AND amount BETWEEN ? AND ? AND pool = ? "
            "AND htlc.at >= ?",
            (in_peer, out_peer, low_msat, high_msat, pool, since_ns),
        )
        return [at for (at,) in found]

    def settled_between(
        self,
        in_peer: int,
        out_peer: int,
        low_msat: int,
        high_msat: int,
        since_ns: int,
        until_ns: int,
    ) -> bool:
        """Whether a forward of [low, high] on a pair settled in [since, until)."""
        found = self._ask(
            "SELECT 1 FROM channel AS o CROSS JOIN htlc ON htlc.out_channel = o.id "
            "JOIN channel AS i ON i.id = htlc.in_channel "
            "WHERE category = 1 AND out_msat BETWEEN ? AND ? "
            "AND htlc.at + took >= ? AND htlc.at + took < ? AND source IS NULL "
            "AND CASE o.peer WHEN 0 THEN -o.id ELSE o.peer END = ? "
            "AND CASE i.peer WHEN 0 THEN -i.id ELSE i.peer END = ? LIMIT 1",
            (low_msat, high_msat, since_ns, until_ns, out_peer, in_peer),
        )
        return bool(found)

    def restore_fold(self, settings: Settings = DEFAULTS) -> Fold:
        """The fold as it was when the last batch was written."""
        self.end_batch()
        ((seq, high),) = self._ask("SELECT seq, high FROM status")
        peers = [Peer(*row) for row in self._ask("SELECT id, pubkey, alias FROM peer")]
        channels = [
            OurChannel(id_, int(scid), peer, bool(is_open), alias_of)
            for id_, scid, peer, is_open, alias_of in self._ask(
                "SELECT id, scid, peer, is_open, alias_of FROM channel"
            )
        ]
        return Fold(
            ChannelMap(peers, channels),
            self,
            settings,
            seq=seq,
            high_ns=high,
            claims=self._open_claims({channel.id: channel.peer for channel in channels}),
        )

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _open_claims(self, peers: dict[int, int]) -> list[Claim]:
        found = self._ask(
            "SELECT claim.seq, pool, in_peer, out_peer, amount, o.at, o.out_channel, o.in_channel, "
            "o.category, fee, recovered, opened_after, last_after, l.at + l.took, l.final_after, "
            "is_repeat FROM claim JOIN htlc AS o ON o.seq = claim.seq "
            "JOIN htlc AS l ON l.seq = claim.seq + last_after WHERE is_open = 1"
        )
        claims = []
        for (
            seq, pool, in_peer, out_peer, amount, at, out_channel, in_channel, category, fee,
            recovered, opened_after, last_after, last_ns, final_after, is_repeat,
        ) in found:  # fmt: skip
            cell = (at // MINUTE_NS, out_channel, peers.get(in_channel, 0), category)
            claim = Claim(seq, pool, in_peer, out_peer, amount, at, cell)
            claim.fee_msat, claim.recovered_msat = fee, recovered
            claim.opened_seq = claim.seq + opened_after
            claim.last_seq = claim.seq + last_after
            claim.last_ns = last_ns
            claim.last_final_seq = None if final_after is None else claim.last_seq + final_after
            claim.is_repeat = bool(is_repeat)
            claims.append(claim)
        return claims
