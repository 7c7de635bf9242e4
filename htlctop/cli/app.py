"""`htlctop`: the app."""

import sys
from pathlib import Path

import click

from htlctop.cli.looks import look_options, ui_options
from htlctop.cli.options import (
    channel_info,
    connection,
    keep_ns,
    keep_option,
    lnd_manage_option,
    node_options,
    store_option,
    store_path,
)


@click.command("app")
@node_options
@store_option
@keep_option
@lnd_manage_option
@look_options
@click.option(
    "--window", metavar="T", envvar="HTLCTOP_WINDOW",
    help="Start with 1h, 6h, 24h, 7d, 30d or all.",
)  # fmt: skip
def command(
    store: Path | None,
    keep: str | None,
    lnd_manage: str | None,
    window: str | None,
    theme: str | None,
    ascii_only: bool | None,
    mouse: bool | None,
    **flags: str | None,
) -> None:
    """See live what the node misses. Collects too, unless another htlctop does already."""
    from htlctop.analysis.windows import duration_ns
    from htlctop.service import LocalSession
    from htlctop.ui import run

    if window and window != "all":
        duration_ns(window)  # what is no time is refused here, and not on the screen
    node = connection(**flags)
    path = store_path(store, node.network)
    session = LocalSession(path, node, keep_ns=keep_ns(keep), channel_info=channel_info(lnd_manage))
    options = ui_options(theme, ascii_only, mouse, window, path.with_suffix(".log"))
    sys.exit(run(session, options))
