"""What a bench found, and the table it is printed as."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One line: what was measured, its value, what it should be; `met` None: for information."""

    bench: str
    name: str
    value: str
    goal: str = ""
    met: bool | None = None


def at_most(bench: str, name: str, value: float, goal: float, unit: str = "") -> Measure:
    """A value that should not exceed its goal."""
    return Measure(bench, name, _text(value, unit), f"<= {_text(goal, unit)}", value <= goal)


def at_least(bench: str, name: str, value: float, goal: float, unit: str = "") -> Measure:
    """A value that should reach its goal."""
    return Measure(bench, name, _text(value, unit), f">= {_text(goal, unit)}", value >= goal)


def known(bench: str, name: str, value: float | str, unit: str = "") -> Measure:
    """A value without a goal."""
    return Measure(bench, name, value if isinstance(value, str) else _text(value, unit))


def lines(measures: Iterable[Measure]) -> Iterable[str]:
    """The table's lines, heads first."""
    met = {True: "yes", False: "NO", None: ""}
    rows = [("bench", "measure", "value", "goal", "met")]
    rows += [(m.bench, m.name, m.value, m.goal, met[m.met]) for m in measures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for bench, name, value, goal, verdict in rows:
        yield (
            f"{bench:<{widths[0]}}  {name:<{widths[1]}}  {value:>{widths[2]}}  "
            f"{goal:>{widths[3]}}  {verdict}"
        ).rstrip()


def _text(value: float, unit: str) -> str:
    if value == int(value) or abs(value) >= 1000:
        number = f"{value:,.0f}"
    else:
        number = f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}"
    return f"{number} {unit}".rstrip()
