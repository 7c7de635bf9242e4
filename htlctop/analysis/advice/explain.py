"""Every figure of the node, a peer, a channel or a pair, with its inputs and its formula.

A formula is arithmetic that anybody can check: numbers, the four signs, brackets, min and max,
with words beside the numbers that say what they are.
"""

from collections.abc import Iterable, Mapping, Sequence

from htlctop.analysis.advice import advised, holdings, over_time
from htlctop.analysis.advice.advisor import Advisor
from htlctop.analysis.advice.arithmetic import totals
from htlctop.analysis.advice.case import MOST_CLAIMS, PeerCase
from htlctop.analysis.advice.causes import causes, groups, in_order, month, sent, sources, why
from htlctop.analysis.advice.changes import change_figures
from htlctop.analysis.advice.finding import whole
from htlctop.analysis.advice.ground import HOUR_NS, Ground
from htlctop.analysis.advice.models import Explanation, Figure, Section
from htlctop.analysis.details import ChannelDetail, InFlight, NodeDetail, PairDetail, PeerDetail
from htlctop.analysis.models import UNKNOWN_PEER, Series, Totals
from htlctop.analysis.sums import Priced, add_up
from htlctop.domain.readers import StatsReader
from htlctop.domain.types import NS, Settings

Nets = Mapping[int, Mapping[int, int]]
"""What a chart is made of: net demand by slice and channel, msat."""


class Explainer:
    """Writes the arithmetic out, from the same sums that the figures are made of.

    `pairs` are the cells of the window by incoming peer, of all channels or those of the peer that
    is explained.
    """

    def __init__(
        self,
        ground: Ground,
        pairs: Sequence[Priced],
        reader: StatsReader,
        settings: Settings,
    ) -> None:
        self._ground, self._pairs = ground, pairs
        self._reader, self._prior = reader, settings.rate_prior

    def node(
        self, totals_: Totals, detail: NodeDetail, series: Series, nets: Nets,
        flying: Sequence[InFlight],
    ) -> Explanation:  # fmt: skip
        """The node: what became of its forwards, its totals and reasons out of its peers', its
        charts, and what was missed before and after each change."""
        ground = self._ground
        parts = [add_up(items) for _, items in in_order(ground.priced, lambda item: item.peer)]
        sections = [
            self._watched(),
            self._forwards(totals_),
            Section(
                "Sums over the peers", (*totals(parts, zeros=True), *month(ground, totals_.sums))
            ),
            *why(ground.priced, lambda item: item.peer),
            groups(ground.priced),
            over_time.over_time(ground, series, nets, ground.book.peer_of),
            over_time.peak(ground, series, nets),
            over_time.in_flight(flying, series, ground.window),
            holdings.channels_now(ground, detail),
            holdings.on_channels(detail.pending),
            Section("Before and after each change", tuple(change_figures(ground, self._reader))),
        ]
        return self._explanation("the node", sections)

    def peer(
        self,
        detail: PeerDetail,
        outbound: Sequence[Priced],
        nets: Nets,
        advisor: Advisor,
    ) -> Explanation:
        """A peer: its rate, each cause on each channel, the sums, whom it came from, its charts,
        its advice, whose ground may reach further back. `outbound`: the cells of what it sent
        here."""
        ground, peer = self._ground, detail.row.peer
        sections = [self._watched(), self._rate(peer), *causes(ground, ground.priced, peer)]
        sections += why(ground.priced, lambda item: item.cell.channel)
        sections += sources(ground, peer, self._pairs)
        sections.append(sent(outbound))
        if peer != UNKNOWN_PEER:
            case = advisor.case(peer)
            sections += [holdings.balances(ground, case), self._presence(peer)]
            sections += [advised.bids(case), advised.curve(case)]
        sections += self._over_time(detail, nets)
        sections.append(self._changes(peer))
        found, why_not = advisor.about(peer)
        sections += [advised.opportunity(advisor.ground, each) for each in found]
        if not found:
            sections.append(advised.nothing(advisor, why_not))
        return self._explanation(ground.book.alias_of(peer) or "unknown peer", sections)

    def channel(self, detail: ChannelDetail, nets: Nets) -> Explanation:
        """One channel: the causes on it and their sums, whom it came from, its charts."""
        ground, book, channel = self._ground, self._ground.book, detail.row.channel
        peer = detail.row.peer
        items = [i for i in ground.priced if book.main_of(i.cell.channel) == channel]
        mine = [record for record in ground.channels(peer) if record.id == channel]
        sections = [self._watched(), self._rate(peer), *causes(ground, items, peer)]
        sections += why(items, lambda item: item.cell.channel)
        pairs = (i for i in self._pairs if book.main_of(i.cell.channel) == channel)
        sections += sources(ground, peer, pairs)
        sections.append(Section("Balance now", tuple(holdings.sides(ground, mine))))
        sections.append(holdings.siblings(detail))
        sections += self._over_time(detail, nets)
        sections.append(self._changes(peer, channel))
        return self._explanation(book.scid_of(channel) or "no channel", sections)

    def pair(self, detail: PairDetail, nets: Nets) -> Explanation:
        """Who wanted to reach whom: the causes on each channel, their sums and reasons, when."""
        ground, (source, peer) = self._ground, detail.row.id
        items = [item for item in self._pairs if item.cell.in_peer == source]
        sections = [self._watched(), self._rate(peer), *causes(ground, items, peer)]
        sections += why(items, lambda item: item.cell.channel)
        sections.append(over_time.over_time(ground, detail.series, nets, ground.book.main_of))
        ends = (ground.book.alias_of(each) or "unknown peer" for each in (source, peer))
        return self._explanation(" → ".join(ends), sections)

    def _explanation(self, about: str, sections: Iterable[Section]) -> Explanation:
        ground = self._ground
        return Explanation(
            ground.node,
            ground.status,
            ground.window,
            about,
            tuple(section for section in sections if section.figures),
        )

    def _watched(self) -> Section:
        window = self._ground.window
        length = window.until_ns - window.from_ns
        missed = [(gap.until_ns - gap.from_ns) / 1e9 for gap in window.gaps]
        formula = f"window {whole(round(length / 1e9, 6))}"
        if missed:
            formula += f" − gaps {whole(round(sum(missed), 6))}"
        figures = [
            Figure("window", round(length / 1e9, 6), "s"),
            *(Figure(f"gap: {gap.reason}", round(s, 6), "s") for gap, s in
              zip(window.gaps, missed, strict=True)),
            Figure("watched", round(window.covered_ns / 1e9, 6), "s", formula),
            Figure(
                "watched hours", round(window.covered_ns / HOUR_NS, 6), "h",
                f"watched {whole(round(window.covered_ns / 1e9, 6))} ÷ 3,600",
            ),
            Figure(
                "covered", round(window.coverage, 6), "",
                f"min(1, watched {whole(round(window.covered_ns / 1e9, 6))} ÷ "
                f"window {whole(round(length / 1e9, 6))})",
            ),
        ]  # fmt: skip
        return Section("How much was watched", tuple(figures))

    def _forwards(self, whole: Totals) -> Section:
        """What became of all forwards, and the counts of the status line."""
        sums, book = whole.sums, self._ground.book
        figures = [
            Figure("in flight", whole.in_flight, ""),
            Figure("unknown", whole.unknown, ""),
            Figure(
                "forwards", whole.forwards, "",
                f"settled {sums.settled:,} + refused here {sums.refused:,} + failed further on "
                f"{sums.downstream:,} + in flight {whole.in_flight:,} + unknown {whole.unknown:,}",
            ),
            *self._waiting(),
            Figure("peers offline", book.offline, ""),
            Figure("channels dry", book.dry, ""),
        ]  # fmt: skip
        if sums.earned_msat > 0:
            figures.append(
                Figure(
                    "missed, of what was earned",
                    round(sums.expected_msat / sums.earned_msat, 6), "",
                    f"missed {sums.expected_msat:,} ÷ earned {sums.earned_msat:,}",
                )
            )  # fmt: skip
        return Section("What became of forwards", tuple(figures))

    def _waiting(self) -> Iterable[Figure]:
        """What has no outcome yet, whenever it began; of now, so not for a past time."""
        status = self._ground.status
        if not self._ground.window.is_live:
            return
        yield Figure("in flight now", status.in_flight, "")
        if status.oldest_in_flight_ns is not None:
            now, began = status.now_ns / NS, status.oldest_in_flight_ns / NS
            yield Figure(
                "the oldest of it for", round(now - began, 6), "s",
                f"now {now:,.6f} − first seen {began:,.6f}",
            )  # fmt: skip

    def _rate(self, peer: int) -> Section:
        """(S + 20·p0) ÷ (S + F + 20), over 30 days."""
        rate, usual, prior = self._ground.rate(peer), self._ground.usual_rate, self._prior
        return Section(
            "Settle rate, over the 30 days before the window's end",
            (
                Figure("payments that settled", rate.settled, ""),
                Figure("payments that failed further on", rate.failed, ""),
                Figure("the node's settled, of all", f"{usual.part:,} of {usual.of:,}", ""),
                Figure(
                    "settle rate", round(float(rate), 9), "",
                    f"(settled {rate.settled:,} + prior {prior} × node's {usual.part:,} ÷ "
                    f"{usual.of:,}) ÷ "
                    f"(settled {rate.settled:,} + failed {rate.failed:,} + prior {prior})",
                ),
            ),
        )  # fmt: skip

    def _over_time(self, detail: PeerDetail | ChannelDetail, nets: Nets) -> Iterable[Section]:
        """The charts of a page, and what is on the channels at their end."""
        ground = self._ground
        yield over_time.over_time(ground, detail.series, nets, ground.book.main_of)
        yield over_time.our_side(detail.balance, detail.series)
        yield holdings.on_channels(detail.pending)

    def _changes(self, peer: int, channel: int | None = None) -> Section:
        found = change_figures(self._ground, self._reader, peer, channel)
        return Section("Before and after each change", tuple(found))

    def _presence(self, peer: int) -> Section:
        return holdings.presence(self._ground, PeerCase(self._ground, peer, MOST_CLAIMS))
