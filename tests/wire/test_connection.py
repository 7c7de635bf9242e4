"""Where the node is and what proves who we are."""

import base64
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from htlctop.config import (
    Connection,
    ConnectionOptions,
    address,
    default_lnddir,
    parse_lndconnect,
    resolve,
)
from htlctop.errors import ConfigError
from htlctop.sim.certificate import self_signed

SECRET = bytes.fromhex("0201036c6e64") + bytes(range(100, 140))
CERTIFICATE = self_signed()[0]
DER = ssl.PEM_cert_to_DER_cert(CERTIFICATE.decode())


def uri(host: str = "node.example:10009", cert: bytes = DER, macaroon: bytes = SECRET) -> str:
    def coded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    return f"lndconnect://{host}?cert={coded(cert)}&macaroon={coded(macaroon)}"


def test_without_options_lnds_defaults_are_used() -> None:
    connection = resolve(ConnectionOptions(), {}, platform="linux")
    home = Path.home() / ".lnd"
    assert connection.rpcserver == "localhost:10009"
    assert connection.tls_cert_path == home / "tls.cert"
    expected = home / "data" / "chain" / "bitcoin" / "mainnet" / "readonly.macaroon"
    assert connection.macaroon_path == expected


def test_each_system_has_its_own_folder() -> None:
    assert default_lnddir("linux", {}) == Path.home() / ".lnd"
    assert default_lnddir("darwin", {}) == Path.home() / "Library" / "Application Support" / "Lnd"
    assert default_lnddir("win32", {"LOCALAPPDATA": "/local"}) == Path("/local/Lnd")


def test_a_flag_beats_the_environment_beats_the_profile() -> None:
    environ = {"HTLCTOP_RPCSERVER": "two:2", "HTLCTOP_NETWORK": "signet"}
    profile = ConnectionOptions(rpcserver="three:3", network="regtest", lnddir="/lnd")
    connection = resolve(ConnectionOptions(rpcserver="one:1"), environ, profile)
    assert (connection.rpcserver, connection.network) == ("one:1", "signet")
    assert connection.tls_cert_path == Path("/lnd/tls.cert")
    assert resolve(ConnectionOptions(), environ, profile).rpcserver == "two:2"
    assert resolve(ConnectionOptions(), {}, profile).rpcserver == "three:3"


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("host", "host:10009"),
        ("host:1", "host:1"),
        ("::1", "[::1]:10009"),
        ("[::1]", "[::1]:10009"),
        ("[fe80::1]:2", "[fe80::1]:2"),
        ("unix:/run/lnd.sock", "unix:/run/lnd.sock"),
    ],
)
def test_an_address_is_completed(text: str, full: str) -> None:
    assert address(text) == full


@pytest.mark.parametrize("text", ["", "a:b", "a:0", "a:99999", "[::1", "[::1]x", "http://a", "a b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"10009"):
        address(text)


def test_a_lndconnect_uri_holds_everything() -> None:
    connection = parse_lndconnect(uri("[::1]:7"))
    assert connection.rpcserver == "[::1]:7"
    assert connection.read_macaroon() == SECRET.hex()
    pem = connection.read_tls_cert()
    assert pem is not None
    lines = pem.decode().splitlines()
    assert (lines[0], lines[-1]) == ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    assert base64.b64decode("".join(lines[1:-1])) == DER
    assert max(map(len, lines)) <= 64


def test_a_lndconnect_uri_without_certificate_trusts_the_systems_roots() -> None:
    macaroon = base64.urlsafe_b64encode(SECRET).decode()
    assert parse_lndconnect(f"lndconnect://h?macaroon={macaroon}").read_tls_cert() is None


@pytest.mark.parametrize(
    "broken",
    [
        "http://h:1?macaroon=AAAA",
        "lndconnect://?macaroon=AAAA",
        "lndconnect://h:1",
        "lndconnect://h:1?macaroon=",
        "lndconnect://h:1?macaroon=SECRETSECRET!",
        "lndconnect://h:1?cert=*&macaroon=SECRETSECRET",
        "lndconnect://u:SECRETSECRET@h:1?macaroon=AAAA",
        "lndconnect://[h?macaroon=SECRETSECRET",
        "lndconnect://h:x?macaroon=SECRETSECRET",
    ],
)
def test_a_broken_lndconnect_uri_is_refused_without_repeating_it(broken: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_lndconnect(broken)
    assert "SECRET" not in str(caught.value)


def test_a_macaroon_never_goes_to_a_node_that_another_source_named() -> None:
    environ = {"HTLCTOP_LNDCONNECT": uri()}
    assert resolve(ConnectionOptions(), environ).macaroon_hex == SECRET.hex()
    other = resolve(ConnectionOptions(rpcserver="other:1"), environ)
    assert other.macaroon_hex is None
    assert other.tls_cert is None
    named = resolve(
        ConnectionOptions(), {"HTLCTOP_RPCSERVER": "other:1"}, ConnectionOptions(lndconnect=uri())
    )
    assert named.macaroon_hex is None
    with pytest.raises(ConfigError, match="either"):
        resolve(ConnectionOptions(lndconnect=uri(), rpcserver="other:1"), {})


def test_secrets_are_in_no_repr() -> None:
    for shown in (
        repr(parse_lndconnect(uri())),
        repr(ConnectionOptions(lndconnect=uri(), macaroon=SECRET.hex())),
        str(resolve(ConnectionOptions(macaroon=SECRET.hex()), {})),
    ):
        assert SECRET.hex() not in shown
        assert uri().rpartition("=")[2] not in shown


def test_files_are_read_at_each_connect(tmp_path: Path) -> None:
    macaroon, cert = tmp_path / "m", tmp_path / "c"
    connection = Connection("h:1", tls_cert_path=cert, macaroon_path=macaroon)
    for content in (b"\x02\x01", b"\x02\x02"):
        macaroon.write_bytes(content)
        assert connection.read_macaroon() == content.hex()
    macaroon.write_text(SECRET.hex().upper() + "\n")
    assert connection.read_macaroon() == SECRET.hex()
    cert.write_bytes(CERTIFICATE)
    assert connection.read_tls_cert() == cert.read_bytes()


def test_a_missing_macaroon_is_explained_by_what_is_there(tmp_path: Path) -> None:
    def told(network: str) -> str:
        connection = resolve(ConnectionOptions(lnddir=str(tmp_path), network=network), {})
        with pytest.raises(ConfigError) as caught:
            connection.read_macaroon()
        return str(caught.value)

    assert "--macaroonpath" in told("mainnet")
    folder = tmp_path / "data" / "chain" / "bitcoin"
    (folder / "regtest").mkdir(parents=True)
    (folder / "regtest" / "readonly.macaroon").write_bytes(b"\x02")
    assert "--network regtest" in told("mainnet")
    (folder / "mainnet").mkdir()
    (folder / "mainnet" / "admin.macaroon").write_bytes(b"\x02")
    assert "lncli bakemacaroon --save_to" in told("mainnet")
    (folder / "signet").mkdir()
    (folder / "signet" / "admin.macaroon").write_bytes(b"\x02")
    assert "lncli --network signet bakemacaroon --save_to" in told("signet")


def test_files_that_cannot_serve_are_refused_with_what_to_do(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    with pytest.raises(ConfigError, match="--tlscertpath"):
        Connection("h:1", tls_cert_path=bad).read_tls_cert()
    bad.write_bytes(b"")
    with pytest.raises(ConfigError, match="PEM"):
        Connection("h:1", tls_cert_path=bad).read_tls_cert()
    with pytest.raises(ConfigError, match="empty"):
        Connection("h:1", macaroon_path=bad).read_macaroon()
    bad.write_bytes(CERTIFICATE[:100])
    with pytest.raises(ConfigError, match="no whole certificate"):
        Connection("h:1", tls_cert_path=bad).read_tls_cert()
    bad.write_bytes(b"x" * 100_000)
    with pytest.raises(ConfigError, match="too large"):
        Connection("h:1", macaroon_path=bad).read_macaroon()
    with pytest.raises(ConfigError, match="cannot be read"):
        Connection("h:1", macaroon_path=tmp_path).read_macaroon()
    with pytest.raises(ConfigError, match="not hex"):
        Connection("h:1", macaroon_hex="zz").read_macaroon()
    with pytest.raises(ConfigError, match="--macaroonpath"):
        Connection("h:1").read_macaroon()
    with pytest.raises(ConfigError, match="no network"):
        resolve(ConnectionOptions(network="moon"), {})


def test_configuration_needs_no_grpc() -> None:
    code = "import sys, htlctop.config; sys.exit('grpc' in sys.modules or 'google' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
