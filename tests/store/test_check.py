"""`store check` finds what does not add up."""

import sqlite3

import pytest

from htlctop import service
from htlctop.sim.recordings import TRAFFIC
from htlctop.store.check import check
from tests.test_recordings import DATA


@pytest.mark.parametrize(
    "recording", [TRAFFIC, DATA / "scenarios-0.20.1.jsonl.gz"], ids=lambda path: path.name
)
async def test_buckets_are_the_sum_of_their_rows(recording, store_file):
    await service.ingest([recording], store_file)
    assert check(store_file) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE by_channel SET fee = fee + 1 WHERE span = 1 AND category = 3",
        "UPDATE by_channel SET demand = demand - 1 WHERE span = 1 AND category = 3",
        "DELETE FROM htlc WHERE seq = (SELECT max(seq) FROM htlc WHERE category = 1)",
        "DELETE FROM by_pair WHERE span = 2 AND category = 3",
        "UPDATE claim SET recovered = recovered + 1 WHERE seq = (SELECT max(seq) FROM claim)",
    ],
)
async def test_one_msat_too_many_is_found(damage, store_file):
    await service.ingest([TRAFFIC], store_file)
    with sqlite3.connect(store_file) as db:
        db.execute(damage)
    assert check(store_file)
