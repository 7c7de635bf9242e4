"""What a user is told when LND refuses, for every refusal that was recorded."""

import json
from pathlib import Path

import pytest

from htlctop.errors import ConfigError, HtlctopError, NodeConnectionError, NodePermissionError
from htlctop.wire.methods import Method
from htlctop.wire.refusals import Refusal, explain

NODE = "node:10009"
# case -> (error, what the message must say)
EXPECTED: dict[str, tuple[type[HtlctopError], str]] = {
    "no wallet yet": (NodeConnectionError, "lncli create"),
    "wallet locked": (NodeConnectionError, "lncli unlock"),
    "just unlocked, starting": (NodeConnectionError, "starting up"),
    "no macaroon": (NodePermissionError, "--macaroonpath"),
    "macaroon is not hex": (NodePermissionError, "not hex"),
    "truncated macaroon": (NodePermissionError, "copy the file again"),
    "invoice macaroon": (NodePermissionError, "lncli bakemacaroon"),
    "macaroon with info:read only": (NodePermissionError, "SubscribeHtlcEvents"),
    "macaroon with offchain:read only": (NodePermissionError, "GetInfo"),
    "revoked macaroon": (NodePermissionError, "revoked"),
    "another certificate": (NodeConnectionError, "--tlscertpath"),
    "wrong port: the REST port": (NodeConnectionError, "10009"),
    "wrong port: nothing listens": (NodeConnectionError, "start LND"),
    "the peer-to-peer port": (NodeConnectionError, "peer-to-peer"),
    "plaintext": (NodeConnectionError, "cannot be reached"),
    "method unknown to this lnd": (NodeConnectionError, "too old"),
}
METHODS = {"info": Method.GET_INFO, "stream": Method.HTLC_EVENTS}


@pytest.fixture(scope="module")
def refusals(data: Path) -> list[dict[str, str]]:
    lines = (data / "errors.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    # The recorder's own deadline ended the streams that were fine.
    return [c for c in cases if c.get("code", "OK") not in ("OK", "DEADLINE_EXCEEDED")]


def test_every_recorded_refusal_is_explained_by_its_cause(refusals: list[dict[str, str]]) -> None:
    seen = set()
    for case in refusals:
        method = METHODS.get(case["rpc"], Method.GET_CHAN_INFO)
        error = explain(Refusal(case["code"], case["details"]), NODE, method)
        message = str(error)
        assert "\n" not in message
        assert len(message) < 400
        if case["case"] == "just initialised":
            assert isinstance(error, NodeConnectionError | NodePermissionError)
            continue
        kind, phrase = EXPECTED[case["case"]]
        assert type(error) is kind, case
        assert phrase in message, case
        seen.add(case["case"])
    assert seen == set(EXPECTED)


@pytest.mark.parametrize(
    ("code", "details", "kind", "phrase"),
    [
        ("UNKNOWN", "waiting to start, RPC services not available", NodeConnectionError, "waits"),
        ("UNKNOWN", "htlc event subscription terminated", NodeConnectionError, "LND stops"),
        ("UNAVAILABLE", "Stream removed (Socket closed)", NodeConnectionError, "was lost"),
        ("UNAVAILABLE", "Socket closed", NodeConnectionError, "was lost"),
        ("CANCELLED", "", NodeConnectionError, "was lost"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", NodeConnectionError, "in time"),
        (
            "UNKNOWN",
            "verification failed: signature mismatch after caveat verification",
            NodePermissionError,
            "of another node",
        ),
        (
            "UNKNOWN",
            'caveat "time-before 2020-01-01T00:00:00Z" not satisfied: macaroon has expired',
            NodePermissionError,
            "expired",
        ),
        (
            "UNAVAILABLE",
            "Custom verification check failed with error: UNAUTHENTICATED: Hostname Verification "
            "Check failed.",
            NodeConnectionError,
            "tlsextradomain=",
        ),
        (
            "UNAVAILABLE",
            "Handshake failed with error SSL_ERROR_SSL: WRONG_VERSION_NUMBER",
            NodeConnectionError,
            "does not speak TLS",
        ),
        (
            "UNAVAILABLE",
            "errors resolving nowhere:1: [hostname lookup error]",
            NodeConnectionError,
            "cannot be resolved",
        ),
        ("UNAVAILABLE", "Failed to create security handshaker.", ConfigError, "tls.cert"),
        ("UNAVAILABLE", "empty address list", ConfigError, "tls.cert"),
        (
            "RESOURCE_EXHAUSTED",
            "Received message larger than max",
            NodeConnectionError,
            "more than",
        ),
        ("INTERNAL", "what never happened before", NodeConnectionError, "what never happened"),
        ("ABORTED", "what never happened before", NodeConnectionError, "ABORTED"),
    ],
)
def test_refusals_beyond_the_recorded_ones_are_explained_too(
    code: str, details: str, kind: type[HtlctopError], phrase: str
) -> None:
    error = explain(Refusal(code, details), NODE, Method.GET_INFO)
    assert type(error) is kind
    assert phrase in str(error)


def test_a_text_from_the_wire_is_made_harmless() -> None:
    macaroon = "0201036c6e64" * 12
    details = f"bad thing\n\x1b[31m {macaroon} " + "x " * 500
    message = str(explain(Refusal("UNKNOWN", details), NODE, Method.GET_INFO))
    assert macaroon not in message
    assert message.isprintable()
    assert len(message) < 300


def test_a_file_that_is_no_macaroon_is_told_apart() -> None:
    details = "cannot determine data format of binary-encoded macaroon"
    error = explain(Refusal("UNKNOWN", details), NODE, Method.GET_INFO)
    assert type(error) is NodePermissionError
    assert "is no macaroon: name LND's readonly.macaroon" in str(error)
