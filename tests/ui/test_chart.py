"""The chart tells the same past however the window moves."""

from htlctop.analysis.models import Series, Slice
from htlctop.ui.glyphs import BLOCKS
from htlctop.ui.paint.chart import chart

MINUTE = 60_000_000_000


def window(first: int, length: int) -> Series:
    slices = (Slice((first + n) * MINUTE, 0, (first + n) % 7 * 1000, 1.0) for n in range(length))
    return Series(MINUTE, tuple(slices))


def test_a_window_that_moves_on_leaves_the_inner_bars_as_they_were():
    before = chart(window(1000, 60), lambda s: s.expected_msat, 30, BLOCKS)
    after = chart(window(1001, 60), lambda s: s.expected_msat, 30, BLOCKS)
    assert before.step_ns == after.step_ns
    assert before.signs[3:-3] in after.signs


def test_no_chart_is_wider_than_it_may_be():
    for width in range(1, 70):
        for first in range(1000, 1007):
            assert (
                len(chart(window(first, 61), lambda s: s.expected_msat, width, BLOCKS).signs)
                <= width
            )
