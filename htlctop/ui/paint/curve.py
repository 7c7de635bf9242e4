"""A peer's liquidity curve: what so much more on our side, moved once, would have served."""

from collections.abc import Sequence

from htlctop.analysis.advice.models import Curve, CurvePoint
from htlctop.export.format import age, count, percent, sat, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.parts import paragraph
from htlctop.ui.text import Line, Role, fit, left, line, right

MOST_POINTS = 7
_KNEE = "knee"


def curve(found: Curve | None, width: int, glyphs: Glyphs) -> list[Line]:
    """A line for each amount: its bar, its share of the fee, how long it lasts, and the knee."""
    title = "With so much more on our side, once"
    if width < 38:
        title = "With more on our side, once"
    lines = [fit(line(f" {title}", Role.TITLE), width, glyphs.more)]
    if found is None or not found.points:
        none = "no refused payment would have been served"
        return [*lines, *paragraph(none, width, Role.DIM, 2)]
    knee = found.points[found.knee] if found.knee is not None else None
    some = _some(found.points, knee)
    lines.extend(_point(point, point is knee, width, glyphs) for point in some)
    about = f"share of the fees of {count(found.claims)} payments, and how long it lasts"
    lines.extend(paragraph(about, width, Role.DIM, 2))
    return lines


def _some(points: Sequence[CurvePoint], knee: CurvePoint | None) -> list[CurvePoint]:
    """A few points evenly, the last and the knee always among them."""
    if len(points) <= MOST_POINTS:
        return list(points)
    step = (len(points) - 1) / (MOST_POINTS - 1)
    chosen = {round(index * step) for index in range(MOST_POINTS)}
    return [point for index, point in enumerate(points) if index in chosen or point is knee]


def _point(point: CurvePoint, is_knee: bool, width: int, glyphs: Glyphs) -> Line:
    lasts = "longer" if point.lasts_ns is None else age(point.lasts_ns)
    mark = f" {glyphs.left} {_KNEE}" if is_knee else ""
    served = f"{right(sat(point.served_msat), 8)} sat" if width >= 52 else ""
    tail = f"{right(percent(point.share, 1), 5)}{served}  {left(lasts, 7)}"
    room = max(2, min(30, width - 9 - len(tail) - len(_KNEE) - 4))
    return fit(
        (
            (f" {left('+' + short_sat(point.more_sat), 7)} ", Role.TEXT),
            (glyphs.bar(point.share, room), Role.BAR),
            (tail, Role.TEXT),
            (mark, Role.STRONG),
        ),
        width,
        glyphs.more,
    )
