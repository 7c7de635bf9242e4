"""Options that several commands share, in one grammar: node, store, window, output."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import click

from htlctop.config import Connection, ConnectionOptions, resolve
from htlctop.errors import StoreError, UsageError

if TYPE_CHECKING:
    from htlctop.analysis.query import Query
    from htlctop.domain.ports import ChannelInfoProvider
    from htlctop.preferences import Preferences

F = TypeVar("F", bound=Callable[..., object])

_NODE = (
    click.option("--lnddir", metavar="DIR", help="LND's folder."),
    click.option("--network", "-n", metavar="NAME", help="mainnet, testnet, signet, simnet, …"),
    click.option("--rpcserver", metavar="HOST:PORT", help="LND's gRPC address."),
    click.option("--tlscertpath", metavar="FILE", help="LND's tls.cert."),
    click.option("--macaroonpath", metavar="FILE", help="A macaroon; readonly.macaroon is enough."),
    click.option(
        "--lndconnect",
        metavar="URI",
        help="lndconnect://… holding all of it; HTLCTOP_LNDCONNECT keeps it out of `ps`.",
    ),
)


_KEPT = "htlctop."
"""Before what a command keeps in its click context."""


def _keep(ctx: click.Context, option: click.Parameter, value: object) -> None:
    ctx.meta[f"{_KEPT}{option.name}"] = value


_PROFILE = (
    click.option(
        "--profile", "-p", metavar="NAME", envvar="HTLCTOP_PROFILE", expose_value=False,
        callback=_keep, help="A profile of the config file: a node, its store, its looks.",
    ),
    click.option(
        "--config", type=click.Path(path_type=Path), envvar="HTLCTOP_CONFIG", metavar="FILE",
        expose_value=False, callback=_keep,
        help="The config file; by default htlctop/config.toml in the user's config folder.",
    ),
)  # fmt: skip


def with_profile(command: F) -> F:
    """The config file and its profile, once for each command; see `preferences`."""
    if not getattr(command, "has_profile", False):
        vars(command)["has_profile"] = True
        for option in reversed(_PROFILE):
            command = option(command)
    return command


def node_options(command: F) -> F:
    """lncli's options for reaching a node, or a profile of the config file."""
    command = with_profile(command)
    for option in reversed(_NODE):
        command = option(command)
    return command


def store_option(command: F) -> F:
    """Where the store is, by itself or by a profile of the config file."""
    return click.option(
        "--store",
        type=click.Path(dir_okay=False, readable=False, path_type=Path),
        envvar="HTLCTOP_STORE",
        metavar="FILE",
        help="The store; by default one for each network in the user's data folder.",
    )(with_profile(command))


def preferences() -> "Preferences":
    """The config file with the profile that this command was given; read once.

    Raises:
        ConfigError: it says something that cannot be, or has no such profile.
    """
    from htlctop.preferences import load

    ctx = click.get_current_context(silent=True)
    meta = ctx.meta if ctx else {}
    if f"{_KEPT}preferences" not in meta:
        given = meta.get(f"{_KEPT}config")
        profile = meta.get(f"{_KEPT}profile")
        path = given or config_path()
        meta[f"{_KEPT}preferences"] = load(path, profile, must_exist=given is not None)
    found: Preferences = meta[f"{_KEPT}preferences"]
    return found


def chosen_profile() -> list[str]:
    """The options that choose the same profile of the same file again, paths made absolute."""
    meta = click.get_current_context().meta
    profile, config = meta.get(f"{_KEPT}profile"), meta.get(f"{_KEPT}config")
    options = ["--profile", str(profile)] if profile else []
    return options + (
        ["--config", str(Path(str(config)).expanduser().absolute())] if config else []
    )


def keep_option(command: F) -> F:
    """How long single HTLCs are kept."""
    return click.option(
        "--keep", metavar="T", envvar="HTLCTOP_KEEP",
        help="Forget single HTLCs after 90d, …; totals stay.  [default: never]",
    )(command)  # fmt: skip


def lnd_manage_option(command: F) -> F:
    """Whether LND Manage is asked for channels and policies."""
    return click.option(
        "--lnd-manage", metavar="URL", envvar="HTLCTOP_LND_MANAGE",
        help="Ask LND Manage there for channels and policies, and LND where it cannot tell.",
    )(command)  # fmt: skip


def channel_info(lnd_manage: str | None) -> "ChannelInfoProvider | None":
    """Who is asked before the node is, by the option, else by the profile; None for nobody.

    Raises ConfigError.
    """
    lnd_manage = lnd_manage or preferences().profile.lnd_manage
    if not lnd_manage:
        return None
    from htlctop.wire.lnd_manage import LndManage

    return LndManage(lnd_manage)


def keep_ns(text: str | None) -> int | None:
    """--keep as ns, else the profile's, None for ever.

    Raises UsageError below two days, which claims reach back.
    """
    from htlctop.analysis.windows import duration_ns

    text = text or preferences().profile.look.keep
    if text is None:
        return None
    keep = duration_ns(text)
    if keep < duration_ns("2d"):
        raise UsageError(f"--keep {text}: keep at least 2d")
    return keep


def window_options(command: F) -> F:
    """What time is looked at: the command is given it as `query`, None where nothing was said."""

    @wraps(command)
    def asked(
        *,
        window: str | None,
        hours: int | None,
        since: str | None,
        until: str | None,
        **more: object,
    ) -> object:
        return command(query=window_query(window, hours, since, until), **more)

    for option in (
        click.option("--until", metavar="TIME", help="The end, with --since; by default now."),
        click.option("--since", metavar="TIME", help="The start: 2026-11-21T14:00Z, or ago: 36h."),
        click.option("--hours", type=click.IntRange(min=1), help="The same as --window Nh."),
        click.option("--window", metavar="T", help="30m, 24h, 30d or all.  [default: 24h]"),
    ):
        asked = option(asked)
    return cast(F, asked)


def output_options(command: F) -> F:
    """In which format, and where to: the command is given both as `output`."""

    @wraps(command)
    def told(*, form: str, as_json: bool, output: Path | None, **more: object) -> object:
        return command(output=Output("json" if as_json else form, output), **more)

    for option in (
        click.option(
            "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
            help="Into this file, for you alone.",
        ),
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        click.option(
            "--format", "-f", "form", type=click.Choice(["text", "json", "csv", "md"]),
            default="text", show_default=True,
        ),
    ):  # fmt: skip
        told = option(told)
    return cast(F, told)


@dataclass(frozen=True, slots=True)
class Output:
    """How a command's result is written, and into which file; None: to standard output."""

    form: str
    path: Path | None

    def write(self, text: str) -> None:
        """To the file, private to the user, or to standard output (also "-"). Raises StoreError."""
        if self.path is None or str(self.path) == "-":
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            with os.fdopen(os.open(self.path, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror}") from error


def window_query(
    window: str | None, hours: int | None, since: str | None, until: str | None
) -> "Query | None":
    """What the window options mean. Raises UsageError for two of them that exclude each other."""
    from htlctop.analysis.query import Query

    if sum(item is not None for item in (window, hours, since)) > 1:
        raise UsageError("use one of --window, --hours and --since")
    since_ns, until_ns = parse_time(since) if since else None, parse_time(until) if until else None
    if since_ns is not None and until_ns is not None and since_ns >= until_ns:
        raise UsageError(f"--since {since} is not before --until {until}: nothing lies between")
    if not (window or hours or since or until):
        return None
    return Query(
        window=f"{hours}h" if hours else window or "24h", since_ns=since_ns, until_ns=until_ns
    )


def connection(**flags: str | None) -> Connection:
    """The node that flags, environment, profile and LND's defaults mean. Raises ConfigError."""
    return resolve(ConnectionOptions(**flags), os.environ, preferences().profile.node)


def data_folder() -> Path:
    """The user's data folder of htlctop."""
    from platformdirs import user_data_path

    return user_data_path("htlctop", appauthor=False)


def state_folder() -> Path:
    """Where htlctop keeps what it remembers by itself."""
    from platformdirs import user_state_path

    return user_state_path("htlctop", appauthor=False)


def config_path() -> Path:
    """Where the user's config file is by default."""
    from platformdirs import user_config_path

    return user_config_path("htlctop", appauthor=False) / "config.toml"


def store_path(given: Path | None, network: str | None) -> Path:
    """The store to use: the one given, else the profile's, else the network's own."""
    from htlctop.preferences import DEFAULT

    profile = preferences().profile
    network = network or profile.node.network or os.environ.get("HTLCTOP_NETWORK") or "mainnet"
    name = network if profile.name == DEFAULT else profile.name
    return given or profile.store or data_folder() / f"{name}.db"


_LAST_S = 7_258_118_400


def parse_time(text: str, now_ns: int | None = None) -> int:
    """A moment, ns since the epoch: RFC 3339 (UTC where no zone is given), or how long before now.

    Raises UsageError for anything else.
    """
    from htlctop.analysis.windows import duration_ns
    from htlctop.domain.types import NS

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            ago = duration_ns(text)
        except UsageError:
            raise UsageError(
                f"{text!r} is no time; write 2026-11-21T14:00Z, or how long ago: 36h"
            ) from None
        return max(0, (time.time_ns() if now_ns is None else now_ns) - ago)
    # Before 1970 and after 2200 there is nothing to look at.
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return int(min(max(seconds, 0), _LAST_S)) * NS
