"""What a user gets wrong is one line that says what is right, and an exit code; no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from htlctop import service
from htlctop.cli import cli
from htlctop.sim.recordings import TRAFFIC


@pytest.fixture(scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("wrong") / "store.db"
    await service.ingest([TRAFFIC], path, until_fraction=0.1)
    return path


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("report --window soon", 2, "'soon' is not a duration; write 30s"),
        ("report --window 999999999d", 2, "longer than anything"),
        ("report --since yesterday", 2, "'yesterday' is no time; write 2026-"),
        ("report --since 2h --until 5h", 2, "--since 2h is not before --until 5h"),
        ("report --since 2h --window 3h", 2, "use one of --window, --hours and --since"),
        (
            "report --since 9999-12-31",
            2,
            "nothing can be seen yet from that start",
        ),
        ("analyze --by pair --sort local", 2, "--sort local: a pair has no balance"),
        ("analyze --filter amt>1m", 2, "--filter amt>1m: amt, fee, type and state are of single"),
        ("analyze --filter !state:settled", 2, "amt, fee, type and state are of single HTLCs"),
        ("advise --for bos --json", 2, "--for writes commands, which are no json"),
        ("mark raised --at 9999-12-31", 2, "--at 9999-12-31 is still to come: it is 20"),
        ("report --store /etc/passwd", 6, "is not a store of htlctop"),
        ("report --store /nowhere/x.db", 6, "there is no store at /nowhere/x.db"),
        ("report -o /nowhere/x", 6, "cannot write /nowhere/x"),
        ("explain 1x2x3", 2, "no peer or channel found for '1x2x3'"),
        ("explain nobody", 2, "no peer or channel found for 'nobody'"),
        ("metrics --listen here", 2, "'here' is no address to listen at"),
        ("metrics --listen 192.0.2.1:1", 3, "cannot listen at 192.0.2.1:1"),
        ("monitor --duration x", 2, "'x' is not a duration"),
        ("monitor --lnd-manage here", 3, "--lnd-manage is no URL"),
        ("monitor --rpcserver a:b", 3, "a:b has no port that can be"),
        ("monitor --network moon", 3, "moon is no network"),
        ("service --metrics here", 2, "'here' is no address"),
        ("service --keep 1h", 2, "keep at least 2d"),
    ],
)
def test_one_line_and_an_exit_code(command: str, code: int, said: str, store: Path) -> None:
    ended = CliRunner().invoke(cli, command.split(), env={"HTLCTOP_STORE": str(store)})
    assert ended.exit_code == code, ended.output
    (line,) = ended.output.splitlines()
    assert line.startswith("htlctop: ")
    assert said in line


@pytest.mark.parametrize("since", ["0001-01-01", "36500d", "1969-12-31T23:59Z"])
def test_times_that_no_store_reaches_are_times(since: str, store: Path) -> None:
    ended = CliRunner().invoke(cli, ["report", "--since", since, "--store", str(store)])
    assert ended.exit_code == 0, ended.output


def test_a_pipe_that_cannot_write_every_sign_is_told_the_rest(store: Path) -> None:
    command = [sys.executable, "-m", "htlctop", "report", "--store", str(store)]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(command, env=env, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b" ? settle rates" in ended.stdout
