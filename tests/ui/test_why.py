"""The pane with the causes, also where a large node loses millions."""

from dataclasses import replace

import pytest
from bigfoot import causes

from htlctop.ui.glyphs import BLOCKS
from htlctop.ui.paint.why import pane
from htlctop.ui.text import plain


@pytest.mark.parametrize(
    ("msat", "shown"),
    [(9_999, "9.999"), (999_999_000, "999,999"), (30_658_123_456, "30.7M"), (10**15, "1000G")],
)
def test_an_amount_of_any_size_is_whole_and_has_a_blank_before_it(msat: int, shown: str):
    first, *_ = causes()
    row = plain(pane((replace(first, expected_msat=msat),), 33, 8, BLOCKS)[1])
    assert row.split()[-2:] == ["100%", shown]
    assert len(row) <= 33
