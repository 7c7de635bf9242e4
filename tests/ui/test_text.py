"""Lines are measured, cut and compared rightly, and names from the network are harmless."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from htlctop.export import format as f
from htlctop.ui.text import (
    Part,
    Role,
    arrange,
    changed,
    cut,
    fit,
    indent,
    left,
    line,
    merged,
    plain,
    right,
    width_of,
    wrap,
)

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;owned\x07title",
    "[bold]markup[/] [link=http://x]y[/link] [/]",
    "\u202ertl override\u202c",
    "\u2066isolate\u2069\u200f",
    "line\nbreak\r\ttab",
    "x" * 200,
    "日本" * 100,
    "z\u0301\u0302\u0303\u0304\u0305algo",
    "👨‍👩‍👧‍👦 family 👍🏽 🇸🇻",
    "\x00\x07\x08nul",
    "\ue000private\uffff",
    "=1+1",
    "",
    "   ",
    "e\u0301clair",
]

names = st.one_of(st.text(max_size=300), st.sampled_from(HOSTILE))


@given(names)
def test_a_cleaned_name_has_no_character_that_moves_anything(text: str) -> None:
    shown = f.clean(text)
    for char in shown:
        assert unicodedata.category(char)[0] != "C"
        assert char == " " or unicodedata.category(char)[0] != "Z"
    assert shown == shown.strip() and "  " not in shown
    assert len(shown) <= 64


@given(names, st.integers(0, 60))
def test_any_name_fills_exactly_the_cells_it_is_given(text: str, width: int) -> None:
    shown = f.clean(text)
    assert cell_len(left(shown, width)) == width
    assert cell_len(right(shown, width)) == width
    assert cell_len(cut(shown, width)) <= width
    pieces = fit((("ab ", Role.TEXT), (shown, Role.BAD), (" cd", Role.DIM)), width)
    assert width_of(pieces) == width
    assert width_of(merged(pieces)) == width
    assert plain(merged(pieces)) == plain(pieces)


@given(names)
def test_the_ascii_form_of_a_name_is_ascii(text: str) -> None:
    assert f.ascii_only(f.clean(text)).isascii()


def test_a_family_of_emoji_and_a_flag_become_what_every_terminal_measures_alike() -> None:
    assert f.clean("👍🏽 🇸🇻") == "👍 SV"
    assert f.clean("q\u0301\u0302\u0303\u0304") == "q\u0301"


def test_a_name_of_nothing_but_tricks_falls_back_to_the_key() -> None:
    assert f.name("\u202e\x00", "02abcdef0123456789") == "02abcdef0123"
    assert f.name("", None) == "(no name)"
    assert f.name("x", None, 0) == "(unknown peer)"


parts = st.lists(
    st.builds(
        Part,
        text=st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=20),
        rank=st.integers(0, 9),
        short=st.text("ab", max_size=3),
    ),
    max_size=8,
)


@given(parts, parts, st.integers(0, 100), st.integers(1, 3))
def test_parts_arranged_are_as_wide_as_asked(
    lefts: list[Part], rights: list[Part], width: int, gap: int
) -> None:
    assert width_of(arrange(width, lefts, rights, gap)) == width
    assert width_of(indent(width, lefts, rights, gap)) == width


def test_parts_are_shortened_before_any_is_left_out_and_the_highest_rank_goes_first() -> None:
    row = [
        Part("missed 12", rank=0),
        Part("of 400 earned", rank=1, short="of 400"),
        Part("x", rank=2),
    ]
    assert plain(arrange(26, row, gap=1)).rstrip() == "missed 12 of 400 earned x"
    assert plain(arrange(20, row, gap=1)).rstrip() == "missed 12 of 400 x"
    assert plain(arrange(17, row, gap=1)).rstrip() == "missed 12 of 400"
    assert plain(arrange(12, row, gap=1)).rstrip() == "missed 12"
    assert plain(arrange(5, row, gap=1)) == "miss…"


@given(st.text(max_size=200), st.integers(1, 40), st.integers(1, 5))
def test_wrapped_text_stays_within_its_width_and_rows(text: str, width: int, most: int) -> None:
    rows = wrap(f.clean(text), width, most)
    assert len(rows) <= most
    assert all(cell_len(row) <= max(width, 2) for row in rows)


def test_what_changed_in_a_line_is_the_span_of_pieces_that_differ() -> None:
    old = fit((("name  ", Role.TEXT), ("1,226", Role.STRONG), (" liq", Role.WARN)), 20)
    new = fit((("name  ", Role.TEXT), ("1,230", Role.STRONG), (" liq", Role.WARN)), 20)
    assert changed(old, new) == (6, 11)
    assert changed(old, old) is None
    assert changed(line("abc"), line("abd")) == (0, 3)


@pytest.mark.parametrize(
    ("msat", "shown"),
    [
        (0, "0"),
        (1, "0.001"),
        (3_500, "3.500"),
        (9_999, "9.999"),
        (10_000, "10.00"),
        (52_804, "52.80"),
        (99_996, "100.0"),
        (312_500, "312.5"),
        (999_949, "999.9"),
        (999_950, "1,000"),
        (1_226_400, "1,226"),
        (1_226_500, "1,227"),
        (-1_750, "-1.750"),
        (1_234_567_000, "1,234,567"),
    ],
)
def test_sat_have_four_digits_below_a_thousand_and_none_behind_the_point_above(
    msat: int, shown: str
) -> None:
    assert f.sat(msat) == shown


@given(st.integers(-(10**16), 10**16))
def test_a_short_amount_takes_five_cells_and_a_sign(amount: int) -> None:
    text = f.short_sat(amount)
    assert len(text.lstrip("-")) <= 5 or abs(amount) >= 9_999_500_000_000


def test_shares_are_never_rounded_to_all_or_nothing() -> None:
    assert f.percent(999, 1000) == "99%"
    assert f.percent(1, 1000) == "<1%"
    assert f.percent(0, 1000) == "0%"
    assert f.percent(1000, 1000) == "100%"
    assert f.percent(1, 0) == "0%"


def test_lengths_of_time_keep_two_units_and_ages_one() -> None:
    minute = 60 * 10**9
    assert [f.span(0), f.span(999_999_999), f.span(10**9)] == ["0s", "<1s", "1s"]
    assert f.span(41 * minute + 23 * 60 * minute) == "23h41m"
    assert f.span(24 * 60 * minute) == "24h"
    assert f.span(6 * 1440 * minute + 4 * 60 * minute) == "6d4h"
    assert f.age(3 * 60 * minute + 5 * minute) == "3 h"
    assert f.age(30 * 10**9) == "<1 min"
