"""The advisor: finds what could be done about each peer, sets thresholds and ranks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from htlctop.analysis.advice.case import MOST_CLAIMS, PeerCase
from htlctop.analysis.advice.channels import about_alignment, about_max_htlc, about_min_htlc
from htlctop.analysis.advice.curve import liquidity_curve
from htlctop.analysis.advice.fees import about_fees
from htlctop.analysis.advice.finding import Finding, Reason, whole
from htlctop.analysis.advice.ground import MONTH_H, Ground
from htlctop.analysis.advice.interval import scaled_range
from htlctop.analysis.advice.levels import can_send_sat
from htlctop.analysis.advice.liquidity import about_liquidity
from htlctop.analysis.advice.models import (
    Advice,
    ChannelSetting,
    Curve,
    Figure,
    Kind,
    NotAdvised,
    Opportunity,
)
from htlctop.analysis.advice.peer_sums import OFFLINE, ROOM, UNPRICED
from htlctop.analysis.advice.presence import (
    FULL,
    about_absence,
    about_fullness,
    about_strange,
    is_strange,
)
from htlctop.analysis.advice.sources import Sources
from htlctop.analysis.advice.urgency import confidence, urgency
from htlctop.analysis.advice.why_none import too_early, why_none

LEAST_MSAT = 100_000
"""Per 30 days: less is not worth a line."""
LEAST_PART = 0.005
"""Of what is earned."""
_LEAST_CLAIMS = 10
_SHARE = 0.10
"""A cause counts from this part of what the peer is expected to have missed."""
_READ_IN_ALL = 4_000
_LEAST_READ = 40
"""So many payments are looked at: of a few peers as many as of one, of many peers fewer each."""
_SOURCE_READ = 200
"""So many forwards tell what a source's sat earn, whatever else is looked at."""
_MOST_FULL = 24
_LIQUIDITY = (Kind.REBALANCE_OUTBOUND, Kind.RAISE_FEES, Kind.INCREASE_CAPACITY)


@dataclass(frozen=True, slots=True)
class _Peers:
    """Which peers are looked at, and for what."""

    short: set[int]
    priced_out: set[int]
    away: set[int]
    full: set[int]
    strange: set[int]

    def all(self) -> set[int]:
        return self.short | self.priced_out | self.away | self.full | self.strange


class Advisor:
    """Draws advice from a window's sums and, where those say that it is worth it, from single
    payments. What it read of a peer is read once."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._cases: dict[int, PeerCase] = {}

    def advise(self) -> Advice:
        """Every opportunity worth showing, ranked by its own sat."""
        ground = self.ground
        every = list(self._findings())
        found = [finding for _, findings, _ in every for finding in findings]
        shown = [finding for finding in found if self._is_shown(finding)]
        advised = {finding.peer for finding in shown}
        others = (self._not_advised(peer, why) for peer, _, why in every if peer not in advised)
        not_advised = sorted(filter(None, others), key=lambda item: (-item.worth_msat, item.peer))
        return Advice(
            node=ground.node,
            status=ground.status,
            window=ground.window,
            opportunities=self._opportunities(shown),
            hidden=len(found) - len(shown),
            too_early=too_early(ground),
            why_none="" if shown else why_none(ground, len(found), not_advised, self.least_msat),
            not_advised=tuple(not_advised),
            least_msat=round(self.least_msat),
        )

    def about(self, peer: int) -> tuple[tuple[Opportunity, ...], NotAdvised | None]:
        """What is worth showing of one peer, ranked as among all; else why nothing is advised,
        None where it misses too little."""
        shown: list[Finding] = []
        reasons: list[Reason] = []
        for each, findings, why in self._findings():
            if each == peer:
                shown += filter(self._is_shown, findings)
                reasons += why
                if peer not in self._peers.full:
                    break
        return self._opportunities(shown), None if shown else self._not_advised(peer, reasons)

    def curve(self, peer: int) -> Curve | None:
        """A peer's liquidity curve; None without payments refused for liquidity."""
        case = self.case(peer)
        if not case.channels or not case.replay.count:
            return None
        return liquidity_curve(case.replay, case.most_sat)

    def case(self, peer: int) -> PeerCase:
        """Everything that is known of one peer."""
        if peer not in self._cases:
            self._cases[peer] = PeerCase(self.ground, peer, self._most)
        return self._cases[peer]

    @cached_property
    def _most(self) -> int:
        """How many payments of one peer are looked at."""
        read = len(self._peers.short | self._peers.priced_out)
        return min(MOST_CLAIMS, max(_LEAST_READ, _READ_IN_ALL // max(1, read)))

    def _opportunities(self, shown: Iterable[Finding]) -> tuple[Opportunity, ...]:
        """What was found, ranked by its own sat."""
        ranked = sorted(shown, key=lambda f: (-f.worth_msat, f.peer, f.kind))
        return tuple(self._with_settings(ranked))

    def _with_settings(self, shown: Sequence[Finding]) -> Iterable[Opportunity]:
        """What was found, with what is in force now on the channels."""
        ground = self.ground
        channels = tuple(sorted({channel for finding in shown for channel in finding.channels}))
        history = ground.evidence.limits(channels, ground.window.from_ns)
        limits = {point.channel: point for point in history}
        for finding in shown:
            records = {channel.id: channel for channel in ground.channels(finding.peer)}
            settings = []
            for channel in finding.channels:
                record, limit = records.get(channel), limits.get(channel)
                settings.append(
                    ChannelSetting(
                        ground.book.channel_id_of(channel),
                        record.base_msat if record else None,
                        record.rate_ppm if record else None,
                        limit.time_lock_delta if limit else None,
                        limit.max_htlc_msat if limit else None,
                    )
                )
            yield _opportunity(ground, finding, tuple(settings))

    def _findings(self) -> Iterator[tuple[int, list[Finding], list[Reason]]]:
        """What is found of each peer, and why something is not. A full one comes last once more,
        because it is best emptied by the refill of another."""
        peers, sources = self._peers, Sources(self.ground, self._earns_ppm)
        taken = set[int]()
        # The most refused first: what can be spared is spared for them.
        for peer in sorted(peers.all(), key=lambda peer: (-self.case(peer).all_expected, peer)):
            found, reasons = self._about(peer, sources)
            if any(finding.kind in _LIQUIDITY for finding in found):
                taken.add(peer)
            yield peer, found, reasons
        for peer in sorted(peers.full - taken):
            full = about_fullness(self.case(peer), sources)
            yield peer, [full] if full else [], []

    def _about(self, peer: int, sources: Sources) -> tuple[list[Finding], list[Reason]]:
        peers, case = self._peers, self.case(peer)
        found: list[Finding | Reason | None] = []
        if not case.channels:
            found.append(Reason("it has no open channel with us", case.all_expected))
        if peer in peers.away:
            found.append(about_absence(case))
        if peer in peers.short:
            found += [about_liquidity(case, sources), about_max_htlc(case), about_alignment(case)]
        if peer in peers.priced_out:
            found += [about_fees(case), about_min_htlc(case)]
        if peer in peers.strange:
            found.append(about_strange(case))
        good = [f for f in found if isinstance(f, Finding) and self._counts(case, f)]
        return reconcile(case, good), [each for each in found if isinstance(each, Reason)]

    def _not_advised(self, peer: int, reasons: Sequence[Reason]) -> NotAdvised | None:
        """The reason of the cause that is worth most, None where that is not enough."""
        best = max(reasons, key=lambda reason: reason.worth_msat, default=None)
        if best is None or self.ground.per_30d(best.worth_msat) < self.least_msat:
            return None
        book = self.ground.book
        return NotAdvised(
            peer,
            book.pubkey_of(peer) or "",
            book.alias_of(peer),
            best.because,
            best.worth_msat,
            best.evidence,
        )

    def _earns_ppm(self, source: int) -> float:
        """What each sat that leaves by a peer earns."""
        return PeerCase(self.ground, source, _SOURCE_READ).outflow.rate_ppm

    @cached_property
    def _peers(self) -> _Peers:
        """The sums say who is looked at more closely."""
        ground = self.ground
        least = self.least_msat * ground.covered_h / MONTH_H
        short, priced_out, away, strange = set[int](), set[int](), set[int](), set[int]()
        for peer, sums in ground.peers.items():
            if sums.room >= least > 0 and ground.expected(peer, *ROOM) >= least:
                short.add(peer)
            # Lowering the fee can bring no more than all that was offered.
            if sums.offered >= least > 0:
                priced_out.add(peer)
            if sums.offline >= least > 0 and ground.expected(peer, *OFFLINE) >= least:
                away.add(peer)
            if is_strange(sums) or (
                sums.odd >= least > 0 and ground.expected(peer, *UNPRICED) >= least
            ):
                strange.add(peer)
        gone = ground.evidence.away(ground.window.from_ns)
        away |= {ground.book.peer_of(channel) for channel in gone} - {0}
        return _Peers(short, priced_out, away, self._full(), strange)

    def _full(self) -> set[int]:
        """The largest peers whose channels are full on our side."""
        book, evidence = self.ground.book, self.ground.evidence
        if evidence.full is None:
            balances = ((*book.balance_of_peer(p), p) for p in book.peer_ids())
            full = [(every, peer) for local, every, peer in balances if local > FULL * every]
            evidence.full = {peer for _, peer in sorted(full, reverse=True)[:_MOST_FULL]}
        return evidence.full

    @staticmethod
    def _counts(case: PeerCase, finding: Finding) -> bool:
        """Whether a lost category is a tenth of what the peer is expected to have missed."""
        if finding.kind in (Kind.LOWER_FEES, Kind.INVESTIGATE):
            return True
        return finding.worth_msat >= _SHARE * case.all_expected

    @cached_property
    def least_msat(self) -> float:
        """What an opportunity must be worth in 30 days, msat."""
        return max(LEAST_MSAT, LEAST_PART * self.ground.per_30d(self.ground.earned_msat))

    def _is_shown(self, finding: Finding) -> bool:
        if finding.kind is Kind.INVESTIGATE and finding.guess:
            return True  # what it is worth is not known, only how often it happens
        return finding.count > 0 and self.ground.per_30d(finding.worth_msat) >= self.least_msat


def reconcile(case: PeerCase, found: list[Finding]) -> list[Finding]:
    """What is left when advice about one peer must not contradict itself.

    While a peer is away nothing can be done but to bring it back. A peer that runs dry is not
    made cheaper; siblings are aligned before one of them alone is changed.
    """
    if len(found) < 2:
        return found
    kinds = {f.kind for f in found}
    if case.is_away and Kind.RECONNECT_PEER in kinds:
        return [f for f in found if f.kind in (Kind.RECONNECT_PEER, Kind.INVESTIGATE)]
    if kinds & {*_LIQUIDITY, Kind.ALIGN_CHANNELS}:
        found = [f for f in found if f.kind is not Kind.LOWER_FEES]
    align = next((f for f in found if f.kind is Kind.ALIGN_CHANNELS), None)
    if align is not None:
        # Two values for one setting of its channels: the one that is worth more.
        same = Kind.RAISE_MAX_HTLC if align.amount_msat else Kind.RAISE_FEES
        rivals = [align, *(f for f in found if f.kind is same)]
        best = max(rivals, key=lambda f: f.worth_msat)
        found = [f for f in found if f is best or f not in rivals]
    return found


def _opportunity(
    ground: Ground, finding: Finding, settings: tuple[ChannelSetting, ...]
) -> Opportunity:
    book, peer = ground.book, finding.peer
    early = bool(too_early(ground)) or finding.count < _LEAST_CLAIMS
    month = ground.per_30d(finding.worth_msat)
    source = finding.source
    return Opportunity(
        kind=finding.kind,
        peer=peer,
        pubkey=book.pubkey_of(peer) or "",
        alias=book.alias_of(peer),
        channels=tuple(book.channel_id_of(channel) for channel in finding.channels),
        worth_msat=finding.worth_msat,
        per_30d_msat=None if early or not month else scaled_range(month, finding.count),
        urgency=urgency(ground, finding, month),
        confidence=confidence(ground, finding),
        amount_msat=finding.amount_msat,
        break_even_ppm=finding.break_even_ppm,
        ceiling_ppm=finding.ceiling_ppm,
        evidence=tuple(_evidence(ground, finding, None if early else month)),
        count=finding.count,
        source=source,
        source_pubkey=None if source is None else book.pubkey_of(source),
        source_alias="" if source is None else book.alias_of(source),
        source_channels=tuple(
            book.channel_id_of(c.id)
            for c in sorted(
                ground.channels(source) if source is not None else (),
                key=lambda c: -can_send_sat(c),
            )
            if c.is_active
        ),
        settings=settings,
    )


def _evidence(ground: Ground, finding: Finding, month: float | None) -> Iterable[Figure]:
    yield from finding.evidence
    hours = round(ground.covered_h, 6)
    yield Figure("watched hours", hours, "h")
    if month:
        formula = f"worth {whole(finding.worth_msat)} ÷ watched hours {whole(hours)} × {MONTH_H}"
        yield Figure("per 30 days", round(month), "msat", formula)
    for kind in finding.also:
        yield Figure("or else", kind.value)
