"""At every size there is an arrangement, it fits, and the table gets what is left."""

from hypothesis import given
from hypothesis import strategies as st

from htlctop.ui.layout import Form, layout


@given(st.integers(1, 400), st.integers(1, 200))
def test_the_panes_fit_and_leave_rows_for_the_table(width: int, height: int) -> None:
    plan = layout(width, height)
    heads = int(plan.title) + int(plan.heads)
    used = plan.header + plan.chart + plan.why_line + plan.live + plan.footer + heads
    assert used <= height
    assert height == 1 or height - used >= 1
    assert height < 10 or height - used - plan.banner >= 2, "rows stay under a banner too"
    assert plan.why_pane != bool(plan.why_line) or not plan.why_pane


def test_the_four_sizes_people_use_get_the_four_arrangements() -> None:
    assert layout(120, 32).form is Form.WIDE and layout(120, 32).why_pane
    assert layout(80, 24).form is Form.MIDDLE and layout(80, 24).live == 6
    assert layout(40, 15).form is Form.NARROW and not layout(40, 15).footer
    small = layout(24, 6)
    assert (small.header, small.chart, small.heads, small.live, small.footer) == (2, 0, False, 0, 0)
