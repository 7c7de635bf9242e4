"""The views beyond tables and the drill-downs: golden screens, evidence, matrix, explanation."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from bigfoot import STATUS, advised, all_peers
from drive import PLAIN, SIZES, Driver, running
from fake import READING, FakeAnalyst, FakeSession
from test_screens import check_golden, check_width
from test_text import HOSTILE

from htlctop.analysis.advice.models import Advice, Kind
from htlctop.analysis.details import Pending
from htlctop.analysis.models import Window
from htlctop.analysis.query import Query
from htlctop.analysis.status import NodeView, State
from htlctop.domain.types import Access
from htlctop.errors import StoreError
from htlctop.ui import keys, subject
from htlctop.ui.glyphs import BLOCKS
from htlctop.ui.messages import Open
from htlctop.ui.paint.overview import to_do
from htlctop.ui.parts import Need, Part
from htlctop.ui.reader import Answer, Found
from htlctop.ui.subject import Subject
from htlctop.ui.text import plain

VIEWS = {"flows": "3", "opportunities": "5", "history": "6", "node": "7"}
DRILL_DOWNS = {
    "peer": subject.peer(1),
    "channel": subject.channel(10),
    "pair": subject.pair(5, 1),
    "htlc": subject.htlc(120),
}


async def opened(driver: Driver, about: Subject) -> None:
    """Open the drill-down of something, as a page does."""
    driver.app.post_message(Open(about))
    await driver.pilot.pause(0)
    await driver.press()
    await driver.settled()


async def everywhere(driver: Driver) -> AsyncIterator[str]:
    """Every view of this module and every drill-down, one after another, by name."""
    for name, key in VIEWS.items():
        await driver.press(key)
        yield name
    await driver.press("5", "enter")
    yield "evidence"
    await driver.press("1")
    for name, about in DRILL_DOWNS.items():
        await opened(driver, about)
        yield name
        if name == "peer":
            await driver.press("i")
            yield "how"
            await driver.press("u")
        await driver.press("u")


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_looks_as_agreed(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        async for name in everywhere(driver):
            check_width(driver, *size)
            check_golden("{}-{}x{}".format(name, *size), driver.lines)


def named(*names: str) -> FakeAnalyst:
    """An analyst whose first peers have these names, and the first two all HTLCs."""
    analyst = FakeAnalyst()
    for index, name in enumerate(names[: len(analyst.peers)]):
        row = analyst.peers[index]
        channels = tuple(replace(channel, alias=name) for channel in row.channels)
        analyst.peers[index] = replace(row, alias=name, channels=channels)
    analyst.lines = tuple(
        replace(one, in_alias=names[0], out_alias=names[1]) for one in analyst.lines
    )
    return analyst


async def test_every_page_is_plain_ascii_where_the_terminal_is() -> None:
    foreign = named(*["Гавань-3", "Café 東京⚡"] * 9)
    async with running((100, 30), foreign, manners=PLAIN) as driver:
        async for name in everywhere(driver):
            assert driver.text.isascii(), name


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (10, 4), (59, 9), (110, 15), (300, 90)])
async def test_every_page_fits_any_terminal(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        async for _ in everywhere(driver):
            check_width(driver, *size)


@pytest.mark.parametrize("focus", ["Flows", "Opportunities", "History", "Node", "Channel", "Pair"])
async def test_every_key_of_a_page_does_no_harm(focus: str, tmp_path: Path) -> None:
    name = focus.lower()
    async with running((80, 24), folder=tmp_path) as driver:
        for action in keys.of(keys.Focus(focus)):
            if action.name in ("quit", "leave", "help", "filter"):
                continue
            if name in VIEWS:
                await driver.press(VIEWS[name])
            else:
                await driver.press("1")
                await opened(driver, DRILL_DOWNS[name])
            await driver.press(action.keys[0])
            check_width(driver, 80, 24)
            assert "cannot be" not in driver.text, action.name
        assert driver.app.return_code is None


async def test_of_a_node_that_was_never_reached_nothing_is_told_as_known() -> None:
    never = FakeAnalyst(identity=NodeView("", "", "", ""), pending=())
    async with running((100, 40), never) as driver:
        await driver.press("7")
        assert "no HTLC is on any channel" not in driver.text
        assert driver.text.count("not known yet") == 2, "its name, and what is in flight"


async def test_hostile_names_are_harmless_on_every_page() -> None:
    async with running((100, 30), named(*HOSTILE)) as driver:
        async for name in everywhere(driver):
            check_width(driver, 100, 30)
            assert not {sign for sign in driver.text if sign < " " and sign != "\n"}, name
            assert "\u202e" not in driver.text and "cannot be" not in driver.text, name


@pytest.mark.parametrize(
    ("part", "key"), [("overview", "3"), ("advice", "5"), ("history", "6"), ("node", "7")]
)
async def test_a_view_that_cannot_be_read_says_why_and_the_rest_goes_on(
    part: str, key: str
) -> None:
    gone = StoreError("the disk is gone")
    # What the Overview needs itself fails from then on only.
    fail = {} if part == "overview" else {part: gone}
    async with running(analyst=FakeAnalyst(fail=fail)) as driver:
        driver.analyst.fail[part] = gone
        await driver.press(key)
        await driver.shows("cannot be read: the disk is gone")
        assert "bigfoot" in driver.text
        driver.analyst.fail.clear()
        await driver.changed(lambda analyst: None)
        await driver.press("w")
        await driver.until(lambda: "the disk is gone" not in driver.text)


# Flows


async def test_flows_open_the_pair_under_the_cursor_and_come_back_to_it() -> None:
    async with running((120, 32)) as driver:
        await driver.press("3", "j", "enter")
        assert "LNBIG [Hub-3] → ACINQ" in driver.lines[1]
        await driver.press("u")
        assert "[▓ 1,278]" in driver.text
        await driver.press("l", "h", "k")
        assert "[█ 2,555]" in driver.text


async def test_flows_are_a_list_where_the_user_wants_one() -> None:
    async with running((120, 32)) as driver:
        await driver.press("3", "v")
        assert "Flows by net demand" in driver.text
        await driver.press("j")
        assert any(row.startswith("▸fast⚡sats → ACINQ") for row in driver.lines)
        await driver.press("v")
        assert "▸ fast⚡sats" in driver.text


@pytest.mark.parametrize("size", [(59, 20), (80, 7)])
async def test_where_a_matrix_has_no_room_the_key_for_it_says_so(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.press("3")
        before = driver.lines[1:4]
        await driver.press("v")
        assert "needs 60 columns and 8 lines" in " ".join(driver.text.split())
        assert driver.lines[1:4] == before
        await driver.pilot.resize_terminal(120, 32)
        await driver.shows("rows, ")


async def test_flows_go_by_the_filter_and_say_how_many_match() -> None:
    async with running((120, 32)) as driver:
        await driver.press("3", "/", "k", "r", "a", "k")
        assert "6 of 36" in driver.text
        await driver.press("enter", "u")
        assert "12/12 rows" in driver.text


async def test_frozen_flows_stay_as_they_are() -> None:
    def more(analyst: FakeAnalyst) -> None:
        row = analyst.peers[1]
        sums = replace(row.sums, demand_msat=row.sums.demand_msat + 90_000_000)
        analyst.peers[1] = replace(row, sums=sums)

    async with running((120, 32)) as driver:
        await driver.press("3", "space")
        before = driver.lines[1:]
        await driver.changed(more)
        assert driver.lines[1:] == before
        await driver.press("space")
        assert driver.lines[1:] != before


async def test_a_click_moves_the_cursor_of_the_matrix() -> None:
    async with running((120, 32)) as driver:
        await driver.press("3")
        y = next(at for at, row in enumerate(driver.lines) if row.startswith("  fast"))
        x = driver.lines[y].index("203")
        await driver.pilot.click(offset=(x + 1, y))
        assert "[░   203]" in driver.text


# Node


async def test_what_the_macaroon_permits_is_asked_once_for_each_connection() -> None:
    session = FakeSession()
    async with running((80, 40), session=session) as driver:
        await driver.press("7")
        assert "reads only: info, offchain, peers" in driver.text
        for _ in range(3):
            await driver.changed(lambda analyst: None)
        assert session.access_asked == 1
        beyond = (
            "address:write",
            "info:write",
            "invoices:write",
            "macaroon:generate",
            "onchain:write",
        )
        session.the_access = Access((*READING, *beyond), beyond)

        def away(analyst: FakeAnalyst) -> None:
            analyst.the_status = replace(STATUS, state=State.CONNECTING)

        def back(analyst: FakeAnalyst) -> None:
            analyst.the_status = STATUS

        await driver.changed(away)
        assert "macaroon" not in driver.text, "nothing is known without a connection"
        await driver.changed(back)
        assert "permits more than htlctop needs: address:write," in driver.text
        assert "and 2 more" in driver.text


# Opportunities


async def test_the_evidence_is_one_key_away_and_its_peer_another() -> None:
    async with running((120, 32)) as driver:
        await driver.press("5", "j")
        assert "Bring 1.2M sat into Boltz" in driver.text
        await driver.press("enter")
        assert "opens the peer" in driver.text and "WORTH" not in driver.text
        await driver.press("enter")
        assert "Boltz  790001x3x0" in driver.text
        await driver.press("u", "u")
        assert driver.cursor_line.startswith("▸ Boltz")


async def test_a_click_shows_the_evidence_of_the_row_clicked() -> None:
    async with running((120, 32)) as driver:
        await driver.press("5")
        assert "Bring 1.2M sat into ACINQ" in driver.text
        await driver.pilot.click("#opportunities", offset=(5, 3))
        await driver.shows("Bring 1.2M sat into Boltz")


@pytest.mark.parametrize(
    ("too_early", "why_none", "words"),
    [
        ("", "every payment was served", ["every payment was served"]),
        ("too early: watched for 1 h", "", ["too early: watched for 1 h", "Nothing to do"]),
    ],
)
async def test_no_advice_is_said_with_its_reason(
    too_early: str, why_none: str, words: list[str]
) -> None:
    class Early(FakeAnalyst):
        def advice(self, query: Query) -> Advice:
            return replace(
                super().advice(query),
                opportunities=(),
                hidden=0,
                too_early=too_early,
                why_none=why_none,
            )

    async with running((80, 24), analyst=Early()) as driver:
        await driver.press("5")
        for word in words:
            assert word in driver.text


@pytest.mark.parametrize("size", [(120, 32), (80, 24)])
async def test_without_advice_there_is_no_pane_for_its_evidence(size: tuple[int, int]) -> None:
    async with running(size, analyst=FakeAnalyst(advised=())) as driver:
        await driver.press("5")
        assert "nothing refused that would be worth anything" in driver.text
        assert "and why" not in driver.text and "nothing under" not in driver.text


async def test_at_a_past_time_advice_is_no_order_and_no_command_is_given() -> None:
    async with running((120, 32)) as driver:
        await driver.press("5", "[")
        await driver.shows("─ What was to do then, by what it is worth in 24h")
        assert "no command for a past time, } is now" in driver.text
        assert "bos rebalance" not in driver.text
        for page in ("5", "oo"):
            await driver.press(*page)
            assert driver.app.page is not None
            copied = driver.app.page.copied(driver.app.board)
            assert copied is not None and copied.what == "public key"
        assert " Then: bring 1.2M sat into ACINQ" in driver.text
        await driver.press("1")
        assert " Then: bring 1.2M sat into ACINQ" in driver.text
        await driver.press("}")
        await driver.shows(" Do: bring 1.2M sat into ACINQ")
        await driver.press("5")
        assert "bos rebalance" in driver.text


async def test_what_costs_something_is_said_to_be_worth_so_much_before_costs() -> None:
    async with running((120, 32)) as driver:
        assert "worth 29–44k sat a month before costs   " in driver.text
        await driver.press("5")
        assert "sat a month before costs." in driver.text
        await driver.press("j", "j", "j")
        assert "Raise max_htlc" in driver.text and "costs" not in driver.text
        await driver.press("1", "o")
        assert "sat a month before costs (rebalance_outbound)" in driver.text


@pytest.mark.parametrize(
    ("width", "said"),
    [(109, "29–44k sat a month before costs"), (108, "29–44k sat a month"), (80, "29–44k/month")],
)
def test_what_to_do_says_as_much_as_there_is_room_for(width: int, said: str) -> None:
    row = plain(to_do(FakeAnalyst().advice(Query()), width, BLOCKS))
    assert f"worth {said}  " in row
    assert ("(5 for all 4)" in row) == (width > 80)


async def test_where_no_command_does_it_that_is_said() -> None:
    first = advised(all_peers())[0]
    drain = replace(first, kind=Kind.REBALANCE_INBOUND, break_even_ppm=None, ceiling_ppm=None)
    async with running((120, 32), analyst=FakeAnalyst(advised=(drain,))) as driver:
        await driver.press("5")
        assert "(no command does this; y copies the peer's key)" in driver.text


# Drill-downs


async def test_the_other_side_of_a_peer_is_read_only_when_it_is_turned_to() -> None:
    async with running((120, 32)) as driver:
        await opened(driver, subject.peer(1))
        assert "explain" not in driver.analyst.calls
        await driver.press("i")
        assert "window 86,400 − gaps 6,600" in driver.text
        await driver.press("u")
        assert "Why (demand)" in driver.text
        await driver.press("i", "i")
        assert "Why (demand)" in driver.text


async def test_a_peer_offers_its_command_to_be_copied_whole() -> None:
    async with running((120, 40)) as driver:
        await opened(driver, subject.peer(1))
        page = driver.app.page
        assert page is not None
        copied = page.copied(driver.app.board)
        assert copied is not None and copied.text.startswith("bos rebalance --in 0301")
        assert "at most 98 sat" in copied.what
        assert "…" not in copied.text and "0301ac…acac" in driver.text
        await opened(driver, subject.channel(10))
        page = driver.app.page
        assert page is not None
        found = page.copied(driver.app.board)
        assert found is not None and found.text == "8000010"


async def test_what_cannot_be_opened_any_more_says_so() -> None:
    async with running((80, 24)) as driver:
        await opened(driver, subject.htlc(7))
        assert "the store does not hold this HTLC any more" in driver.text
        await driver.press("u")
        assert "ACINQ" in driver.text


async def test_an_htlc_about_to_expire_is_an_alarm_on_the_node_page() -> None:
    near = Pending("801000x12x1", 1, "ACINQ", False, 5_000_000, 861_004, 4)
    async with running((120, 60), analyst=FakeAnalyst(pending=(near,))) as driver:
        await driver.press("7")
        assert "✖" in next(row for row in driver.lines if "4 blocks   " in row)


async def test_the_node_page_says_who_collects() -> None:
    async with running((120, 32)) as driver:
        await driver.press("7")
        assert "this htlctop, ends when you quit" in driver.text
    session = FakeSession()
    session.is_attached = True
    async with running((120, 32), session=session) as driver:
        await driver.press("7")
        assert "another process" in driver.text


async def test_a_node_with_nothing_to_tell_says_what_to_expect() -> None:
    empty = FakeAnalyst(peers=[], categories=(), lines=(), pending=(), forwards=0, sends=4)
    async with running((100, 50), analyst=empty) as driver:
        await driver.press("3")
        assert "this node forwarded nothing" in driver.text
        await driver.press("6")
        assert "nothing missed" in driver.text
        await driver.press("7")
        assert "no HTLC is on any channel" in driver.text


async def test_of_a_node_that_was_never_reached_nothing_is_claimed() -> None:
    class Blank(FakeAnalyst):
        def _window(self, query: Query) -> Window:
            return replace(super()._window(query), covered_ns=0)

    nothing = Blank(identity=NodeView("", "", "", ""), peers=[])
    async with running(analyst=nothing) as driver:
        assert "every peer online" not in driver.text
        await driver.press("7")
        assert "not known yet" in driver.text and " of 0 active" not in driver.text


async def test_once_it_is_live_it_is_trying_nothing() -> None:
    trying = replace(STATUS, state=State.CONNECTING, attempt=5)
    for now, is_told in ((trying, True), (replace(trying, state=State.LIVE), False)):
        async with running(analyst=FakeAnalyst(the_status=now)) as driver:
            await driver.press("7")
            assert ("try 5" in driver.text) is is_told


# Notes


async def test_a_note_goes_into_the_store_with_its_peer_and_its_time() -> None:
    async with running((100, 30)) as driver:
        await driver.press("m", *"new fees", "enter")
        await driver.shows("noted: new fees")
        await opened(driver, subject.peer(1))
        await driver.press("m")
        assert "about ACINQ" in driver.text
        await driver.press("x", "enter")
        await driver.until(lambda: len(driver.session.marks) == 2)
        assert [(text, peer) for text, _, peer in driver.session.marks] == [
            ("new fees", 0),
            ("x", 1),
        ]


async def test_a_note_given_up_or_refused_says_so_and_harms_nothing() -> None:
    async with running((100, 30)) as driver:
        await driver.press("m", "q", "escape")
        await driver.press("m", "backspace")
        assert driver.session.marks == [] and driver.app.return_code is None
        driver.analyst.fail["mark"] = StoreError("the disk is full")
        await driver.press("m", "a", "enter")
        await driver.shows("not noted: the disk is full")


async def test_a_store_that_only_proves_it_is_alive_changes_nothing_on_the_node_page() -> None:
    async with running((120, 32)) as driver:
        await driver.press("7")
        before = driver.text
        assert "12.0 MB" in before
        grown = replace(STATUS, store_bytes=STATUS.store_bytes + 400_000)
        driver.app.turn(
            driver.app.board.answered(
                Answer(0, found=[Found(Need(Part.STATUS), Query(), grown)], tried=frozenset())
            )
        )
        await driver.pilot.pause()
        assert driver.text == before


async def test_at_a_past_time_the_node_page_does_not_say_that_nothing_was_in_flight() -> None:
    async with running((100, 40), analyst=FakeAnalyst(pending=())) as driver:
        await driver.press("7")
        assert "no HTLC is on any channel" in driver.text
        await driver.press("[")
        assert "no HTLC" not in driver.text
        assert "was not kept; 6 shows how many" in driver.text


@pytest.mark.parametrize("width", [40, 60, 72, 80, 96, 120])
async def test_from_what_to_what_something_changed_is_whole_in_any_width(width: int) -> None:
    async with running((width, 60)) as driver:
        await driver.press("6")
        for told in ("9,000 sat → 1,210,000 sat", "210 ppm → 250 ppm", "new rebalancer"):
            assert told in driver.text
