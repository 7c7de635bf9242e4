"""HTLCs and claims as rows of their tables: how they are written, and how HTLCs are read back.

Times and sequence numbers are kept as distances from the row's own; see schema.
"""

from htlctop.domain.circuits import Htlc, Source
from htlctop.domain.claims import Claim
from htlctop.domain.liquidity import Usable

_COLUMNS = (
    "seq, in_channel, in_htlc, out_channel, out_htlc, at, event_type, outcome, category, "
    "forwarded, wire, detail, in_msat, out_msat, took, outcome_after, final_after, claim_before, "
    "best_msat, usable_msat, usable_age, source"
)
_NEVER_CHANGED = ("seq", "in_channel", "in_htlc", "at")
_CHANGES = ", ".join(
    f"{column} = excluded.{column}"
    for column in _COLUMNS.split(", ")
    if column not in _NEVER_CHANGED
)

SELECT_HTLC = f"SELECT {_COLUMNS} FROM htlc "
PUT_HTLC = (
    f"INSERT INTO htlc ({_COLUMNS}) VALUES ({', '.join('?' * 22)}) "
    f"ON CONFLICT (seq) DO UPDATE SET {_CHANGES}"
)
PUT_CLAIM = (
    "INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE SET "
    "recovered = excluded.recovered, last_after = excluded.last_after, "
    "is_success = excluded.is_success, is_open = excluded.is_open"
)


def htlc_row(row: Htlc) -> tuple[int | None, ...]:
    """For `PUT_HTLC`."""
    wire, detail = row.wire_detail or (None, None)
    usable = row.usable
    return (
        row.seq, row.in_channel, row.in_htlc, row.out_channel, row.out_htlc, row.at_ns,
        row.event_type, int(row.outcome), int(row.category), int(row.forwarded), wire, detail,
        row.in_msat, row.out_msat,
        None if row.outcome_ns is None else row.outcome_ns - row.at_ns,
        None if row.outcome_seq is None else row.outcome_seq - row.seq,
        None if row.final_seq is None else row.final_seq - row.seq,
        None if row.claim is None else row.seq - row.claim,
        *((None, None, None) if usable is None
          else (usable.best_msat, usable.total_msat, row.at_ns - usable.known_ns)),
        row.source or None,
    )  # fmt: skip


def claim_row(claim: Claim) -> tuple[int, ...]:
    """For `PUT_CLAIM`."""
    return (
        claim.seq, int(claim.pool), claim.in_peer, claim.out_peer, claim.amount_msat,
        claim.fee_msat, claim.recovered_msat, claim.opened_seq - claim.seq,
        claim.last_seq - claim.seq, int(claim.is_repeat), int(claim.is_success),
        int(claim.is_open),
    )  # fmt: skip


def htlc_of(found: tuple[int, ...]) -> Htlc:
    """What `SELECT_HTLC` found."""
    row = Htlc(found[0], found[5], found[1], found[2])
    row.out_channel, row.out_htlc = found[3], found[4]
    row.event_type, row.outcome, row.category = found[6], found[7], found[8]
    row.forwarded = bool(found[9])
    row.wire_detail = None if found[10] is None else (found[10], found[11])
    row.in_msat, row.out_msat = found[12], found[13]
    took, outcome_after, final_after, claim_before = found[14:18]
    row.outcome_ns = None if took is None else row.at_ns + took
    row.outcome_seq = None if outcome_after is None else row.seq + outcome_after
    row.final_seq = None if final_after is None else row.seq + final_after
    row.claim = None if claim_before is None else row.seq - claim_before
    best, total, age, source = found[18:]
    row.usable = None if best is None else Usable(best, total, row.at_ns - age)
    row.source = source or Source.STREAM
    return row
