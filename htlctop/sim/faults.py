"""What is to go wrong at a simulated node, and when: a plan from a file, or one from a seed.

A plan is JSON lines: `{"fault": "restart", "at": 12.5, "for": 3, "n": 50}`. `at` is seconds after
the first subscription, `after` a number of messages instead; the rest is as `Fault` says.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from htlctop.errors import UsageError


class FaultKind(StrEnum):
    """What goes wrong; the names in brackets are the fields of `Fault` that matter."""

    BREAK = "break"
    """Every stream ends (code, details)."""
    RESTART = "restart"
    """The listener closes and comes back (for, n messages told again, abrupt, credentials: new
    certificate and macaroon, version)."""
    FREEZE = "freeze"
    """No answer and no message, while the connection stays open (for)."""
    SLOW = "slow"
    """Unary answers come late (for, delay, method)."""
    REFUSE = "refuse"
    """Unary calls fail (for, code, details, method)."""
    LOCK = "lock"
    """The wallet is locked, then the node is starting up, then it syncs with its chain (for)."""
    BEHIND = "behind"
    """The node goes on, and says that it is not synced with its chain (for)."""
    BIG = "big"
    """ListChannels answers with so much (for, mb)."""
    DUPLICATE = "duplicate"
    """The next n messages come twice."""
    REPLAY = "replay"
    """The last n messages come again."""
    SWAP = "swap"
    """The next n pairs of neighbours change places."""
    BURST = "burst"
    """The next n messages come at once, before their time."""
    MALFORMED = "malformed"
    """n messages that are none."""
    UNKNOWN = "unknown"
    """n messages with events and numbers that no LND has yet."""
    ABSURD = "absurd"
    """n messages whose amounts and times cannot be."""
    CLOCK = "clock"
    """The node's clock is off by `step` (for)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. Times in s, `after` in messages of the recording."""

    fault: FaultKind
    at: float | None = None
    after: int | None = None
    for_s: float = field(default=1.0, metadata={"name": "for"})
    n: int = 0
    code: str = "UNAVAILABLE"
    details: str = "Socket closed"
    method: str = ""
    delay: float = 1.0
    step: float = 0.0
    mb: float = 64.5
    abrupt: bool = False
    credentials: bool = False
    version: str = ""


def read_plan(path: Path) -> list[Fault]:
    """The faults of a file. Raises: UsageError: it cannot be read; names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    plan = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            try:
                plan.append(_fault(json.loads(line)))
            except (ValueError, TypeError) as error:
                raise UsageError(f"{path}, line {number}: {error}") from None
    return plan


def _fault(value: object) -> Fault:
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    known = {item.metadata.get("name", item.name): item for item in fields(Fault)}
    given: dict[str, Any] = {}
    for name, told in value.items():
        if name not in known:
            raise ValueError(f"{name} is no setting of a fault: use {', '.join(known)}")
        given[known[name].name] = told
    if "fault" not in given or ("at" in given) == ("after" in given):
        raise ValueError("a fault needs its `fault`, and either `at` or `after`")
    for name, told in given.items():
        kinds = _TYPES.get(name, (str,))
        if not isinstance(told, kinds) or (isinstance(told, bool) and bool not in kinds):
            raise ValueError(f"{told!r} cannot be what a fault's {name} is")
    return Fault(**{**given, "fault": FaultKind(given["fault"])})


_NUMBER = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("at", "for_s", "delay", "step", "mb"), _NUMBER),
    **dict.fromkeys(("after", "n"), (int,)),
    **dict.fromkeys(("abrupt", "credentials"), (bool,)),
}


def seeded_plan(seed: int, per_minute: float) -> Iterator[Fault]:
    """Faults without end, on average so many a minute; each kind comes before any comes again."""
    chance = random.Random(seed)
    at = 0.0
    while True:
        kinds = list(_SEEDED)
        chance.shuffle(kinds)
        for kind in kinds:
            at += chance.expovariate(per_minute / 60)
            yield Fault(kind, at, **_SEEDED[kind](chance))


_CODES = (
    "UNAVAILABLE", "UNKNOWN", "INTERNAL", "CANCELLED", "ABORTED", "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED", "DATA_LOSS", "FAILED_PRECONDITION", "NOT_FOUND",
)  # fmt: skip


def _restart(chance: random.Random) -> dict[str, Any]:
    return {
        "for_s": chance.uniform(0.2, 4),
        "n": chance.choice((0, 20, 300)),
        "abrupt": chance.random() < 0.5,
        "credentials": chance.random() < 0.3,
        "version": chance.choice(("", "0.22.0-beta commit=v0.22.0-beta")),
    }


_SEEDED: dict[FaultKind, Callable[[random.Random], dict[str, Any]]] = {
    FaultKind.BREAK: lambda chance: {"code": chance.choice(_CODES), "details": "as it happens"},
    FaultKind.RESTART: _restart,
    FaultKind.FREEZE: lambda chance: {"for_s": chance.uniform(0.5, 8)},
    FaultKind.SLOW: lambda chance: {
        "for_s": chance.uniform(5, 15), "delay": chance.uniform(0.5, 4),
    },
    FaultKind.REFUSE: lambda chance: {
        "for_s": chance.uniform(1, 8), "code": chance.choice(_CODES), "details": "as it happens",
    },
    FaultKind.LOCK: lambda chance: {"for_s": chance.uniform(1, 5)},
    FaultKind.BEHIND: lambda chance: {"for_s": chance.uniform(5, 35)},
    FaultKind.BIG: lambda chance: {
        "for_s": chance.uniform(5, 35), "mb": chance.choice((30.0, 60.0, 60.0, 64.5)),
    },
    FaultKind.DUPLICATE: lambda chance: {"n": chance.randint(1, 300)},
    FaultKind.REPLAY: lambda chance: {"n": chance.randint(1, 500)},
    FaultKind.SWAP: lambda chance: {"n": chance.randint(1, 100)},
    FaultKind.BURST: lambda chance: {"n": chance.randint(100, 5_000)},
    FaultKind.MALFORMED: lambda chance: {"n": chance.randint(1, 50)},
    FaultKind.UNKNOWN: lambda chance: {"n": chance.randint(1, 20)},
    FaultKind.ABSURD: lambda chance: {"n": chance.randint(1, 20)},
    FaultKind.CLOCK: lambda chance: {
        "for_s": chance.uniform(1, 8), "step": chance.choice((-3600.0, -5.0, 0.5, 5.0, 3600.0)),
    },
}  # fmt: skip
