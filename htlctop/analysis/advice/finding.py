"""One thing that was found about a peer, before it is ranked, and the arithmetic it shows."""

from dataclasses import dataclass, field

from htlctop.analysis.advice.models import Figure, Kind

FORGOTTEN = "the single payments are not known any more"
"""Why nothing is advised where the sums are all that is kept."""


@dataclass(slots=True)
class Finding:
    """What could be done about a peer and cause.

    `count` is how many events its worth rests on (payments lost; forwards, for what would have
    come), `guess` says that it rests on more than what was counted. `also` names the other kinds
    that hold for the same cause.
    """

    kind: Kind
    peer: int
    worth_msat: int
    count: int
    channels: tuple[int, ...]
    evidence: list[Figure]
    amount_msat: int | None = None
    break_even_ppm: int | None = None
    ceiling_ppm: int | None = None
    source: int | None = None
    guess: bool = False
    also: list[Kind] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why nothing is advised about a peer and cause, in words, what that cause is worth, and the
    figures behind it."""

    because: str
    worth_msat: int
    evidence: tuple[Figure, ...] = ()


def many(number: int, thing: str) -> str:
    """So many of a thing, in words: "1 payment", "1,200 payments"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def whole(number: float) -> str:
    """A number as formulas write it: thousands separated, and no more digits than it needs."""
    if isinstance(number, int) or float(number).is_integer():
        return f"{int(number):,}"
    return f"{number:,.6f}".rstrip("0").rstrip(".")
