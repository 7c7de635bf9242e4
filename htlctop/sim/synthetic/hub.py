"""The made-up node itself: what it does with each HTLC that comes in, and what it says of it.

The checks are LND's, in LND's order, on what the channels can really send at that moment.
"""

import hashlib
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from htlctop.domain.codes import Category
from htlctop.domain.types import NS
from htlctop.sim.synthetic import messages
from htlctop.sim.synthetic.channels import SimChannel
from htlctop.sim.synthetic.messages import Circuit
from htlctop.sim.synthetic.people import FIRST_BLOCK, Role, SimPeer
from htlctop.sim.synthetic.timeline import Timeline

OK = "OK"
GAVE_UP_WAITING = "MPP_TIMEOUT@2"
NO_WAY_TO_US = "TEMPORARY_CHANNEL_FAILURE@0"
_NOTICED_S = 60.0
"""After so long LND gives up on an HTLC toward a peer that it had not noticed was gone."""
_REMEMBERED = 50_000
_DUST_MSAT, _MOST_DUST = 354_000, 1
_BLOCK_S = 600

Refused = tuple[int, int, Category]
"""LND's wire code and failure detail, and what they mean."""
_OFFLINE: Refused = (18, 1, Category.OFFLINE)
_FULL: Refused = (15, 8, Category.ADD_FAILED)
_EXPOSED: Refused = (15, 1, Category.EXPOSURE)
_NAMES = {
    15: "TEMPORARY_CHANNEL_FAILURE", 19: "TEMPORARY_NODE_FAILURE", 18: "UNKNOWN_NEXT_PEER",
    12: "FEE_INSUFFICIENT", 11: "AMOUNT_BELOW_MINIMUM", 13: "INCORRECT_CLTV_EXPIRY",
}  # fmt: skip


@dataclass(slots=True)
class Shards:
    """The parts of one payment: the receiver takes all of them or none."""

    one_failed: bool = False


@dataclass(frozen=True, slots=True)
class Onward:
    """What becomes of an HTLC once it has left us: its result and after how many seconds.

    shards: the payment it is a part of; if one of them has failed by then, this one does too.
    """

    result: str
    seconds: float
    shards: Shards | None = None

    @property
    def comes_to(self) -> str:
        """The result, as it is when it comes back."""
        if self.shards is not None and self.shards.one_failed:
            return GAVE_UP_WAITING
        return self.result


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTLC as its sender sends it: `named` is the channel he wants it to leave by."""

    source: SimPeer
    target: SimPeer
    named: SimChannel
    out_msat: int
    fee_msat: int
    onward: Onward
    chance: random.Random


@dataclass(frozen=True, slots=True)
class Answer:
    """How it ended, as the sender sees it. cause: why we refused it, None where we did not; one
    above our max_htlc that we could not have sent either was refused for want of liquidity.

    had_room: refused for want of balance, while another channel to the peer had enough.
    """

    result: str
    cause: Category | None = None
    had_room: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """A forward in the node's history."""

    at_ns: int
    circuit: Circuit
    in_msat: int
    out_msat: int


class Hub:
    """Takes HTLCs, moves balances, says events. `say` gets each event's bytes at its time,
    `touched` each channel whose balances changed."""

    def __init__(
        self,
        timeline: Timeline,
        say: Callable[[bytes], None],
        touched: Callable[[SimChannel], None],
    ) -> None:
        self._timeline = timeline
        self._say = say
        self._touched = touched
        self.settled: deque[Settled] = deque(maxlen=_REMEMBERED)
        self.outcomes: dict[tuple[int, int], bool] = {}
        self.htlcs = 0
        self._started_ns = timeline.now_ns

    @property
    def height(self) -> int:
        """The newest block."""
        return FIRST_BLOCK + (self._timeline.now_ns - self._started_ns) // (_BLOCK_S * NS)

    def take(self, asked: Asked, over: Callable[[Answer], None]) -> None:
        """An HTLC arrives; `over` is called when its sender learns how it ended."""
        in_msat = asked.out_msat + asked.fee_msat
        channel = self._way_in(asked.source, in_msat)
        if channel is None:
            self._timeline.after(
                asked.chance.uniform(0.05, 0.4), lambda: over(Answer(NO_WAY_TO_US))
            )
            return
        htlc = _Forward(self, asked, channel, in_msat, over)
        chosen, refused = choose(asked, channel)
        if chosen is None:
            htlc.refuse(refused, named=True)
        elif chosen.outgoing >= chosen.max_htlcs:
            htlc.refuse(_FULL, named=False)
        elif (
            asked.target.role is Role.DUSTY and asked.out_msat < _DUST_MSAT and self._dusty(chosen)
        ):
            htlc.refuse(_EXPOSED, named=True)
        elif asked.target.connected:
            htlc.pass_on(chosen)
        else:
            htlc.lose(chosen)

    def turn_away(
        self, source: SimPeer, out_scid: int, out_msat: int, why: tuple[int, int], in_msat: int
    ) -> str:
        """An HTLC that asks for what cannot be, such as a channel that is closed. Returns what
        its sender is told."""
        channel = self._way_in(source, in_msat)
        if channel is None:
            return NO_WAY_TO_US
        number = self._add(channel, in_msat)
        circuit = Circuit(channel.scid, number, out_scid)
        now_ns = self._timeline.now_ns
        self._say(messages.refused(now_ns, circuit, in_msat, out_msat, *why))
        self._timeline.after(0.044, lambda: self.finish(channel, circuit, is_settled=False))
        return f"{_NAMES[why[0]]}@1"

    def pay_ourselves(self, source: SimPeer, msat: int, *, known: bool) -> None:
        """A payment to us; not `known`: there is no invoice for it."""
        channel = self._way_in(source, msat)
        if channel is None:
            return
        circuit = Circuit(channel.scid, self._add(channel, msat), 0)
        now_ns = self._timeline.now_ns
        if known:
            self._say(messages.received(now_ns, *circuit[:2], _preimage(circuit)))
        else:
            self._say(messages.sounded_out(now_ns, *circuit[:2], msat))
        self._timeline.after(0.05, lambda: self.finish(channel, circuit, is_settled=known))

    def move(self, out: SimChannel, back: SimChannel, msat: int) -> None:
        """A payment of ours to ourselves: out by one channel, in by the other."""
        now_ns = self._timeline.now_ns
        out_id = out.add(incoming=False, amount_msat=msat, expiry=self.height + 144)
        in_id = self._add(back, msat)
        self._touched(out)
        self._say(messages.sent(now_ns, out.scid, out_id, msat))
        circuit = Circuit(back.scid, in_id, 0)

        def arrive() -> None:
            preimage, at_ns = _preimage(circuit), self._timeline.now_ns
            self._say(messages.received(at_ns, *circuit[:2], preimage))
            out.end(incoming=False, number=out_id, settled=True)
            self._touched(out)
            self._say(messages.sent_settled(at_ns + 1, out.scid, out_id, preimage))
            self._timeline.after(0.03, lambda: self.finish(back, circuit, is_settled=True))

        self._timeline.after(1.4, arrive)

    def finish(self, channel: SimChannel, circuit: Circuit, *, is_settled: bool) -> None:
        """The incoming side is over."""
        channel.end(incoming=True, number=circuit.in_id, settled=is_settled)
        self._touched(channel)
        self.outcomes[circuit[:2]] = is_settled
        if len(self.outcomes) > 2 * _REMEMBERED:
            del self.outcomes[next(iter(self.outcomes))]
        self._say(messages.final(self._timeline.now_ns, circuit, is_settled=is_settled))

    def _add(self, channel: SimChannel, msat: int) -> int:
        self.htlcs += 1
        # Who is farther from the receiver has more blocks left.
        expiry = self.height + 190 + channel.next_in * 37 % 120
        number = channel.add(incoming=True, amount_msat=msat, expiry=expiry)
        self._touched(channel)
        return number

    def _way_in(self, source: SimPeer, msat: int) -> SimChannel | None:
        """The channel that a peer sends us so much by."""
        if not source.connected:
            return None
        fit = (c for c in source.channels if c.receivable_msat() >= msat)
        by_stock = sorted(fit, key=lambda channel: channel.their_msat)
        if not by_stock:
            return None
        return by_stock[0 if source.role is Role.TWISTED else -1]

    def _dusty(self, channel: SimChannel) -> bool:
        dust = sum(p.amount_msat < _DUST_MSAT for p in channel.pending.values() if not p.incoming)
        return dust > _MOST_DUST


class _Forward:
    """One HTLC on its way through the hub."""

    def __init__(
        self,
        hub: Hub,
        asked: Asked,
        channel: SimChannel,
        in_msat: int,
        over: Callable[[Answer], None],
    ) -> None:
        self._hub, self._asked, self._in, self._over = hub, asked, channel, over
        self._timeline = hub._timeline
        self._in_msat = in_msat
        self._circuit = Circuit(channel.scid, hub._add(channel, in_msat), asked.named.scid)

    def refuse(self, why: Refused, *, named: bool) -> None:
        """A link failure; not `named`: of the kind that comes without amounts."""
        asked, (wire, detail, cause) = self._asked, why
        amounts = (self._in_msat, asked.out_msat) if named else (0, 0)
        if asked.named.private and not asked.named.confirmed_scid and wire == 15:
            wire = 19
        self._say(messages.refused, *amounts, wire, detail)
        enough = any(c.spendable_msat() >= asked.out_msat for c in asked.target.channels)
        if cause is Category.MAX_HTLC and not enough:
            cause = Category.LIQUIDITY
        had_room = cause is Category.LIQUIDITY and enough
        self._finish(settled=False, answer=Answer(f"{_NAMES[wire]}@1", cause, had_room))

    def pass_on(self, chosen: SimChannel) -> None:
        """It leaves by this channel."""
        asked, hub = self._asked, self._hub
        way_in = self._in.pending[True, self._circuit.in_id]
        expiry = way_in.expiry - chosen.policy.time_lock_delta
        number = chosen.add(incoming=False, amount_msat=asked.out_msat, expiry=expiry)
        hub._touched(chosen)
        self._circuit = self._circuit._replace(out_scid=chosen.scid, out_id=number)
        self._say(messages.passed_on, self._in_msat, asked.out_msat)
        self._timeline.after(asked.onward.seconds, lambda: self._come_back(chosen))

    def lose(self, chosen: SimChannel) -> None:
        """The peer is gone and LND has not noticed: the outgoing id is not used up."""
        self._circuit = self._circuit._replace(out_scid=chosen.scid, out_id=chosen.next_out)
        self._say(messages.passed_on, self._in_msat, self._asked.out_msat)
        why = (15, 8, Category.OFFLINE)
        self._timeline.after(_NOTICED_S, lambda: self.refuse(why, named=False))

    def _come_back(self, chosen: SimChannel) -> None:
        asked, hub = self._asked, self._hub
        if not asked.target.connected:
            self._timeline.after(20 + asked.chance.random(), lambda: self._come_back(chosen))
            return
        result = asked.onward.comes_to
        settled = result == OK
        chosen.end(incoming=False, number=self._circuit.out_id, settled=settled)
        hub._touched(chosen)
        if settled:
            self._say(messages.settled, _preimage(self._circuit))
            history = Settled(self._timeline.now_ns, self._circuit, self._in_msat, asked.out_msat)
            hub.settled.append(history)
        else:
            self._say(messages.failed_on)
        self._finish(settled=settled, answer=Answer(result))

    def _finish(self, *, settled: bool, answer: Answer) -> None:
        """The final event follows, and then the sender learns of it."""
        chance, timeline = self._asked.chance, self._timeline
        final_s = min(0.236, 0.009 + chance.expovariate(1 / 0.045))

        def end() -> None:
            self._hub.finish(self._in, self._circuit, is_settled=settled)
            timeline.after(chance.uniform(0.03, 0.3), lambda: self._over(answer))

        timeline.after(final_s, end)

    def _say(self, message: Callable[..., bytes], *more: object) -> None:
        self._hub._say(message(self._timeline.now_ns, self._circuit, *more))


def choose(asked: Asked, way_in: SimChannel) -> tuple[SimChannel | None, Refused]:
    """The channel that it leaves by: the one its sender named, or another to the same peer that
    lets it pass; None with why not, which is what the named one says."""
    if not asked.target.link_up:
        return None, _OFFLINE
    refused = None
    others = (c for c in asked.target.channels if c is not asked.named)
    for channel in (asked.named, *others):
        why = _check(channel, way_in, asked.out_msat, asked.fee_msat)
        if why is None:
            return channel, _OFFLINE
        refused = refused or why
    assert refused is not None
    return None, refused


def _check(channel: SimChannel, way_in: SimChannel, out_msat: int, fee: int) -> Refused | None:
    policy = channel.policy
    if fee < policy.asked_msat(out_msat, way_in.policy):
        return 12, 1, Category.FEE
    if out_msat < policy.min_htlc_msat:
        return 11, 1, Category.MIN_HTLC
    if out_msat > policy.max_htlc_msat:
        return 15, 5, Category.MAX_HTLC
    if out_msat > channel.spendable_msat():
        return 15, 6, Category.LIQUIDITY
    return None


def _preimage(circuit: Circuit) -> bytes:
    return hashlib.sha256(b"%d %d" % circuit[:2]).digest()
