"""Whether it is worth trying a node again before the next try is due."""

import socket

from htlctop.config import Connection

_LOCAL = ("localhost", "127.", "::1")
_TIMEOUT_S = 0.2


def signs(connection: Connection) -> object:
    """Another value once the certificate or the macaroon was replaced, or a node of this machine
    has begun to listen. Cheap enough to be asked every second."""
    return connection.fingerprint(), _listens(connection.rpcserver)


def _listens(node: str) -> bool:
    """Whether something listens there; False for other machines, which are not bothered."""
    try:
        if node.startswith("unix:"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(_TIMEOUT_S)
                line.connect(node.removeprefix("unix:").removeprefix("//"))
            return True
        host, _, port = node.rpartition(":")
        host = host.strip("[]")
        if not host.startswith(_LOCAL):
            return False
        socket.create_connection((host, int(port)), timeout=_TIMEOUT_S).close()
    except OSError:
        return False
    return True
