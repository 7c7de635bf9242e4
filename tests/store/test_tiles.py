"""Whatever buckets a window is put together from, it is the sum of its minutes."""

import random
from collections import Counter
from dataclasses import replace

from htlctop.analysis.windows import align
from htlctop.collector.clock import SystemClock
from htlctop.collector.intake import Intake
from htlctop.domain.records import HOUR, MINUTE, QUARTER, SPANS, Progress
from htlctop.store.reader import StoreReader
from htlctop.store.tiles import tiles
from htlctop.store.writer import StoreWriter
from tests.bench.workload import DAY_NS, NODE, START_NS, FakeNode, Load, Traffic
from tests.support import Stream

LOAD = Load(4_000, channels=6, peers=4, span_ns=2 * DAY_NS - SPANS[HOUR])


async def test_a_window_is_the_sum_of_its_minutes(tmp_path):
    chance = random.Random(1)
    reader = await _stored(tmp_path, LOAD)
    minutes = reader._run("SELECT * FROM by_channel WHERE span = ?", (MINUTE,)).fetchall()
    pairs = reader._run("SELECT * FROM by_pair WHERE span = ?", (MINUTE,)).fetchall()
    ends = minutes[0][1] - 500, minutes[-1][1] + 500
    for _ in range(100):
        first, end = sorted(chance.choices(range(*ends), k=2))
        within = [row for row in minutes if first <= row[1] < end]
        edges = first * SPANS[MINUTE], end * SPANS[MINUTE]
        counted = Counter[tuple[int, int]]()
        for row in within:
            counted[row[2], row[3]] += row[4]
        assert _counts(reader.cells(*edges)) == counted
        step = chance.choice((5 * SPANS[MINUTE], SPANS[HOUR], SPANS[QUARTER], DAY_NS, 3 * DAY_NS))
        nets = Counter[tuple[int, int]]()
        for row in within:
            if 3 <= row[3] <= 7:
                nets[row[1] * SPANS[MINUTE] // step, row[2]] += row[7] - row[8]
        assert _slices(reader.net_over_time(*edges, step)) == nets
        only, source = chance.randrange(1, 7), chance.randrange(1, 5)
        of = Counter({key: net for key, net in nets.items() if key[1] == only})
        assert _slices(reader.net_over_time(*edges, step, (only,))) == of
        of = Counter[tuple[int, int]]()
        for row in pairs:
            if first <= row[1] < end and row[3] == source and row[2] == only and 3 <= row[4] <= 7:
                of[row[1] * SPANS[MINUTE] // step, only] += row[8] - row[9]
        assert _slices(reader.net_over_time(*edges, step, (only,), in_peer=source)) == of
    reader.close()


async def test_where_minutes_are_gone_a_window_is_the_sum_of_its_htlcs(tmp_path):
    chance = random.Random(2)
    reader = await _stored(tmp_path, replace(LOAD, span_ns=5 * DAY_NS - 25 * SPANS[MINUTE]))
    newest_ns = reader.status().last_event_ns
    # The first minute that is kept lies early in its hour, the nearer end of which is gone.
    assert newest_ns % SPANS[HOUR] < SPANS[HOUR] // 4
    first_minute_ns = newest_ns - 2 * DAY_NS
    for number in range(300):
        times = sorted(chance.choices(range(newest_ns - 5 * DAY_NS, newest_ns + DAY_NS), k=2))
        early_ns = first_minute_ns + chance.randrange(SPANS[HOUR])
        if number % 3:
            times = [early_ns, newest_ns] if number % 3 == 1 else [times[0] - 2 * DAY_NS, early_ns]
        edges = align(times[0], newest_ns), align(times[1], newest_ns, up=True)
        rows = reader._run(
            "SELECT out_channel, category, count(*) FROM htlc "
            "WHERE at >= ? AND at < ? AND category > 0 GROUP BY out_channel, category",
            edges,
        )
        counted = Counter({tuple(of): n for *of, n in rows})
        assert _counts(reader.cells(*edges)) == counted
        assert _counts(reader.pair_cells(*edges)) == counted
    reader.close()


async def test_early_in_an_hour_and_a_day_the_newest_minute_is_read_by_itself(tmp_path):
    """What is to come of the hour and the day holds nothing, and is no reason to read what was."""
    midnight_ns, span_ns = START_NS // DAY_NS * DAY_NS, DAY_NS + 10 * SPANS[MINUTE]
    reader = await _stored(tmp_path, replace(LOAD, start_ns=midnight_ns, span_ns=span_ns))
    newest = reader.status().last_event_ns // SPANS[MINUTE]
    assert newest * SPANS[MINUTE] % DAY_NS < SPANS[HOUR] // 4
    edges = newest * SPANS[MINUTE], (newest + 1) * SPANS[MINUTE]
    for table in ("by_channel", "by_pair"):
        assert tiles(reader._run, table, *edges)[1] == (MINUTE, newest)
    reader.close()


async def test_what_is_told_days_late_counts_while_older_minutes_are_yet_to_go(tmp_path):
    stream = Stream()
    stream.settle(1, stream.forward(0, 200_000_000, 300_000))
    held = stream.forward(30 * 3600, 200_000_000, 300_000)
    stream.settle(80 * 3600, held)
    async with StoreWriter(tmp_path / "store.db") as writer:
        fold = writer.restore_fold()
        for event in stream.events:
            fold.apply(event, newest_ns := event.timestamp_ns)
            await writer.commit(fold.take(), Progress(0, 0, newest_ns, None))
    reader = StoreReader(tmp_path / "store.db")
    for found in (reader.cells(0, 2 * newest_ns), reader.pair_cells(0, 2 * newest_ns)):
        assert sum(_counts(found).values()) == 2
    reader.close()


async def test_an_empty_store_has_no_sums(tmp_path):
    async with StoreWriter(tmp_path / "store.db"):
        reader = StoreReader(tmp_path / "store.db")
        assert reader.cells(0, START_NS) == []
        assert reader.net_over_time(0, START_NS, DAY_NS) == []
        reader.close()


async def _stored(folder, load):
    async with StoreWriter(folder / "store.db") as writer:
        intake = Intake(writer, FakeNode(load), SystemClock(), by_events=True)
        await intake.ledger.meet(NODE)
        await intake.channels.refresh()
        await intake.write([(event, event.timestamp_ns) for event in Traffic(load)])
    return StoreReader(folder / "store.db")


def _counts(cells):
    found = Counter[tuple[int, int]]()
    for cell in cells:
        found[cell.channel, cell.category] += cell.n
    return found


def _slices(found):
    return Counter({(slot, channel): net for slot, nets in found for channel, net in nets.items()})
