"""An explanation as a document: a table for each group of figures that belong together."""

from htlctop.analysis.advice.models import Explanation, Figure, Section
from htlctop.export.advice import value
from htlctop.export.format import LONGEST_LINE, clean
from htlctop.export.table import Document, Field, Head, Table, Unit, table


def document(explanation: Explanation) -> Document:
    """Every figure with how it comes about."""
    head = Head(
        f"explain {explanation.about}",
        explanation.node,
        explanation.window,
        is_replay=explanation.status.replay,
    )
    names = _names(explanation.sections)
    return Document(
        head,
        tuple(_section(each, name) for each, name in zip(explanation.sections, names, strict=True)),
    )


_FIGURES: tuple[Field[Figure], ...] = (
    Field("at", "AT", Unit.TIME, lambda figure: figure.at_ns),
    Field("name", "FIGURE", Unit.NAME, lambda figure: figure.name),
    Field("value", "", Unit.COUNT, lambda figure: figure.value),
    Field("", "VALUE", Unit.COUNT, lambda figure: None if _words(figure) else _value(figure)),
    Field("unit", "UNIT", Unit.TEXT, lambda figure: figure.unit),
    Field("formula", "", Unit.FORMULA, lambda figure: figure.formula),
    # Words would make the column of the numbers wide.
    Field("", "HOW", Unit.FORMULA, lambda figure: _words(figure) or figure.formula),
)


def _section(section: Section, name: str) -> Table:
    return table(name, section.title, _FIGURES, section.figures)


def shown(figure: Figure) -> str:
    """The value to the last digit with its unit, since somebody checks it."""
    found = _value(figure)
    text = f"{found:,}" if isinstance(found, int) else clean(str(found), LONGEST_LINE)
    return f"{text} {figure.unit}".rstrip()


def _words(figure: Figure) -> str:
    return figure.value if isinstance(figure.value, str) else ""


def _value(figure: Figure) -> str | int | float | None:
    if isinstance(figure.value, float):
        return f"{figure.value:,.9f}".rstrip("0").rstrip(".")
    return value(figure) if figure.value is None else figure.value


def _names(sections: tuple[Section, ...]) -> list[str]:
    """A name for programs for each section, none twice."""
    names: list[str] = []
    for section in sections:
        stem = "_".join("".join(c if c.isalnum() else " " for c in section.title).lower().split())
        name, number = stem, 1
        while name in names:
            number += 1
            name = f"{stem}_{number}"
        names.append(name)
    return names
