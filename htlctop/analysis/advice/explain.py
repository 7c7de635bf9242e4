"""Every figure of a peer, a channel or the node, with its inputs and its formula written out.

A formula is arithmetic that anybody can check: numbers, the four signs, brackets, min and max,
with words beside the numbers that say what they are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from htlctop.analysis.advice.advisor import Advisor
from htlctop.analysis.advice.arithmetic import cell_figures, net_msat, plus, totals
from htlctop.analysis.advice.case import MOST_CLAIMS, PeerCase
from htlctop.analysis.advice.changes import change_figures
from htlctop.analysis.advice.curve import liquidity_curve
from htlctop.analysis.advice.finding import whole
from htlctop.analysis.advice.ground import HOUR_NS, MONTH_H, Ground
from htlctop.analysis.advice.interval import poisson_range
from htlctop.analysis.advice.models import Explanation, Figure, Opportunity, Section
from htlctop.analysis.advice.urgency import LEAST_H, urgency_figures
from htlctop.analysis.models import UNKNOWN_PEER, Sums, Totals
from htlctop.analysis.sums import Priced, add_up, apart
from htlctop.domain.codes import Category
from htlctop.domain.ports import StatsReader
from htlctop.domain.records import ChannelRecord
from htlctop.domain.types import Settings


def _apart(
    items: Iterable[Priced], key: Callable[[Priced], int]
) -> Iterable[tuple[int, list[Priced]]]:
    """The cells by a key, in its order."""
    return sorted(apart(items, key).items())


class Explainer:
    """Writes the arithmetic out, from the same sums that the figures are made of.

    `wide` is the ground that advice stands on, which may reach further back.
    """

    def __init__(self, ground: Ground, wide: Ground, advisor: Advisor, settings: Settings) -> None:
        self._ground, self._wide = ground, wide
        self._advisor, self._prior = advisor, settings.rate_prior

    def node(self, whole: Totals, reader: StatsReader) -> Explanation:
        """The node: what became of its forwards, its totals and reasons out of its peers', and
        what was missed before and after each change."""
        parts = [
            (self._ground.book.alias_of(peer) or "unknown peer", add_up(items))
            for peer, items in _apart(self._ground.priced, lambda item: item.peer)
        ]
        sections = [
            self._watched(),
            self._forwards(whole),
            Section("Sums over the peers", (*totals(parts), *self._month(whole.sums))),
            *self._why(self._ground.priced, lambda item: item.peer),
            Section("Before and after each change", tuple(change_figures(self._ground, reader))),
        ]
        return self._explanation("the node", sections)

    def peer(
        self, peer: int, sources: Sequence[Priced], opportunities: Sequence[Opportunity]
    ) -> Explanation:
        """A peer: its rate, each cause on each channel, the sums, whom it came from, its advice.

        `sources` are its cells by incoming peer.
        """
        items = [item for item in self._ground.priced if item.peer == peer]
        sections = [self._watched(), self._rate(peer), *self._causes(items, peer)]
        sections += self._why(items, lambda item: item.cell.channel)
        sections += self._sources(peer, sources)
        if peer != UNKNOWN_PEER:
            case = self._advisor.case(self._wide, peer)
            sections += [self._balances(case), self._presence(peer)]
            sections += [self._bids(case), self._curve(case)]
        sections += [self._opportunity(o) for o in opportunities if o.peer == peer]
        return self._explanation(self._ground.book.alias_of(peer) or "unknown peer", sections)

    def channel(self, channel: int) -> Explanation:
        """One channel: the causes on it and their sums."""
        book = self._ground.book
        items = [i for i in self._ground.priced if book.main_of(i.cell.channel) == channel]
        peer = book.peer_of(channel)
        sections = [self._watched(), self._rate(peer), *self._causes(items, peer)]
        mine = [record for record in self._ground.channels(peer) if record.id == channel]
        sections.append(Section("Balance now", tuple(self._sides(mine))))
        return self._explanation(book.scid_of(channel) or "no channel", sections)

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
                    f"(settled {rate.settled:,} + {prior} × node's {usual.part:,} ÷ {usual.of:,}) "
                    f"÷ (settled {rate.settled:,} + failed {rate.failed:,} + {prior})",
                ),
            ),
        )  # fmt: skip

    def _causes(self, items: Sequence[Priced], peer: int) -> Iterable[Section]:
        """Each category on each channel, then the sums."""
        book, rate = self._ground.book, self._ground.rate(peer)
        parts: list[tuple[str, Sums]] = []
        ordered = sorted(items, key=lambda i: (i.cell.channel, i.cell.category))
        for item in ordered:
            category = Category(item.cell.category)
            name = f"{category.label} on {book.scid_of(item.cell.channel) or 'no channel'}"
            parts.append((name, add_up([item])))
            figures = cell_figures(item, category, rate)
            if figures:
                yield Section(name, tuple(figures))
        whole_sums = add_up(items)
        yield Section("Sums", (*totals(parts), *self._month(whole_sums)))

    def _why(self, items: Sequence[Priced], place: Callable[[Priced], int]) -> Iterable[Section]:
        """Each reason over all places where it occurred, and its part of what was missed."""
        missed = add_up(items).expected_msat
        for category, cells in _apart(items, lambda item: item.cell.category):
            if category == Category.SETTLED:
                continue
            places = [mine for _, mine in _apart(cells, place)]
            counts = [n for n in (sum(item.cell.n for item in mine) for mine in places) if n]
            parts = [("", add_up(mine)) for mine in places]
            unknown = sum(item.cell.fee_unknown for item in cells)
            figures = [Figure("HTLCs", sum(counts), "", plus(counts))]
            if unknown:
                figures.append(Figure("of these with unknown fee", unknown, ""))
            figures += [figure for figure in totals(parts) if figure.value]
            worth = add_up(cells).expected_msat
            if worth and missed:
                figures.append(
                    Figure(
                        "of all that was missed", round(worth / missed, 6), "",
                        f"missed {worth:,} ÷ all {missed:,}",
                    )
                )  # fmt: skip
            yield Section(f"Why: {Category(category).label}", tuple(figures))

    def _month(self, sums: Sums) -> Iterable[Figure]:
        """What the tables say a month would bring."""
        covered_ns = self._ground.covered_ns
        if covered_ns >= LEAST_H * HOUR_NS:
            hours = round(covered_ns / HOUR_NS, 6)
            yield Figure(
                "missed per 30 days", sums.expected_msat * MONTH_H * HOUR_NS // covered_ns, "msat",
                f"missed {sums.expected_msat:,} × {MONTH_H} ÷ watched hours {whole(hours)}",
            )  # fmt: skip

    def _sources(self, peer: int, sources: Sequence[Priced]) -> Iterable[Section]:
        """From whom: what each would have brought, rounded on each channel for each cause."""
        rate = self._ground.rate(peer)
        for source, mine in _apart(sources, lambda item: item.cell.in_peer):
            shares = [
                f"net demand {net_msat(item):,} × settle rate {rate.part:,} ÷ {rate.of:,}"
                for item in mine
                if item.expected_msat
            ]
            name = self._ground.book.alias_of(source) or "unknown peer"
            figures = list(totals([(name, add_up([item])) for item in mine]))
            at = next(i for i, f in enumerate(figures) if f.name == "missed")
            figures[at] = replace(figures[at], formula=" + ".join(shares))
            yield Section(f"From {name}", tuple(f for f in figures if f.value))

    def _sides(self, channels: Iterable[ChannelRecord]) -> Iterable[Figure]:
        """What is where on each channel, and what is asked there."""
        for channel in channels:
            scid = self._ground.book.scid_of(channel.id)
            yield Figure(f"capacity of {scid}", channel.capacity_sat, "sat")
            yield Figure(f"our side of {scid}", channel.local_sat, "sat")
            if channel.capacity_sat and channel.local_sat is not None:
                yield Figure(
                    f"our share of {scid}", round(channel.local_sat / channel.capacity_sat, 6), "",
                    f"our side {channel.local_sat:,} ÷ capacity {channel.capacity_sat:,}",
                )  # fmt: skip
            yield Figure(f"spendable of {scid}", channel.spendable_sat, "sat")
            yield Figure(f"rate asked on {scid}", channel.rate_ppm, "ppm")
            yield Figure(f"base asked on {scid}", channel.base_msat, "msat")

    def _balances(self, case: PeerCase) -> Section:
        locals_ = [c.local_sat or 0 for c in case.channels]
        capacities = [c.capacity_sat or 0 for c in case.channels]
        figures = list(self._sides(case.channels))
        if case.capacity_sat:
            figures += [
                Figure("our side", sum(locals_), "sat", plus(locals_)),
                Figure("capacity", sum(capacities), "sat", plus(capacities)),
                Figure(
                    "our share", round(sum(locals_) / case.capacity_sat, 6), "",
                    f"our side {sum(locals_):,} ÷ capacity {case.capacity_sat:,}",
                ),
            ]  # fmt: skip
        return Section("Balances now", tuple(figures))

    def _presence(self, peer: int) -> Section:
        """How much of the window one of its channels could be used."""
        case = self._advisor.case(self._ground, peer)
        hours = self._ground.covered_ns / HOUR_NS
        if not case.channels or not hours:
            return Section("", ())
        away_ns, times = case.away
        away = away_ns / HOUR_NS
        figures = (
            Figure("watched hours away", round(away, 6), "h"),
            Figure("times it went away", times, ""),
            Figure(
                "online", round(1 - away / hours, 6), "",
                f"(watched hours {whole(round(hours, 6))} − away {whole(round(away, 6))}) ÷ "
                f"{whole(round(hours, 6))}",
            ),
        )  # fmt: skip
        return Section("Online, in the window", figures)

    def _bids(self, case: PeerCase) -> Section:
        if not case.priced_out:
            return Section("", ())
        bids = case.bids
        kinds = (
            ("a fee of ours out of date", bids.stale),
            ("under 5 ppm", bids.zero),
            ("bids", bids.bids),
        )
        figures = []
        for name, offers in kinds:
            figures.append(Figure(f"{name}: payments", len(offers), ""))
            figures.append(Figure(f"{name}: offered", sum(o.fee_msat for o in offers), "msat"))
        figures.append(
            Figure(
                "payments that offered too little",
                len(case.priced_out),
                "",
                plus([len(offers) for _, offers in kinds]),
            )
        )
        return Section(f"Priced out, of the newest {MOST_CLAIMS:,}", tuple(figures))

    def _curve(self, case: PeerCase) -> Section:
        if not case.channels or not case.replay.count:
            return Section("", ())
        curve = liquidity_curve(case.replay, case.most_sat)
        figures = [
            Figure("payments replayed", curve.claims, ""),
            Figure("most a channel can receive", case.feasible_sat, "sat"),
            Figure("on our side since the last refusal", case.gained_sat, "sat"),
        ]
        most = curve.points[-1].served_msat if curve.points else 0
        for index, point in enumerate(curve.points):
            knee = ", the knee" if index == curve.knee else ""
            name = f"with {point.more_sat:,} sat more{knee}"
            figures.append(Figure(f"{name}: served", point.served_msat, "msat"))
            figures.append(
                Figure(
                    f"{name}: share", round(point.share, 6), "",
                    f"min(1, served {point.served_msat:,} ÷ the most {most:,})",
                )
            )  # fmt: skip
        return Section("With so much more on our side, once", tuple(figures))

    def _opportunity(self, item: Opportunity) -> Section:
        figures = [Figure("worth", item.worth_msat, "msat"), *item.evidence]
        figures += urgency_figures(self._wide, item)
        if item.per_30d_msat is not None and item.count:
            month = self._wide.per_30d(item.worth_msat)
            ends = zip(("low", "high"), item.per_30d_msat, poisson_range(item.count), strict=True)
            for name, msat, mean in ends:
                figures.append(
                    Figure(
                        f"per 30 days, {name}", msat, "msat",
                        f"{whole(round(month, 3))} × {whole(round(mean, 6))} ÷ "
                        f"seen {item.count:,}",
                    )
                )  # fmt: skip
        return Section(f"Advice: {item.kind.value}", tuple(figures))
