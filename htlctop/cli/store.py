"""`htlctop store`: what can be done with a store itself."""

from pathlib import Path

import click

from htlctop.cli.options import store_option, store_path
from htlctop.errors import StoreError


@click.group("store")
def command() -> None:
    """Look after the store."""


@command.command("check", short_help="prove that the file is whole and every total exact")
@store_option
def check_command(store: Path | None) -> None:
    """Prove that the file is whole and that every bucket is the exact sum of its rows."""
    from htlctop.store.check import check

    path = store_path(store, None)
    found = check(path)
    for line in found:
        click.echo(line)
    if found:
        raise StoreError(f"{path}: {len(found)} things are wrong")
    click.echo(f"{path}: all is well")
