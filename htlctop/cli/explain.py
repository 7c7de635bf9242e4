"""`htlctop explain`: how every figure comes about."""

from contextlib import closing
from pathlib import Path

import click

from htlctop.cli.options import (
    output_options,
    store_option,
    store_path,
    window_options,
    window_query,
    write_output,
)


@click.command("explain")
@click.argument("what", required=False, metavar="[PEER|CHANNEL]")
@window_options
@output_options
@store_option
def command(
    what: str | None,
    window: str | None,
    hours: int | None,
    since: str | None,
    until: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
    store: Path | None,
) -> None:
    """For every figure its inputs, its formula and its result.

    PEER is a public key or its beginning, or a name; CHANNEL an id in any form. Without either:
    the node's own totals.
    """
    from htlctop import service
    from htlctop.export.explain import document
    from htlctop.export.formats import Format, render

    query = window_query(window, hours, since, until)
    with closing(service.open_analyst(store_path(store, None))) as analyst:
        peer, channel = analyst.find(what) if what is not None else (None, None)
        explanation = analyst.explain(query, peer, channel)
    write_output(render(document(explanation), Format.JSON if as_json else Format(form)), output)
