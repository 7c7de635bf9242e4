"""`htlctop mark`: a note of what was done, beside which before and after are compared."""

import time
from contextlib import closing
from pathlib import Path

import click

from htlctop.cli.options import parse_time, store_option, store_path
from htlctop.errors import UsageError


@click.command("mark")
@click.argument("text", nargs=-1, required=True)
@click.option("--peer", metavar="PEER", help="A key or its beginning, a name or a channel id.")
@click.option("--at", metavar="TIME", help="2026-11-21T14:00Z, or ago: 36h.  [default: now]")
@store_option
def command(text: tuple[str, ...], peer: str | None, at: str | None, store: Path | None) -> None:
    """Note something that you did; works while a collector runs.

    History and the reports show what was missed before and after it.
    """
    from htlctop import service
    from htlctop.analysis.models import UNKNOWN_PEER
    from htlctop.domain.evidence import LONGEST_MARK
    from htlctop.export.format import clean, name, stamp
    from htlctop.store.marks import add_mark

    note = clean(" ".join(text), LONGEST_MARK)
    if not note:
        raise UsageError("nothing to note: give a text")
    path = store_path(store, None)
    with closing(service.open_analyst(path)) as analyst:
        marked = analyst.find_peer(peer) if peer is not None else None
        status = analyst.status()
    now_ns = status.now_ns if status.replay else time.time_ns()
    at_ns = parse_time(at, now_ns) if at else now_ns
    if at_ns > now_ns:
        raise UsageError(f"--at {at} is still to come: it is {stamp(now_ns)} there")
    add_mark(path, note, at_ns, marked.peer if marked else UNKNOWN_PEER)
    whom = name(marked.alias, marked.pubkey) if marked else "the whole node"
    click.echo(f"noted about {whom}: {note}")
