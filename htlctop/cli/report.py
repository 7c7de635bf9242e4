"""`htlctop report`: the whole node, for a terminal, a pipe or a file."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from htlctop.cli.options import parse_time, store_option, store_path, window_options, write_output
from htlctop.errors import UsageError

if TYPE_CHECKING:
    from htlctop.analysis.models import Report


@click.command("report")
@click.argument(
    "saved", required=False, metavar="[FILE]", type=click.Path(dir_okay=False, path_type=Path)
)
@window_options
@click.option(
    "--format", "-f", "form", type=click.Choice(["text", "json", "csv", "md"]), default="text",
    show_default=True,
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@store_option
def command(
    saved: Path | None,
    window: str | None,
    hours: int | None,
    since: str | None,
    until: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
    store: Path | None,
) -> None:
    """What was missed, why and where, over a window; from what is stored, no node needed.

    FILE is a report saved with --json; it is written again, in any format.
    """
    from htlctop.export import report as export
    from htlctop.export.formats import Format

    chosen = Format.JSON if as_json else Format(form)
    if saved is not None:
        if any(item is not None for item in (window, hours, since, until)):
            raise UsageError("a saved report has its own window: leave out --window and --since")
        report = _read(saved)
    else:
        report = _report(window, hours, since, until, store)
    write_output(export.report(report, chosen), output)


def _report(
    window: str | None, hours: int | None, since: str | None, until: str | None, store: Path | None
) -> "Report":
    from htlctop import service
    from htlctop.analysis.models import Query

    if sum(item is not None for item in (window, hours, since)) > 1:
        raise UsageError("use one of --window, --hours and --since")
    query = Query(window=f"{hours}h" if hours else window or "24h")
    if since:
        query = replace(query, since_ns=parse_time(since))
    if until:
        query = replace(query, until_ns=parse_time(until))
    analyst = service.open_analyst(store_path(store, None))
    try:
        return analyst.report(query)
    finally:
        analyst.close()


def _read(path: Path) -> "Report":
    """A report from its file, or from standard input for "-"."""
    from htlctop.export.saved import read_report

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text: name a report saved with --json") from None
    try:
        return read_report(text)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
