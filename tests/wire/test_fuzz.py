"""Whatever a node sends or a person configures: nothing crashes, hangs, or is lost beside it."""

import asyncio
import os
import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import htlctop.sim
from htlctop.collector.clock import SystemClock
from htlctop.collector.collector import Collector, Limits
from htlctop.collector.intake import Intake
from htlctop.config import ENVIRONMENT, Connection, ConnectionOptions, resolve
from htlctop.errors import ConfigError, NodeConnectionError, NodePermissionError
from htlctop.sim.certificate import self_signed
from htlctop.sim.listener import Context, Listener
from htlctop.store.writer import StoreWriter
from htlctop.wire.channel import ReadOnlyChannel
from htlctop.wire.client import LndClient
from htlctop.wire.gen import routerrpc_pb2 as router
from htlctop.wire.methods import UNARY, Method
from htlctop.wire.recording import Kind, read_recording

TRAFFIC = Path(htlctop.sim.__file__).parent / "data" / "traffic-0.21.2.jsonl.gz"
SUBSCRIBED = router.HtlcEvent(subscribed_event=router.SubscribedEvent()).SerializeToString()
FIRST_GOOD = 10**9
FUZZED = 2_000


class FuzzedNode:
    """Answers with what it is given, over real gRPC."""

    def __init__(self, folder: Path, answers: dict[str, bytes], messages: list[bytes]) -> None:
        self.answers = answers
        self._messages = messages
        self._folder = folder
        streams = {Method.HTLC_EVENTS.value: self._events, Method.CHANNEL_EVENTS.value: self._quiet}
        self._listener = Listener(0, self._answer, streams)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Connection]:
        await self._listener.open()
        (self._folder / "tls.cert").write_bytes(self._listener.certificate)
        try:
            yield Connection(
                self._listener.address,
                "simnet",
                tls_cert_path=self._folder / "tls.cert",
                macaroon_hex="0201",
            )
        finally:
            await self._listener.close(abrupt=True)

    async def _answer(self, method: str, _request: bytes, _context: Context) -> bytes:
        return self.answers.get(method, b"")

    async def _events(self, _request: bytes, context: Context) -> None:
        for message in (SUBSCRIBED, *self._messages):
            await context.write(message)
        await asyncio.sleep(3600)

    async def _quiet(self, _request: bytes, _context: Context) -> None:
        await asyncio.sleep(3600)


@pytest.fixture(scope="module")
def answers() -> dict[str, bytes]:
    """A real node's."""
    found = {Method.GET_STATE.value: b"\x08\x04"}
    for record in read_recording(TRAFFIC).records():
        if record.kind is Kind.UNARY:
            found.setdefault(record.method, record.response)
    return found


@pytest.fixture(scope="module")
def messages() -> list[bytes]:
    return [r.message for r in read_recording(TRAFFIC).records() if r.is_htlc_event][1:]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with something wrong about them."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        if not changed:
            return chance.randbytes(20)
        at = chance.randrange(len(changed))
        match chance.randrange(6):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                changed[at] ^= 1 << chance.randrange(8)
            case 2:
                del changed[at : at + chance.randrange(1, 9)]
            case 3:
                changed[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 4:
                changed[at : at + 10] = b"\xff" * 9 + b"\x01"  # the largest number there is
            case _:
                del changed[at:]
    return bytes(changed)


def made_up(chance: random.Random) -> bytes:
    """A message whose every number may be anything; not one that opens a stream anew."""
    large = (0, 1, 2**31 - 1, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)

    def number() -> int:
        return chance.choice(large) if chance.random() < 0.5 else chance.randrange(2**64)

    info = router.HtlcInfo(incoming_amt_msat=number(), outgoing_amt_msat=number())
    enum = chance.randrange(-(2**31), 2**31)
    event = router.HtlcEvent(
        incoming_channel_id=number(), outgoing_channel_id=number(), incoming_htlc_id=number(),
        outgoing_htlc_id=number(), timestamp_ns=number(),
        event_type=chance.choice((0, 1, 2, 3, enum)),
    )  # fmt: skip
    match chance.randrange(6):
        case 0:
            event.forward_event.info.CopyFrom(info)
        case 1:
            event.link_fail_event.info.CopyFrom(info)
            event.link_fail_event.wire_failure = chance.choice((15, 18, enum))
            event.link_fail_event.failure_detail = chance.choice((1, 6, 8, enum))
        case 2:
            event.forward_fail_event.SetInParent()
        case 3:
            event.settle_event.SetInParent()
        case 4:
            event.final_htlc_event.settled = chance.random() < 0.5
    return event.SerializeToString()


def good(number: int, like: bytes) -> list[bytes]:
    """A forward that settles, on channels of the recorded node."""
    event = router.HtlcEvent.FromString(like)
    event.incoming_htlc_id = event.outgoing_htlc_id = FIRST_GOOD + number
    event.event_type = 3
    event.forward_event.info.incoming_amt_msat = 1_001_000 + number
    event.forward_event.info.outgoing_amt_msat = 1_000_000
    opened = event.SerializeToString()
    event.settle_event.SetInParent()
    return [opened, event.SerializeToString()]


def is_subscription(message: bytes) -> bool:
    try:
        return router.HtlcEvent.FromString(message).HasField("subscribed_event")
    except Exception:
        return False


@pytest.mark.parametrize("seed", [1, 2])
async def test_good_events_between_fuzzed_ones_are_all_stored(
    seed: int, tmp_path: Path, answers: dict[str, bytes], messages: list[bytes]
) -> None:
    chance = random.Random(seed)
    forwards = [m for m in messages if router.HtlcEvent.FromString(m).HasField("forward_event")]
    forwards = [m for m in forwards if router.HtlcEvent.FromString(m).event_type == 3]
    told: list[bytes] = []
    wanted = FUZZED // 10
    for number in range(FUZZED):
        bad = made_up(chance) if number % 2 else mutated(chance.choice(messages), chance)
        if not is_subscription(bad):
            told.append(bad)
        if number % 10 == 0:
            told += good(number // 10, chance.choice(forwards))
    store = tmp_path / "store.db"
    stop = asyncio.Event()
    clients: list[LndClient] = []
    async with (
        FuzzedNode(tmp_path, answers, told).running() as connection,
        StoreWriter(store) as writer,
    ):

        def connect() -> LndClient:
            clients.append(LndClient(connection))
            return clients[-1]

        collector = Collector(connect, writer, limits=Limits(duration_s=60))
        running = asyncio.create_task(collector.run(stop))
        with sqlite3.connect(store) as db:
            ask = "SELECT count(*) FROM htlc WHERE in_htlc >= ? AND in_htlc < ? AND outcome = 1"
            while not running.done():
                ((found,),) = db.execute(ask, (FIRST_GOOD, FIRST_GOOD + wanted)).fetchall()
                ((events,),) = db.execute("SELECT events FROM status").fetchall()
                if found == wanted:
                    break
                await asyncio.sleep(0.05)
        stop.set()
        await running
    assert found == wanted, f"{events} events stored"
    assert len(clients) == 1, "the stream was never given up"
    with sqlite3.connect(store) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        categories = dict(db.execute(
            "SELECT category, count(*) FROM htlc WHERE category > 0 GROUP BY category"
        ))  # fmt: skip
        # Also by the minute: no time from the far future makes the present look old.
        for table in ("by_channel", "by_pair"):
            for span in range(3):
                ask = f"SELECT category, sum(n) FROM {table} WHERE span = {span} GROUP BY category"
                assert {k: n for k, n in db.execute(ask) if n} == categories


async def test_fuzzed_answers_are_taken_or_refused_and_the_node_can_be_asked_again(
    tmp_path: Path, answers: dict[str, bytes]
) -> None:
    chance = random.Random(1)
    methods = sorted(UNARY - {Method.LOOKUP_HTLC})
    node = FuzzedNode(tmp_path, dict(answers), [])
    refused = taken = 0
    store = StoreWriter(tmp_path / "store.db")
    async with node.running() as connection, LndClient(connection) as client, store as writer:
        intake = Intake(writer, client, SystemClock())
        channel = (await client.list_channels())[0]
        for number in range(FUZZED):
            method = methods[number % len(methods)]
            node.answers = {**answers, method.value: mutated(answers[method.value], chance)}
            try:
                match method:
                    case Method.GET_STATE:
                        await client.get_state()
                    case Method.GET_INFO:
                        await client.get_info()
                    case Method.LIST_PEERS:
                        await client.connected_peers()
                    case Method.FORWARDING_HISTORY:
                        await client.forwarding_history(0, 10**10)
                    case Method.GET_NODE_INFO:
                        await client.node_alias("02" + "00" * 32)
                    case Method.GET_CHAN_INFO:
                        await client._scid_of("00:0")
                    case _:
                        await intake.channels.refresh()
                taken += 1
            except (NodeConnectionError, NodePermissionError):
                refused += 1
        node.answers = answers
        await intake.channels.refresh()
        assert channel in await client.list_channels()
        assert channel.peer in await client.connected_peers()
    assert refused > FUZZED // 20
    assert taken > FUZZED // 20


def texts(chance: random.Random) -> Iterator[str | None]:
    """What a person, a script or an attacker may put where a text is wanted."""
    pieces = (
        "", " ", "localhost", "10009", ":", "::1", "[::1]", "[", "]", "/", "~", "~nobody", "..",
        "unix:", "unix:/tmp/x", "http://", "lndconnect://", "@", "?", "&", "cert=", "macaroon=",
        "AgEDbG5k", "0201036c6e64", "zz", "%", "%00", "\0", "\n", "é", "\ud800", "١٠٠٠٩", "-1",
        "65536", "99999999999999999999", "mainnet", "MAINNET", "simnet", "x" * 300, "=", "#", "\\",
    )  # fmt: skip
    while True:
        roll = chance.random()
        if roll < 0.3:
            yield None
        elif roll < 0.5:
            yield chance.choice(pieces)
        elif roll < 0.8:
            yield "".join(chance.choices(pieces, k=chance.randrange(1, 7)))
        else:
            yield "".join(map(chr, (chance.randrange(1, 0x2FF) for _ in range(12))))


def test_a_fuzzed_configuration_is_used_or_refused_with_a_configuration_error(
    tmp_path: Path,
) -> None:
    chance = random.Random(1)
    text = texts(chance)
    (tmp_path / "tls.cert").write_bytes(self_signed()[0])
    (tmp_path / "some.macaroon").write_bytes(b"\x02\x01\x03")
    real = {
        "lnddir": str(tmp_path), "rpcserver": "localhost:1", "network": "simnet",
        "tlscertpath": str(tmp_path / "tls.cert"), "macaroon": "0201",
        "macaroonpath": str(tmp_path / "some.macaroon"),
        "lndconnect": "lndconnect://localhost:1?macaroon=AgEDbG5k",
    }  # fmt: skip

    def option(name: str) -> str | None:
        return real[name] if chance.random() < 0.25 else next(text)

    used = refused = 0
    for _ in range(FUZZED):
        flags = ConnectionOptions(**{name: option(name) for name in ENVIRONMENT})
        if chance.random() < 0.5:
            flags = ConnectionOptions(lndconnect=f"lndconnect://{next(text)}")
        environ = {variable: option(name) or "" for name, variable in ENVIRONMENT.items()}
        if chance.random() < 0.5:
            environ = {}
        try:
            connection = resolve(flags, environ)
            client = LndClient(connection)
        except ConfigError as error:
            refused += 1
            message = str(error)
            assert "Traceback" not in message
            continue
        client._channel.close()
        used += 1
    assert refused > FUZZED // 4
    assert used > 10
    assert os.environ.get("HTLCTOP_RPCSERVER") is None


def test_every_other_method_of_lnd_is_refused_by_the_client() -> None:
    channel = ReadOnlyChannel(Connection("127.0.0.1:1", macaroon_hex="0201"))
    listed = (Path(__file__).parent / "lnd-methods.txt").read_text(encoding="ascii").split()
    allowed = {method.value for method in Method}
    assert len(listed) > 170
    assert allowed <= set(listed)
    for path in sorted(set(listed) - allowed):
        with pytest.raises(NodePermissionError, match="only reads"):
            channel.unary(path, b"", 1.0)
        with pytest.raises(NodePermissionError, match="only reads"):
            channel.stream(path, b"")
    channel.close()
