"""`htlctop ingest`: recordings into a store, without a server."""

import asyncio
from pathlib import Path

import click

from htlctop.cli.bar import LateBar
from htlctop.cli.options import store_option, store_path


@click.command("ingest")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@store_option
def command(files: tuple[Path, ...], store: Path | None) -> None:
    """Read recordings (htlctop-recording/1, plain or .gz) into a store.

    Reading one twice changes nothing.
    """
    from htlctop import service

    with LateBar("reading") as bar:
        done = asyncio.run(service.ingest(files, store_path(store, None), progress=bar.update))
    for item in done:
        click.echo(f"{item.path}: {item.events:,} events")
        if item.malformed:
            click.echo(f"  {item.malformed:,} messages could not be decoded", err=True)
        if item.cut_off_line is not None:
            click.echo(f"  line {item.cut_off_line} was cut off and left out", err=True)
