"""Where the node is and what proves who we are: options, environment, `lndconnect`, LND's defaults.

Only paths are settled here; files are read at each connect, so that a replaced certificate or
macaroon is picked up. No secret is part of a repr or of an error.
"""

import base64
import binascii
import ssl
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from htlctop.errors import ConfigError

DEFAULT_PORT = 10009
ENVIRONMENT = {
    "lnddir": "HTLCTOP_LNDDIR",
    "network": "HTLCTOP_NETWORK",
    "rpcserver": "HTLCTOP_RPCSERVER",
    "tlscertpath": "HTLCTOP_TLSCERTPATH",
    "macaroonpath": "HTLCTOP_MACAROONPATH",
    "macaroon": "HTLCTOP_MACAROON",
    "lndconnect": "HTLCTOP_LNDCONNECT",
}
"""Option -> the environment variable that sets it."""

MAINNET = "mainnet"
NETWORKS = (MAINNET, "testnet", "testnet4", "signet", "simnet", "regtest")
_MOST_BYTES = 64 * 1024
PERMISSIONS = ("info:read", "offchain:read", "peers:read")
"""What a macaroon must grant for all that htlctop calls; `readonly.macaroon` does."""


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """One source of options, named as lncli names them; None where it says nothing.

    `macaroon` is one in hex, `lndconnect` a URI that holds everything.
    """

    lnddir: str | None = None
    network: str | None = None
    rpcserver: str | None = None
    tlscertpath: str | None = None
    macaroonpath: str | None = None
    macaroon: str | None = field(default=None, repr=False)
    lndconnect: str | None = field(default=None, repr=False)

    @property
    def names_a_node(self) -> bool:
        """Whether it says, by anything but `lndconnect`, which node it means."""
        return any(
            (self.lnddir, self.rpcserver, self.tlscertpath, self.macaroonpath, self.macaroon)
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one node.

    Attributes:
        rpcserver: "host:port", "[::1]:port" or "unix:/path".
        network: mainnet, testnet, …
        tls_cert_path: the certificate to trust; with `tls_cert` None too: the system's roots.
        tls_cert: the certificate itself, PEM.
        macaroon_path: a macaroon's file. macaroon_hex: the macaroon itself.
    """

    rpcserver: str
    network: str = MAINNET
    tls_cert_path: Path | None = None
    tls_cert: bytes | None = field(default=None, repr=False)
    macaroon_path: Path | None = None
    macaroon_hex: str | None = field(default=None, repr=False)

    def read_tls_cert(self) -> bytes | None:
        """The certificate to trust, PEM; None for the system's roots. Raises: ConfigError."""
        if self.tls_cert_path is None:
            return self.tls_cert and _checked_pem(self.tls_cert, "the certificate given")
        data = _read(self.tls_cert_path, "certificate", "--tlscertpath")
        if b"-----BEGIN CERTIFICATE-----" not in data:
            raise ConfigError(
                f"{self.tls_cert_path} is not a PEM certificate: name LND's tls.cert with "
                "--tlscertpath"
            )
        return _checked_pem(data, str(self.tls_cert_path))

    def fingerprint(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Another value once the certificate's or the macaroon's file was replaced; reads none."""
        return tuple(_seen(path) for path in (self.tls_cert_path, self.macaroon_path))

    def read_macaroon(self) -> str:
        """The macaroon in hex. Raises: ConfigError."""
        if self.macaroon_hex is not None:
            return _checked_hex(self.macaroon_hex, "the macaroon given")
        if self.macaroon_path is None:
            raise ConfigError("no macaroon: name readonly.macaroon with --macaroonpath")
        if _is_missing(self.macaroon_path):
            raise ConfigError(_where_macaroon_is(self.macaroon_path, self.network))
        data = _read(self.macaroon_path, "macaroon", "--macaroonpath")
        if not data.strip():
            raise ConfigError(f"{self.macaroon_path} is empty: copy it from the node again")
        text = data.strip()
        if len(text) % 2 == 0 and all(byte in b"0123456789abcdefABCDEF" for byte in text):
            return text.decode("ascii").lower()
        return data.hex()


def resolve(
    flags: ConnectionOptions,
    environ: Mapping[str, str],
    profile: ConnectionOptions | None = None,
    *,
    platform: str = sys.platform,
) -> Connection:
    """Put the sources together: flag, then environment, then profile, then LND's default.

    A `lndconnect` counts unless an earlier source names a node itself, and then nothing of a later
    source does: a macaroon never goes to a node that another source named.

    Raises:
        ConfigError: something is malformed, or says two things at once.
    """
    from_environment = ConnectionOptions(
        **{name: environ.get(variable) or None for name, variable in ENVIRONMENT.items()}
    )
    sources = [flags, from_environment, profile or ConnectionOptions()]
    network = _first(source.network for source in sources) or MAINNET
    if network not in NETWORKS:
        raise ConfigError(f"{network} is no network: use one of {', '.join(NETWORKS)}")
    for index, source in enumerate(sources):
        if source.lndconnect and source.names_a_node:
            raise ConfigError("use either lndconnect or rpcserver, tlscertpath, macaroonpath")
        if source.lndconnect:
            return parse_lndconnect(source.lndconnect, network)
        if source.names_a_node:
            sources = sources[: _lndconnect_after(sources, index)]
            break
    lnddir = _path(_first(source.lnddir for source in sources)) or default_lnddir(platform, environ)
    macaroon_path = None
    macaroon = None
    for source in sources:
        if source.macaroon or source.macaroonpath:
            macaroon, macaroon_path = source.macaroon, _path(source.macaroonpath)
            break
    if macaroon is None and macaroon_path is None:
        macaroon_path = lnddir / "data" / "chain" / "bitcoin" / network / "readonly.macaroon"
    return Connection(
        rpcserver=address(_first(s.rpcserver for s in sources) or f"localhost:{DEFAULT_PORT}"),
        network=network,
        tls_cert_path=_path(_first(s.tlscertpath for s in sources)) or lnddir / "tls.cert",
        macaroon_path=macaroon_path,
        macaroon_hex=macaroon,
    )


def bake_line(network: str, path: str = "htlctop.macaroon") -> str:
    """The command that makes the least macaroon, on a node of that network."""
    chosen = "" if network == MAINNET else f"--network {network} "
    return f"lncli {chosen}bakemacaroon --save_to {path} {' '.join(PERMISSIONS)}"


def default_lnddir(platform: str, environ: Mapping[str, str]) -> Path:
    """LND's folder on this system. `platform` is `sys.platform`."""
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "Lnd"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Lnd"
    return Path.home() / ".lnd"


def address(text: str) -> str:
    """An address in full: the default port is added, an IPv6 host gets its brackets.

    Raises: ConfigError.
    """
    text = text.strip()
    if text.startswith("unix:"):
        return text
    host, port = text, str(DEFAULT_PORT)
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ConfigError(f"{text} is no address: write [::1]:{DEFAULT_PORT}")
        port = rest[1:] or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or any(c.isspace() or c in "/@?#" for c in host):
        raise ConfigError(f"{text} is no address: write host:{DEFAULT_PORT}")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ConfigError(f"{text} has no port that can be: write host:{DEFAULT_PORT}")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_lndconnect(uri: str, network: str = MAINNET) -> Connection:
    """A `lndconnect://host:port?cert=…&macaroon=…` URI; without `cert` the system's roots count.

    Raises:
        ConfigError: malformed; the URI itself is not repeated, it holds the macaroon.
    """
    try:
        parts = urlsplit(uri.strip())
        query = parse_qs(parts.query)
    except ValueError:
        raise ConfigError("the lndconnect URI is malformed: copy it again") from None
    if parts.scheme != "lndconnect" or not parts.netloc or "@" in parts.netloc:
        raise ConfigError("a lndconnect URI starts with lndconnect://host:port: copy it again")
    macaroon = query.get("macaroon", [""])[0]
    if not macaroon:
        raise ConfigError("the lndconnect URI holds no macaroon: make one that does")
    cert = query.get("cert", [""])[0]
    return Connection(
        rpcserver=address(parts.netloc),
        network=network,
        tls_cert=_pem(_base64url(cert, "cert")) if cert else None,
        macaroon_hex=_base64url(macaroon, "macaroon").hex(),
    )


def _lndconnect_after(sources: list[ConnectionOptions], index: int) -> int:
    """How many sources count when the one at `index` names a node: those before a lndconnect."""
    later = range(index + 1, len(sources))
    return next((i for i in later if sources[i].lndconnect), len(sources))


def _base64url(text: str, name: str) -> bytes:
    # A "+" of plain base64 reads as a space in a query.
    text = text.strip().replace(" ", "-").replace("+", "-").replace("/", "_").rstrip("=")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"the lndconnect URI's {name} is not base64: copy it again") from None
    if not data:
        raise ConfigError(f"the lndconnect URI's {name} is empty: copy it again")
    return data


def _pem(certificate: bytes) -> bytes:
    if certificate.startswith(b"-----BEGIN"):
        return certificate
    body = base64.encodebytes(certificate).replace(b"\n", b"")
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])


def _checked_pem(pem: bytes, name: str) -> bytes:
    text = pem.decode("ascii", "replace")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise ConfigError(
            f"{name} is no whole certificate: copy tls.cert from the node again"
        ) from None
    return pem


def _checked_hex(text: str, name: str) -> str:
    try:
        data = bytes.fromhex(text.strip())
    except ValueError:
        raise ConfigError(f"{name} is not hex: use xxd -p -c 1000 readonly.macaroon") from None
    if not data:
        raise ConfigError(f"{name} is empty: name readonly.macaroon with --macaroonpath")
    return data.hex()


def _read(path: Path, what: str, option: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"no {what} at {path}: name LND's with {option} or --lnddir") from None
    except PermissionError:
        raise ConfigError(
            f"{path} may not be read: let this user read it (chmod, or a group that LND shares), "
            f"or copy it and name the copy with {option}"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}: check {option}") from None
    except ValueError:
        raise ConfigError(f"{str(path)!r} is no path: check {option}") from None
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path} is far too large for a {what}: check {option}")
    return data


def _where_macaroon_is(path: Path, network: str) -> str:
    """What to do about a macaroon that is not where it should be, by what is there instead."""
    folder = path.parent
    try:
        if (folder / "admin.macaroon").exists():
            return (
                f"no {path}; only an admin.macaroon is there, which can spend. Make one that can "
                f"only read: {bake_line(network, str(path))}"
            )
        others = [n for n in NETWORKS if (folder.parent / n / path.name).exists()]
    except OSError:
        others = []
    if folder.name == network and others:
        return f"no macaroon for {network}, but one for {others[0]}: use --network {others[0]}"
    return (
        f"no macaroon at {path}: name it with --macaroonpath, or LND's folder with --lnddir; LND "
        "makes it when its wallet is created"
    )


def _is_missing(path: Path) -> bool:
    try:
        return not path.exists()
    except OSError:
        return False  # reading it will tell why


def _seen(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size) if found else None


def _path(text: str | None) -> Path | None:
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError:
        raise ConfigError(f"{text} names the home of a user that does not exist") from None


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)
