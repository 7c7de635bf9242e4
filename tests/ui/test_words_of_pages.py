"""What single panes say, at amounts and outcomes that the made-up node does not have."""

from dataclasses import replace

import pytest
from bigfoot import causes
from fake import FakeAnalyst

from htlctop.analysis.models import PairRow, Sums
from htlctop.analysis.query import Query
from htlctop.domain.codes import Outcome
from htlctop.ui.glyphs import BLOCKS
from htlctop.ui.paint.htlc import page
from htlctop.ui.paint.overview import totals
from htlctop.ui.paint.parts import sources
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


@pytest.mark.parametrize(
    ("earned", "shown"),
    [
        (0, "(nothing earned)"),
        (30_000_000, "(33% of 30,000 earned)"),
        (1_010_000, "(990% of 1,010 earned)"),
        (1_000, "(10,000× the 1.000 earned)"),
    ],
)
def test_what_was_missed_is_a_part_or_many_times_of_what_was_earned(earned: int, shown: str):
    view = FakeAnalyst().overview(Query())
    sums = replace(view.totals.sums, expected_msat=10_000_000, earned_msat=earned)
    view = replace(view, totals=replace(view.totals, sums=sums))
    assert shown in plain(totals(view, 120, BLOCKS))


def test_from_names_those_whose_payments_were_refused_and_nobody_else() -> None:
    def pair(name: str, **sums: int) -> PairRow:
        return PairRow(1, None, name, 2, None, "to", Sums(**sums))

    settled = pair("gets through", settled=9)
    told = [plain(row) for row in sources((pair("refused", refused=3), settled), 40, 30, BLOCKS)]
    assert any("refused" in row for row in told) and not any("gets through" in row for row in told)
    assert any("nobody yet" in plain(row) for row in sources((settled,), 40, 30, BLOCKS))


@pytest.mark.parametrize(("outcome", "said"), [(Outcome.SETTLED, False), (Outcome.REFUSED, True)])
def test_of_an_htlc_outside_of_payments_only_what_was_refused_is_told_so(outcome, said):
    view = FakeAnalyst().htlc(120)
    line = replace(view.line, outcome=outcome, repeat=False)
    text = "\n".join(map(plain, page(replace(view, line=line, attempts=()), 100, 30, BLOCKS)))
    assert ("in no payment that was missed" in text) == said
