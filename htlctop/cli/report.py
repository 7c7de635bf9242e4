"""`htlctop report`: the whole node, for a terminal, a pipe or a file."""

import sys
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
from htlctop.errors import UsageError

if TYPE_CHECKING:
    from htlctop.analysis.advice.models import Advice
    from htlctop.analysis.details import Change
    from htlctop.analysis.models import Report
    from htlctop.analysis.query import Query

    _Whole = tuple[Report, Advice | None, tuple[Change, ...]]


@click.command("report")
@click.argument(
    "saved", required=False, metavar="[FILE]", type=click.Path(dir_okay=False, path_type=Path)
)
@window_options
@output_options
@store_option
def command(
    saved: Path | None,
    query: "Query | None",
    output: Output,
    store: Path | None,
) -> None:
    """What was missed, why and where, over a window; from what is stored, no node needed.

    FILE is a report saved with --json; it is written again, in any format.
    """
    from htlctop.export import report as export
    from htlctop.export.formats import Format

    if saved is not None:
        if query is not None:
            raise UsageError("a saved report has its own window: leave out --window and --since")
        report, advice, changes = _read(saved)
    else:
        report, advice, changes = _report(query, store)
    output.write(export.report(report, Format(output.form), advice, changes))


def _report(query: "Query | None", store: Path | None) -> "_Whole":
    from htlctop import service
    from htlctop.analysis.query import Query

    query = query or Query()
    with closing(service.open_analyst(store_path(store, None))) as analyst:
        return analyst.report(query), analyst.advice(query), analyst.history(query).changes


def _read(path: Path) -> "_Whole":
    """A report from its file, or from standard input for "-"."""
    from htlctop.export.saved import read_report
    from htlctop.export.saved_advice import read_advice

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text: name a report saved with --json") from None
    try:
        report = read_report(text)
        return report, *read_advice(text, report)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
