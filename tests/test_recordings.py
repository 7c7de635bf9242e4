"""What a real LND said, counted: every event group of the recordings, and the senders' truth."""

import gzip
import json
import sqlite3
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.models import Report
from htlctop.analysis.query import Query
from htlctop.domain.codes import Category, EventKind, Outcome
from htlctop.export.report import report_json
from htlctop.sim.recordings import TRAFFIC
from htlctop.wire import decode
from htlctop.wire.recording import Kind, read_recording
from tests.stored import whole_report

DATA = Path(__file__).parent / "data"
TRUTH = DATA / "traffic-0.21.2.truth.json.gz"

SETTLED, LIQUIDITY, RECEIVE = "settled", "liquidity 15/6", "receive"
BURST = (
    [SETTLED] * 5 + [LIQUIDITY] + [SETTLED] * 39 + [LIQUIDITY] + [SETTLED] * 2 + [LIQUIDITY] * 2
    + [SETTLED] * 10
)  # fmt: skip
NO_EVENTS: list[str] = []
SCENARIOS = {
    "start": NO_EVENTS,
    "forwards that settle, two in-peers": [SETTLED] * 7,
    "sub-satoshi amount settles": [SETTLED],
    "overpaid fee settles": [SETTLED],
    "INSUFFICIENT_BALANCE to dan, one attempt": [LIQUIDITY],
    "INSUFFICIENT_BALANCE to dan: four sequential": [LIQUIDITY] * 4,
    "INSUFFICIENT_BALANCE to dan: halving": [LIQUIDITY] * 4,
    "INSUFFICIENT_BALANCE to dan: three concurrent": [LIQUIDITY] * 3,
    "parallel channels to cat": [SETTLED, "max_htlc 15/5"],
    "FEE_INSUFFICIENT": ["fee 12/1"] * 2,
    "fee raised by us": ["fee 12/1"],
    "HTLC_EXCEEDS_MAX": ["max_htlc 15/5"],
    "AMOUNT_BELOW_MINIMUM": ["min_htlc 11/1"],
    "INCORRECT_CLTV_EXPIRY, EXPIRY_TOO_SOON, EXPIRY_TOO_FAR": ["timelock 13/1", "timelock 7/1"],
    "UNKNOWN_NEXT_PEER": ["unknown_next 18/1"],
    "downstream failure at cat": ["fee 12/1", SETTLED],
    "downstream failure at the final node": ["downstream"],
    "circular route": ["circular 15/22", SETTLED],
    "receives at hub": [RECEIVE, RECEIVE, "receive 1/19", "receive 1/17", "receive 1/15"],
    "receive, expiry too soon": ["receive 1/12"],
    "own sends": ["send settled", "send refused 15/6", "send downstream", "send settled"],
    "multi-part payment ann to cat": NO_EVENTS,
    "multi-part payment ann to dan": NO_EVENTS,
    "multi-part receive at hub": NO_EVENTS,
    "hold invoice at cat: pending, snapshot": ["downstream"],
    "hold invoice at cat: pending, then settled": [SETTLED],
    "HTLC_ADD_FAILED": [SETTLED] * 5 + ["add_failed 15/8"] * 2,
    "inbound fee discount": [SETTLED, "fee 12/1"],
    "zero-conf private channel": {
        "0.21.2": [
            SETTLED, "max_htlc 19/5", SETTLED, SETTLED, "max_htlc 15/5", "unknown_next 18/1",
        ],
        "0.20.1": [
            SETTLED, "max_htlc 15/5", "fee 12/1", SETTLED, "max_htlc 15/5", "unknown_next 18/1",
        ],
    },
    "peer offline": ["offline 15/8", "offline 18/1", "offline 18/1", SETTLED],
    "keysend burst": BURST,
    "hub restarted with a held forward": [SETTLED, "subscribed"],
    "hub force closes": [SETTLED, "closed 18/1"],
    "end": NO_EVENTS,
    "hub restarted with --rejecthtlc": ["subscribed"],
    "FORWARDS_DISABLED": ["disabled 14/9"],
}  # fmt: skip
"""How a mark begins -> what the HTLCs first seen after it became."""


async def ingest(path: Path, store: Path) -> Report:
    await service.ingest([path], store)
    return whole_report(store)


def became(recording: Path, store: Path) -> dict[str, list[str]]:
    """For each mark, what the HTLCs first seen after it became, as stored."""
    with sqlite3.connect(store) as db:
        rows = {
            (scid, htlc): _words(*rest)
            for scid, htlc, *rest in db.execute(
                "SELECT scid, in_htlc, category, outcome, wire, detail FROM htlc "
                "JOIN channel ON channel.id = in_channel"
            )
        }
        sends = [
            _words(*row)
            for row in db.execute(
                "SELECT category, outcome, wire, detail FROM htlc WHERE in_channel = 0 ORDER BY seq"
            )
        ]
    found: dict[str, list[str]] = {}
    mark, seen = "", set()
    for record in read_recording(recording).records():
        if record.kind is Kind.MARK:
            mark = record.text
            found[mark] = []
        elif record.is_htlc_event:
            event = decode.htlc_event(record.message)
            assert event is not None
            key = (str(event.incoming_scid), event.incoming_htlc_id)
            if event.kind is EventKind.SUBSCRIBED:
                found.setdefault(mark, []).append("subscribed")
            elif not event.incoming_scid:
                new = event.kind in (EventKind.FORWARD, EventKind.LINK_FAIL)
                found[mark] += [sends.pop(0)] if new else []
            elif key not in seen:
                seen.add(key)
                found[mark].append(rows[key])
    return found


def _words(category: int, outcome: int, wire: int | None, detail: int | None) -> str:
    label = Category(category).label
    if category == Category.SEND:
        label += f" {Outcome(outcome).name.lower()}"
    return label if wire is None else f"{label} {wire}/{detail}"


@pytest.mark.parametrize("version", ["0.20.1", "0.21.2"])
async def test_every_scenario_is_told_for_what_it_was(version, store_file):
    recording = DATA / f"scenarios-{version}.jsonl.gz"
    await service.ingest([recording], store_file)
    found = became(recording, store_file)
    found.pop("", None)
    assert len(found) == len(SCENARIOS)
    for mark, (begins, wanted) in zip(found, SCENARIOS.items(), strict=True):
        assert mark.startswith(begins)
        assert found[mark] == (wanted[version] if isinstance(wanted, dict) else wanted), mark


async def test_the_old_nodes_full_slots_are_a_refused_forward_without_a_peer(store_file):
    report = await ingest(DATA / "scenarios-0.20.1.jsonl.gz", store_file)
    unknown = next(p for p in report.overview.peers if p.pubkey is None)
    assert unknown.sums.fee_unknown == unknown.sums.lost == 2


async def test_the_traffic_is_counted_to_the_htlc_and_the_msat(store_file):
    report = await ingest(TRAFFIC, store_file)
    totals = report.overview.totals
    assert totals.forwards == 2_537
    assert totals.sums.settled == 539
    assert totals.sums.downstream == 456
    assert totals.sums.refused == 1_538
    assert totals.in_flight + totals.unknown == 4
    assert totals.sums.asked_msat == 25_874_595
    assert totals.sums.earned_msat == 4_470_922


async def test_reading_the_traffic_twice_changes_no_figure(store_file):
    once = await ingest(TRAFFIC, store_file)
    twice = await ingest(TRAFFIC, store_file)
    assert once.overview.totals == twice.overview.totals
    assert once.overview.peers == twice.overview.peers
    assert once.pairs == twice.pairs


async def test_everything_in_the_report_adds_up(store_file):
    document = json.loads(report_json(await ingest(TRAFFIC, store_file)))
    totals = document["totals"]
    assert document["schema"] == "htlctop-report/1"
    ended = ("settled", "refused", "downstream", "unknown", "in_flight")
    assert totals["forwards"] == sum(totals[key] for key in ended)
    assert totals["net_demand_msat"] == totals["demand_msat"] - totals["recovered_msat"]
    keys = (
        "asked_msat", "demand_msat", "recovered_msat", "net_demand_msat", "expected_msat",
        "earned_msat", "claims", "refused", "settled", "downstream",
    )  # fmt: skip
    for part in ("peers", "channels", "pairs"):
        for key in keys:
            assert sum(row[key] for row in document[part]) == totals[key], (part, key)
    for key in ("asked_msat", "demand_msat", "net_demand_msat", "expected_msat"):
        assert sum(row[key] for row in document["categories"]) == totals[key], key


def lost_by_peer() -> tuple[Counter[str], dict[str, float]]:
    """What the senders lost at the hub, msat by peer, and each peer's true settle share."""
    refused_here = {"TEMPORARY_CHANNEL_FAILURE@1", "UNKNOWN_NEXT_PEER@1"}
    lost: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for payment in json.loads(gzip.decompress(TRUTH.read_bytes())):
        if payment["kind"] in ("probe", "zero", "stale"):
            continue
        peer, attempts = payment["via"] or payment["dst"], payment["attempts"]
        if any(a["result"] == "OK" or a["result"].endswith(("@2", "@3")) for a in attempts):
            tried[peer] += 1
            paid[peer] += payment["ok"]
        refused = [a["fee_msat"] for a in attempts if a["result"] in refused_here]
        if not refused:
            continue
        if payment["kind"] == "mpp":
            lost[peer] += sum(refused)
        elif payment["ok"]:
            paid_fee = sum(a["fee_msat"] for a in attempts if a["result"] == "OK")
            lost[peer] += max(0, attempts[0]["fee_msat"] - paid_fee)
        else:
            lost[peer] += refused[0]
    return lost, {peer: paid[peer] / tried[peer] for peer in tried}


async def test_demand_is_what_the_senders_really_lost(store_file):
    lost, share = lost_by_peer()
    assert round(sum(lost.values()) / 1000) == 13_768
    report = await ingest(TRAFFIC, store_file)
    sums = report.overview.totals.sums
    assert abs(sums.net_demand_msat - sum(lost.values())) <= 0.10 * sum(lost.values())
    for peer in report.overview.peers:
        if peer.sums.lost > 50 and peer.alias != "hal":
            wanted = lost[peer.alias]
            assert abs(peer.sums.net_demand_msat - wanted) <= 0.25 * wanted, peer.alias
    wanted = sum(lost[peer] * share.get(peer, 0) for peer in lost)
    assert -0.25 * wanted <= sums.expected_msat - wanted <= 0.10 * wanted


async def test_the_channel_that_carried_it_and_the_one_that_was_named_are_both_kept(store_file):
    await service.ingest([DATA / "scenarios-0.21.2.jsonl.gz"], store_file)
    analyst = service.open_analyst(store_file)
    cat = analyst.find_peer("cat")
    detail = analyst.peer(cat.peer, Query(window="all"))
    analyst.close()
    assert len(detail.row.channels) == 2
    by_outcome = groupby(sorted(line.outcome for line in detail.events))
    assert {outcome: len(list(lines)) for outcome, lines in by_outcome}[Outcome.SETTLED] > 10


async def test_what_would_have_been_earned_is_rounded_for_each_source(store_file):
    report = await ingest(TRAFFIC, store_file)
    sums = report.overview.totals.sums
    # One msat less than each channel's whole, rounded once.
    assert sums.expected_msat == 10_313_364
    for rows in (report.overview.peers, report.pairs, report.overview.categories):
        assert sum(getattr(r, "sums", r).expected_msat for r in rows) == sums.expected_msat
