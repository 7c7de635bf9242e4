"""`htlctop analyze`: one ranked table."""

from contextlib import closing
from dataclasses import replace
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

_TITLES = {
    "peer": "Peers with their channels, fees and balances in sat",
    "channel": "Channels, fees and balances in sat",
    "pair": "Who wanted to reach whom, fees in sat",
    "source": "Whom it came from, fees in sat",
}


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
@click.option("--filter", "text", default="", metavar="TEXT", help="Only rows that this lets by.")
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
    window: str | None,
    hours: int | None,
    since: str | None,
    until: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
    store: Path | None,
) -> None:
    """Rank what was missed, over a window; from what is stored, no node needed."""
    from htlctop import service
    from htlctop.analysis.models import By, SortKey
    from htlctop.export.formats import Format, render
    from htlctop.export.table import Document, Head
    from htlctop.export.views import ranked

    query = replace(
        window_query(window, hours, since, until),
        by=By(by),
        sort=SortKey(sort),
        reverse=reverse,
        filter=text,
    )
    with closing(service.open_analyst(store_path(store, None))) as analyst:
        view = analyst.overview(query)
    head = Head(f"by {by}", view.node, view.window, text, view.status.replay)
    document = Document(head, (ranked(view.rows[:top], _TITLES[by]),))
    write_output(render(document, Format.JSON if as_json else Format(form)), output)
