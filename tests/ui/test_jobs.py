"""ctrl-z, fg, bg, a tmux that dies: the collector outlives them, the shell has its terminal."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shell import NEEDED, Shell
from terminal import ROOT

pytestmark = pytest.mark.skipif(not NEEDED, reason="needs tmux and bash")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.kill()


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def stored(folder: Path) -> int:
    """How much the collector of the child has done."""
    log = folder / "log"
    return log.read_text().count("stored one more") if log.exists() else 0


def test_ctrl_z_gives_the_shell_its_terminal_while_collecting_goes_on_and_fg_repaints(
    shell: Shell, tmp_path: Path
) -> None:
    shell.start(str(tmp_path), "--count")
    before = shell.wait_for("Missed")
    shell.key("C-z")
    shell.wait_for("Stopped")
    shell.type("echo $((6 * 7)) from the shell\n")
    shell.wait_for("42 from the shell")
    at = stored(tmp_path)
    until(lambda: stored(tmp_path) > at + 20)
    assert "Missed" not in shell.text
    shell.resize(80, 20)
    shell.type("fg\n")
    shown = shell.wait_for("Missed")
    assert max(map(len, shown.splitlines())) <= 80 < max(map(len, before.splitlines()))
    shell.key("?")
    shell.wait_for("Keys in")
    shell.type("Q")
    shell.wait_for("42 from the shell")


def test_a_stopped_job_that_is_told_to_end_ends_in_good_order(shell: Shell, tmp_path: Path) -> None:
    shell.start(str(tmp_path), "--count")
    shell.wait_for("Missed")
    shell.key("C-z")
    shell.wait_for("Stopped")
    shell.type("kill %1\n")
    until(lambda: "collector stopped in order" in (tmp_path / "log").read_text())

    def is_over() -> bool:
        """Bash tells of it before its next prompt; for one last seen stopped it does not wait."""
        shell.type("\n")
        return "Exit 143" in shell.text

    until(is_over)


FLOODED = """
import os, signal, time
from htlctop.ui.jobs import Job

signal.signal(signal.SIGUSR1, signal.SIG_IGN)
until = time.monotonic() + 1
child = os.fork()
if child:
    while time.monotonic() < until:
        os.kill(child, signal.SIGCONT)
    os.waitpid(child, 0)
    os._exit(0)
signal.alarm(10)
job = Job()
job.heed(lambda: None)
job.stop(-1, lambda: time.monotonic() > until)
print("over", flush=True)
os._exit(0)
"""


def test_one_signal_that_comes_while_another_is_handled_stops_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FLOODED], capture_output=True, text=True, timeout=20, cwd=ROOT
    )
    assert done.stdout == "over\n", done.stderr


def test_in_the_background_it_waits_for_the_terminal(shell: Shell, tmp_path: Path) -> None:
    shell.start(str(tmp_path), "--count")
    shell.wait_for("Missed")
    shell.key("C-z")
    shell.wait_for("Stopped")
    shell.type("bg; echo still mine\n")
    shell.wait_for("\nstill mine")
    at = stored(tmp_path)
    until(lambda: stored(tmp_path) > at + 20)
    assert "Missed" not in shell.text
    shell.type("fg\n")
    shell.wait_for("Missed")


def test_resized_from_wide_to_narrow_and_back_while_busy_nothing_wraps(
    shell: Shell, tmp_path: Path
) -> None:
    shell.start(str(tmp_path), "--flood")
    shell.wait_for("Missed")
    for width, height, word in ((200, 50, "EARNED"), (24, 6, "missed"), (200, 50, "EARNED")):
        shell.resize(width, height)
        shown = shell.wait_for(word)
        assert max(map(len, shown.splitlines())) <= width


def test_when_the_tmux_server_dies_the_collector_stops_in_order(
    shell: Shell, tmp_path: Path
) -> None:
    shell.start(str(tmp_path))
    shell.wait_for("Missed")
    shell.kill()
    until(lambda: "collector stopped in order" in (tmp_path / "log").read_text())
