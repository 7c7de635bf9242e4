"""`htlctop service`: a systemd user unit for the collector."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from htlctop.cli.options import (
    channel_info,
    chosen_profile,
    connection,
    keep_ns,
    keep_option,
    lnd_manage_option,
    node_options,
    store_option,
)
from htlctop.config import ENVIRONMENT
from htlctop.errors import UsageError

_FILES = ("lnddir", "tlscertpath", "macaroonpath")
_SECRET = ("macaroon", "lndconnect")

# Of systemd's restrictions those that a user's own manager can impose: they need no mount
# namespace and no privilege.
_UNIT = """\
[Unit]
Description=htlctop collector: missed Lightning routing fees
# A node that is away for a week is still waited for.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
# HTLCTOP_LNDCONNECT=… or HTLCTOP_MACAROON=… belong here (chmod 600), not into this unit.
EnvironmentFile=-%E/htlctop/environment
WatchdogSec=60
Restart=on-failure
RestartSec=5
# Wrong usage or configuration does not mend itself.
RestartPreventExitStatus=2 3
TimeoutStopSec=10
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""

_INSTALL = """\
To install it:
  mkdir -p ~/.config/systemd/user && {again} > ~/.config/systemd/user/htlctop.service
  systemctl --user daemon-reload && systemctl --user enable --now htlctop.service
  loginctl enable-linger    # or it ends when you log out
"""


@click.command("service")
@node_options
@store_option
@keep_option
@lnd_manage_option
@click.option("--metrics", metavar="HOST:PORT", help="Serve /metrics and /healthz there, too.")
def command(
    store: Path | None,
    keep: str | None,
    lnd_manage: str | None,
    metrics: str | None,
    **flags: str | None,
) -> None:
    """Print a systemd user unit that collects with these options; how to install it on stderr.

    Options may also come from the environment, as always, and are written into the unit. Secrets
    are not: HTLCTOP_LNDCONNECT and HTLCTOP_MACAROON go into the file that the unit names.
    """
    from htlctop.metrics.server import parse_listen

    connection(**flags)  # these complain about what cannot be right
    keep_ns(keep)
    channel_info(lnd_manage)
    if metrics:
        parse_listen(metrics)
    if flags.get("lndconnect"):
        raise UsageError(
            "a unit is no place for a secret: write HTLCTOP_LNDCONNECT=… into "
            "~/.config/htlctop/environment (chmod 600), and leave --lndconnect out"
        )
    options = carried_over(flags, store, os.environ) + (["--keep", keep] if keep else [])
    options += ["--lnd-manage", lnd_manage] if lnd_manage else []
    options += ["--metrics", metrics] if metrics else []
    click.echo(unit([*this_program(), "collect", "--wait", *options]), nl=False)
    again = shlex.join([*this_program(), "service", *options])
    click.echo(_INSTALL.format(again=again), err=True, nl=False)
    for name in _SECRET:
        variable = ENVIRONMENT[name]
        if os.environ.get(variable):
            click.echo(
                f"{variable} is set here and is not in the unit: write it into "
                "~/.config/htlctop/environment (chmod 600)",
                err=True,
            )


def carried_over(
    flags: Mapping[str, str | None], store: Path | None, environ: Mapping[str, str]
) -> list[str]:
    """The options as given by flags, else by the environment, with paths made absolute."""
    options = chosen_profile()
    for name in (*_FILES, "network", "rpcserver"):
        value = flags.get(name) or environ.get(ENVIRONMENT[name])
        if value:
            options += [f"--{name}", _absolute(value) if name in _FILES else value]
    if store:
        options += ["--store", _absolute(str(store))]
    return options


def this_program() -> list[str]:
    """How to start the htlctop that is running now, wherever one is."""
    started = Path(sys.argv[0])
    if started.name != "__main__.py" and (found := shutil.which(started)):
        return [str(Path(found).absolute())]
    return [sys.executable, "-m", "htlctop"]


def unit(program: list[str]) -> str:
    """The unit that runs a program."""
    return _UNIT.format(command=" ".join(map(quote, program)))


def quote(argument: str) -> str:
    """An argument as systemd.syntax(7) and its specifiers and variables want it."""
    text = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    plain = text and all(c.isalnum() or c in "-_./:=@,+[]%" for c in text)
    return text if plain else f'"{text}"'


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
