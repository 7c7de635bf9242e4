"""`htlctop report`: the whole node, for a terminal, a pipe or a file."""

from dataclasses import replace
from pathlib import Path

import click

from htlctop.cli.options import parse_time, store_option, store_path, window_options, write_output
from htlctop.errors import UsageError


@click.command("report")
@window_options
@click.option(
    "--format", "-f", "form", type=click.Choice(["text", "json", "csv"]), default="text",
    show_default=True,
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@store_option
def command(
    window: str | None,
    hours: int | None,
    since: str | None,
    until: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
    store: Path | None,
) -> None:
    """What was missed, why and where, over a window; from what is stored, no node needed."""
    from htlctop import service
    from htlctop.analysis.models import Query
    from htlctop.export.csv import overview_csv
    from htlctop.export.report import report_json, report_text

    if sum(item is not None for item in (window, hours, since)) > 1:
        raise UsageError("use one of --window, --hours and --since")
    query = Query(window=f"{hours}h" if hours else window or "24h")
    if since:
        query = replace(query, since_ns=parse_time(since))
    if until:
        query = replace(query, until_ns=parse_time(until))
    analyst = service.open_analyst(store_path(store, None))
    try:
        report = analyst.report(query)
    finally:
        analyst.close()
    if as_json or form == "json":
        text = report_json(report)
    elif form == "csv":
        text = overview_csv(report.overview)
    else:
        text = report_text(report)
    write_output(text, output)
