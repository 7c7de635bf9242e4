"""LND's numbers for what happened to an HTLC, and the categories we sort them into.

Failures are told apart by LND's wire code and failure detail, never by a string.
"""

from enum import IntEnum


class EventType(IntEnum):
    """`HtlcEvent.event_type`: whose HTLC it is."""

    UNKNOWN = 0
    SEND = 1
    RECEIVE = 2
    FORWARD = 3


class EventKind(IntEnum):
    """Which event an `HtlcEvent` carries, by its field number in LND's message."""

    NONE = 0
    FORWARD = 7
    FORWARD_FAIL = 8
    SETTLE = 9
    LINK_FAIL = 10
    SUBSCRIBED = 11
    FINAL = 12


class Outcome(IntEnum):
    """What became of one HTLC. UNSEEN: failed, and nobody told us where."""

    NONE = 0
    SETTLED = 1
    REFUSED = 2
    DOWNSTREAM = 3
    UNSEEN = 4


class Group(IntEnum):
    """What a category means for the operator."""

    LOST = 1
    PRICED_OUT = 2
    SENDER = 3
    CONFIG = 4
    ELSEWHERE = 5
    OWN = 6
    OTHER = 7
    EARNED = 8

    @property
    def label(self) -> str:
        """The group's name as reports and screens write it."""
        return self.name.lower().replace("_", " ")


class Category(IntEnum):
    """Why an HTLC ended as it did. The numbers are stored: never renumber one."""

    SETTLED = 1
    DOWNSTREAM = 2
    LIQUIDITY = 3
    OFFLINE = 4
    MAX_HTLC = 5
    ADD_FAILED = 6
    EXPOSURE = 7
    MIN_HTLC = 8
    FEE = 9
    TIMELOCK = 10
    CLOSED = 11
    UNKNOWN_NEXT = 12
    HIDDEN = 13
    CIRCULAR = 14
    DISABLED = 15
    RECEIVE = 16
    SEND = 17
    OTHER = 18

    @property
    def label(self) -> str:
        """The category's name as reports and screens write it."""
        return self.name.lower()

    @property
    def group(self) -> Group:
        """The group this category belongs to."""
        return _GROUPS[self]


_GROUPS = {
    Category.SETTLED: Group.EARNED,
    Category.DOWNSTREAM: Group.ELSEWHERE,
    Category.LIQUIDITY: Group.LOST,
    Category.OFFLINE: Group.LOST,
    Category.MAX_HTLC: Group.LOST,
    Category.ADD_FAILED: Group.LOST,
    Category.EXPOSURE: Group.LOST,
    Category.MIN_HTLC: Group.PRICED_OUT,
    Category.FEE: Group.PRICED_OUT,
    Category.TIMELOCK: Group.SENDER,
    Category.CLOSED: Group.SENDER,
    Category.UNKNOWN_NEXT: Group.SENDER,
    Category.HIDDEN: Group.SENDER,
    Category.CIRCULAR: Group.SENDER,
    Category.DISABLED: Group.CONFIG,
    Category.RECEIVE: Group.OWN,
    Category.SEND: Group.OWN,
    Category.OTHER: Group.OTHER,
}

LOST = frozenset(c for c in Category if c.group is Group.LOST)
PRICED_OUT = frozenset(c for c in Category if c.group is Group.PRICED_OUT)
REFUSED = frozenset(
    c
    for c in Category
    if c.group in (Group.LOST, Group.PRICED_OUT, Group.SENDER, Group.CONFIG, Group.OTHER)
)
"""The link failures: what was refused here."""

# Wire codes (BOLT 4, LND's Failure.FailureCode numbering) and LND's failure details.
_EXPIRY_TOO_SOON, _EXPIRY_TOO_FAR, _INCORRECT_CLTV = 7, 22, 13
_AMOUNT_BELOW_MINIMUM, _FEE_INSUFFICIENT, _CHANNEL_DISABLED = 11, 12, 14
_TEMPORARY_CHANNEL_FAILURE, _TEMPORARY_NODE_FAILURE = 15, 19
UNKNOWN_NEXT_PEER = 18
_NO_DETAIL, _EXCEEDS_MAX, _INSUFFICIENT_BALANCE = 1, 5, 6
_ADD_FAILED, _FORWARDS_DISABLED, _CIRCULAR_ROUTE = 8, 9, 22
_TEMPORARY = (_TEMPORARY_CHANNEL_FAILURE, _TEMPORARY_NODE_FAILURE)


def is_add_failed(failure_detail: int) -> bool:
    """Whether the detail is HTLC_ADD_FAILED, which a genuine receive never has."""
    return failure_detail == _ADD_FAILED


def refused_category(
    wire_failure: int,
    failure_detail: int,
    *,
    out_is_open: bool,
    out_was_ours: bool,
    out_named: bool,
    has_amounts: bool,
    was_forwarded: bool,
) -> Category:
    """Sort a refused forward by LND's numbers; the first match counts.

    Args:
        wire_failure: LND's wire code.
        failure_detail: LND's failure detail.
        out_is_open: the outgoing id names a channel of ours that is open.
        out_was_ours: it names a channel of ours, open or closed.
        out_named: the outgoing id is not 0.
        has_amounts: the failure came with amounts.
        was_forwarded: a forward_event preceded the failure.
    """
    wire, detail = wire_failure, failure_detail
    if wire == UNKNOWN_NEXT_PEER and not out_is_open:
        if out_was_ours:
            return Category.CLOSED
        return Category.HIDDEN if not out_named and has_amounts else Category.UNKNOWN_NEXT
    if detail == _INSUFFICIENT_BALANCE and wire in _TEMPORARY:
        return Category.LIQUIDITY
    if detail == _ADD_FAILED:
        return Category.OFFLINE if was_forwarded else Category.ADD_FAILED
    if detail == _EXCEEDS_MAX:
        return Category.MAX_HTLC
    if detail == _CIRCULAR_ROUTE:
        return Category.CIRCULAR
    if wire == UNKNOWN_NEXT_PEER:
        return Category.OFFLINE
    if wire == _AMOUNT_BELOW_MINIMUM:
        return Category.MIN_HTLC
    if wire == _FEE_INSUFFICIENT:
        return Category.FEE
    if wire in (_INCORRECT_CLTV, _EXPIRY_TOO_SOON, _EXPIRY_TOO_FAR):
        return Category.TIMELOCK
    if wire == _CHANNEL_DISABLED and detail == _FORWARDS_DISABLED:
        return Category.DISABLED
    if detail == _NO_DETAIL and wire in _TEMPORARY:
        return Category.EXPOSURE
    return Category.OTHER
