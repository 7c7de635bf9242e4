"""Options of the screen: flag, then environment, then profile, then what the terminal can do."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from htlctop.cli.options import data_folder, preferences, state_folder, with_profile

if TYPE_CHECKING:
    from htlctop.ui import UiOptions

F = TypeVar("F", bound=Callable[..., object])

_LOOKS = (
    click.option(
        "--theme", metavar="NAME", envvar="HTLCTOP_THEME",
        help="dark, light, ansi-dark, ansi-light, or another of Textual's; by default the "
        "terminal's.",
    ),
    click.option(
        "--ascii/--no-ascii", "ascii_only", default=None, envvar="HTLCTOP_ASCII",
        help="No box or block characters.",
    ),
    click.option(
        "--mouse/--no-mouse", default=None, envvar="HTLCTOP_MOUSE",
        help="Answer the mouse, or leave it to the terminal.",
    ),
)  # fmt: skip


def look_options(command: F) -> F:
    """How the screen is to be, by itself or by a profile of the config file."""
    command = with_profile(command)
    for option in reversed(_LOOKS):
        command = option(command)
    return command


def ui_options(
    theme: str | None,
    ascii_only: bool | None,
    mouse: bool | None,
    window: str | None,
    log_path: Path,
) -> "UiOptions":
    """What the screen is given. Raises ConfigError where the config file cannot be."""
    from htlctop.export.handoff import check_templates
    from htlctop.ui.session import UiOptions

    chosen = preferences()
    check_templates(chosen.templates)
    look = chosen.profile.look
    return UiOptions(
        ascii=bool(look.ascii if ascii_only is None else ascii_only),
        no_mouse=(look.mouse if mouse is None else mouse) is False,
        theme=theme or look.theme,
        window=window or look.window,
        snapshot_dir=data_folder() / "snapshots",
        log_path=log_path,
        templates=chosen.templates,
        keys=chosen.keys,
        state_path=state_folder() / f"{chosen.profile.name}.json",
    )
