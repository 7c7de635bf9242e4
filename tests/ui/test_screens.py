"""The pages: golden screens, status that tells the truth, empty states, hostile names."""

import gc
import os
from dataclasses import replace
from pathlib import Path

import pytest
from bigfoot import GAP, NOW, NS, STATUS
from drive import PLAIN, SIZES, Driver, running
from fake import FakeAnalyst, FakeSession
from rich.cells import cell_len
from test_text import HOSTILE
from textual.strip import Strip

from htlctop.analysis.models import Window
from htlctop.analysis.query import Query
from htlctop.analysis.status import NodeView, State, StatusView
from htlctop.domain.coverage import NOT_PROVEN, Gap
from htlctop.errors import StoreError
from htlctop.ui import keys
from htlctop.ui.screens.overview import OverviewScreen

GOLDEN = Path(__file__).parent / "golden"
REGENERATE = bool(os.environ.get("HTLCTOP_GOLDEN"))


def check_golden(name: str, lines: tuple[str, ...]) -> None:
    """Compare with the golden screen; HTLCTOP_GOLDEN=1 writes it anew."""
    path = GOLDEN / f"{name}.txt"
    text = "\n".join(lines) + "\n"
    if REGENERATE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def check_width(driver: Driver, width: int, height: int) -> None:
    """Nothing is wider or taller than the terminal."""
    assert len(driver.lines) <= height
    assert all(cell_len(row) <= width for row in driver.lines)


@pytest.mark.parametrize("size", SIZES)
async def test_the_overview_looks_as_agreed(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        check_golden("overview-{}x{}".format(*size), driver.lines)


@pytest.mark.parametrize("size", SIZES)
async def test_the_drill_down_looks_as_agreed(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.press("enter")
        check_golden("peer-{}x{}".format(*size), driver.lines)


async def test_the_overview_in_plain_ascii_looks_as_agreed() -> None:
    async with running((80, 24), manners=PLAIN) as driver:
        check_golden("overview-ascii-80x24", driver.lines)
        assert driver.text.isascii()
        await driver.press("enter")
        assert driver.text.isascii()
        await driver.press("?")
        assert driver.text.isascii()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (10, 4), (24, 6), (59, 9), (110, 15), (300, 90)])
async def test_it_starts_and_opens_a_peer_at_any_size(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        check_width(driver, *size)
        await driver.press("enter", "?", "u", "u", "e", "c")
        check_width(driver, *size)


async def test_it_survives_being_resized_from_wide_to_nothing_and_back() -> None:
    async with running((200, 50)) as driver:
        for size in [(24, 6), (1, 1), (119, 3), (60, 50), (200, 50), (80, 24)]:
            await driver.pilot.resize_terminal(*size)
            await driver.pilot.pause()
            check_width(driver, *size)
        assert "ACINQ" in driver.text


@pytest.mark.parametrize("size", SIZES)
async def test_every_key_in_every_view_does_no_harm(size: tuple[int, int], tmp_path: Path) -> None:
    ways: tuple[tuple[str, tuple[str, ...]], ...]
    ways = (("Overview", ()), ("Peer", ("enter",)), ("Help", ("?",)))
    async with running(size, folder=tmp_path) as driver:
        for focus, way in ways:
            for action in keys.of(keys.Focus(focus)):
                if action.name in ("quit", "leave"):
                    continue
                await driver.press(*way)
                await driver.press(action.keys[0])
                check_width(driver, *size)
                for _ in range(6):  # esc closes what is typed into, too
                    await driver.press("escape")
                page = driver.app.page
                assert isinstance(page, OverviewScreen) and not page.message, action.name
                assert driver.app.focused is None
        assert driver.app.return_code is None


async def test_before_anything_is_read_the_screen_is_there_and_says_so() -> None:
    session = FakeSession()
    session.analyst.fail["open"] = StoreError("the store /x is not there; run htlctop collect")
    async with running(session=session, ready=False) as driver:
        await driver.shows("store unreadable")
        assert "cannot be shown" not in driver.text
        assert "bigfoot" in driver.text
        await driver.shows("run htlctop collect")
        session.analyst.fail.clear()
        await driver.shows("Missed ≈ 3,820 sat")


def status(state: State, **more: object) -> StatusView:
    return replace(STATUS, state=state, **more)


TRUTHS = [
    (status(State.LIVE), ["● live"]),
    (status(State.LIVE, lag_ns=7 * NS), ["● live", "lag 7s"]),
    (status(State.LIVE, lag_ns=4 * NS), ["● live"]),
    (
        status(State.CONNECTING, attempt=3, reason="10.0.0.1:10009 does not answer"),
        ["◌ connecting, try 3", "10.0.0.1:10009 does not answer"],
    ),
    (
        status(State.WAITING, attempt=4, reason="the wallet is locked.", next_try_ns=NOW + 31 * NS),
        ["◌ locked, try 4", "the wallet is locked; next try 14:02:31"],
    ),
    (
        status(State.WAITING, reason="the node is starting: its chain backend is not synced yet"),
        ["◌ syncing", "its chain backend is not synced yet"],
    ),
    (
        status(State.WAITING, reason="the node has just started"),
        ["◌ waiting", "the node has just started"],
    ),
    (
        status(State.REFUSED, reason="macaroon lacks offchain:read; bake one with lncli"),
        ["✖ refused", "bake one with lncli"],
    ),
    (status(State.STOPPED), ["■ collector stopped"]),
    (status(State.ENDED, replay=True), ["■ recording over", "REPLAY"]),
    (status(State.LIVE, replay=True), ["● live", "REPLAY"]),
    (
        status(State.SILENT, alive_ns=NOW - 240 * NS),
        ["✖ collector silent since 13:58", "told nothing since 13:58:00", "is of then"],
    ),
    (status(State.NEVER), ["◌ nothing collected yet"]),
]


@pytest.mark.parametrize(("now", "words"), TRUTHS, ids=[str(now.state) for now, _ in TRUTHS])
async def test_the_status_line_tells_the_truth(now: StatusView, words: list[str]) -> None:
    async with running(analyst=FakeAnalyst(the_status=now)) as driver:
        for word in words:
            assert word in driver.text
        assert "lag" in driver.text or now.lag_ns < 5 * NS
        assert "ACINQ" in driver.text, "stored data stays on the screen"
        await driver.press("enter")
        assert words[0] in driver.text


@pytest.mark.parametrize("size", SIZES)
async def test_a_node_behind_its_chain_is_live_and_is_syncing(
    size: tuple[int, int],
) -> None:
    async with running(size, FakeAnalyst(the_status=replace(STATUS, synced=False))) as driver:
        assert "●" in driver.lines[0] and "syncing" in driver.lines[0]
        assert "LND is behind its cha" in driver.text
        await driver.changed(lambda fake: setattr(fake, "the_status", STATUS))
        assert "syncing" not in driver.text and "behind" not in driver.text


async def test_how_a_node_was_synced_at_a_past_time_is_not_told() -> None:
    behind = replace(STATUS, synced=False)
    async with running(analyst=FakeAnalyst(the_status=behind)) as driver:
        await driver.press("[")
        await driver.shows("at 02:02")
        assert "syncing" not in driver.text and "behind" not in driver.text


async def test_while_nobody_watches_the_data_is_dated() -> None:
    class Unwatched(FakeAnalyst):
        def _window(self, query: Query) -> Window:
            window = super()._window(query)
            gap = Gap(NOW - 240 * NS, NOW, "node down")
            return replace(window, gaps=(*window.gaps, gap))

    now = status(State.CONNECTING, reason="10.0.0.1:10009 does not answer")
    async with running(analyst=Unwatched(the_status=now)) as driver:
        assert "◌ connecting  data of 13:58" in driver.text
    async with running(analyst=Unwatched()) as driver:
        assert "data of" not in driver.text, "live it is of now"


async def test_where_nobody_ever_watched_there_is_no_data_to_date() -> None:
    class Blank(FakeAnalyst):
        def _window(self, query: Query) -> Window:
            window = super()._window(query)
            return replace(window, gaps=(Gap(window.from_ns, NOW, "before the first start"),))

    now = status(State.REFUSED, reason="macaroon lacks offchain:read")
    async with running(analyst=Blank(the_status=now)) as driver:
        assert "✖ refused" in driver.text and "data of" not in driver.text


async def test_who_only_looks_at_anothers_collector_is_told_so() -> None:
    session = FakeSession()
    session.is_attached = True
    async with running(session=session) as driver:
        assert "● live  attached" in driver.text


async def test_a_collector_that_fails_is_said_so_and_the_data_stays() -> None:
    session = FakeSession()
    session.collector_error = RuntimeError("boom")
    async with running(session=session) as driver:
        await driver.shows("collector failed")
        assert "boom" in driver.text and "ACINQ" in driver.text


async def test_a_pane_that_fails_says_so_in_its_place_and_the_rest_runs_on() -> None:
    analyst = FakeAnalyst(fail={"log": StoreError("no such table: htlc")})
    async with running(analyst=analyst) as driver:
        assert "cannot be read: no such table: htlc" in driver.text
        assert "ACINQ" in driver.text and "● live" in driver.text


async def test_a_painter_that_fails_says_so_in_its_pane() -> None:
    async with running() as driver:
        screen = driver.app.screen
        assert isinstance(screen, OverviewScreen)

        def broken(width: int, height: int) -> tuple[()]:
            raise ValueError("no such colour")

        screen.why.show(broken)
        await driver.pilot.pause()
        assert "cannot be shown" in driver.text and "ACINQ" in driver.text


def empty(**more: object) -> FakeAnalyst:
    return FakeAnalyst(peers=[], categories=(), lines=(), **more)


async def test_an_empty_store_says_since_when_it_is_watching_and_what_to_expect() -> None:
    analyst = empty(first_event_ns=None, sends=0, receives=0, forwards=0)
    async with running(analyst=analyst) as driver:
        assert "Watching since 04:50; nothing refused yet." in driver.text
        assert "nothing refused" in driver.text


async def test_a_node_that_forwards_nothing_is_told_so() -> None:
    async with running(analyst=empty(forwards=0, sends=12, receives=3)) as driver:
        assert "No forwards" in driver.text
        assert "It made 12 payments and received 3." in driver.text
        assert "has no forwards to miss" in driver.text


async def test_forwards_without_a_refusal_are_counted_while_waiting() -> None:
    async with running((80, 24), analyst=empty(forwards=312)) as driver:
        assert "312 forwards, nothing refused yet" in driver.text


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names_are_shown_harmless_and_nothing_gets_wider(
    size: tuple[int, int],
) -> None:
    analyst = FakeAnalyst(
        identity=NodeView("02ab", HOSTILE[0] + HOSTILE[6], "main\x1bnet", "0\x07.21")
    )
    for index, alias in enumerate(HOSTILE):
        at = index % len(analyst.peers)
        row = analyst.peers[at]
        channels = tuple(replace(channel, alias=alias) for channel in row.channels)
        analyst.peers[at] = replace(row, alias=alias, channels=channels)
    analyst.lines = tuple(
        replace(line, in_alias=alias, out_alias=alias[::-1])
        for line, alias in zip(analyst.lines, HOSTILE[:10], strict=False)
    )
    async with running(size, analyst=analyst) as driver:
        for _ in range(12):
            check_width(driver, *size)
            assert all(char.isprintable() for row in driver.lines for char in row)
            assert "\u202e" not in driver.text
            await driver.press("enter")
            check_width(driver, *size)
            assert all(char.isprintable() for row in driver.lines for char in row)
            await driver.press("u", "j")


async def test_markup_in_a_name_is_shown_as_it_is_written() -> None:
    async with running() as driver:
        assert "LNBIG [Hub-3]" in driver.text


async def test_windows_go_round_and_the_header_shows_the_one_the_figures_are_of() -> None:
    async with running() as driver:
        assert "  24h  " in driver.lines[0]
        for label in ("7d", "30d", "all", "1h", "6h", "24h"):
            await driver.press("w")
            assert f"  {label}  " in driver.lines[0]
        await driver.press("W")
        assert "  6h  " in driver.lines[0]


async def test_back_takes_away_the_message_first_and_then_the_page(tmp_path: Path) -> None:
    async with running(folder=tmp_path) as driver:
        await driver.press("enter", "s")
        await driver.shows("saved ")
        await driver.press("escape")
        assert "saved " not in driver.text and "∥2 channels" in driver.text
        await driver.press("backspace")
        assert "∥2 channels" not in driver.text
        await driver.press("u")
        assert "ACINQ" in driver.text


async def test_a_frozen_drill_down_holds_and_answers_another_window() -> None:
    async with running() as driver:
        await driver.press("enter", "space")

        def more(analyst: FakeAnalyst) -> None:
            row = analyst.peers[0]
            analyst.peers[0] = replace(row, sums=replace(row.sums, expected_msat=9_999_000))

        await driver.changed(more)
        assert "Missed 1,226 sat" in driver.text
        await driver.press("w")
        assert "Missed 9,999 sat" in driver.text


async def test_the_drill_down_scrolls_where_it_is_longer_than_the_screen() -> None:
    async with running((40, 15)) as driver:
        await driver.press("enter")
        assert "Missed 1,226" in driver.text
        await driver.press("G")
        assert "Missed" not in driver.text
        await driver.press("g")
        assert "Missed" in driver.text


async def test_saved_screens_and_exports_are_private_and_say_of_what_they_are(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "deep" / "er"
    async with running(folder=folder) as driver:
        await driver.press("s")
        await driver.until(lambda: list(folder.glob("*.txt")))
        await driver.press("e", "c")
        await driver.until(lambda: list(folder.glob("*.csv")))
        await driver.press("enter", "e", "c")
        await driver.until(lambda: len(list(folder.glob("*.csv"))) == 2)
        await driver.shows("saved")
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "htlctop-overview-2026-07-03T140200Z.csv",
        "htlctop-overview-2026-07-03T140200Z.txt",
        "htlctop-peer-2026-07-03T140200Z.csv",
    ]
    text = (folder / names[1]).read_text(encoding="utf-8")
    for word in (
        "# htlctop: ",
        "# node: bigfoot",
        "# window: 24h",
        "# coverage: 0.92",
        "# filter:",
    ):
        assert word in text
    assert "Missed ≈ 3,820 sat" in text
    table = (folder / names[0]).read_text(encoding="utf-8").splitlines()
    heads = next(row for row in table if not row.startswith("#")).split(",")
    rows = [row.split(",") for row in table if row.startswith("peer,")]
    missed = sum(int(row[heads.index("expected_msat")]) for row in rows if len(row) == len(heads))
    assert missed > 3_000_000


async def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with running(folder=tmp_path / "file") as driver:
        await driver.press("e", "c")
        await driver.shows("cannot write into")


async def test_the_reader_and_the_collector_have_threads_of_their_own() -> None:
    import threading

    async with running() as driver:
        await driver.until(driver.session.collecting.is_set)
        assert len(driver.analyst.threads) == 1
        assert threading.get_ident() not in driver.analyst.threads


async def test_a_key_that_asks_breaks_off_a_read_that_is_running() -> None:
    import threading

    from htlctop.errors import ReadInterrupted

    async with running() as driver:
        entered, broken = threading.Event(), threading.Event()
        analyst = driver.analyst
        plain = type(analyst).overview

        def slow(query: object) -> object:
            entered.set()
            assert broken.wait(10)
            del analyst.overview
            raise ReadInterrupted

        analyst.overview = slow
        analyst.interrupt = broken.set
        assert plain is not None
        analyst.bump()
        driver.app.serial += 1
        driver.app.ask()
        await driver.until(entered.is_set)
        await driver.press("w")
        assert "  7d  " in driver.lines[0]


async def test_quitting_asks_once_where_it_ends_the_watching() -> None:
    async with running(owns_collector=True) as driver:
        await driver.press("q")
        assert "quitting ends the watching" in driver.text
        await driver.press("u")
        assert "quitting ends the watching" not in driver.text
        await driver.press("q", "q")
        await driver.until(lambda: driver.app.return_code is not None)
        assert driver.session.stopped.is_set() and driver.analyst.closed


async def test_quitting_does_not_ask_once_the_collector_has_failed() -> None:
    session = FakeSession(owns_collector=True)
    session.collector_error = RuntimeError("boom")
    async with running(session=session) as driver:
        await driver.shows("collector failed")
        await driver.press("q")
        assert driver.app.is_leaving


async def test_quitting_a_mere_viewer_does_not_ask() -> None:
    async with running() as driver:
        await driver.press("q")
        await driver.until(lambda: driver.app.return_code is not None)
        assert driver.app.exit_code == 0


async def test_a_gap_that_is_open_now_is_not_called_watching() -> None:
    from htlctop.ui.paint.overview import watched_since

    async with running() as driver:
        view = driver.app.board.overview
        assert view is not None
        now = view.window.until_ns
        window = replace(view.window, gaps=(Gap(now - 60 * NS, now, "not running"),))
        assert watched_since(replace(view, window=window)) is None
        open_still = replace(window, gaps=(GAP, Gap(now - 4 * NS, now, NOT_PROVEN)))
        assert watched_since(replace(view, window=open_still)) == GAP.until_ns


async def test_seconds_that_the_next_sign_of_life_covers_are_no_gap_to_tell_of() -> None:
    class Live(FakeAnalyst):
        def _window(self, query: Query) -> Window:
            window = super()._window(query)
            open_still = Gap(window.until_ns - 4 * NS, window.until_ns, NOT_PROVEN)
            less = window.covered_ns - 4 * NS
            return replace(window, covered_ns=less, gaps=(*window.gaps, open_still))

    async with running((80, 40), analyst=Live()) as driver:
        assert "covered 22h10m" in driver.text
        await driver.press("W")
        assert "covered 6h  ▕████████▏100%" in driver.text, "the hours since the gap"
        await driver.press("w", "6")
        assert "node down" in driver.text and NOT_PROVEN not in driver.text
        await driver.press("7")
        assert "in 1 gap" in driver.text
        await driver.press("G")
        assert NOT_PROVEN not in driver.text


async def test_a_store_that_stays_unreadable_is_not_asked_without_rest() -> None:
    session = FakeSession()
    session.analyst.fail["open"] = StoreError("locked")
    asked: list[int] = []
    plain = session.open_analyst

    def counting() -> FakeAnalyst:
        asked.append(1)
        return plain()

    session.open_analyst = counting
    async with running(session=session, ready=False) as driver:
        reads: list[object] = []
        read = driver.app.pump.reader.read

        def watched(want: object) -> object:
            reads.append(want)
            return read(want)

        driver.app.pump.reader.read = watched
        await driver.shows("store unreadable")
        await driver.pilot.pause(0.6)
        assert len(asked) == 1 and len(reads) <= 4


async def test_a_page_that_is_closed_leaves_nothing_of_what_it_showed() -> None:
    def strips() -> int:
        gc.collect()
        return sum(isinstance(one, Strip) for one in gc.get_objects())

    async with running() as driver:
        await driver.press(*("enter", "u") * 3)
        before = strips()
        await driver.press(*("enter", "u") * 10)
        assert strips() - before < 2 * driver.app.size.height
