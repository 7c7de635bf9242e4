"""Terminal size -> what the Overview shows and how tall; total, down to 1x1."""

from dataclasses import dataclass
from enum import Enum

WIDE, NARROW = 110, 60
LEAST_WIDE = 76
"""Below this there is no room for Why beside the table, whatever is chosen by hand."""
WHY_WIDTH = 35


class Form(Enum):
    """The three arrangements; a wide but low terminal is laid out like a middling one."""

    WIDE = "wide"
    MIDDLE = "middle"
    NARROW = "narrow"


@dataclass(frozen=True, slots=True)
class Layout:
    """Heights in lines, 0 where a pane is left out; the table takes the rest.

    `header` counts the lines above the chart, `advice` the one among them that says what to do.
    `why_pane` puts Why beside the table, else `why_line` gives it one line.
    """

    form: Form
    header: int
    advice: int
    banner: int
    chart: int
    title: bool
    heads: bool
    why_pane: bool
    why_line: int
    live: int
    footer: int


def layout(width: int, height: int, by_hand: Form | None = None) -> Layout:
    """The arrangement for a terminal of this size, or one chosen by hand as far as it fits."""
    form = by_hand or _form(width)
    if form is Form.WIDE and (height < 16 or width < LEAST_WIDE):
        form = Form.MIDDLE
    wide, narrow = form is Form.WIDE, form is Form.NARROW
    advice = 1 if height >= (20 if narrow else 18) else 0
    return Layout(
        form=form,
        header=(3 if wide else 2 if height >= 4 else 1) + advice,
        advice=advice,
        banner=3 if height >= 20 else 2 if height >= 10 else 1,
        chart=1 if height >= 10 else 0,
        title=height >= 16,
        heads=height >= 8,
        why_pane=wide,
        why_line=0 if wide or height < 9 else 1,
        live=_live(height, narrow),
        footer=1 if height >= 18 or (height >= 10 and not narrow) else 0,
    )


def _form(width: int) -> Form:
    return Form.WIDE if width >= WIDE else Form.NARROW if width < NARROW else Form.MIDDLE


def next_form(by_hand: Form | None) -> Form | None:
    """The next arrangement to choose by hand; None is by size."""
    order: tuple[Form | None, ...] = (None, *Form)
    return order[(order.index(by_hand) + 1) % len(order)]


def _live(height: int, narrow: bool) -> int:
    """Lines of the live pane with its title."""
    if height < 20 or (narrow and height < 26):
        return 0
    return 6 if height < 28 else 8 if height < 44 else 12
