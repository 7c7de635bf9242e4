"""One peer's case: what was refused toward it, how full and how fast it was, what it asked."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from htlctop.analysis.advice.bids import STALE_NS, Bids, Policies, judge, sort_bids
from htlctop.analysis.advice.curve import Replay, Served, round_up
from htlctop.analysis.advice.ground import DAY_NS, HOUR_NS, Ground
from htlctop.analysis.advice.levels import Levels, away_ns, can_send_sat
from htlctop.analysis.advice.peer_sums import ROOM
from htlctop.analysis.advice.refusals import Causes, causes_of
from htlctop.domain.claims import Pool
from htlctop.domain.codes import PRICED_OUT, Category
from htlctop.domain.evidence import BalancePoint, LimitsPoint, LostClaim, Settled

MOST_CLAIMS = 2_000


@dataclass(frozen=True, slots=True)
class Flow:
    """What settled in one direction since a time: how many forwards, msat moved and earned."""

    count: int
    amount_msat: int
    fee_msat: int
    since_ns: int

    @property
    def rate_ppm(self) -> float:
        """What each sat moved earned, in parts per million; 0.0 where nothing moved."""
        return self.fee_msat * 1e6 / self.amount_msat if self.amount_msat else 0.0


class PeerCase:
    """Reads what advice about one peer needs, each thing once and only when asked for.

    `most` is how many of its newest payments, and of its newest forwards, are looked at.
    """

    def __init__(self, ground: Ground, peer: int, most: int) -> None:
        self.ground, self.peer, self.most = ground, peer, most
        self._evidence = ground.evidence
        self.channels = ground.channels(peer)
        self.ids = tuple(channel.id for channel in self.channels)
        self.sums = ground.sums(peer)
        self.rate = ground.rate(peer)

    def expected(self, *categories: int) -> int:
        """What lost categories would have earned, msat."""
        return self.sums.expected(self.rate, *categories)

    @cached_property
    def all_expected(self) -> int:
        """The same of every lost category."""
        return self.sums.all_expected(self.rate)

    @cached_property
    def is_away(self) -> bool:
        """Whether none of its channels can be used now."""
        return bool(self.channels) and not any(c.is_active for c in self.channels)

    @cached_property
    def balance(self) -> tuple[int, int]:
        """(local, capacity), sat, of the open channels whose balance is known."""
        return self.ground.book.balance_of_peer(self.peer)

    @property
    def local_share(self) -> float | None:
        """Our share of that capacity, None where there is none."""
        local_sat, capacity_sat = self.balance
        return local_sat / capacity_sat if capacity_sat else None

    @cached_property
    def feasible_sat(self) -> int:
        """What the roomiest channel can receive: the peer's side, less a reserve of 1%."""
        room = ((c.remote_sat or 0) - (c.capacity_sat or 0) // 100 for c in self.channels)
        return max([0, *room])

    @cached_property
    def holds_sat(self) -> int:
        """What the largest channel can ever send: all but a reserve of 1%."""
        return max(((c.capacity_sat or 0) * 99 // 100 for c in self.channels), default=0)

    def was_raised(self, since_ns: int) -> bool:
        """Whether the rate asked on one of its channels has gone up since then."""
        policies, until_ns = self.policies_of(()), self.ground.until_ns
        return any(
            before.rate_ppm < after.rate_ppm
            for channel in self.ids
            for before, after in pairwise(policies.within(channel, since_ns, until_ns))
        )

    @cached_property
    def limits(self) -> dict[int, list[LimitsPoint]]:
        """The limits of its channels over the window and the week before, oldest first."""
        found: dict[int, list[LimitsPoint]] = defaultdict(list)
        for point in self._evidence.limits(self.ids, self.ground.window.from_ns - 7 * DAY_NS):
            found[point.channel].append(point)
        return found

    @cached_property
    def levels(self) -> Levels:
        """How full its channels were."""
        window = self.ground.window
        history = self._evidence.balances(self.ids, window.from_ns)
        return Levels(
            self.channels, history, self.ground.watched, window.from_ns, self.ground.until_ns
        )

    @cached_property
    def away(self) -> tuple[int, int]:
        """(watched ns in which none of its channels could be used, how often)."""
        window = self.ground.window
        history = self._evidence.activity(self.ids)
        return away_ns(
            self.channels, history, self.ground.watched, window.from_ns, self.ground.until_ns
        )

    @cached_property
    def refused(self) -> list[LostClaim]:
        """Its newest payments refused for want of room, oldest first."""
        return self._claims(Pool.LOST, ROOM)

    @cached_property
    def priced_out(self) -> list[LostClaim]:
        """Its newest payments that offered too little, oldest first."""
        if not self.sums.claims(*PRICED_OUT):
            return []
        return self._claims(Pool.PRICED_OUT, (int(Category.FEE),))

    @cached_property
    def bids(self) -> Bids:
        """What those offered."""
        known = self._evidence.bids
        new = [claim for claim in self.priced_out if claim.seq not in known]
        policies = self.policies_of(new)
        known.update((claim.seq, judge(claim, policies)) for claim in new)
        return sort_bids(known[claim.seq] for claim in self.priced_out)

    @cached_property
    def outflow(self) -> Flow:
        """What left by its channels in the window."""
        return self.flow(self.ground.window.from_ns, incoming=False)

    @cached_property
    def inflow(self) -> Flow:
        """What came in on its channels in the window."""
        return self.flow(self.ground.window.from_ns, incoming=True)

    def flow(self, since_ns: int, *, incoming: bool) -> Flow:
        """What settled since then, or since the oldest of the newest forwards that are read."""
        settled = self.settled(since_ns, incoming=incoming)
        return Flow(
            len(settled),
            sum(item.amount_msat for item in settled),
            sum(item.fee_msat for item in settled),
            settled[0].at_ns if len(settled) >= self.most else since_ns,
        )

    def of_window(self, amount_msat: int, flow: Flow) -> int:
        """What an amount of a flow makes of the whole window, where it was not read as a whole."""
        window, watched = self.ground.window, self.ground.watched
        seen_ns = watched.between(flow.since_ns, self.ground.until_ns)
        if flow.since_ns <= window.from_ns or not seen_ns:
            return amount_msat
        return amount_msat * window.covered_ns // seen_ns

    def flows(self, since_ns: int) -> tuple[Flow, Flow]:
        """What left and what came in over the same time: since then, or as far as both are read."""
        out, into = (self.flow(since_ns, incoming=side) for side in (False, True))
        if out.since_ns == into.since_ns:
            return out, into
        return self.flows(max(out.since_ns, into.since_ns))

    def settled(self, since_ns: int, *, incoming: bool) -> list[Settled]:
        """The newest forwards that settled since then, oldest first."""
        channels = self.ground.book.channels_of(self.peer)
        return self._evidence.settled(self.peer, channels, since_ns, self.most, incoming=incoming)

    @cached_property
    def causes(self) -> Causes:
        """Its refused payments by what would have let them through."""
        return causes_of(self)

    @cached_property
    def replay(self) -> Replay:
        """Its payments refused for want of liquidity, to be replayed with more of it."""
        wants = [
            # LND said that there was too little: where we knew of enough, we knew nothing.
            (at_ns, amount, fee - back, amount if best is None or best >= amount else amount - best)
            for _, at_ns, _, _, _, _, amount, fee, back, best in self.causes.liquidity
            if fee > back
        ]
        return Replay(wants, self.rate, self._rises() if wants else ())

    @cached_property
    def gained_sat(self) -> int:
        """What its best channel can send now beyond what it could when the last payment was
        refused for want of liquidity: so much of a refill is there already."""
        refused = self.causes.liquidity
        if not refused or refused[-1].best_msat is None:
            return 0
        now_sat = max((can_send_sat(c) for c in self.channels if c.is_active), default=0)
        return max(0, now_sat - refused[-1].best_msat // 1000)

    @property
    def most_sat(self) -> int:
        """The most that could be on our side beyond what was there when payments were refused."""
        return self.gained_sat + self.feasible_sat

    @cached_property
    def knee(self) -> Served | None:
        """How much more would have been enough; None where nothing would."""
        replay = self.replay
        if not replay.count or self.most_sat < replay.least_sat():
            return None
        return replay.knee(min(self.most_sat, round_up(replay.all_sat())))

    @property
    def replay_h(self) -> float:
        """The watched hours that the replayed payments come from."""
        since_ns = self.ground.window.from_ns
        if len(self.refused) >= self.most:
            since_ns = self.refused[0].at_ns
        return self.ground.watched.between(since_ns, self.ground.until_ns) / HOUR_NS

    def max_htlc_at(self, channel: int, at_ns: int) -> int | None:
        """The largest HTLC of a channel then, msat; None where unknown."""
        points = self.limits.get(channel)
        if not points:
            return None
        newer = next((n for n, point in enumerate(points) if point.at_ns > at_ns), len(points))
        return points[max(0, newer - 1)].max_htlc_msat

    def policies_of(self, claims: Iterable[LostClaim]) -> Policies:
        """What was asked on its channels and on those that payments came in by."""
        channels = set(self.ids)
        for claim in claims:
            channels |= {claim.in_channel, claim.out_channel}
        return self._evidence.policies(channels - {0}, self.ground.window.from_ns - STALE_NS)

    def _claims(self, pool: Pool, categories: tuple[int, ...]) -> list[LostClaim]:
        since_ns = self.ground.window.from_ns
        return self._evidence.claims(pool, self.peer, categories, since_ns, self.most)

    def _rises(self) -> list[tuple[int, int]]:
        """(time, msat) by which our balances rose, between the kept ones."""
        last: dict[int, BalancePoint] = {}
        rises = []
        for point in self._evidence.balances(self.ids, self.ground.window.from_ns):
            if rise := point.came_in_since(last.get(point.channel, point)):
                rises.append((point.at_ns, rise * 1000))
            last[point.channel] = point
        return rises
