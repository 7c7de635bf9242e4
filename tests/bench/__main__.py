"""`python -m tests.bench [NAME…] [--quick]`: run the benches and print one table."""

import sys
from collections.abc import Callable, Iterable

import click

from tests.bench.big import big
from tests.bench.load import load
from tests.bench.small import small
from tests.bench.start import start
from tests.bench.table import Measure, lines
from tests.bench.terminal import terminal
from tests.bench.viewer import viewer
from tests.bench.wire import burst, slow, wire

BENCHES: dict[str, Callable[[bool], Iterable[Measure]]] = {
    "wire": wire,
    "slow": slow,
    "burst": burst,
    "load": load,
    "big": big,
    "small": small,
    "start": start,
    "terminal": terminal,
    "viewer": viewer,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
@click.option("--quick", is_flag=True, help="Smaller sizes, fewer repetitions.")
def main(names: tuple[str, ...], quick: bool) -> None:
    """Measure htlctop against its goals. Without NAMES: everything (some twenty minutes)."""
    found: list[Measure] = []
    for name in names or BENCHES:
        print(f"{name} …", file=sys.stderr, flush=True)
        found += BENCHES[name](quick)
    for line in lines(found):
        print(line)
    sys.exit(any(measure.met is False for measure in found))


if __name__ == "__main__":
    main()
