"""How every figure of a page comes about: its inputs, its formula and its result, to the digit."""

from htlctop.analysis.advice.models import Explanation
from htlctop.export.explain import shown
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.advice import figures
from htlctop.ui.paint.parts import paragraph, rule, spelled
from htlctop.ui.text import Line, Role


def page(found: Explanation, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """Every section with its figures; amounts in msat, as they are computed."""
    about = spelled(found.about, glyphs)
    lines = paragraph(f"{about}: how each figure comes about", width, Role.STRONG, 2)
    for section in found.sections:
        lines.append(rule(spelled(section.title, glyphs), width, glyphs))
        lines.extend(figures(section.figures, width, glyphs, shown))
    return tuple(lines)
