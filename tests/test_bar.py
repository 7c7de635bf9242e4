"""Work that is long shows how far it is, where somebody watches."""

import os
import pty
import sys

from htlctop.cli.bar import LateBar


def shown(monkeypatch, *, on_terminal: bool, seconds: float) -> str:
    """What a bar writes when half is done after so long."""
    near, far = pty.openpty() if on_terminal else os.pipe()
    now = [0.0]
    with os.fdopen(far, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with LateBar("reading", lambda: now[0]) as bar:
            bar.update(1, 100)
            now[0] = seconds
            bar.update(50, 100)
        stderr.write("end")
        stderr.flush()
        said = ""
        while not said.endswith("end"):
            said += os.read(near, 10_000).decode(errors="replace")
    os.close(near)
    return said


def test_after_a_second_a_terminal_sees_a_bar(monkeypatch):
    said = shown(monkeypatch, on_terminal=True, seconds=1.5)
    assert "reading" in said and "50%" in said


def test_short_work_and_a_pipe_see_none(monkeypatch):
    assert shown(monkeypatch, on_terminal=True, seconds=0.5) == "end"
    assert shown(monkeypatch, on_terminal=False, seconds=9) == "end"
