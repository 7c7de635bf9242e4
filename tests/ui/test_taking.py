"""Taking things away and hiding names: what is saved, copied, redacted, found and remembered."""

import json
import random
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from drive import ANSI, Driver, running
from fake import FakeAnalyst, FakeSession

from htlctop.analysis.query import By, Query, SortKey
from htlctop.ui import memory
from htlctop.ui.app import HtlctopApp
from htlctop.ui.clipboard import copy
from htlctop.ui.layout import Form
from htlctop.ui.memory import Memory
from htlctop.ui.session import UiOptions

VIEWS = "1234567"
SCID = re.compile(r"\b\d{6}x\d+x\d\b")
"""A channel's own id; codes are of older blocks, or by chance of five digits."""


def names(analyst: FakeAnalyst) -> list[str]:
    """What nobody may see, in the fewest letters that still tell."""
    return [name for peer in analyst.peers if len(name := peer.alias[:8].strip()) > 4] + ["bigfoot"]


def check_hidden(driver: Driver, where: str) -> None:
    for name in names(driver.analyst):
        assert name not in driver.text, f"{name} in {where}\n{driver.text}"
    for scid in SCID.findall(driver.text):
        assert not any(
            scid == channel.scid for peer in driver.analyst.peers for channel in peer.channels
        ), f"{scid} in {where}"
    assert "acac" not in driver.text, "a piece of a key"


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def wander(driver: Driver) -> None:
    """Every view, what can be opened there, and how it comes about."""
    for view in VIEWS:
        await driver.press(view)
        check_hidden(driver, f"view {view}")
        await driver.press("i")
        check_hidden(driver, f"explained in {view}")
        await driver.press("i", "enter")
        check_hidden(driver, f"opened in {view}")
        await driver.press("enter", "G")
        check_hidden(driver, f"below {view}")
        await driver.press("escape", "escape", "escape")


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (40, 15)])
async def test_redacted_no_screen_shows_a_name_a_key_or_an_id(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.press("R")
        await wander(driver)


async def test_redaction_reaches_what_a_freeze_holds_and_goes_away_again() -> None:
    async with running() as driver:
        assert "ACINQ" in driver.text
        await driver.press("space", "R")
        check_hidden(driver, "the frozen overview")
        codes = re.findall(r"node-[0-9a-z]{6}", driver.text)
        await driver.press("R", "u")
        assert "ACINQ" in driver.text and "node-" not in driver.text
        await driver.press("R")
        assert re.findall(r"node-[0-9a-z]{6}", driver.text) == codes


async def test_redacted_a_filter_tells_what_it_does_and_not_whom_it_looks_for(
    tmp_path: Path,
) -> None:
    async with running(folder=tmp_path) as driver:
        await driver.press("/", *"krake", "enter", "R", "e", "c")
        for view in "1234":
            await driver.press(view)
            assert "krake" not in driver.text.lower() and "/(hidden)" in driver.text
        await driver.until(lambda: files(tmp_path))
        assert "# filter: (hidden)\n" in files(tmp_path)[0].read_text()
        await driver.press("1", "/")
        assert driver.lines[-1].startswith("/ "), "it is not shown to be changed"
        await driver.press("escape", "R")
        assert "/krake: " in driver.text and driver.cursor_line.startswith("▸ Kraken")
        assert driver.app.board.query.filter == "krake"


async def test_a_file_tells_the_filter_only_of_what_went_by_it(tmp_path: Path) -> None:
    async with running(folder=tmp_path) as driver:
        await driver.press("/", *"krake", "enter")
        for view in VIEWS:
            await driver.press(view, "e", "c")
        await driver.press("s", "i", "e", "c", "s")
        await driver.until(lambda: len(files(tmp_path)) == 10)
        told = {
            "-".join(path.name.split("-")[1:2]) + path.suffix
            for path in files(tmp_path)
            if "# filter: krake\n" in path.read_text(encoding="utf-8")
        }
        assert told == {f"{view}.csv" for view in ("overview", "channels", "flows", "events")}


async def test_redacted_files_hold_no_name_and_say_that_they_are(tmp_path: Path) -> None:
    async with running(folder=tmp_path) as driver:
        await driver.press("R", "s", "S")
        for view in VIEWS:
            for form in "cjmt":
                await driver.press(view, "e", form)
        await driver.until(lambda: len(files(tmp_path)) >= 30)
        for path in files(tmp_path):
            text = path.read_text(encoding="utf-8")
            assert "redacted" in text
            for name in names(driver.analyst):
                assert name not in text, f"{name} in {path.name}"
            assert "acacacac" not in text, path.name


async def test_a_view_is_saved_in_the_format_chosen_and_a_picture_says_of_what_it_is(
    tmp_path: Path,
) -> None:
    async with running(folder=tmp_path) as driver:
        for form in "cjmtu":
            await driver.press("e")
            assert "save as" in driver.text
            await driver.press("x", form)  # a key that answers nothing is no answer
        await driver.press("S")
        await driver.until(lambda: len(files(tmp_path)) == 5)
        await driver.shows(".svg")
    kinds = {path.suffix: path for path in files(tmp_path)}
    assert set(kinds) == {".csv", ".json", ".md", ".txt", ".svg"}
    assert json.loads(kinds[".json"].read_text())["schema"] == "htlctop-view/1"
    picture = kinds[".svg"].read_text()
    assert "<desc>" in picture and "node: bigfoot" in picture and "coverage: " in picture
    assert 'url("http' not in picture, "it asks no server for a font"
    assert {stat.S_IMODE(path.stat().st_mode) for path in kinds.values()} == {0o600}


async def test_y_copies_the_key_under_the_cursor_and_says_how(monkeypatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    sent: list[str] = []
    async with running() as driver:
        driver.app.taking._write = sent.append
        await driver.press("y")
        key = driver.analyst.peers[0].pubkey
        await driver.shows("copied by the terminal (OSC 52): public key")
        assert key is not None and key[:20] in driver.text
    assert sent and sent[0].startswith("\x1b]52;c;")


def test_copying_goes_through_tmux_where_there_is_one_that_answers(tmp_path, monkeypatch) -> None:
    taken, sent = tmp_path / "taken", []
    tmux = tmp_path / "tmux"
    tmux.write_text(f'#!/bin/sh\necho "$@" > {taken}\ncat >> {taken}\n')
    tmux.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert copy("02ab", {"TMUX": "x"}, sent.append) == "through tmux"
    assert taken.read_text() == "load-buffer -w -\n02ab" and not sent
    tmux.write_text("#!/bin/sh\nexit 1\n")
    assert copy("02ab", {"TMUX": "x"}, sent.append) == "by the terminal (OSC 52)"
    assert sent == ["\x1b]52;c;MDJhYg==\a"]


async def test_the_palette_finds_an_action_by_its_words_and_does_it() -> None:
    async with running() as driver:
        await driver.press(":")
        assert "Actions" in driver.text
        await driver.press(*"turn round")
        assert "1 of " in driver.text and "▸reverse" in driver.text
        await driver.press("enter")
        assert driver.app.board.query.reverse
        assert "Actions" not in driver.text and driver.app.focused is None
        await driver.press(":", *"history", "enter")
        assert driver.app.pages.view == "history"
        await driver.press(":", "backspace", ":", "x", "escape")
        assert driver.app.focused is None


async def test_the_palette_moves_and_never_leaves_its_list() -> None:
    async with running((24, 6)) as driver:
        await driver.press("ctrl+p", "up", *["down"] * 60, *"zzzz", "down", "enter")
        assert driver.app.focused is None


def left(path: Path) -> Memory:
    found, said = memory.load(path)
    assert said == ""
    return found


async def test_view_window_order_and_grouping_are_as_they_were_left(tmp_path: Path) -> None:
    path = tmp_path / "state" / "default.json"
    options = UiOptions(state_path=path)
    app = HtlctopApp(FakeSession(), options, ANSI)
    async with app.run_test() as pilot:
        driver = Driver(app, pilot, app.session)
        await driver.until(lambda: app.board.overview is not None)
        try:
            await driver.press("w", "r", "b", "2", "R", "Q")
            await driver.until(lambda: path.exists() and left(path).view == "channels")
        finally:
            app.let_go()
    found = left(path)
    assert (found.window, found.reverse, found.by) == ("7d", True, By.CHANNEL)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    again = HtlctopApp(FakeSession(), options, ANSI)
    assert again.board.query == Query("7d", reverse=True, by=By.CHANNEL)
    assert again.memory.key == app.memory.key, "codes stay the same"
    assert HtlctopApp(FakeSession(), replace(options, window="1h"), ANSI).board.query.window == "1h"


async def test_the_arrangement_chosen_by_hand_outlives_a_restart(tmp_path: Path) -> None:
    options = UiOptions(state_path=tmp_path / "default.json")
    looks = []
    for keys in (("v",) * 3, ()):
        app = HtlctopApp(FakeSession(), options, ANSI)
        async with app.run_test(size=(120, 32)) as pilot:
            driver = Driver(app, pilot, app.session)
            await driver.until(lambda app=app: app.board.overview is not None)
            await driver.press(*keys, *("u" if keys else ()))
            await driver.shows("Do: bring")
            looks.append(driver.text)
            await driver.press("Q")
            await driver.until(lambda app=app: app.return_code is not None)
    assert left(tmp_path / "default.json").form is Form.NARROW
    assert looks[0] == looks[1], "and says nothing of it again"
    assert "Why" not in looks[1], "as one short line there"


async def test_a_broken_memory_is_none_and_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "default.json"
    path.write_text("{")
    app = HtlctopApp(FakeSession(), UiOptions(state_path=path), ANSI)
    async with app.run_test(size=(120, 32)) as pilot:
        try:
            await Driver(app, pilot, app.session).shows("cannot be read: starting as for")
        finally:
            app.let_go()


def test_fuzzed_memories_never_stop_it_from_starting(tmp_path: Path) -> None:
    chance = random.Random(1)
    path = tmp_path / "x.json"
    whole = Memory("events", "24h", SortKey.LOCAL, True, By.PAIR, None).with_key()
    memory.save(path, whole)
    text = path.read_bytes()
    assert left(path) == whole
    for _ in range(500):
        at = chance.randrange(len(text))
        some = chance.choice((b"", b"null", b"[", b'"', b"\xff", b"9" * 5000, b"true"))
        path.write_bytes(text[:at] + some + text[at + chance.randrange(9) :])
        found, _said = memory.load(path)
        assert isinstance(found.query(None), Query) and len(found.with_key().key) == 32


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory.save(tmp_path / "file" / "x.json", Memory())
    memory.save(None, Memory())


@pytest.mark.parametrize("width", [24, 40, 59, 80, 120])
async def test_every_format_can_be_chosen_in_any_width(width: int) -> None:
    async with running((width, 12)) as driver:
        await driver.press("e")
        words = driver.lines[-1].split()
        assert [key for key in words if key in "cjmt"] == list("cjmt")
        assert not driver.lines[-1].endswith("…")
