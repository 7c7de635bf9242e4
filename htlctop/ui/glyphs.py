"""The signs that are drawn with, in one set for UTF-8 terminals and one for plain ASCII."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs. `levels` rise from a little to the peak, `shades` darken, `eighths` fill
    a cell from the left.
    """

    ascii: bool
    rule: str
    side: str
    tee: str
    tee_up: str
    cursor: str
    child: str
    several: str
    arrow: str
    left: str
    more: str
    approx: str
    dot: str
    times: str
    down: str
    up: str
    live: str
    waiting: str
    stopped: str
    alarm: str
    gap: str
    zero: str
    levels: str
    shades: str
    full: str
    eighths: str
    bar_left: str
    bar_right: str

    def bar(self, share: float, width: int) -> str:
        """A share 0..1 as a bar of at most `width` cells, blanks behind it; never empty if > 0."""
        share = min(1.0, max(0.0, share))
        steps = len(self.eighths) + 1
        units = round(share * width * steps)
        units = max(units, 1) if share > 0 else 0
        whole, rest = divmod(units, steps)
        tail = self.eighths[rest - 1] if rest else ""
        return (self.full * whole + tail).ljust(width)[:width]

    def spark(self, values: Sequence[float | None]) -> str:
        """Values as a row of signs up to their peak; None is a time nobody watched."""
        peak = max((value for value in values if value is not None), default=0)
        return "".join(self._sign(value, peak) for value in values)

    def shade(self, share: float) -> str:
        """A share 0..1 as one sign that darkens; a blank for none."""
        if share <= 0:
            return " "
        return self.shades[min(len(self.shades) - 1, int(share * len(self.shades)))]

    def rising(self, units: float, row: int) -> str:
        """What a bar `units` rows high shows in a row (0: the lowest); never nothing if > 0."""
        if units <= 0:
            return self.zero if row == 0 else " "
        steps = len(self.levels)
        part = max(1, round(units * steps)) - row * steps
        return " " if part <= 0 else self.levels[min(part, steps) - 1]

    def _sign(self, value: float | None, peak: float) -> str:
        if value is None:
            return self.gap
        if value <= 0 or peak <= 0:
            return self.zero
        return self.levels[min(len(self.levels) - 1, int(value / peak * len(self.levels)))]


BLOCKS = Glyphs(
    ascii=False,
    rule="─",
    side="│",
    tee="┬",
    tee_up="┴",
    cursor="▸",
    child="└",
    several="∥",
    arrow="→",
    left="◂",
    more="…",
    approx="≈",
    dot="·",
    times="×",
    down="▾",
    up="▴",
    live="●",
    waiting="◌",
    stopped="■",
    alarm="✖",
    gap="╱",
    zero="·",
    levels="▁▂▃▄▅▆▇█",
    shades="░▒▓█",
    full="█",
    eighths="▏▎▍▌▋▊▉",
    bar_left="▕",
    bar_right="▏",
)

ASCII = Glyphs(
    ascii=True,
    rule="-",
    side="|",
    tee="+",
    tee_up="+",
    cursor=">",
    child="`",
    several="x",
    arrow="->",
    left="<",
    more="~",
    approx="~",
    dot="-",
    times="x",
    down="v",
    up="^",
    live="*",
    waiting="o",
    stopped="#",
    alarm="!",
    gap="/",
    zero=".",
    levels="_:-=+*%#",
    shades=":+*#",
    full="#",
    eighths="",
    bar_left="[",
    bar_right="]",
)
