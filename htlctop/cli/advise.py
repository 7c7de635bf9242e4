"""`htlctop advise`: what to do about it, and the commands that do it."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from htlctop.cli.options import (
    Output,
    output_options,
    preferences,
    store_option,
    store_path,
    window_options,
)
from htlctop.errors import UsageError

if TYPE_CHECKING:
    from htlctop.analysis.query import Query


@click.command("advise")
@click.option(
    "--for", "tool", metavar="TOOL",
    help="Write the commands for bos, lncli or charge-lnd, or for a tool of your templates.",
)  # fmt: skip
@window_options
@output_options
@store_option
def command(
    tool: str | None,
    query: "Query | None",
    output: Output,
    store: Path | None,
) -> None:
    """What is worth doing, ranked, each with its evidence; from seven days at least.

    With --for: the commands, each with its evidence as a comment, to read and run by hand.
    """
    from htlctop import service
    from htlctop.analysis.query import Query
    from htlctop.export.advice import advice_text
    from htlctop.export.advice_json import advice_file
    from htlctop.export.formats import Format, render
    from htlctop.export.handoff import check_templates, script, tools
    from htlctop.export.views import document

    if tool is not None and output.form != Format.TEXT:
        raise UsageError(f"--for writes commands, which are no {output.form}: use one of the two")
    templates = preferences().templates
    check_templates(templates)
    if tool is not None and tool not in tools(templates):
        raise UsageError(f"no tool {tool!r}: use one of {', '.join(tools(templates))}")
    with closing(service.open_analyst(store_path(store, None))) as analyst:
        advice = analyst.advice(query or Query())
    chosen = Format(output.form)
    if tool is not None:
        text = script(advice, tool, templates)
    elif chosen is Format.TEXT:
        text = advice_text(advice)
    elif chosen is Format.JSON:
        text = advice_file(advice)
    else:
        text = render(document(advice, "advice"), chosen)
    output.write(text)
