"""`htlctop collect` and `htlctop service` as an operator or a service manager runs them."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from htlctop.cli.service import quote
from tests.nodes import simulated

HTLCTOP = [sys.executable, "-m", "htlctop"]
CLOSED = "127.0.0.1:1"
GUARD_S = 20


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HTLCTOP_", "NOTIFY_"))}
    return kept | {"COLUMNS": "100"} | more


@pytest.fixture
def lnd(tmp_path: Path) -> Path:
    """A folder as LND has it, with a certificate and a macaroon."""
    with simulated(tmp_path / "made"):
        pass
    folder = tmp_path / "lnd"
    at = folder / "data" / "chain" / "bitcoin" / "simnet"
    at.mkdir(parents=True)
    (folder / "tls.cert").write_bytes((tmp_path / "made" / "tls.cert").read_bytes())
    (at / "readonly.macaroon").write_bytes((tmp_path / "made" / "readonly.macaroon").read_bytes())
    return folder


def collect(lnd: Path, store: Path, *options: str) -> list[str]:
    return [
        *HTLCTOP, "collect", "--lnddir", str(lnd), "--network", "simnet",
        "--rpcserver", CLOSED, "--store", str(store), *options,
    ]  # fmt: skip


def wait_for(log: Path, text: str, times: int = 1) -> str:
    end = time.monotonic() + GUARD_S
    while time.monotonic() < end:
        if log.exists() and (found := log.read_text()).count(text) >= times:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{text!r} was not said: {log.read_text()}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0(
    number: signal.Signals, lnd: Path, store_file: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with (
        log.open("w") as out,
        subprocess.Popen(collect(lnd, store_file), stderr=out, env=environment()) as running,
    ):
        wait_for(log, "nothing listens")
        running.send_signal(number)
        assert running.wait(GUARD_S) == 0
    assert "Traceback" not in log.read_text()


def test_sighup_connects_anew_and_the_journal_gets_priorities_and_no_repeats(
    lnd: Path, store_file: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("w") as out:
        where = os.fstat(out.fileno())
        journal = environment(JOURNAL_STREAM=f"{where.st_dev}:{where.st_ino}")
        with subprocess.Popen(
            collect(lnd, store_file), stderr=out, env=journal, start_new_session=True
        ) as running:
            wait_for(log, "<4>nothing listens")
            running.send_signal(signal.SIGHUP)
            wait_for(log, "<6>connecting anew, as asked")
            wait_for(log, "<4>nothing listens", times=2)
            running.terminate()
            assert running.wait(GUARD_S) == 0
    assert all(line.startswith("<") for line in log.read_text().splitlines())


def test_a_terminal_that_closes_ends_it(lnd: Path, store_file: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    pid, terminal = pty.fork()
    if pid == 0:
        os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY), 2)
        os.execve(sys.executable, collect(lnd, store_file), environment())
    wait_for(log, "nothing listens")
    os.kill(pid, signal.SIGHUP)
    wait_for(log, "connecting anew")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 129


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--fail-fast"], 4, "nothing listens at 127.0.0.1:1: start LND"),
        (["--fail-fast", "--macaroonpath", "/nowhere"], 4, "nothing listens"),
        (["--fail-fast", "--tlscertpath", "/nowhere"], 3, "no certificate at /nowhere"),
        (["--rpcserver", "a b"], 3, "is no address"),
        (["--duration", "soon"], 2, "soon"),
        (["--store", "/proc/x/store.db"], 6, "cannot write"),
    ],
)
def test_what_cannot_go_on_is_one_line_and_an_exit_code(
    options: list[str], code: int, said: str, lnd: Path, store_file: Path
) -> None:
    ended = subprocess.run(
        collect(lnd, store_file, *options),
        capture_output=True, text=True, env=environment(), timeout=GUARD_S, check=False,
    )  # fmt: skip
    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_waiting_it_takes_over_when_the_other_collector_ends(
    lnd: Path, store_file: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with first.open("w") as one, second.open("w") as two:
        owner = subprocess.Popen(collect(lnd, store_file), stderr=one, env=environment())
        wait_for(first, "nothing listens")
        refused = subprocess.run(
            collect(lnd, store_file), capture_output=True, text=True, env=environment(), check=False
        )
        assert refused.returncode == 6
        assert f"process {owner.pid}; stop it first, take over" in refused.stderr
        in_vain = subprocess.run(
            collect(lnd, store_file, "--wait", "--duration", "1s"),
            stderr=subprocess.DEVNULL, env=environment(), check=False, timeout=GUARD_S,
        )  # fmt: skip
        assert in_vain.returncode == 0, "its time is over, though it never was its turn"
        heir = subprocess.Popen(collect(lnd, store_file, "--wait"), stderr=two, env=environment())
        wait_for(second, f"process {owner.pid}; waiting for it to end")
        owner.terminate()
        wait_for(second, "nothing listens")
        heir.terminate()
        assert (owner.wait(GUARD_S), heir.wait(GUARD_S)) == (0, 0)


def service(*options: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*HTLCTOP, "service", *options],
        capture_output=True, text=True, env=environment(**environ), check=False,
    )  # fmt: skip


def test_the_unit_carries_its_options_over_and_no_secret(tmp_path: Path) -> None:
    secret = "lndconnect://node:1?macaroon=AgEDbG5kAA"
    made = service(
        "--lnddir", str(tmp_path / "my lnd"), "--store", "a%b.db", "--keep", "90d",
        "--metrics", "9740", "--lnd-manage", "http://127.0.0.1:8081",
        HTLCTOP_NETWORK="signet", HTLCTOP_MACAROON="0201036c6e64",
    )  # fmt: skip
    assert made.returncode == 0
    (command,) = [line for line in made.stdout.splitlines() if line.startswith("ExecStart=")]
    assert command.startswith(f"ExecStart={sys.executable} -m htlctop collect --wait ")
    assert f'--lnddir "{tmp_path}/my lnd" --network signet' in command
    assert command.endswith("/a%%b.db --keep 90d --lnd-manage http://127.0.0.1:8081 --metrics 9740")
    for wanted in ("Type=notify", "WatchdogSec=", "ExecReload=", "NoNewPrivileges=yes"):
        assert wanted in made.stdout
    assert "0201036c6e64" not in made.stdout + made.stderr
    assert "HTLCTOP_MACAROON" in made.stderr
    for step in ("systemctl --user daemon-reload", "enable --now", "enable-linger"):
        assert step in made.stderr
    refused = service("--lndconnect", secret)
    assert refused.returncode == 2
    assert "AgEDbG5kAA" not in refused.stdout + refused.stderr


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("/usr/bin/htlctop", "/usr/bin/htlctop"),
        ("[::1]:10009", "[::1]:10009"),
        ("a b", '"a b"'),
        ("100%", "100%%"),
        ("$HOME", '"$$HOME"'),
        ('say "so"', '"say \\"so\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("", '""'),
    ],
)
def test_arguments_are_written_as_systemd_reads_them(argument: str, quoted: str) -> None:
    assert quote(argument) == quoted
