"""Why there is nothing to do, or nothing yet: in words."""

from collections.abc import Sequence

from htlctop.analysis.advice.finding import many, whole
from htlctop.analysis.advice.ground import HOUR_NS, Ground
from htlctop.analysis.advice.models import NotAdvised
from htlctop.analysis.advice.urgency import LEAST_H
from htlctop.domain.codes import Category

_LEAST_DAYS = 2


def why_none(
    ground: Ground, hidden: int, not_advised: Sequence[NotAdvised], least_msat: float
) -> str:
    """Why nothing is advised at all; `hidden` things were worth less than `least_msat` a month."""
    forwards = any(
        sums.refused or sums.count(Category.SETTLED, Category.DOWNSTREAM)
        for sums in ground.peers.values()
    )
    if not forwards:
        return _why_nothing(ground)
    if not_advised:
        return "nothing is worth doing yet: each peer's page says why"
    if not hidden:
        return "nothing was missed in this time that you could do something about"
    least = whole(round(least_msat / 1000))
    return f"only small things were found, {hidden:,} in all, none worth {least} sat in 30 days"


def _why_nothing(ground: Ground) -> str:
    """Why a node forwards nothing."""
    if not ground.node.pubkey:
        return "nothing was seen yet; `htlctop collect` watches without a screen"
    peers = [peer for peer in ground.book.peer_ids() if ground.channels(peer)]
    private, every = ground.evidence.count_private()
    if not peers:
        return "this node has no open channel, so nothing can be forwarded through it"
    if len(peers) == 1:
        return (
            "this node forwards nothing: all its channels are with one peer, and a payment "
            "comes in from one peer and goes out to another"
        )
    if every and private == every:
        return (
            "this node forwards nothing: all its channels are private, so nobody can route "
            "through it"
        )
    return "nobody has asked this node to forward anything over its channels in this time"


def too_early(ground: Ground) -> str:
    """Why nothing is said about a month yet; "" where enough was watched."""
    days = ground.days
    if ground.covered_h >= LEAST_H and days >= _LEAST_DAYS:
        return ""
    seen = "nothing of this time was watched"
    if ground.covered_ns:
        seen = f"watched for {_in_words(ground.covered_ns)} on {many(days, 'day')}"
    return (
        f"too early: {seen}; what a month is worth can be said after "
        f"{LEAST_H} h on {_LEAST_DAYS} days"
    )


def _in_words(length_ns: int) -> str:
    """Rounded down: what is required is not there before it is."""
    minutes = length_ns * 60 // HOUR_NS
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"
