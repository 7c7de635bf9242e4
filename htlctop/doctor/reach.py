"""The way to the node: its name, its port, its certificate. Plain sockets; nothing is sent.

What is found is told in the words that a refused connection would be told in.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from htlctop.config import Connection
from htlctop.doctor.check import Check, fail, ok, skip, warn
from htlctop.errors import HtlctopError
from htlctop.wire.refusals import Refusal, explain

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

TIMEOUT_S = 5.0
_SOON = timedelta(days=14)
_LOCAL = ("localhost", "127.", "::1")


def check_way(connection: Connection, environ: Mapping[str, str]) -> Iterator[Check]:
    """Address, then TLS. Nothing after a failure."""
    node = connection.rpcserver
    if proxy := _proxy(node, environ):
        yield skip("address", f"{node} is reached through the proxy of {proxy}")
        return
    try:
        with suppress(ConnectionResetError):  # it listens, and the handshake tells what it is
            _connect(node).close()
    except HtlctopError as error:
        yield fail("address", error)
        return
    yield ok("address", f"something listens at {node}")
    try:
        yield _check_tls(connection)
    except HtlctopError as error:
        yield fail("TLS", error)


def _check_tls(connection: Connection) -> Check:
    from cryptography import x509

    node = connection.rpcserver
    seen = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    seen.check_hostname = False
    seen.verify_mode = ssl.CERT_NONE
    seen.set_alpn_protocols(["h2"])
    with _handshake(node, seen) as line:
        presented, protocol = line.getpeercert(binary_form=True), line.selected_alpn_protocol()
    if protocol != "h2":
        raise _refused(node, "missing selected ALPN property")
    certificate = x509.load_der_x509_certificate(presented or b"")
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        raise _refused(node, "CERTIFICATE_VERIFY_FAILED: certificate has expired")
    with _handshake(node, _trusting(connection)):
        pass
    names = _names(certificate)
    host = _host(node)
    if not any(_matches(host, name) for name in names):
        error = _refused(node, "is not in peer certificate")
        raise type(error)(f"{error} (it is for {', '.join(names)})")
    until = certificate.not_valid_after_utc
    text = f"the certificate is the node's, for {host}, and valid until {until:%Y-%m-%d}"
    if until - datetime.now(UTC) < _SOON:
        return warn("TLS", text, "restart LND once it has expired: it makes a new one; copy that")
    return ok("TLS", text)


def _trusting(connection: Connection) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.set_alpn_protocols(["h2"])
    pem = connection.read_tls_cert()
    if pem is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=pem.decode("ascii", "replace"))
    return context


def _handshake(node: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    try:
        line = _connect(node)
        return context.wrap_socket(line, server_hostname=_host(node))
    except ssl.SSLCertVerificationError as error:
        raise _refused(node, f"CERTIFICATE_VERIFY_FAILED: {error.verify_message}") from None
    except ssl.SSLError as error:
        reason = error.reason or ""
        plain = "WRONG_VERSION" in reason or "RECORD_LAYER" in reason
        raise _refused(node, "WRONG_VERSION_NUMBER" if plain else "Handshake failed") from None
    except OSError:
        raise _refused(node, "Handshake failed") from None


def _connect(node: str) -> socket.socket:
    """Raises ConnectionResetError where it hangs up at once."""
    try:
        if node.startswith("unix:"):
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(TIMEOUT_S)
            try:
                line.connect(node.removeprefix("unix:").removeprefix("//"))
            except BaseException:
                line.close()
                raise
            return line
        host, _, port = node.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=TIMEOUT_S)
    except socket.gaierror:
        raise _refused(node, "errors resolving") from None
    except TimeoutError:
        raise _refused(node, "connect: nothing answers") from None
    except ConnectionResetError:
        raise
    except OSError as error:
        raise _refused(node, f"connect: {error.strerror or error}") from None


def _refused(node: str, details: str) -> HtlctopError:
    return explain(Refusal("UNAVAILABLE", details), node, "")


def _host(node: str) -> str:
    return "localhost" if node.startswith("unix:") else node.rpartition(":")[0].strip("[]")


def _names(certificate: "Certificate") -> list[str]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(name.value) for name in common]
    return [
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    ]


def _matches(host: str, name: str) -> bool:
    host, name = host.lower(), name.lower()
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return host == name


def _proxy(node: str, environ: Mapping[str, str]) -> str:
    """The variable that sends gRPC through a proxy, "" if none does."""
    if node.startswith("unix:") or _host(node).startswith(_LOCAL):
        return ""
    return next((v for v in ("grpc_proxy", "https_proxy", "http_proxy") if environ.get(v)), "")
