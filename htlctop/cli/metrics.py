"""`htlctop metrics`: what the store holds, for Prometheus."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from htlctop.cli.options import Output, store_option, store_path
from htlctop.errors import StoreError

if TYPE_CHECKING:
    from htlctop.metrics.server import MetricsServer

_ENDING = (signal.SIGINT, signal.SIGTERM)


@click.command("metrics")
@click.option(
    "--listen", default="127.0.0.1:9740", show_default=True, metavar="HOST:PORT",
    help="Where /metrics and /healthz are served.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="Print the metrics and end, without a server.")
@store_option
def command(listen: str, once: bool, store: Path | None) -> None:
    """Serve /metrics for Prometheus and /healthz for monitors, until stopped.

    Reads the store that another htlctop collects into; `htlctop collect --metrics HOST:PORT` does
    both in one process. /healthz answers 200 while the collector is live, else 503 with the reason.
    """
    from htlctop import service
    from htlctop.metrics.scrape import Scraper
    from htlctop.metrics.server import MetricsServer, parse_listen

    parse_listen(listen)
    path = store_path(store, None)
    scraper = Scraper(lambda: service.open_analyst(path))
    if once:
        page = scraper.metrics()
        scraper.close()
        if page.status != 200:
            raise StoreError(page.body.decode().strip())
        Output("text", None).write(page.body.decode())
        return
    with _held_back(), MetricsServer(scraper, listen) as server:
        say_where(server)
        if (page := scraper.metrics()).status != 200:
            click.echo(f"htlctop: {page.body.decode().strip()}", err=True)
        signal.sigwait(_ENDING)


@contextmanager
def _held_back() -> Iterator[None]:
    """The signals that end us wait in every thread, until one asks for them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def say_where(server: "MetricsServer") -> None:
    """Where to scrape, on stderr; and that others can, where they can."""
    click.echo(f"htlctop: http://{server.address}/metrics and /healthz", err=True)
    if server.is_exposed:
        click.echo(
            "htlctop: other machines can reach it, and read names and earnings: there is no "
            "password",
            err=True,
        )
