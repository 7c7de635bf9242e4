"""The client can only read."""

import ast
from pathlib import Path

import pytest

import htlctop
from htlctop.config import Connection
from htlctop.errors import NodePermissionError
from htlctop.wire.channel import ReadOnlyChannel
from htlctop.wire.client import LndClient
from htlctop.wire.methods import STREAMS, UNARY, Method

NOWHERE = Connection("127.0.0.1:1", macaroon_hex="0201")
SPENDING = (
    "/lnrpc.Lightning/SendPaymentSync",
    "/lnrpc.Lightning/OpenChannelSync",
    "/lnrpc.Lightning/UpdateChannelPolicy",
    "/lnrpc.Lightning/BakeMacaroon",
    "/lnrpc.WalletUnlocker/UnlockWallet",
    "/routerrpc.Router/SendPaymentV2",
    "/routerrpc.Router/HtlcInterceptor",
    "/routerrpc.Router/ResetMissionControl",
    "/routerrpc.Router/DeleteForwardingHistory",
    "",
    "lnrpc.Lightning/GetInfo",
)


@pytest.mark.parametrize("path", SPENDING)
def test_a_method_off_the_list_is_refused_before_anything_is_sent(path: str) -> None:
    channel = ReadOnlyChannel(NOWHERE)
    with pytest.raises(NodePermissionError, match="only reads"):
        channel.unary(path, b"", 1.0)
    with pytest.raises(NodePermissionError, match="only reads"):
        channel.stream(path, b"")
    channel.close()


async def test_the_client_refuses_it_too() -> None:
    async with LndClient(NOWHERE) as client:
        for path in SPENDING:
            with pytest.raises(NodePermissionError, match="only reads"):
                await client.ask(path, b"")


def test_a_stream_cannot_be_called_as_a_unary_method_nor_the_reverse() -> None:
    channel = ReadOnlyChannel(NOWHERE)
    for method in STREAMS:
        with pytest.raises(NodePermissionError):
            channel.unary(method, b"", 1.0)
    for method in UNARY:
        with pytest.raises(NodePermissionError):
            channel.stream(method, b"")
    channel.close()


def test_the_list_holds_only_methods_that_read() -> None:
    verbs = ("Get", "List", "Subscribe", "Lookup", "FeeReport", "Forwarding", "Closed", "Pending")
    for method in Method:
        assert method.rpartition("/")[2].startswith(verbs)


def test_calls_are_made_in_one_place_only() -> None:
    makers = {"unary_unary", "unary_stream", "stream_unary", "stream_stream", "secure_channel"}
    makers |= {"insecure_channel", "intercept_channel"}
    root = Path(htlctop.__file__).parent
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in makers
    }
    assert found == {"wire/channel.py"}


def test_the_macaroon_is_in_no_repr() -> None:
    connection = Connection("127.0.0.1:1", macaroon_hex="0201" * 20)
    channel = ReadOnlyChannel(connection)
    assert "0201" not in repr(channel) + str(channel) + repr(connection)
    channel.close()
