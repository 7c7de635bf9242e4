"""Terminal size -> what the Overview shows and how tall; total, down to 1x1."""

from dataclasses import dataclass
from enum import Enum

WIDE, NARROW = 110, 60
WHY_WIDTH = 36


class Form(Enum):
    """The three arrangements; a wide but low terminal is laid out like a middling one."""

    WIDE = "wide"
    MIDDLE = "middle"
    NARROW = "narrow"


@dataclass(frozen=True, slots=True)
class Layout:
    """Heights in lines, 0 where a pane is left out; the table takes the rest.

    `why_pane` puts Why beside the table, else `why_line` gives it one line.
    """

    form: Form
    header: int
    banner: int
    chart: int
    title: bool
    heads: bool
    why_pane: bool
    why_line: int
    live: int
    footer: int


def layout(width: int, height: int) -> Layout:
    """The arrangement for a terminal of this size."""
    form = Form.WIDE if width >= WIDE else Form.NARROW if width < NARROW else Form.MIDDLE
    if form is Form.WIDE and height < 16:
        form = Form.MIDDLE
    wide, narrow = form is Form.WIDE, form is Form.NARROW
    return Layout(
        form=form,
        header=3 if wide else 2 if height >= 4 else 1,
        banner=3 if height >= 20 else 2 if height >= 10 else 1,
        chart=1 if height >= 10 else 0,
        title=height >= 16,
        heads=height >= 8,
        why_pane=wide,
        why_line=0 if wide or height < 9 else 1,
        live=_live(height, narrow),
        footer=1 if height >= 18 or (height >= 10 and not narrow) else 0,
    )


def _live(height: int, narrow: bool) -> int:
    """Lines of the live pane with its title."""
    if height < 20 or (narrow and height < 26):
        return 0
    return 6 if height < 28 else 8 if height < 44 else 12
