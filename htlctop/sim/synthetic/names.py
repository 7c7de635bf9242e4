"""Names of the made-up node's peers. All invented; some are wide, some are meant to do harm."""

import random

from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln

UNKNOWN = b"unable to lookup peer alias: alias for node not found"
"""What LND says in place of the name of a node that the graph does not know."""

_PLAIN = (
    "Otterpay", "Nine Bridges", "slowfox", "Kestrel Wallet", "lantern.cash", "Driftwood LSP",
    "Copperline", "Saltmarsh", "Tin Kettle", "moonbakery", "PaperBoat Exchange", "Quarry Road",
    "heron-07", "Mint Condition", "Basalt", "Little Auk", "Signal Hill", "foxglove.store",
    "Ninth Harbour", "Oak & Ember", "gullwing", "Plumbline Swaps", "Cedar Row", "Tallow Street",
    "zapfeld", "Blue Teapot", "Marrow Books", "orchard-lsp-2", "Amberlight", "Stray Photon",
    "Wicker Park Pay", "loomstate", "Pier 14", "The Long Acre", "bitfjord", "Snowdrop",
    "Hinterland", "Rusty Anchor", "velvet-mole", "Cobalt Kiosk", "Greyhound Swap", "Tern & Sons",
    "pebble.cafe", "North Gate", "Thistledown", "Umber", "Fennel Market", "Old Lighthouse",
    "routewright", "Bramble", "Sparrowhawk", "Ironwood Custody", "junebug", "Halfway House",
    "Clay & Wire", "Mossy Bank", "Windlass", "Ferry Lane", "Lodestar", "Turnstile",
)  # fmt: skip
_STRANGE = (
    "東京ルーター⚡".encode(),
    "Café Möwe".encode(),
    "Гавань-3".encode(),
    "\u202eyawetag\u202c [b]x".encode(),
    b"\x1b[31mredalert\x1b[0m\x07",
    "🦦🌊 otter".encode(),
    b"broken \xff\xfe bytes",
)
_FIRST = (
    "amber", "birch", "cinder", "dune", "ember", "fathom", "glade", "hollow", "inlet", "juniper",
    "knoll", "larch", "meadow", "nettle", "oxbow", "pine", "quill", "reed", "sable", "thorn",
    "upland", "vale", "willow", "yarrow",
)  # fmt: skip
_SECOND = (
    "pay", "node", "router", "hub", "wallet", "swaps", "bank", "store", "relay", "cash", "works",
    "line", "gate", "harbour", "market", "lsp",
)  # fmt: skip


def make_names(chance: random.Random, count: int) -> list[bytes]:
    """So many names as the nodes themselves announce them, no two the same. The strange ones are
    among any sixty, and one is a node without a name."""
    plain = [name.encode() for name in _PLAIN]
    chance.shuffle(plain)
    names = plain[: max(0, count - len(_STRANGE) - 1)]
    names += [*_STRANGE, UNKNOWN][: max(0, count - len(names))]
    number = 0
    while len(names) < count:
        number += 1
        first, second = chance.choice(_FIRST), chance.choice(_SECOND)
        names.append(f"{first}-{second}-{number}".encode())
    return names


def clean(alias: bytes) -> str:
    """A name as it can be shown; "" for a node that has none."""
    return decode.alias(ln.NodeInfo(node=ln.LightningNode(alias=alias)))
