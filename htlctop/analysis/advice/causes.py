"""Why fees were missed, written out: each cause at each place, what they add up to, from whom."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from htlctop.analysis.advice.arithmetic import cell_figures, net_msat, plus, totals
from htlctop.analysis.advice.finding import whole
from htlctop.analysis.advice.ground import HOUR_NS, MONTH_H, Ground
from htlctop.analysis.advice.models import Figure, Section
from htlctop.analysis.advice.urgency import LEAST_H
from htlctop.analysis.models import Sums
from htlctop.analysis.sums import Priced, add_up, apart
from htlctop.domain.codes import Category, Group


def in_order(
    items: Iterable[Priced], key: Callable[[Priced], int]
) -> Iterable[tuple[int, list[Priced]]]:
    """The cells by a key, in its order."""
    return sorted(apart(items, key).items())


def causes(ground: Ground, items: Sequence[Priced], peer: int) -> Iterable[Section]:
    """Each category on each channel of a peer, then the sums."""
    book, rate = ground.book, ground.rate(peer)
    parts: list[Sums] = []
    ordered = sorted(items, key=lambda i: (i.cell.channel, i.cell.category))
    for item in ordered:
        category = Category(item.cell.category)
        name = f"{category.label} on {book.scid_of(item.cell.channel) or 'no channel'}"
        parts.append(add_up([item]))
        figures = cell_figures(item, category, rate)
        if figures:
            yield Section(name, tuple(figures))
    yield Section("Sums", (*totals(parts, zeros=True), *month(ground, add_up(items))))


def why(items: Sequence[Priced], place: Callable[[Priced], int]) -> Iterable[Section]:
    """Each reason over all places where it occurred, and its part of what was missed."""
    missed = add_up(items).expected_msat
    for category, cells in in_order(items, lambda item: item.cell.category):
        if category == Category.SETTLED:
            continue
        places = [mine for _, mine in in_order(cells, place)]
        counts = [n for n in (sum(item.cell.n for item in mine) for mine in places) if n]
        parts = [add_up(mine) for mine in places]
        unknown = sum(item.cell.fee_unknown for item in cells)
        figures = [Figure("HTLCs", sum(counts), "", plus(counts))]
        if unknown:
            figures.append(Figure("of these with unknown fee", unknown, ""))
        figures += totals(parts)
        worth = add_up(cells).expected_msat
        if worth and missed:
            figures.append(
                Figure(
                    "of all that was missed", round(worth / missed, 6), "",
                    f"missed {worth:,} ÷ all {missed:,}",
                )
            )  # fmt: skip
        yield Section(f"Why: {Category(category).label}", tuple(figures))


def groups(items: Iterable[Priced]) -> Section:
    """How many HTLCs each group of reasons has that cost nothing, by its categories."""
    counts: dict[Group, list[int]] = {}
    for category, cells in in_order(items, lambda item: item.cell.category):
        group = Category(category).group
        if group not in (Group.LOST, Group.EARNED):
            counts.setdefault(group, []).append(sum(item.cell.n for item in cells))
    figures = (
        Figure(f"{group.label}: HTLCs", sum(found), "", plus(found))
        for group, found in sorted(counts.items())
    )
    return Section("Why, by what it means", tuple(figures))


def month(ground: Ground, sums: Sums) -> Iterable[Figure]:
    """What the tables say a month would bring."""
    covered_ns = ground.covered_ns
    if covered_ns >= LEAST_H * HOUR_NS:
        hours = round(covered_ns / HOUR_NS, 6)
        yield Figure(
            "missed per 30 days", sums.expected_msat * MONTH_H * HOUR_NS // covered_ns, "msat",
            f"missed {sums.expected_msat:,} × {MONTH_H} ÷ watched hours {whole(hours)}",
        )  # fmt: skip


def sources(ground: Ground, peer: int, items: Iterable[Priced]) -> Iterable[Section]:
    """From whom: what each would have brought, rounded on each channel for each cause."""
    rate = ground.rate(peer)
    for source, mine in in_order(items, lambda item: item.cell.in_peer):
        shares = [
            f"net demand {net_msat(item):,} × settle rate {rate.part:,} ÷ {rate.of:,}"
            for item in mine
            if item.expected_msat
        ]
        name = ground.book.alias_of(source) or "unknown peer"
        parts = [add_up([item]) for item in mine]
        yield Section(
            f"From {name}",
            tuple(
                replace(f, formula=" + ".join(shares)) if f.name == "missed" else f
                for f in totals(parts)
            ),
        )


def sent(items: Iterable[Priced]) -> Section:
    """What came in from a peer, out of the sums of whom it was for."""
    parts = [add_up(mine) for _, mine in in_order(items, lambda item: item.peer)]
    return Section("What it sent here", tuple(totals(parts)))
