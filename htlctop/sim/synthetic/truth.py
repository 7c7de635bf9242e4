"""What the senders did: one payment a line, as they see it, in a JSON array.

Fields as a recording's truth file has them (id, kind, src, dst, via, amt_msat, fee_msat, t_ns, ok,
attempts), and `peer`, the key of the peer that it was to leave by. A refused attempt has a
`cause` too, and `had_room` where only another channel to that peer had the balance.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from htlctop.domain.codes import Category
from htlctop.errors import UsageError

NOT_MEANT = frozenset({"probe", "zero", "stale", "bid"})
"""Kinds whose refusals cost us nothing that we could have earned at our price."""
_LOST = (
    "TEMPORARY_CHANNEL_FAILURE@1", "TEMPORARY_NODE_FAILURE@1", "UNKNOWN_NEXT_PEER@1",
)  # fmt: skip
_PASSED_ON = ("OK", "@2", "@3")
_END = b"\n]\n"


@dataclass(slots=True)
class Attempt:
    """One HTLC of a payment, by its sender's clock. result: "" while it is on its way."""

    t_ns: int
    amt_msat: int
    fee_msat: int
    end_ns: int = 0
    result: str = ""
    cause: Category | None = None
    had_room: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether we refused it though it offered what we asked."""
        return self.result in _LOST


@dataclass(slots=True)
class PaymentRecord:
    """One payment. src, dst, via: names; peer: the key of the peer it was to leave by."""

    id: int
    kind: str
    src: str
    dst: str
    via: str | None
    peer: str
    amt_msat: int
    fee_msat: int
    t_ns: int
    ok: bool = False
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def peer_name(self) -> str:
        """The name of the peer it was to leave by."""
        return self.via or self.dst

    def lost(self) -> dict[tuple[Category, bool], int]:
        """What we lost by it, msat, by (cause, whether another channel had room)."""
        refused = [attempt for attempt in self.attempts if attempt.is_lost and attempt.cause]
        if self.kind in NOT_MEANT or not refused:
            return {}
        lost: dict[tuple[Category, bool], int] = defaultdict(int)
        if self.kind == "mpp":
            for each in refused:
                assert each.cause is not None
                lost[each.cause, each.had_room] += each.fee_msat
            return lost
        first = refused[0]
        assert first.cause is not None
        fee_msat = first.fee_msat
        if self.ok:
            paid = next(a.fee_msat for a in self.attempts if a.result == "OK")
            fee_msat = max(0, self.attempts[0].fee_msat - paid)
        return {(first.cause, first.had_room): fee_msat}

    @property
    def was_passed_on(self) -> bool:
        """Whether it counts for the settle share: an attempt left us, and it was meant."""
        return self.kind not in NOT_MEANT and any(
            attempt.result.endswith(_PASSED_ON) for attempt in self.attempts
        )


@dataclass(slots=True)
class Tally:
    """What one peer's payments came to. Amounts msat."""

    name: str
    lost: dict[Category, int] = field(default_factory=lambda: defaultdict(int))
    misaligned_msat: int = 0
    passed_on: int = 0
    paid: int = 0

    @property
    def lost_msat(self) -> int:
        """All that was lost."""
        return sum(self.lost.values())

    @property
    def settle_share(self) -> float:
        """How many of the payments passed on arrived."""
        return self.paid / self.passed_on if self.passed_on else 0.0


def tally(payments: Iterable[PaymentRecord]) -> dict[str, Tally]:
    """By the peer's key, what its payments lost us and why, and how often they arrive."""
    found: dict[str, Tally] = {}
    for payment in payments:
        mine = found.setdefault(payment.peer, Tally(payment.peer_name))
        for (cause, had_room), msat in payment.lost().items():
            mine.lost[cause] += msat
            mine.misaligned_msat += msat * had_room
        if payment.was_passed_on:
            mine.passed_on += 1
            mine.paid += payment.ok
    return found


class SendersLog:
    """Writes the payments, each when it is over; a whole JSON array at any time."""

    def __init__(self, path: Path | None) -> None:
        """None: nothing is written. Raises: UsageError: the file cannot be made."""
        self._file = None
        if path is not None:
            try:
                self._file = path.open("xb", buffering=0)
            except OSError as error:
                raise UsageError(f"{path} cannot be made: {error.strerror}") from None
            self._file.write(b"[" + _END)
        self._is_empty = True

    def add(self, payment: PaymentRecord) -> None:
        """A payment is over."""
        if self._file is None:
            return
        line = (b"\n" if self._is_empty else b",\n") + as_json(payment).encode() + _END
        self._is_empty = False
        self._file.seek(-len(_END), os.SEEK_END)
        self._file.write(line)

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def as_json(payment: PaymentRecord) -> str:
    """One line of the log."""
    attempts = []
    for attempt in payment.attempts:
        told: dict[str, object] = {
            "t_ns": attempt.t_ns, "end_ns": attempt.end_ns, "amt_msat": attempt.amt_msat,
            "fee_msat": attempt.fee_msat, "result": attempt.result or "IN_FLIGHT",
        }  # fmt: skip
        if attempt.cause is not None:
            told["cause"] = attempt.cause.label
        if attempt.had_room:
            told["had_room"] = True
        attempts.append(told)
    return json.dumps(
        {
            "id": payment.id, "kind": payment.kind, "src": payment.src, "dst": payment.dst,
            "via": payment.via, "peer": payment.peer, "amt_msat": payment.amt_msat,
            "fee_msat": payment.fee_msat, "attempts": attempts, "t_ns": payment.t_ns,
            "ok": payment.ok,
        }
    )  # fmt: skip
