"""`htlctop explain`: how every figure comes about."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from htlctop.cli.options import (
    Output,
    output_options,
    store_option,
    store_path,
    window_options,
)

if TYPE_CHECKING:
    from htlctop.analysis.query import Query


@click.command("explain")
@click.argument("what", required=False, metavar="[PEER|CHANNEL|CHANNEL:HTLC]")
@click.option(
    "--from", "source", default="", metavar="PEER", help="Of what came in from this peer for it."
)
@window_options
@output_options
@store_option
def command(
    what: str | None,
    source: str,
    query: "Query | None",
    output: Output,
    store: Path | None,
) -> None:
    """For every figure its inputs, its formula and its result.

    PEER is a public key or its beginning, or a name; CHANNEL an id in any form; HTLC the number
    of one that came in there. Without any: the node's own totals. With --from, of the pair: who
    wanted to reach whom.
    """
    from htlctop import service
    from htlctop.analysis.query import Query
    from htlctop.export.explain import document
    from htlctop.export.formats import Format, render
    from htlctop.service.questions import explain

    with closing(service.open_analyst(store_path(store, None))) as analyst:
        explanation = explain(analyst, what or "", source, query or Query())
    output.write(render(document(explanation), Format(output.form)))
