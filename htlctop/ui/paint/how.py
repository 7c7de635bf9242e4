"""How every figure of a page comes about: its inputs, its formula and its result, to the digit."""

from dataclasses import replace

from htlctop.analysis.advice.models import Explanation, Figure
from htlctop.export.explain import shown
from htlctop.export.format import moment
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.advice import figures
from htlctop.ui.paint.parts import paragraph, rule, spelled
from htlctop.ui.text import Line, Role


def page(found: Explanation, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """Every section with its figures; amounts in msat, as they are computed."""
    about = spelled(found.about, glyphs)
    lines = paragraph(f"{about}: how each figure comes about", width, Role.STRONG, 2)
    now_ns = found.window.until_ns if found.window else found.status.now_ns
    for section in found.sections:
        lines.append(rule(spelled(section.title, glyphs), width, glyphs))
        timed = [_timed(figure, now_ns) for figure in section.figures]
        lines.extend(figures(timed, width, glyphs, shown))
    return tuple(lines)


def _timed(figure: Figure, now_ns: int) -> Figure:
    """With its time before its name, where it has one."""
    if figure.at_ns is None:
        return figure
    return replace(figure, name=f"{moment(figure.at_ns, now_ns)} {figure.name}")
