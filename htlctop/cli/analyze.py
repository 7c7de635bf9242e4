"""`htlctop analyze`: one ranked table."""

from contextlib import closing
from dataclasses import replace
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
from htlctop.errors import UsageError

if TYPE_CHECKING:
    from htlctop.analysis.query import Query

_TITLES = {
    "peer": "Peers with their channels, fees and balances in sat",
    "channel": "Channels, fees and balances in sat",
    "pair": "Who wanted to reach whom, fees in sat",
    "source": "Whom it came from, fees in sat",
}
_COLUMNS = (
    "MISSED is what would have been earned: DEMAND, the fee of each refused payment once, × how "
    "many of the peer's payments settle once they are sent on; EVERY TRY counts its retries too"
)


@click.command("analyze")
@click.option(
    "--by", type=click.Choice(["peer", "channel", "pair", "source"]), default="peer",
    show_default=True, help="What a row is: where to, or where from.",
)  # fmt: skip
@click.option(
    "--sort",
    type=click.Choice(
        ["missed", "demand", "refused", "asked", "earned", "settled", "local", "name"]
    ),
    default="missed",
    show_default=True,
    help="By what, the largest first; names from a to z.",
)
@click.option("--reverse", is_flag=True, help="The smallest first.")
@click.option(
    "--filter",
    "text",
    default="",
    metavar="TEXT",
    help="Only rows that match, as by / in the app: text, why:liq, in:NAME, !out:NAME.",
)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="So many rows at most.")
@window_options
@output_options
@store_option
def command(
    by: str,
    sort: str,
    reverse: bool,
    text: str,
    top: int | None,
    query: "Query | None",
    output: Output,
    store: Path | None,
) -> None:
    """Rank what was missed, over a window; from what is stored, no node needed."""
    from htlctop import service
    from htlctop.analysis.filters import parse
    from htlctop.analysis.query import By, Query, SortKey
    from htlctop.export.formats import Format, render
    from htlctop.export.table import Document, Head
    from htlctop.export.views import ranked

    if SortKey(sort) is SortKey.LOCAL and not By(by).has_balance:
        raise UsageError(f"--sort local: a {by} has no balance; sort by missed, or by peer")
    if parse(text).is_of_htlcs:
        raise UsageError(
            f"--filter {text}: amt, fee, type and state are of single HTLCs, and a row adds up "
            "many; filter by name or by why:"
        )
    query = replace(
        query or Query(),
        by=By(by),
        sort=SortKey(sort),
        reverse=reverse,
        filter=text,
        most=top,
    )
    with closing(service.open_analyst(store_path(store, None))) as analyst:
        view = analyst.overview(query)
    head = Head(f"by {by}", view.node, view.window, text, view.status.replay)
    document = Document(head, (ranked(view.rows[:top], _TITLES[by]),), (("columns", _COLUMNS),))
    output.write(render(document, Format(output.form)))
