"""The filter grammar: what is typed becomes a value, or an error that says what to write."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htlctop.analysis.filters import (
    MAX_CHARS,
    NO_CATEGORY,
    AmountTerm,
    Fate,
    Filter,
    Measured,
    Named,
    Side,
    nameless,
    parse,
)
from htlctop.domain.codes import LOST, Category, EventType
from htlctop.domain.types import parse_scid, scid_text
from htlctop.errors import UsageError

SCID = 812345 << 40 | 17 << 16 | 1


@pytest.mark.parametrize(
    ("text", "side", "wanted", "negated"),
    [
        ("Kraken", Side.ANY, "kraken", False),
        ("!kraken", Side.ANY, "kraken", True),
        ("in:Kraken", Side.IN, "kraken", False),
        ("!out:acinq", Side.OUT, "acinq", True),
        ('in:"two words"', Side.IN, "two words", False),
        ("'two words'", Side.ANY, "two words", False),
        ("peer:02ab", Side.PEER, "02ab", False),
        ("chan:812345x17x1", Side.CHANNEL, "812345x17x1", False),
        ("IN:kraken", Side.IN, "kraken", False),
        ('"why:liq"', Side.ANY, "why:liq", False),
        ("in:", Side.IN, "", False),
    ],
)
def test_a_name_is_looked_for_on_its_side(text, side, wanted, negated):
    (term,) = parse(text).names
    assert (term.side, term.text, term.negated) == (side, wanted, negated)


@pytest.mark.parametrize("text", ["812345x17x1", "812345:17:1", "812345X17X1", str(SCID)])
def test_a_scid_is_known_in_all_its_forms(text):
    (term,) = parse(text).names
    assert term.scid == SCID == parse_scid(text)
    assert term.fits(Named((scid_text(SCID), str(SCID)), frozenset({SCID})))
    assert not term.fits(Named((), frozenset({SCID + 1})))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("why:liquidity", {Category.LIQUIDITY}),
        ("why:liq", {Category.LIQUIDITY}),
        ("why:EXP", {Category.EXPOSURE}),
        ("why:unkn", {Category.UNKNOWN_NEXT}),
        ("why:clsd", {Category.CLOSED}),
        ("why:c", {Category.CLOSED, Category.CIRCULAR}),
        ("why:lost", LOST),
        ('why:"priced out"', {Category.MIN_HTLC, Category.FEE}),
        ("why:lost why:off", {Category.OFFLINE}),
        ("why:liq why:off", set()),
        ("why:lost !why:liq", LOST - {Category.LIQUIDITY}),
        ("!why:fee", ({NO_CATEGORY, *Category} - {Category.FEE})),
    ],
)
def test_categories_go_by_label_beginning_short_form_or_group(text, wanted):
    assert parse(text).categories == frozenset(wanted)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("amt>1m", 1_000_000_001, None),
        ("amt>=1.5m", 1_500_000_000, None),
        ("amt<=50k", None, 50_000_000),
        ("AMT<1", None, 999),
        ("amt=2", 2_000, 2_000),
        ("amt>.5", 501, None),
    ],
)
def test_amounts_are_sat_with_k_and_m(text, low, high):
    assert parse(text).amounts == (AmountTerm(Measured.AMOUNT, low, high, False),)


def test_fees_types_and_states_are_read_together():
    found = parse("fee>10 !type:send state:refused !kraken")
    assert found.amounts == (AmountTerm(Measured.FEE, 10_001, None, False),)
    assert found.types == frozenset(EventType) - {EventType.SEND}
    assert found.fates == frozenset({Fate.REFUSED})
    assert found.names[0].negated
    assert parse("state:in").fates == frozenset({Fate.IN_FLIGHT})


def test_nothing_typed_lets_everything_through():
    assert parse("   ") == Filter()
    assert not parse("kraken out:a").restricts_cells
    assert parse("why:liq").restricts_cells
    assert parse("in:a").restricts_cells


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("!", "left out"),
        ("why:", "needs a value"),
        ("why:zzz", "liquidity"),
        ("foo:bar", "no filter is called 'foo'"),
        ("amt>x", "amt>50k"),
        ("fee>", "fee>50k"),
        ("type:x", "send, receive or forward"),
        ("state:x", "settled, refused"),
        ("/(/", "no regular expression"),
        ("/(a+)+$/", "for ever"),
        ("/(a|a)*b/", "for ever"),
        ("/((a{1,9})b)*/", "for ever"),
        ("/.*.*.*.*x/", "at most 3 times"),
        (f"/{'a' * 101}/", "at most 100"),
        ("a" * (MAX_CHARS + 1), "at most 500"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(text, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        parse(text)


@pytest.mark.parametrize(
    ("text", "fits", "fits_not"),
    [
        ("/^ann$/", "ann", "annie"),
        ("/two words/", "two words", "twowords"),
        (r"/a\/b/", "a/b", "ab"),
        ("/[*+]x/", "+x", "x"),
        ("/kr.*en", "kraken", "ken"),
    ],
)
def test_an_expression_is_searched_for_in_the_name(text, fits, fits_not):
    (term,) = parse(text).names
    assert term.fits(Named((fits,), frozenset()))
    assert not term.fits(Named((fits_not,), frozenset()))


PIECES = st.sampled_from(
    ["why:", "in:", "out:", "chan:", "amt>", "fee<=", "type:", "state:", "!", "/", '"', "'", " ",
     "liq", "1m", "9" * 30, "(", ")", "*", "+", "|", "[", "]", "\\", "{2,}", "x", "1x7x1", ":"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("kraken", "*"),
        ('in:"my own node" why:liq amt>1m', "in:* why:liq amt>1m"),
        ("!/acinq.*hub/ out:acinq", "!* out:*"),
        ("chan:812345x17x1 type:forward", "chan:* type:forward"),
        ("812345:17:1 !why:off fee<=10", "* !why:off fee<=10"),
        ("state:refused", "state:refused"),
        ("", ""),
    ],
)
def test_without_its_names_a_filter_still_tells_what_it_does(text, seen):
    assert nameless(text, "*") == seen


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=12).map("".join)))
def test_whatever_is_typed_is_a_filter_or_a_usage_error(text):
    try:
        found = parse(text)
    except UsageError as error:
        assert str(error)
        return
    for term in found.names:
        term.fits(Named(("a" * 100, "02" + "f" * 64), frozenset()))
