"""The simulator's door: who gets in, and what is told to whom does not."""

import asyncio
import hashlib
import hmac
import os
import signal
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.config import PERMISSIONS, Connection
from htlctop.domain.types import NodeState
from htlctop.errors import (
    ConfigError,
    HtlctopError,
    NodeConnectionError,
    NodePermissionError,
    UsageError,
)
from htlctop.sim.certificate import self_signed
from htlctop.sim.macaroon import BadMacaroonError, Bakery
from htlctop.sim.server import SimOptions, Simulator
from htlctop.wire.client import LndClient
from htlctop.wire.macaroon import read_macaroon
from htlctop.wire.recording import Recording

from .conftest import Simulate, each


async def refused(connection: Connection) -> HtlctopError:
    async with LndClient(connection) as client:
        with pytest.raises(HtlctopError) as caught:
            await client.get_info()
        with pytest.raises(type(caught.value)):
            await anext(each(client))
    return caught.value


async def test_macaroons_that_do_not_hold_are_refused_as_lnd_does(
    simulate: Simulate, short: Recording
) -> None:
    async with simulate(short.path) as running:
        good = running.connection.read_macaroon()
        other = Bakery().bake().hex()
        for macaroon, told in (
            (good[:-20], "copy the file again"),
            (good[:-2] + ("00" if good[-2:] != "00" else "01"), "of another node or was changed"),
            (other, "revoked"),
            ("0201", "copy the file again"),
        ):
            error = await refused(
                replace(running.connection, macaroon_path=None, macaroon_hex=macaroon)
            )
            assert isinstance(error, NodePermissionError)
            assert told in str(error)
            assert macaroon not in str(error)


async def test_the_state_needs_no_macaroon(simulate: Simulate, short: Recording) -> None:
    async with simulate(short.path) as running:
        bad = replace(running.connection, macaroon_path=None, macaroon_hex="00")
        async with LndClient(bad) as client:
            assert await client.get_state() is NodeState.SERVER_ACTIVE


async def test_wrong_certificates_names_and_ports_are_told_apart(
    simulate: Simulate, short: Recording, tmp_path: Path
) -> None:
    certificate, key = self_signed()
    async with simulate(short.path) as running:
        port = running.connection.rpcserver.rpartition(":")[2]
        mine = running.connection
        foreign = replace(mine, tls_cert_path=None, tls_cert=certificate)
        assert "--tlscertpath" in str(await refused(foreign))
        misnamed = replace(mine, rpcserver=f"[::ffff:127.0.0.1]:{port}")
        assert "not for that name" in str(await refused(misnamed))
        broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        unusable = replace(mine, tls_cert_path=None, tls_cert=broken)
        with pytest.raises(ConfigError, match="no whole certificate"):
            LndClient(unusable)
        async with LndClient(replace(mine, rpcserver=f"localhost:{port}")) as client:
            assert (await client.get_info()).alias == "hub"
    assert "nothing listens" in str(await refused(mine))

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def speak_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    (tmp_path / "cert").write_bytes(certificate)
    (tmp_path / "key").write_bytes(key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    for serve, context, told in (
        (hang_up, None, "--rpcserver"),
        (speak_http, None, "does not speak TLS"),
        (hang_up, tls, "REST port"),
    ):
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            error = await refused(replace(foreign, rpcserver=f"127.0.0.1:{port}"))
        assert isinstance(error, NodeConnectionError)
        assert told in str(error)


async def test_a_replaced_certificate_is_picked_up_by_the_next_connection(
    simulate: Simulate, short: Recording
) -> None:
    for _ in range(2):
        async with simulate(short.path) as running, running.client() as client:
            assert (await client.get_info()).alias == "hub"


async def test_its_files_are_their_owners_and_a_real_lnds_are_left_alone(
    simulate: Simulate, short: Recording, tmp_path: Path
) -> None:
    async with simulate(short.path):
        for name in ("tls.cert", "readonly.macaroon"):
            assert (tmp_path / "sim" / name).stat().st_mode & 0o777 == 0o600
    real = tmp_path / "lnd"
    real.mkdir()
    (real / "lnd.conf").touch()
    (real / "tls.cert").write_text("precious")
    with pytest.raises(UsageError, match="real LND"):
        async with Simulator(SimOptions(short.path, real)):
            pass
    assert (real / "tls.cert").read_text() == "precious"


async def test_a_port_that_is_taken_is_said(simulate: Simulate, short: Recording) -> None:
    async with simulate(short.path) as running:
        port = int(running.connection.rpcserver.rpartition(":")[2])
        with pytest.raises(UsageError, match="taken"):
            async with simulate(short.path, port=port):
                pass


def test_a_macaroon_may_be_narrowed_by_its_holder() -> None:
    bakery = Bakery()
    bakery.check([bakery.bake().hex()])

    def narrowed(caveat: bytes) -> str:
        macaroon = bakery.bake()
        signature = hmac.digest(macaroon[-32:], caveat, hashlib.sha256)
        inner = macaroon[: -32 - 3] + b"\x02" + bytes([len(caveat)]) + caveat + b"\x00\x00"
        return (inner + b"\x06\x20" + signature).hex()

    bakery.check([narrowed(b"time-before 2999-01-01T00:00:00.123456789Z")])
    bakery.check([narrowed(b"ipaddr 127.0.0.1")])
    for caveat, told in (
        (b"time-before 2001-01-01T00:00:00Z", "expired"),
        (b"time-before tomorrow", "expired"),
        (b"lnd-custom nothing", "not satisfied"),
    ):
        with pytest.raises(BadMacaroonError, match=told):
            bakery.check([narrowed(caveat)])
    for sent, told in (
        ([], "got 0"),
        (["zz"], "U\\+007A 'z'"),
        (["0"], "odd length"),
        (["00"], "data format"),
    ):
        with pytest.raises(BadMacaroonError, match=told):
            bakery.check(sent)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "stdin"])
def test_the_process_tells_its_address_and_stops_cleanly(
    short: Recording, tmp_path: Path, how: str
) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; "
        "from htlctop.sim.server import SimOptions, serve; "
        "asyncio.run(serve(SimOptions(Path(sys.argv[1]), Path(sys.argv[2]), start_at=0.5, "
        "exit_with_parent=True)))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(short.path), str(tmp_path / "sim")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdin
    assert process.stdout.readline().startswith("127.0.0.1:")
    assert process.stdout.readline().startswith("shift_ns=")
    if how == "stdin":
        process.stdin.close()
        process.stdin = None
    else:
        os.kill(process.pid, getattr(signal, how))
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_its_macaroon_tells_what_it_permits_as_lnds_does() -> None:
    baked = read_macaroon(Bakery().bake())
    assert baked.permissions == frozenset(PERMISSIONS)
    assert not baked.beyond_reading and not baked.missing
