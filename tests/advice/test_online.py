"""How much of the time a peer was there: of what was watched, by any of its channels."""

import pytest

from htlctop.analysis.query import Query
from tests.advice.made import CAT, CAT2, DAN, Node, channel

ALL = Query(window="all")


def of(analyst, alias: str) -> float | None:
    row = next(row for row in analyst.overview(ALL).rows if row.alias == alias)
    return analyst.peer(row.peer, ALL).online


async def test_a_peer_was_online_while_one_of_its_channels_could_be_used(store_file):
    node = Node()
    node.channels = {
        **node.channels, DAN: channel(DAN, "dan"),
        CAT: channel(CAT, "cat"), CAT2: channel(CAT2, "cat"),
    }  # fmt: skip
    for hour, scid, active in (
        (12, DAN, False), (18, DAN, True), (30, DAN, False), (42, DAN, True),
        (12, CAT, False), (48, CAT2, False), (54, CAT, True),
    ):  # fmt: skip
        node.becomes(hour, scid, active=active)
    analyst = await node.store(store_file)
    assert of(analyst, "dan") == pytest.approx(1 - 18 / 72, abs=0.001)
    assert of(analyst, "cat") == pytest.approx(1 - 6 / 72, abs=0.001)
    assert of(analyst, "ben") == 1
