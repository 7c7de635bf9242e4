"""The recorded refusals as scripts for a played node, and what a user must be told of each."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from htlctop.domain.types import NodeState
from htlctop.wire.methods import Method
from tests.played import Script

ERRORS = Path(__file__).parent / "data" / "errors.jsonl"
METHODS = {"info": Method.GET_INFO, "stream": Method.HTLC_EVENTS, "NoSuchMethod": Method.FEE_REPORT}
STATES = {
    NodeState.NON_EXISTING: "lncli create",
    NodeState.LOCKED: "lncli unlock",
    NodeState.UNLOCKED: "starting",
    NodeState.RPC_ACTIVE: "not synced yet",
}
CAUSES = {
    "no macaroon": "no macaroon",
    "macaroon is not hex": "not hex",
    "truncated macaroon": "damaged or cut off",
    "invoice macaroon": "does not permit",
    "macaroon with info:read only": "does not permit SubscribeHtlcEvents",
    "macaroon with offchain:read only": "does not permit GetInfo",
    "revoked macaroon": "revoked",
    "method unknown to this lnd": "too old",
}
"""What is told of a case that is not about the node's state."""


@dataclass(frozen=True)
class Case:
    """One recorded moment: how the node answers, and a phrase of what is told."""

    name: str
    script: Script
    told: str

    def __str__(self) -> str:
        return f"{self.name}, {self.script.state.name}"


def cases() -> Iterator[Case]:
    """Every different moment of errors.jsonl in which a node answered at all."""
    lines = [json.loads(line) for line in ERRORS.read_text(encoding="utf-8").splitlines()]
    calls = [line for line in lines if "rpc" in line and line["code"] != "UNAVAILABLE"]
    seen = set()
    for name, group in groupby(calls, lambda call: str(call["case"])):
        refused: dict[str, tuple[str, str]] = {}
        state = NodeState.SERVER_ACTIVE
        moments = []
        for call in group:
            if call["rpc"] == "state":
                found = re.search(r"state: (\w+)", call["details"])
                state = NodeState[found[1]] if found else NodeState.NON_EXISTING
                moments.append((state, refused))
                refused = {}
            elif call["code"] not in ("OK", "DEADLINE_EXCEEDED"):
                refused[METHODS[call["rpc"]]] = (call["code"], call["details"])
        for at, answers in moments or [(state, refused)]:
            key = (name, at, *sorted(answers))
            if key not in seen and (name in CAUSES or at in STATES):
                yield Case(name, Script(at, answers), CAUSES.get(name) or STATES[at])
            seen.add(key)


CASES = list(cases())
