"""Sums written out: what each figure is made of, to the last msat."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from htlctop.analysis.advice.models import Figure
from htlctop.analysis.formulas import Rate
from htlctop.analysis.models import Sums
from htlctop.analysis.sums import Priced
from htlctop.domain.codes import LOST, PRICED_OUT, Category

_MOST_TERMS = 60


def net_msat(item: Priced) -> int:
    """A cell's demand less what came back."""
    return item.cell.demand_msat - item.cell.recovered_msat


def cell_figures(item: Priced, category: Category, rate: Rate) -> list[Figure]:
    """What a cell holds, by what its category counts in; nothing for an empty one."""
    cell = item.cell
    figures = [Figure("HTLCs", cell.n, "")]
    if category in LOST:
        net = net_msat(item)
        figures += [
            Figure("of these with unknown fee", cell.fee_unknown, ""),
            Figure("every try", cell.fee_msat, "msat"),
            Figure("payments", cell.claims, ""),
            Figure("repeats", cell.repeats, ""),
            Figure("demand", cell.demand_msat, "msat"),
            Figure("came back by itself", cell.recovered_msat, "msat"),
            Figure(
                "net demand", net, "msat",
                f"demand {cell.demand_msat:,} − came back {cell.recovered_msat:,}",
            ),
            Figure(
                "missed", item.expected_msat, "msat",
                f"net demand {net:,} × settle rate {rate.part:,} ÷ {rate.of:,}",
            ),
        ]  # fmt: skip
    elif category in PRICED_OUT:
        figures.append(Figure("offered", cell.demand_msat, "msat"))
    elif category == Category.SETTLED:
        figures.append(Figure("earned", cell.fee_msat, "msat"))
    return figures if any(figure.value for figure in figures) else []


_ADDED: tuple[tuple[str, Callable[[Sums], int], str], ...] = (
    ("settled", attrgetter("settled"), ""),
    ("refused here", attrgetter("refused"), ""),
    ("lost", attrgetter("lost"), ""),
    ("failed further on", attrgetter("downstream"), ""),
    ("fee unknown", attrgetter("fee_unknown"), ""),
    ("payments lost", attrgetter("claims"), ""),
    ("repeats", attrgetter("repeats"), ""),
    ("every try", attrgetter("asked_msat"), "msat"),
    ("demand", attrgetter("demand_msat"), "msat"),
    ("came back by itself", attrgetter("recovered_msat"), "msat"),
    ("net demand", attrgetter("net_demand_msat"), "msat"),
    ("missed", attrgetter("expected_msat"), "msat"),
    ("offered too little", attrgetter("offered_msat"), "msat"),
    ("earned", attrgetter("earned_msat"), "msat"),
)


def totals(parts: Sequence[Sums], *, zeros: bool = False) -> Iterable[Figure]:
    """Each sum with the parts that are not 0; those that are 0 only where asked for."""
    for name, of, unit in _ADDED:
        values = [value for value in map(of, parts) if value]
        total = sum(values)
        if total or zeros:
            yield Figure(name, total, unit, plus(values) if values else "")


def plus(values: Sequence[int]) -> str:
    """ "1,200 + 300"; "" for nothing to add. Of very many the smallest are added up already."""
    told = " + ".join(map(term, _largest(values)))
    if len(values) <= _MOST_TERMS:
        return told
    rest = sum(values) - sum(_largest(values))
    return f"{told} + {term(rest)} of {len(values) - _MOST_TERMS:,} others"


def _largest(values: Sequence[int]) -> Sequence[int]:
    """As many as are written out, in the order given."""
    if len(values) <= _MOST_TERMS:
        return values
    at = sorted(range(len(values)), key=lambda i: -abs(values[i]))[:_MOST_TERMS]
    return [values[i] for i in sorted(at)]


def term(value: int) -> str:
    """A number as it stands among others: one below zero in brackets."""
    return f"{value:,}" if value >= 0 else f"({value:,})".replace("-", "−")
