"""What the node says: its state, whether it takes the macaroon, what each method needs, itself."""

import time
from collections.abc import AsyncIterator, Iterator

from htlctop.config import Connection, bake_line
from htlctop.doctor.check import Check, fail, ok, warn
from htlctop.domain.types import NOT_READY, NodeInfo, NodeState
from htlctop.domain.versions import parse, shortcomings
from htlctop.errors import HtlctopError, NodeConnectionError, NodePermissionError
from htlctop.wire.client import LndClient
from htlctop.wire.permissions import try_methods

_HAND_MINED = ("regtest", "simnet")
_DRIFT_S = 2 * 3600
"""How far in the future a block's time may lie: what a clock can be held against."""
_LONG_S = 3 * 3600


async def check_node(connection: Connection) -> AsyncIterator[Check]:
    """State first; what needs the macaroon, or a node that is up, only where those are there."""
    try:
        client = LndClient(connection)
    except HtlctopError as error:
        yield fail("state", error)
        return
    async with client:
        try:
            state = await client.get_state()
        except HtlctopError as error:
            yield fail("state", error)
            return
        if state is not NodeState.SERVER_ACTIVE:
            yield fail("state", NodeConnectionError(NOT_READY[state]))
            return
        yield ok("state", "LND is up and serves calls")
        info: NodeInfo | None = None
        try:
            info = await client.get_info()
            yield ok("access", f"LND takes the macaroon and calls itself {info.alias or '(none)'}")
        except HtlctopError as error:
            yield fail("access", error)
            if not _is_about_one_method(error):
                return
        async for check in _methods(client, connection.network, info):
            yield check
    if info is not None:
        for check in about(info, connection.network):
            yield check


def about(info: NodeInfo, network: str) -> Iterator[Check]:
    """What the node's own account of itself means for us."""
    version = parse(info.version)
    text = f"LND {info.version.split(' ')[0]}" if info.version else "the node tells no version"
    missing = shortcomings(version) if version else ()
    if missing:
        yield warn("version", f"{text}: {'; '.join(missing)}", "update LND")
    else:
        yield ok("version", f"{text} tells all that htlctop asks")
    if info.network and info.network != network:
        yield warn(
            "network",
            f"the node is on {info.network}, the options say {network}",
            f"--network {info.network}",
        )
    if info.synced_to_chain:
        yield ok("chain", f"synced, at block {info.block_height:,}")
    else:
        yield warn(
            "chain",
            f"LND is not synced to the chain (block {info.block_height:,}), so it forwards nothing",
            "wait, and look after its chain backend",
        )
    yield _clock(info, network, time.time())


def _clock(info: NodeInfo, network: str, now_s: float) -> Check:
    """LND tells no time of day; its newest block does, roughly."""
    name = "clock"
    if not info.best_block_s or network in _HAND_MINED or info.network in _HAND_MINED:
        return ok(name, "cannot be held against LND's, which tells no time here")
    age_s = now_s - info.best_block_s
    if age_s < -_DRIFT_S:
        return warn(
            name,
            f"the newest block lies {-age_s / 3600:.0f} h in this clock's future: it is slow",
            "timedatectl set-ntp true",
        )
    if age_s > _LONG_S and info.synced_to_chain:
        return warn(
            name,
            f"the newest block is {age_s / 3600:.0f} h old by this clock: it is fast, or LND's "
            "chain backend hangs",
            "timedatectl set-ntp true",
        )
    return ok(name, f"agrees with the newest block's ({age_s / 60:.0f} min ago) within its 2 hours")


async def _methods(client: LndClient, network: str, info: NodeInfo | None) -> AsyncIterator[Check]:
    tried = [one async for one in try_methods(client, info.pubkey if info else "")]
    works = [one.name for one in tried if one.error is None]
    refused: dict[str, list[str]] = {}
    for one in tried:
        if isinstance(one.error, NodePermissionError):
            refused.setdefault(one.needs, []).append(one.name)
        elif one.error is not None:
            yield fail("methods", one.error)
    for permission, names in refused.items():
        yield fail(
            "methods",
            NodePermissionError(
                f"the macaroon does not permit {', '.join(names)} ({permission} is missing): "
                f"{bake_line(network)}"
            ),
        )
    if len(works) == len(tried):
        yield ok("methods", f"all {len(tried)} that htlctop calls are permitted")
    if not all(one.keeps_outcomes for one in tried):
        yield warn(
            "outcomes",
            "LND keeps no outcomes of HTLCs, so what was in flight in a gap stays unknown",
            "store-final-htlc-resolutions=true in lnd.conf, then restart LND",
        )


def _is_about_one_method(error: HtlctopError) -> bool:
    return "does not permit" in str(error)
