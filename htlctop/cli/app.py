"""`htlctop`: the app."""

import sys
from pathlib import Path

import click

from htlctop.cli.options import (
    connection,
    data_folder,
    keep_ns,
    keep_option,
    node_options,
    store_option,
    store_path,
)


@click.command("app")
@node_options
@store_option
@keep_option
@click.option("--window", metavar="T", help="Start with 1h, 6h, 24h, 7d, 30d or all.")
@click.option("--theme", metavar="NAME", help="A theme by name; by default the terminal's.")
@click.option("--ascii", "ascii_only", is_flag=True, help="No box or block characters.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
def command(
    store: Path | None,
    keep: str | None,
    window: str | None,
    theme: str | None,
    ascii_only: bool,
    no_mouse: bool,
    **flags: str | None,
) -> None:
    """See live what the node misses. Collects too, unless another htlctop does already."""
    from htlctop.service import LocalSession
    from htlctop.ui import run
    from htlctop.ui.session import UiOptions

    node = connection(**flags)
    path = store_path(store, node.network)

    sys.exit(
        run(
            LocalSession(path, node, keep_ns=keep_ns(keep)),
            UiOptions(
                ascii=ascii_only,
                no_mouse=no_mouse,
                theme=theme,
                window=window,
                snapshot_dir=data_folder() / "snapshots",
                log_path=path.with_suffix(".log"),
            ),
        )
    )
