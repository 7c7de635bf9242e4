"""What a call that failed means, and what mends it: gRPC's status first, then LND's fixed phrases
(it answers UNKNOWN for nearly everything). The one place that looks at LND's texts.
"""

import re
from dataclasses import dataclass

from htlctop.config import bake_line
from htlctop.errors import ConfigError, HtlctopError, NodeConnectionError, NodePermissionError
from htlctop.wire.methods import Method

_BAKE = "bake one that does: {bake}"
_ANOTHER = "bake another: {bake}"


class Refusal(Exception):
    """A call that failed. `code`: gRPC's status name. `details`: what came with it."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class _Rule:
    """The first rule whose code (one or more, "" for any) and phrase fit gives the error."""

    codes: str
    phrase: str
    error: type[HtlctopError]
    message: str

    def fits(self, code: str, details: str) -> bool:
        return (not self.codes or code in self.codes.split()) and self.phrase in details


def _connection(codes: str, phrase: str, message: str) -> _Rule:
    return _Rule(codes, phrase, NodeConnectionError, message)


def _permission(codes: str, phrase: str, message: str) -> _Rule:
    return _Rule(codes, phrase, NodePermissionError, message)


# {node}: where we called. {method}: what we called. {text}: what we were told, made harmless.
# {bake}: the command that makes the macaroon we need.
_RULES = (
    _connection("UNKNOWN", "wallet not created", "{node} has no wallet yet: run lncli create"),
    _connection("UNKNOWN", "wallet locked", "{node} is locked: run lncli unlock"),
    _connection("UNKNOWN", "in the process of starting up", "{node} is starting up"),
    _connection(
        "UNKNOWN", "waiting to start", "{node} waits to start (in a cluster another one leads)"
    ),
    _connection("UNKNOWN", "server is still in the process", "{node} is starting up"),
    _connection("UNKNOWN", "chain notifier RPC is still", "{node} is starting up"),
    _connection("", "htlc event subscription terminated", "{node} ended the stream: LND stops"),
    _permission(
        "UNKNOWN UNAUTHENTICATED",
        "expected 1 macaroon",
        "{node} got no macaroon: name one with --macaroonpath",
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED INVALID_ARGUMENT",
        "encoding/hex",
        "{node} says that the macaroon is not hex: name the file with --macaroonpath",
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED INVALID_ARGUMENT",
        "unmarshal",
        "{node} cannot read the macaroon, it is damaged or cut off: copy the file again",
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED INVALID_ARGUMENT",
        "binary-encoded macaroon",
        "{node} says that this is no macaroon: name LND's readonly.macaroon with --macaroonpath",
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED INVALID_ARGUMENT",
        "packet",
        "{node} cannot read the macaroon, it is damaged or cut off: copy the file again",
    ),
    _permission(
        "",
        "permission denied",
        "the macaroon does not permit {method} at {node}: use readonly.macaroon, or " + _BAKE,
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED",
        "cannot retrieve macaroon",
        "{node} has revoked this macaroon: " + _ANOTHER,
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED",
        "cannot get macaroon",
        "{node} does not know this macaroon, it is of another node or was revoked: copy "
        "readonly.macaroon from the node",
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED",
        "signature mismatch",
        "{node} does not accept this macaroon, it is of another node or was changed: copy "
        "readonly.macaroon from the node",
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED",
        "has expired",
        "the macaroon for {node} has expired: " + _ANOTHER,
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED",
        "not satisfied",
        "{node} refuses the macaroon, one of its caveats does not hold here: " + _ANOTHER,
    ),
    _permission(
        "UNKNOWN UNAUTHENTICATED",
        "verification failed",
        "{node} does not accept this macaroon: copy readonly.macaroon from the node",
    ),
    _permission(
        "UNAUTHENTICATED PERMISSION_DENIED", "", "{node} refuses us ({text}): check the macaroon"
    ),
    _connection(
        "UNAVAILABLE",
        "certificate has expired",
        "the certificate of {node} has expired: restart LND, which makes a new one, and copy "
        "tls.cert from the node again",
    ),
    _connection(
        "UNAVAILABLE",
        "CERTIFICATE_VERIFY_FAILED",
        "the certificate of {node} is not the one we were given: copy tls.cert from the node and "
        "name it with --tlscertpath",
    ),
    _connection(
        "UNAVAILABLE",
        "is not in peer certificate",
        "the certificate of {node} is not for that name: use localhost or another name in it, or "
        "add tlsextradomain= or tlsextraip= to lnd.conf, delete tls.cert and tls.key and restart",
    ),
    _connection(
        "UNAVAILABLE",
        "Hostname Verification Check failed",
        "the certificate of {node} is not for that name: use localhost or another name in it, or "
        "add tlsextradomain= or tlsextraip= to lnd.conf, delete tls.cert and tls.key and restart",
    ),
    _connection(
        "UNAVAILABLE",
        "errors resolving",
        "the name of {node} cannot be resolved: check --rpcserver",
    ),
    _connection("UNAVAILABLE", "DNS", "the name of {node} cannot be resolved: check --rpcserver"),
    _Rule(
        "UNAVAILABLE",
        "create security handshaker",
        ConfigError,
        "the certificate for {node} cannot be used: copy tls.cert from the node again",
    ),
    _Rule(
        "UNAVAILABLE",
        "empty address list",
        ConfigError,
        "the certificate for {node} cannot be used: copy tls.cert from the node again",
    ),
    _connection(
        "UNAVAILABLE",
        "ALPN",
        "{node} does not speak gRPC, it may be LND's REST port: name the port of rpclisten= with "
        "--rpcserver (10009 unless changed)",
    ),
    _connection(
        "UNAVAILABLE",
        "Connection refused",
        "nothing listens at {node}: start LND, or name its rpclisten= address with --rpcserver",
    ),
    _connection(
        "UNAVAILABLE",
        "No such file or directory",
        "there is no socket at {node}: start LND, or name its rpclisten= address with --rpcserver",
    ),
    _connection(
        "UNAVAILABLE",
        "WRONG_VERSION_NUMBER",
        "{node} does not speak TLS: name LND's rpclisten= address with --rpcserver",
    ),
    _connection(
        "UNAVAILABLE",
        "andshake",
        "{node} hangs up on TLS, it may be LND's peer-to-peer port: name the port of rpclisten= "
        "with --rpcserver (10009 unless changed)",
    ),
    _connection(
        "UNAVAILABLE",
        "onnect",
        "{node} cannot be reached ({text}): check the network and --rpcserver",
    ),
    _connection(
        "UNAVAILABLE",
        "eepalive",
        "{node} has stopped answering: check that LND is well and the network up",
    ),
    _connection("UNAVAILABLE CANCELLED INTERNAL", "", "the connection to {node} was lost ({text})"),
    _connection(
        "DEADLINE_EXCEEDED",
        "",
        "{node} did not answer {method} in time: check that LND is well",
    ),
    _connection("UNIMPLEMENTED", "", "the LND at {node} is too old, it has no {method}: update it"),
    _connection(
        "RESOURCE_EXHAUSTED", "", "{node} answers {method} with more than we take ({text})"
    ),
)
_OTHERWISE = _connection("", "", "{node} refuses {method} ({code}, {text})")

_SECRET = re.compile(r"[0-9A-Za-z+/_=-]{40,}")
_MAX_TEXT = 200


def explain(refusal: Refusal, node: str, method: str, network: str = "mainnet") -> HtlctopError:
    """The error that a user is shown: one line, the cause and what mends it, no secrets.

    Args:
        refusal: what came back.
        node: the address that was called.
        method: the method's path.
        network: the node's, which its commands must name.
    """
    rule = next((r for r in _RULES if r.fits(refusal.code, refusal.details)), _OTHERWISE)
    text = harmless(refusal.details) or refusal.code
    return rule.error(
        rule.message.format(
            node=node,
            method=method.rsplit("/", 1)[-1],
            text=text,
            code=refusal.code,
            bake=bake_line(network),
        )
    )


def is_unknown(refusal: Refusal) -> bool:
    """Whether the node answered that it does not know what was asked for."""
    return refusal.code == "NOT_FOUND" or (
        refusal.code == "UNKNOWN" and "edge not found" in refusal.details
    )


def keeps_no_outcomes(refusal: Refusal) -> bool:
    """Whether LookupHtlcResolution is not there, or not turned on."""
    return refusal.code == "UNIMPLEMENTED" or (
        refusal.code == "UNAVAILABLE" and "store-final-htlc-resolutions" in refusal.details
    )


def harmless(details: str) -> str:
    """A server's text as one short printable line, without anything that could be a key."""
    line = " ".join("".join(c if c.isprintable() else " " for c in details).split())
    return _SECRET.sub("…", line)[:_MAX_TEXT]


def unreadable(node: str, method: Method) -> NodeConnectionError:
    """An answer whose bytes are not the message they should be."""
    name = method.rsplit("/", 1)[-1]
    return NodeConnectionError(f"{node} answered {name} with bytes that htlctop cannot read")
