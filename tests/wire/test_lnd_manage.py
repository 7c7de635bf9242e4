"""LND Manage's HTTP API, answered as lnd-manageJ does and as nobody should."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htlctop.analysis.status import State
from htlctop.collector.preferring import Preferring
from htlctop.domain.types import Channel, ChannelLimits, ClosedChannel, FeePolicy
from htlctop.errors import ConfigError, NodeConnectionError, NodePermissionError
from htlctop.wire import http, lnd_manage
from htlctop.wire.lnd_manage import LndManage
from tests.played import Script, collecting, play, until
from tests.stored import look

__all__ = ["play"]

ANN, DAN = "02" + "a" * 64, "03" + "d" * 64
FIRST, SECOND, GONE = "712345x123x1", "799999x1x0", "600000x7x2"


def scid(text: str) -> int:
    block, transaction, output = map(int, text.split("x"))
    return block << 40 | transaction << 16 | output


def basic(peer: str, *, status: str = "OPEN", active: bool = True) -> object:
    return {
        "channelIdShort": "1", "remotePubkey": peer, "capacitySat": "5000000",
        "status": {
            "private": False, "active": active, "closed": status == "CLOSED", "openClosed": status
        },
        "openInitiator": "LOCAL", "openHeight": 712345, "numUpdates": 99,
    }  # fmt: skip


def balance(local: int) -> object:
    return {
        "localBalanceSat": str(local), "localReserveSat": "50000",
        "localAvailableSat": str(local - 50_000), "remoteBalanceSat": str(5_000_000 - local),
        "remoteReserveSat": "50000", "remoteAvailableSat": "1",
    }  # fmt: skip


POLICY = {
    "feeRatePpm": 250, "baseFeeMilliSat": "1000", "inboundFeeRatePpm": -30,
    "inboundBaseFeeMilliSat": "-5", "enabled": True, "timeLockDelta": 80,
    "minHtlcMilliSat": "1000", "maxHtlcMilliSat": "4950000000",
}  # fmt: skip
UNKNOWN = {
    "feeRatePpm": 0, "baseFeeMilliSat": "0", "inboundFeeRatePpm": 0,
    "inboundBaseFeeMilliSat": "0", "enabled": False, "timeLockDelta": 0,
    "minHtlcMilliSat": "0", "maxHtlcMilliSat": "0",
}  # fmt: skip
PAGES: dict[str, object] = {
    "/api/status/open-channels": {"channels": [FIRST, SECOND]},
    "/api/status/all-channels": {"channels": [GONE, FIRST, SECOND]},
    f"/api/channel/{FIRST}/": basic(ANN),
    f"/api/channel/{SECOND}/": basic(DAN, active=False),
    f"/api/channel/{GONE}/": basic(DAN, status="CLOSED"),
    f"/api/channel/{FIRST}/balance": balance(2_000_000),
    f"/api/channel/{SECOND}/balance": balance(400_000),
    f"/api/channel/{FIRST}/policies": {"local": POLICY, "remote": UNKNOWN},
    f"/api/channel/{SECOND}/policies": {"local": UNKNOWN, "remote": UNKNOWN},
    f"/api/node/{ANN}/alias": b"ann",
    f"/api/node/{DAN}/alias": DAN.encode(),
    f"/api/node/{ANN}/details": {"onlineReport": {"online": True}, "alias": "ann"},
}


@dataclass
class Manager:
    """A running one: what it answers, what it was asked, and where it is."""

    pages: dict[str, object]
    asked: list[str] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@contextmanager
def serving(manager: Manager) -> Iterator[Manager]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            manager.asked.append(self.path)
            page = manager.pages.get(self.path)
            status = manager.status if page is not None or manager.status != 200 else 404
            body = page if isinstance(page, bytes) else json.dumps(page, indent=2).encode()
            self.send_response(status)
            for name, value in manager.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[:1])
            self.wfile.flush()
            manager.hold.wait(20)
            self.wfile.write(body[1:])

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that has hung up

    manager.hold.set()
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        manager.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield manager
        finally:
            manager.hold.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def manager() -> Iterator[Manager]:
    with serving(Manager(dict(PAGES))) as running:
        yield running


async def test_channels_come_with_balances_and_names(manager):
    assert await LndManage(manager.url).list_channels() == (
        Channel(
            scid(FIRST), ANN, "ann", capacity_sat=5_000_000, local_sat=2_000_000,
            remote_sat=3_000_000, reserve_sat=50_000, initiator=True,
        ),
        Channel(
            scid(SECOND), DAN, "", capacity_sat=5_000_000, local_sat=400_000,
            remote_sat=4_600_000, reserve_sat=50_000, initiator=True, active=False,
        ),
    )  # fmt: skip


async def test_policies_are_what_we_ask_and_an_unknown_one_is_left_out(manager):
    asked = LndManage(manager.url)
    assert await asked.fee_report() == (FeePolicy(scid(FIRST), 1_000, 250, -5, -30),)
    assert await asked.channel_limits(scid(FIRST), ANN) == ChannelLimits(
        scid(FIRST), 1_000, 4_950_000_000, 80, is_disabled=False
    )
    assert await asked.channel_limits(scid(SECOND), ANN) is None
    assert await asked.channel_limits(scid("1x1x1"), ANN) is None


async def test_closed_channels_are_asked_for_once(manager):
    asked = LndManage(manager.url)
    assert await asked.closed_channels() == (ClosedChannel(scid(GONE), DAN),)
    assert await asked.closed_channels() == (ClosedChannel(scid(GONE), DAN),)
    assert manager.asked.count(f"/api/channel/{GONE}/") == 1


async def test_whether_a_peer_is_there(manager):
    asked = LndManage(manager.url)
    assert await asked.is_online(ANN) is True
    manager.pages[f"/api/node/{ANN}/details"] = {"onlineReport": {"online": "?"}}
    assert await asked.is_online(ANN) is None


async def test_a_channel_that_closes_meanwhile_is_left_out(manager):
    del manager.pages[f"/api/channel/{FIRST}/balance"]
    assert [c.scid for c in await LndManage(manager.url).list_channels()] == [scid(SECOND)]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda m: m.pages.clear(), NodeConnectionError, "has no /api/status/open-channels"),
        (lambda m: setattr(m, "status", 500), NodeConnectionError, "fails with 500"),
        (lambda m: setattr(m, "status", 401), NodePermissionError, "wants a password"),
        (
            lambda m: (setattr(m, "status", 302), m.headers.update(Location="file:///etc/passwd")),
            NodeConnectionError, "sends us elsewhere",
        ),
        (
            lambda m: m.pages.update({"/api/status/open-channels": b"<html>"}),
            NodeConnectionError, "is not JSON",
        ),
        (
            lambda m: m.pages.update({"/api/status/open-channels": [1]}),
            NodeConnectionError, "does not answer as LND Manage does",
        ),
        (
            lambda m: m.pages.update({"/api/status/open-channels": b"[" * 100_000}),
            NodeConnectionError, "is not JSON",
        ),
    ],
)  # fmt: skip
async def test_what_goes_wrong_says_what_mends_it(
    manager: Manager, change: Callable[[Manager], object], error: type[Exception], said: str
) -> None:
    change(manager)
    with pytest.raises(error, match=said) as raised:
        await LndManage(manager.url).list_channels()
    assert manager.url in str(raised.value)


async def test_answers_are_bounded_in_time_and_room(manager, monkeypatch):
    monkeypatch.setattr(http, "MOST_BYTES", 100)
    manager.pages["/api/status/open-channels"] = {"channels": ["1x1x1"] * 100}
    with pytest.raises(NodeConnectionError, match="far too much"):
        await LndManage(manager.url).list_channels()
    manager.hold.clear()
    begun = time.monotonic()
    with pytest.raises(NodeConnectionError, match=r"did not answer within 0\.2 s"):
        await LndManage(manager.url, timeout_s=0.2).list_channels()
    assert time.monotonic() - begun < 10


async def test_nobody_there():
    with pytest.raises(NodeConnectionError, match=r"nothing listens at http://127\.0\.0\.1:1: "):
        await LndManage("http://127.0.0.1:1/").list_channels()


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8081", "ftp://a", "http://", "http://a:b", "http://u:secret@a", "http://[",
            "file:///etc/passwd", "http://a/?x=1"],
)  # fmt: skip
def test_what_is_no_url_of_a_site(url: str) -> None:
    with pytest.raises(ConfigError, match="--lnd-manage") as raised:
        LndManage(url)
    assert "secret" not in str(raised.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["channels", "status", "local", "capacitySat", "remotePubkey", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
@settings(max_examples=60, deadline=None)
def test_any_value_gives_a_number_a_part_a_key_and_an_id_or_none(value: object) -> None:
    whole = lnd_manage._object(value)
    for name in whole:
        assert isinstance(lnd_manage._number(whole, name), int)
        assert isinstance(lnd_manage._part(value, name), dict)
    lnd_manage._key(value)
    found = lnd_manage._scid(value)
    assert found is None or 0 <= found < 2**64


async def test_a_collector_takes_channels_from_it_and_falls_back_to_the_node(
    play, store_file: Path, manager: Manager
) -> None:
    def is_live() -> bool:
        view = look(store_file)
        return view is not None and view.status.state is State.LIVE

    def open_peers() -> set[str]:
        view = look(store_file)
        return {row.alias for row in view.peers if row.online} if view else set()

    async with play(Script()) as node:
        told = LndManage(manager.url)
        async with collecting(node.connection, store_file, channel_info=told):
            await until(lambda: is_live() and "ann" in open_peers())
        manager.status = 500
        async with collecting(node.connection, store_file, channel_info=told):
            await until(lambda: is_live() and not open_peers())


class Lists:
    """A provider that lists these channels."""

    def __init__(self, *channels: Channel) -> None:
        self.channels = channels

    async def list_channels(self) -> tuple[Channel, ...]:
        return self.channels


async def test_private_channels_are_the_nodes_to_list():
    public, private = Channel(1, ANN, "told"), Channel(2, DAN, "told", private=True)
    known = Channel(2, DAN, "known", other_scids=(3,), private=True)
    node = Lists(public, known)
    assert await Preferring(Lists(public), node).list_channels() == (public,)
    assert await Preferring(Lists(public, private), node).list_channels() == (public, known)
