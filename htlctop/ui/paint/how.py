"""How every figure of a page comes about: its inputs, its formula and its result, to the digit."""

from htlctop.analysis.advice.models import Explanation
from htlctop.export.explain import shown
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.advice import figures
from htlctop.ui.paint.parts import rule, spelled
from htlctop.ui.text import Line, Role, line


def page(found: Explanation, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """Every section with its figures; amounts in msat, as they are computed."""
    lines: list[Line] = [
        line(f" {spelled(found.about, glyphs)}: how each figure comes about", Role.STRONG)
    ]
    for section in found.sections:
        lines.append(rule(spelled(section.title, glyphs), width, glyphs))
        lines.extend(figures(section.figures, width, glyphs, shown))
    return tuple(lines)
