"""How each role looks: attributes first, so that nothing is lost without colour."""

from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from htlctop.ui.text import Role

Palette = Mapping[Role, Style]

_BOLD, _DIM, _REVERSE = Style(bold=True), Style(dim=True), Style(reverse=True)

MONO: Palette = {
    Role.TEXT: Style.null(),
    Role.DIM: _DIM,
    Role.TITLE: _BOLD,
    Role.STRONG: _BOLD,
    Role.GOOD: Style.null(),
    Role.WARN: _BOLD,
    Role.BAD: _BOLD,
    Role.BAR: Style.null(),
    Role.BADGE: _BOLD + _REVERSE,
    Role.CURSOR: _REVERSE,
    Role.NOTE: _REVERSE,
}

_COLOURS = {
    Role.GOOD: ("success", "green"),
    Role.WARN: ("warning", "yellow"),
    Role.BAD: ("error", "red"),
    Role.BAR: ("secondary", "cyan"),
}


def ansi() -> Palette:
    """The terminal's own sixteen colours; plain text carries no colour at all."""
    return dict(MONO) | {
        role: MONO[role] + Style(color=colour) for role, (_, colour) in _COLOURS.items()
    }


def themed(variables: Mapping[str, str]) -> Palette:
    """The colours of a Textual theme, on its background."""
    base = Style(
        color=Color.parse(variables["foreground"]).rich_color,
        bgcolor=Color.parse(variables["background"]).rich_color,
    )
    palette = {role: base + style for role, style in MONO.items()}
    for role, (variable, _) in _COLOURS.items():
        colour = Color.parse(variables[f"text-{variable}"]).rich_color
        palette[role] = base + MONO[role] + Style(color=colour)
    return palette


class Colourless(LineFilter):
    """Takes every colour out and leaves bold, dim and reverse: what NO_COLOR asks for.

    Textual's own filters leave greys, or "default" colour codes, behind.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments without colours."""
        return [
            Segment(text, style.without_color if style else None, control)
            for text, style, control in segments
        ]
