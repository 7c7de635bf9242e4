"""What the senders did: one payment a line, as they see it, in a JSON array.

Fields as a recording's truth file has them (id, kind, src, dst, via, amt_msat, fee_msat, t_ns, ok,
attempts), and `peer`, the key of the peer that it was to leave by. A refused attempt has a
`cause` too, and `had_room` where only another channel to that peer had the balance.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from htlctop.domain.codes import Category
from htlctop.errors import UsageError

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
