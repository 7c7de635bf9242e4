"""The words the screens use for causes, outcomes and columns. One place, so that they agree."""

from htlctop.analysis.models import UNKNOWN_PEER, ChannelRow, HtlcLine
from htlctop.analysis.query import By, SortKey
from htlctop.domain.codes import Category, Group, Outcome
from htlctop.export import htlc
from htlctop.ui.text import Role

SHORT = {
    Category.SETTLED: "ok",
    Category.DOWNSTREAM: "down",
    Category.LIQUIDITY: "liq",
    Category.OFFLINE: "off",
    Category.MAX_HTLC: "max",
    Category.ADD_FAILED: "add",
    Category.EXPOSURE: "exp",
    Category.MIN_HTLC: "min",
    Category.FEE: "fee",
    Category.TIMELOCK: "time",
    Category.CLOSED: "clsd",
    Category.UNKNOWN_NEXT: "unkn",
    Category.HIDDEN: "hidd",
    Category.CIRCULAR: "circ",
    Category.DISABLED: "disa",
    Category.RECEIVE: "recv",
    Category.SEND: "send",
    Category.OTHER: "othr",
}

MEANS = {
    Category.LIQUIDITY: "too little on our side of the channel",
    Category.OFFLINE: "the peer was away",
    Category.MAX_HTLC: "larger than the largest we allow there",
    Category.ADD_FAILED: "the channel took no more HTLCs, or another limit was reached",
    Category.EXPOSURE: "the limit on fees at risk was reached",
    Category.FEE: "it offered less than we ask",
    Category.MIN_HTLC: "smaller than the smallest we allow there",
    Category.TIMELOCK: "the sender's expiry did not fit",
    Category.CLOSED: "it named a channel that is closed",
    Category.UNKNOWN_NEXT: "it named a channel we never had",
    Category.HIDDEN: "a blinded route hides the reason",
    Category.CIRCULAR: "it would have left by the channel it came in by",
    Category.DISABLED: "this node forwards nothing (rejecthtlc)",
    Category.OTHER: "a failure that has no name here, but LND's numbers",
    Category.DOWNSTREAM: "sent on, and failed further away",
    Category.SETTLED: "it arrived and paid its fee",
}
"""Why an HTLC ended as it did."""

SORTED_BY = {
    SortKey.MISSED: "missed fee",
    SortKey.DEMAND: "net demand",
    SortKey.REFUSED: "refusals",
    SortKey.ASKED: "every try",
    SortKey.EARNED: "fees earned",
    SortKey.SETTLED: "forwards settled",
    SortKey.LOCAL: "local balance",
    SortKey.NAME: "name",
}

GROUPED = {
    By.PEER: "Channels by {}, under their peers",
    By.CHANNEL: "Channels by {}",
    By.PAIR: "Who wanted to reach whom, by {}",
    By.SOURCE: "Incoming peers by {} of what they sent",
}
"""Titles of the ranked table, by what its rows are."""


def channel_id(row: ChannelRow) -> str:
    """A channel's id, or that LND named none."""
    return row.scid or "none named"


def gone(peer: int) -> str:
    """The state of a channel that is not open: one with nobody was never ours, its id made up."""
    return "unknown" if peer == UNKNOWN_PEER else "closed"


def outcome(line: HtlcLine) -> tuple[str, Role]:
    """What became of an HTLC, in a word, and how loud it is."""
    return htlc.outcome(line), _loud(line)


def _loud(line: HtlcLine) -> Role:
    if line.outcome is Outcome.SETTLED:
        return Role.GOOD
    if line.outcome in (Outcome.DOWNSTREAM, Outcome.UNSEEN):
        return Role.DIM
    if line.outcome is Outcome.NONE or line.category is None:
        return Role.TEXT
    return Role.BAD if line.category.group is Group.LOST else Role.WARN
