"""A time nobody watched: shown as a gap, filled from the node where it can be, never guessed."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.models import Report
from htlctop.collector.collector import Limits
from htlctop.domain.codes import Category, Outcome
from tests.nodes import simulated
from tests.stored import whole_report
from tests.test_recordings import TRAFFIC
from tests.test_spine import collect, collect_until


async def cut_out_a_third(folder: Path, store: Path) -> None:
    """Collect the traffic, but for about a third in the middle that passes unheard."""
    options = ("--recording", str(TRAFFIC), "--speed", "20", "--lossy")
    with simulated(folder / "node", *options) as node:
        await collect_until(node, store, 2_000)
        await asyncio.sleep(4.5)
        await collect(node, store, Limits(until_idle_s=6, duration_s=60))


def expected_in(store: Path, report: Report, kept: list[tuple[int, int]]) -> float:
    """Expected msat of the claims that opened in the kept times, at the report's settle rates."""
    rates = {row.pubkey: row.settle_rate for row in report.overview.peers}
    within = " OR ".join("htlc.at BETWEEN ? AND ?" for _ in kept)
    with sqlite3.connect(store) as db:
        found = db.execute(
            "SELECT pubkey, sum(claim.fee - claim.recovered) FROM claim "
            "JOIN htlc ON htlc.seq = claim.seq JOIN peer ON peer.id = claim.out_peer "
            f"WHERE pool = 1 AND ({within}) GROUP BY pubkey",
            [edge for span in kept for edge in span],
        )
        return sum(net * rates[pubkey] for pubkey, net in found)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut")
    asyncio.run(cut_out_a_third(folder, folder / "store.db"))
    return folder / "store.db"


async def test_a_third_of_the_stream_unheard_is_a_gap_and_its_forwards_come_back(tmp_path, cut):
    whole = tmp_path / "whole.db"
    await service.ingest([TRAFFIC], whole)
    report, uncut = whole_report(cut), whole_report(whole)
    totals, wanted = report.overview.totals, uncut.overview.totals

    (gap,) = report.overview.window.gaps
    assert gap.reason == "stopped"
    assert totals.sums.settled == wanted.sums.settled, "what settled unheard is back"
    assert totals.sums.earned_msat == wanted.sums.earned_msat
    assert totals.sums.refused < wanted.sums.refused, "what was refused unheard is lost for good"

    kept = [(0, gap.from_ns), (gap.until_ns, 2**62)]
    booked = expected_in(whole, uncut, kept)
    assert abs(totals.sums.expected_msat - booked) <= 0.10 * booked

    with sqlite3.connect(whole) as db:
        truth = {
            (scid, htlc): outcome
            for scid, htlc, outcome in db.execute(
                "SELECT scid, in_htlc, outcome FROM htlc JOIN channel ON channel.id = in_channel"
            )
        }
    with sqlite3.connect(cut) as db:
        for scid, htlc, outcome in db.execute(
            "SELECT scid, in_htlc, outcome FROM htlc JOIN channel ON channel.id = in_channel"
        ):
            if outcome not in (Outcome.NONE, Outcome.UNSEEN):
                assert outcome == truth[scid, htlc], "no outcome is made up"


def test_a_forward_known_from_history_alone_takes_no_part_in_claims(cut):
    with sqlite3.connect(cut) as db:
        (learned, claimed) = db.execute(
            "SELECT count(*), count(claim_before) FROM htlc WHERE source = 1 AND category = ?",
            (Category.SETTLED,),
        ).fetchone()
        (successes,) = db.execute(
            "SELECT sum(claims) FROM by_channel WHERE span = 0 AND category = 1"
        ).fetchone()
        (settled,) = db.execute("SELECT count(*) FROM htlc WHERE category = 1").fetchone()
    assert learned > 50
    assert claimed == 0
    assert successes == settled - learned
