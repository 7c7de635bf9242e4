"""The certificate's and the macaroon's file: there, readable, whole, and for nobody else's eyes."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from htlctop.config import Connection, bake_line
from htlctop.doctor.check import Check, fail, ok, warn
from htlctop.errors import ConfigError, NodePermissionError
from htlctop.wire.macaroon import Macaroon, NoMacaroonError, read_macaroon

_SOON_S = 14 * 86400


def check_certificate(connection: Connection) -> Check:
    """The certificate that is to be trusted."""
    name = "certificate"
    try:
        pem = connection.read_tls_cert()
    except ConfigError as error:
        return fail(name, error)
    if pem is None:
        return ok(name, "none given: the system's roots are trusted")
    return ok(name, f"{connection.tls_cert_path or 'the one of the lndconnect URI'} is readable")


def check_macaroon(connection: Connection) -> Iterator[Check]:
    """The macaroon's file, then what the macaroon says of itself."""
    name = "macaroon"
    where = str(connection.macaroon_path or "the macaroon given")
    try:
        macaroon = read_macaroon(bytes.fromhex(connection.read_macaroon()))
    except ConfigError as error:
        yield fail(name, error)
        return
    except NoMacaroonError:
        yield fail(
            name,
            NodePermissionError(f"{where} is damaged or cut off: copy it from the node again"),
        )
        return
    if connection.macaroon_path is not None and _anybody_may_read(connection.macaroon_path):
        yield warn(name, f"{where} can be read by every user", f"chmod 640 {where}")
    else:
        yield ok(name, f"{where} is readable, and whole")
    yield from _permissions(macaroon, connection.network)
    yield from _caveats(macaroon, connection.network)


def _permissions(macaroon: Macaroon, network: str) -> Iterator[Check]:
    name = "permissions"
    if macaroon.permissions is None:
        yield ok(name, "the macaroon does not tell what it permits; it is tried out below")
    elif macaroon.missing:
        lacking = " and ".join(macaroon.missing)
        yield fail(name, NodePermissionError(f"the macaroon lacks {lacking}: {bake_line(network)}"))
    elif beyond := macaroon.beyond_reading:
        shown = ", ".join(beyond[:3]) + (f" and {len(beyond) - 3} more" if len(beyond) > 3 else "")
        yield warn(
            name,
            f"the macaroon permits more than reading ({shown}), which htlctop never does",
            bake_line(network),
        )
    else:
        yield ok(name, "the macaroon can only read")


def _caveats(macaroon: Macaroon, network: str) -> Iterator[Check]:
    name = "expiry"
    for caveat in macaroon.caveats:
        kind, _, value = caveat.partition(" ")
        if kind != "time-before":
            continue
        try:
            until = datetime.fromisoformat(value.rstrip("Z").partition(".")[0]).replace(tzinfo=UTC)
        except ValueError:
            continue
        left_s = (until - datetime.now(UTC)).total_seconds()
        day = until.strftime("%Y-%m-%d %H:%M UTC")
        if left_s <= 0:
            yield fail(
                name, NodePermissionError(f"the macaroon has expired ({day}): {bake_line(network)}")
            )
        elif left_s < _SOON_S:
            yield warn(name, f"the macaroon expires on {day}", bake_line(network))


def _anybody_may_read(path: Path) -> bool:
    """Whether every user may read the file and enter the folders it is in.

    LND makes the file for everybody and its own folder for its user only.
    """
    if os.name != "posix":
        return False
    try:
        path = path.resolve()
        open_folders = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
        return open_folders and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
