"""Manners in a real terminal: signals, noise on fd 2, quiet, colours, a terminal that goes away."""

import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import HERE, ROOT, Terminal

from htlctop.ui.terminal import manners

APP = str(HERE / "child.py")
SGR = re.compile(rb"\x1b\[([0-9;]*)m")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    """Starts the app on the fake in a pty; all are ended after the test."""
    begun: list[Terminal] = []

    def begin(*args: str, size: tuple[int, int] = (80, 24), **env: str) -> Terminal:
        terminal = Terminal([APP, str(tmp_path), *args], *size, **env)
        begun.append(terminal)
        return terminal

    yield begin
    for terminal in begun:
        terminal.close()


def check_restored(terminal: Terminal) -> None:
    """The terminal is as it was: main screen, cursor, mouse, line mode, no colours left on."""
    for on, off in (
        (b"?1049h", b"?1049l"),
        (b"?25l", b"?25h"),
        (b"?1000h", b"?1000l"),
        (b"?2004h", b"?2004l"),
        (b"?1004h", b"?1004l"),
    ):
        assert terminal.sent.rfind(off) > terminal.sent.rfind(on), off
    flags = termios.tcgetattr(terminal.fd)[3]
    assert flags & termios.ECHO and flags & termios.ICANON and flags & termios.ISIG


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_restores_the_terminal_and_tells_by_the_exit_code(start, number, code) -> None:
    terminal = start()
    terminal.wait_for("Missed")
    terminal.kill(number)
    assert terminal.wait() == code
    check_restored(terminal)
    assert "collector stopped in order" in terminal.log()


def test_ctrl_c_leaves_in_good_order(start) -> None:
    terminal = start()
    terminal.wait_for("Missed")
    terminal.type("\x03")
    assert terminal.wait() == 0
    check_restored(terminal)


def test_noise_on_fd_2_goes_to_the_log_and_not_across_the_screen(start, tmp_path: Path) -> None:
    terminal = start("--noise")
    terminal.wait_for("Missed")
    terminal.read(0.5)
    assert b"NOISE" not in terminal.sent
    assert "NOISE" in (tmp_path / "log").read_text()
    terminal.type("Q")
    assert terminal.wait() == 0
    assert b"back to the terminal" in terminal.sent, "fd 2 is the terminal again"


def test_a_quiet_node_sends_nothing(start) -> None:
    terminal = start("--no-minutes")
    terminal.wait_for("Missed")
    terminal.read(1.5)
    assert terminal.read(2.0) == b""


def test_a_crash_restores_the_terminal_and_names_the_log(start, tmp_path: Path) -> None:
    terminal = start("--crash")
    terminal.wait_for("Missed")
    terminal.type("j")
    assert terminal.wait() == 1
    check_restored(terminal)
    assert b"htlctop crashed" in terminal.sent
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()


def test_a_screen_killed_without_warning_leaves_the_terminal_whole_all_the_same(start) -> None:
    terminal = start()
    terminal.wait_for("Missed")
    screen = Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text().split()[0]
    os.kill(int(screen), signal.SIGKILL)
    assert terminal.wait() == 137
    check_restored(terminal)


def test_a_terminal_that_goes_away_ends_the_app_though_sighup_is_ignored(start) -> None:
    terminal = start("--nohup")
    terminal.wait_for("Missed")
    os.close(terminal.fd)
    try:
        end = time.monotonic() + 15
        while not terminal.has_ended and time.monotonic() < end:
            time.sleep(0.05)
        assert terminal.status == 129
    finally:
        terminal.fd = os.open(os.devnull, os.O_RDONLY)
    assert "collector stopped in order" in terminal.log()


def test_a_terminal_that_does_not_read_cannot_keep_sigterm_from_ending_it(start) -> None:
    terminal = start("--flood")
    terminal.wait_for("Missed")
    time.sleep(2.0)
    terminal.kill(signal.SIGTERM)
    end = time.monotonic() + 15
    while not terminal.has_ended and time.monotonic() < end:
        time.sleep(0.05)
    assert terminal.status == 143
    assert "collector stopped in order" in terminal.log()


def test_a_terminal_that_does_not_read_never_holds_up_what_is_stored(start) -> None:
    terminal = start("--flood", "--count")
    terminal.wait_for("Missed")
    end = time.monotonic() + 20
    while (at := terminal.log().count("stored one more")) < 40 and time.monotonic() < end:
        time.sleep(0.05)
    while terminal.log().count("stored one more") < at + 100:  # nobody reads all this while
        assert time.monotonic() < end
        time.sleep(0.05)
    terminal.wait_for("peer ")
    terminal.type("Q")
    assert terminal.wait() == 0
    check_restored(terminal)


def test_no_color_sends_no_colour_at_all(start) -> None:
    terminal = start(NO_COLOR="1", COLORTERM="truecolor")
    terminal.wait_for("Missed")
    terminal.type("j?")
    terminal.read(0.5)
    codes = {code for found in SGR.findall(bytes(terminal.sent)) for code in found.split(b";")}
    assert codes <= {b"", b"0", b"1", b"2", b"7"}


def test_in_tmux_only_the_sixteen_colours_are_sent(start) -> None:
    terminal = start(TMUX="/tmp/x,1,0", COLORTERM="truecolor", TERM="tmux-256color")
    terminal.wait_for("Missed")
    codes = {code for found in SGR.findall(bytes(terminal.sent)) for code in found.split(b";")}
    assert not codes & {b"38", b"48"}


@pytest.mark.parametrize("env", [{"LANG": "C"}, {"LANG": "", "LC_ALL": "POSIX"}, {"TERM": "dumb"}])
def test_a_terminal_that_knows_ascii_alone_gets_ascii_alone(start, env: dict[str, str]) -> None:
    ascii = ["--ascii"] if "TERM" in env else []
    terminal = start(*ascii, **env)
    terminal.wait_for("Missed")
    assert terminal.sent.isascii()


def test_a_theme_that_does_not_exist_is_answered_with_those_that_do(start) -> None:
    terminal = start("--no-such-theme")
    assert terminal.wait() == 2
    assert b"ansi-dark" in terminal.sent


def test_a_pipe_is_told_to_use_the_report(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, APP, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "htlctop report" in done.stderr


def test_importing_the_ui_imports_no_textual() -> None:
    code = "import sys, htlctop.ui; sys.exit('textual' in sys.modules or 'rich' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0


@pytest.mark.parametrize(
    ("environ", "ascii", "theme", "encoding", "expected"),
    [
        ({"COLORTERM": "truecolor"}, False, None, "utf-8", ("textual-dark", False, False, False)),
        (
            {"COLORTERM": "24bit", "TMUX": "x"},
            False,
            None,
            "utf8",
            ("ansi-dark", True, False, False),
        ),
        ({"TERM": "screen-256color"}, False, None, "UTF-8", ("ansi-dark", True, False, False)),
        ({}, False, "nord", "latin-1", ("nord", False, False, True)),
        ({"NO_COLOR": "1"}, True, "nord", "utf-8", ("ansi-dark", True, True, True)),
        ({"NO_COLOR": ""}, False, None, "x-unknown", ("ansi-dark", True, False, True)),
    ],
)
def test_manners_follow_the_environment(environ, ascii, theme, encoding, expected) -> None:
    found = manners(environ, ascii, theme, encoding)
    assert (found.theme, found.ansi, found.no_color, found.ascii) == expected
