"""Charts several rows high: what is drawn is what was, at the times the axis tells."""

import pytest
from bigfoot import CHANGES, GAP, HOUR, NOW, NS, series
from rich.cells import cell_len

from htlctop.analysis.details import Balance, ChangeKind, InFlight
from htlctop.analysis.models import Gap, Series, Slice, Window
from htlctop.ui.glyphs import ASCII, BLOCKS, Glyphs
from htlctop.ui.paint.plot import (
    NOTHING,
    axis,
    bars,
    chart_rows,
    grid,
    marks,
    most_in_flight,
    plot,
    scaled,
    share_local,
)
from htlctop.ui.text import Role, plain

MINUTE = 60 * NS


def seen(from_ns: int, until_ns: int, *gaps: Gap) -> Window:
    return Window("", from_ns, until_ns, 0, gaps)


def missed(one: Slice) -> int:
    return one.expected_msat


def window(first: int, length: int) -> Series:
    return Series(
        MINUTE,
        tuple(Slice((first + n) * MINUTE, 0, (first + n) % 7 * 1000, 1.0) for n in range(length)),
    )


def test_a_bar_is_as_high_as_its_share_of_the_peak_and_never_nothing():
    rows = plot((8.0, 4.0, 0.001, 0.0), 8.0, 2, BLOCKS)
    assert [plain(row) for row in rows] == ["█   ", "██▁·"]


def test_a_gap_is_hatched_from_top_to_bottom_in_signs_of_the_terminal():
    assert [plain(row) for row in plot((1.0, None), 1.0, 2, BLOCKS)] == ["█╱", "█╱"]
    assert [plain(row) for row in plot((1.0, None), 1.0, 2, ASCII)] == ["#/", "#/"]


@pytest.mark.parametrize("width", [*range(1, 70), 118, 200])
def test_no_chart_is_wider_than_it_may_be(width: int):
    for first in range(1000, 1007):
        drawn = bars(window(first, 61), missed, width)
        assert len(drawn.values) == drawn.grid.columns <= width


def test_a_window_that_moves_on_leaves_the_columns_of_the_past_as_they_were():
    before, after = (bars(window(first, 60), missed, 30) for first in (1000, 1001))
    old = {before.grid.at_ns(n): value for n, value in enumerate(before.values)}
    new = {after.grid.at_ns(n): value for n, value in enumerate(after.values)}
    shared = sorted(old.keys() & new.keys())[1:-1]
    assert len(shared) > 15
    assert all(old[at] == new[at] for at in shared)


def test_what_is_drawn_adds_up_to_what_was_missed():
    whole = series(3_820_123, 9_557_000)
    for width in (10, 24, 30, 100):
        drawn = bars(whole, missed, width)
        each = drawn.values[:: drawn.grid.per_bar]
        assert sum(value or 0 for value in each) == 3_820_123


def test_what_was_in_flight_is_the_most_at_a_time_and_holds_until_it_changes():
    lines = grid(window(0, 6), 6)
    points = tuple(
        InFlight(at * MINUTE + 1, number, 0) for at, number in ((1, 3), (1.5, 9), (2, 2), (5, 0))
    )
    gap = (Gap(4 * MINUTE, 5 * MINUTE, "node down"),)
    found = most_in_flight(lines, points, seen(0, 6 * MINUTE, *gap))
    assert found == (NOTHING, 9, 9, 2, None, 2)
    assert most_in_flight(lines, points[-1:], seen(0, 6 * MINUTE))[-1] == 0


def test_what_lies_before_a_window_nobody_watched_is_hatched_like_its_beginning():
    lines = grid(window(0, 3), 24)
    assert lines.per_bar == 8
    started = seen(MINUTE // 2, 3 * MINUTE, Gap(MINUTE // 2, 2 * MINUTE, "before the first start"))
    values = most_in_flight(lines, (InFlight(2 * MINUTE, 1, 0),), started)
    assert values == (None,) * 16 + (1,) * 8


def test_the_axis_names_round_times_where_they_are():
    lines = grid(series(1, 1), 100)
    text = plain(axis(lines, BLOCKS))
    assert "18:00" in text and "3 Jul" in text
    for label, at_ns in (("│18:00", NOW - 20 * HOUR), ("│3 Jul", NOW - 14 * HOUR)):
        assert lines.column(at_ns // HOUR * HOUR) == text.index(label)


def test_labels_of_the_axis_never_run_into_each_other():
    for length in (3, 30, 200, 900):
        for width in (5, 20, 50, 120):
            text = plain(axis(grid(window(29_000_000, length), width), ASCII))
            assert len(text) <= width
            assert all(text[at - 1] == " " for at, sign in enumerate(text) if sign == "|" and at)


def test_marks_stand_under_the_column_of_their_change():
    lines = grid(series(1, 1), 100)
    text = plain(marks(lines, CHANGES))
    shown = [one for one in CHANGES if 0 <= lines.column(one.at_ns) < lines.columns]
    assert {one.kind for one in shown} == {ChangeKind.REFILL, ChangeKind.MARK}
    for one in shown:
        assert text[lines.column(one.at_ns)] == one.kind.value[0].upper()


def test_balance_holds_between_two_polls_and_is_unknown_before_the_first():
    lines = grid(series(1, 1), 24)
    held = (Balance(NOW - 20 * HOUR, 500, 1000), Balance(NOW - 5 * HOUR, 250, 1000))
    shares = share_local(lines, held, seen(0, NOW, GAP))
    assert shares[0] == NOTHING
    assert shares[4] == shares[11] == 0.5
    assert shares[12] is None and shares[13] is None
    assert shares[14] == 0.5 and shares[23] == 0.25


def test_a_gap_shorter_than_half_a_column_hides_no_balance():
    lines = grid(series(1, 1), 24)
    short = Gap(GAP.from_ns, GAP.from_ns + 20 * MINUTE, "")
    assert None not in share_local(lines, (Balance(0, 1, 2),), seen(0, NOW, short))


@pytest.mark.parametrize("glyphs", [BLOCKS, ASCII])
@pytest.mark.parametrize("height", [1, 2, 3, 8])
def test_a_chart_keeps_to_its_height_and_width(glyphs: Glyphs, height: int):
    for width in (20, 60, 120):
        drawn = bars(series(3_820_000, 1), missed, width - 8)
        rows = chart_rows(drawn, CHANGES, height, glyphs, scale=True)
        assert len(rows) == height
        assert all(cell_len(plain(row)) <= width for row in rows)
        assert glyphs is BLOCKS or all(plain(row).isascii() for row in rows)


def test_an_empty_series_draws_nothing():
    drawn = bars(Series(MINUTE, ()), missed, 40)
    assert drawn.values == () and drawn.peak_at_ns is None
    assert plain(axis(drawn.grid, BLOCKS)) == ""


@pytest.mark.parametrize(("top", "shown"), [("0", ["", "", "0"]), ("9", ["9", "", "0"])])
def test_a_scale_without_a_peak_has_one_zero(top: str, shown: list[str]) -> None:
    rows = scaled([((" ", Role.BAR),)] * 3, top, BLOCKS)
    assert [plain(row).partition(BLOCKS.side)[0].strip() for row in rows] == shown
