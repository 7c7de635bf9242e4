"""`htlctop record`: what a live node says, into a file that can be played and ingested."""

import asyncio
import signal
from pathlib import Path

import click

from htlctop.cli.logs import log_to_stderr
from htlctop.cli.options import connection, node_options


@click.command("record")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@node_options
@click.option("--duration", metavar="T", help="Stop after 30s, 5m, 48h, …")
@click.option(
    "--redact", is_flag=True,
    help="Made-up keys, names, channel and transaction ids; times and amounts stay.",
)  # fmt: skip
def command(file: Path, duration: str | None, redact: bool, **flags: str | None) -> None:
    """Record what the node says into a new FILE, until stopped; reconnects by itself.

    The file can be read with `htlctop ingest` and played with `htlctop sim`. It holds no preimage
    and no macaroon. With --redact it does not tell either whose node it was, but amounts and times
    stay, by which somebody who took part in a payment may know it again.
    """
    from htlctop.analysis.windows import duration_ns
    from htlctop.wire.recorder import Recorder, TapedClient
    from htlctop.wire.redaction import Redaction
    from htlctop.wire.tape import Tape

    log_to_stderr()
    node = connection(**flags)
    seconds = duration_ns(duration) / 1e9 if duration else None

    async def run(tape: Tape) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop.set)
        if seconds is not None:
            loop.call_later(seconds, stop.set)
        await Recorder(lambda: TapedClient(node, tape), tape).run(stop)

    with Tape(file, Redaction() if redact else None) as tape:
        asyncio.run(run(tape))
        click.echo(f"{file}: {tape.events:,} events")
