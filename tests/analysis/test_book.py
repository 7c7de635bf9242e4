"""Which channels count as ours and open, and what is told of all of them."""

from dataclasses import replace

import pytest

from htlctop.analysis.book import ChannelBook
from htlctop.domain.records import ChannelRecord

OURS = ChannelRecord(1, 11, 1, None, True, 1_000_000, 50_000, 950_000, 40_000, False, 0, 100)
OTHERS = (
    replace(OURS, id=2, scid=12, alias_of=1),  # what else channel 1 goes by
    replace(OURS, id=3, scid=13, is_open=False),
    # A scid of nobody's, which looks open at the very moment it was first seen.
    replace(OURS, id=4, scid=14, peer=0),
)


@pytest.mark.parametrize("other", OTHERS)
def test_aliases_strangers_and_closed_channels_are_no_open_channels_of_ours(other):
    book = ChannelBook({1: ("02" + "a" * 64, "ann")}, [OURS, other])
    assert book.all_open == book.open_channels(1) == (OURS,)
    assert book.open_channel_ids == {1} and book.open_peers == {1}
    assert (book.dry, book.offline) == (1, 1)


def test_a_channel_of_unknown_balance_is_not_dry_and_of_unknown_state_not_offline():
    book = ChannelBook({}, [replace(OURS, local_sat=None, is_active=None)])
    assert (book.dry, book.offline) == (0, 0)
