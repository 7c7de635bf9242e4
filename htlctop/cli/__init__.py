"""The command line: parse, build a service, hand it to a screen or print. Nothing heavy here."""

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click

from htlctop import __version__
from htlctop.errors import HtlctopError, StoreError

_COMMANDS = {
    "advise": "what to do about it, and the commands that do it",
    "analyze": "print one ranked table: peers, channels, pairs or sources",
    "app": "the screen (this is what runs without a command)",
    "collect": "listen without a screen, until stopped",
    "demo": "try it: a simulated node and the app, no LND needed",
    "doctor": "check node, permissions, store and terminal, and say what mends them",
    "explain": "print how every figure of a peer or channel comes about",
    "ingest": "read recordings into a store",
    "metrics": "serve what the store holds to Prometheus, and a health check",
    "monitor": "print each forward that settles or is refused, as it happens",
    "mark": "note what you did, to see what it changed",
    "record": "write what the node says into a file, to play or ingest",
    "report": "print what was missed, why and where",
    "service": "print a systemd unit that collects all the time",
    "store": "check the store",
    "sim": "simulate a node, made up or recorded",
}
"""Command -> its line in the help; its module of the same name holds `command`."""


class _Commands(click.Group):
    """Imports a command's module only when that command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"htlctop.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _writing():  # --help and --version are answered here
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            with _writing():
                return super().invoke(ctx)
        except HtlctopError as error:
            click.echo(f"htlctop: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo(err=True)  # after the terminal's own ^C
            ctx.exit(128 + signal.SIGINT)


@contextmanager
def _writing() -> Iterator[None]:
    """A reader who has had enough is no error, a full disk behind the output is the store's."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT):
            raise
        # What could not be written must not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            sys.exit(0)
        click.echo(f"htlctop: cannot write: {error.strerror}", err=True)
        sys.exit(StoreError.exit_code)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="htlctop")
def cli() -> None:
    """See the fees your Lightning node misses, live. Without a command: the app.

    Exit codes: 0 done, 1 a fault of htlctop, 2 wrong usage, 3 configuration, 4 the node cannot be
    reached, 5 the node refuses us, 6 the store, 129, 130 and 143 ended by SIGHUP, Ctrl-C and
    SIGTERM; commands that run until they are stopped end with 0 by the last two.
    """


def main() -> None:
    """The entry point."""
    # Names hold signs that not every terminal or pipe can write.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in _OWN_FLAGS):
        arguments = ["app", *arguments]
    cli.main(args=arguments, prog_name="htlctop")


_OWN_FLAGS = ("--version", "--help", "-h")
