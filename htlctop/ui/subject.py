"""What a row or a drill-down is about: a peer, a channel, a pair or one HTLC, by its store id."""

from dataclasses import dataclass
from enum import Enum


class Of(Enum):
    """The kinds of things that can be opened."""

    PEER = "peer"
    CHANNEL = "channel"
    PAIR = "pair"
    HTLC = "htlc"


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing; equal when it is the same thing, whatever its figures are now.

    `ids`: the peer, the channel, the in-peer and the out-peer, or the HTLC's arrival number.
    """

    of: Of
    ids: tuple[int, ...]


def peer(number: int) -> Subject:
    """A peer."""
    return Subject(Of.PEER, (number,))


def channel(number: int) -> Subject:
    """A channel."""
    return Subject(Of.CHANNEL, (number,))


def pair(in_peer: int, out_peer: int) -> Subject:
    """Who wanted to reach whom."""
    return Subject(Of.PAIR, (in_peer, out_peer))


def htlc(seq: int) -> Subject:
    """One HTLC."""
    return Subject(Of.HTLC, (seq,))
