"""The fee we say was asked is the one by which LND decided, on every forward of the recordings."""

import sqlite3
from pathlib import Path

import pytest

from htlctop import service
from htlctop.domain.codes import Category
from htlctop.domain.fees import fee_asked
from tests.test_recordings import DATA, TRAFFIC

EXCEPTIONS = {
    "scenarios-0.20.1.jsonl.gz": [(16_000, 16_000)],
    "scenarios-0.21.2.jsonl.gz": [(16_000, 16_000)],
    TRAFFIC.name: [],
}
"""(offered, asked) where LND decided otherwise, and why: "fee raised by us, sender used the old one
right after" was refused by a policy that no FeeReport had told of yet."""


def disagreements(store: Path) -> list[tuple[int, int]]:
    """(offered, asked) of the forwards that settled for less than asked, or were refused for no
    less, by the policies in force when they came."""
    found = []
    with sqlite3.connect(store) as db:

        def policy(channel: int, at: int) -> tuple[int, int, int, int]:
            return db.execute(
                "SELECT base, ppm, inbound_base, inbound_ppm FROM policy WHERE channel = ? "
                "ORDER BY at > ?, abs(at - ?) LIMIT 1",
                (channel, at, at),
            ).fetchone()

        for at, source, out, in_msat, out_msat, category in db.execute(
            "SELECT at, in_channel, out_channel, in_msat, out_msat, category FROM htlc "
            "WHERE category IN (1, 9) AND in_msat > 0"
        ):
            base, rate, _, _ = policy(out, at)
            _, _, inbound_base, inbound_rate = policy(source, at)
            asked = fee_asked(out_msat, base, rate, inbound_base, inbound_rate)
            settled = category == Category.SETTLED
            if settled != (in_msat - out_msat >= asked):
                found.append((in_msat - out_msat, asked))
    return found


@pytest.mark.parametrize(
    "recording", [*(DATA / name for name in list(EXCEPTIONS)[:2]), TRAFFIC], ids=lambda p: p.name
)
async def test_lnd_and_the_fee_asked_agree(recording, store_file):
    await service.ingest([recording], store_file)
    assert disagreements(store_file) == EXCEPTIONS[recording.name]
