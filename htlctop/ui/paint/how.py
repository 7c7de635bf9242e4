"""How every figure of a page comes about: its inputs, its formula and its result, to the digit."""

from collections.abc import Iterator
from dataclasses import replace

from htlctop.analysis.advice.models import Explanation, Figure
from htlctop.export.explain import shown
from htlctop.export.format import moment
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.keys import key_of
from htlctop.ui.paint.advice import figures
from htlctop.ui.paint.parts import paragraph, rule, spelled
from htlctop.ui.text import Line, Role


def page(
    found: Explanation, width: int, glyphs: Glyphs, first: str, is_nodes: bool
) -> Iterator[Line]:
    """Every section with its figures, the one titled `first` before the others; amounts in msat, as
    they are computed. Where they are not the node's, the way to those is told."""
    about = spelled(found.about, glyphs)
    yield from paragraph(f"{about}: how each figure comes about", width, Role.STRONG, 2)
    if not is_nodes and width >= 60:
        node, how = (key_of(name, glyphs.ascii) for name in ("node", "how"))
        yield from paragraph(f"(the whole node's: {node}, then {how})", width, Role.DIM, 1)
    now_ns = found.window.until_ns if found.window else found.status.now_ns
    for section in sorted(found.sections, key=lambda each: each.title != first):
        yield rule(spelled(section.title, glyphs), width, glyphs)
        timed = [_timed(figure, now_ns) for figure in section.figures]
        yield from figures(timed, width, glyphs, shown)


def _timed(figure: Figure, now_ns: int) -> Figure:
    """With its time before its name, where it has one."""
    if figure.at_ns is None:
        return figure
    return replace(figure, name=f"{moment(figure.at_ns, now_ns)} {figure.name}")
