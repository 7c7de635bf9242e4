"""A store that cannot be used is refused with a clear word, and nothing in it is overwritten."""

import asyncio
import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from htlctop import service
from htlctop.analysis.query import Query
from htlctop.domain.types import NodeInfo
from htlctop.errors import StoreError
from htlctop.store.connect import open_reader
from htlctop.store.inspect import inspect
from htlctop.store.lock import StoreBusyError
from htlctop.store.reader import StoreReader
from htlctop.store.schema import VERSION
from htlctop.store.writer import StoreWriter

HUB = NodeInfo("02" + "a" * 64, "hub", "simnet", "0.21.2-beta")
OTHER = NodeInfo("03" + "b" * 64, "other", "simnet", "0.21.2-beta")


async def make(path: Path) -> None:
    async with StoreWriter(path) as writer:
        await writer.save_node(HUB)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_new_store_is_its_owners_alone(store_file):
    await make(store_file)
    assert stat.S_IMODE(store_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(store_file.parent.stat().st_mode) == 0o700


async def test_another_nodes_store_is_refused(store_file):
    await make(store_file)
    async with StoreWriter(store_file) as writer:
        with pytest.raises(StoreError, match="give each node its own --store"):
            await writer.save_node(OTHER)
        await writer.save_node(HUB)
    assert StoreReader(store_file).meta()["pubkey"] == HUB.pubkey


async def test_a_store_of_a_newer_htlctop_is_left_alone(store_file):
    await make(store_file)
    with sqlite3.connect(store_file) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = digest(store_file)
    with pytest.raises(StoreError, match="newer htlctop"):
        await make(store_file)
    with pytest.raises(StoreError, match="newer htlctop"):
        service.open_analyst(store_file)
    assert digest(store_file) == before


@pytest.mark.parametrize(
    "content", [b"hello, this is a text file " * 50, b"x", b"SQLite format 3\0" + b"\1" * 5000]
)
async def test_a_file_that_is_no_store_is_left_alone(content, store_file):
    store_file.parent.mkdir()
    store_file.write_bytes(content)
    with pytest.raises(StoreError):
        await make(store_file)
    with pytest.raises(StoreError):
        service.open_analyst(store_file)
    assert store_file.read_bytes() == content


async def test_another_programs_database_is_left_alone(store_file):
    store_file.parent.mkdir()
    with sqlite3.connect(store_file) as db:
        db.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA user_version = 3")
    before = digest(store_file)
    with pytest.raises(StoreError, match="another program's database"):
        await make(store_file)
    assert digest(store_file) == before


async def test_a_damaged_store_is_told_of_and_kept(store_file):
    await make(store_file)
    with store_file.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(20_000))
    with pytest.raises(StoreError):
        await make(store_file)
        service.open_analyst(store_file).report(Query())


async def test_a_store_with_any_page_damaged_is_read_or_refused(store_file):
    async with StoreWriter(store_file) as writer:
        await writer.save_node(HUB)
        for start in range(500):
            await writer.start_interval(start)
    whole = store_file.read_bytes()
    refused = 0
    for offset in range(4096, len(whole), 4096):
        store_file.write_bytes(whole[:offset] + b"\xff" * 4096 + whole[offset + 4096 :])
        try:
            with closing(service.open_analyst(store_file)) as analyst:
                analyst.report(Query())
        except StoreError:
            refused += 1
    assert refused


async def test_somebody_else_opening_and_closing_it_takes_nothing_from_who_collects(store_file):
    async with StoreWriter(store_file) as writer:
        await writer.save_node(HUB)
        # A viewer in the collector's own process, and one that tries to take over.
        reader = StoreReader(store_file)
        with pytest.raises(StoreBusyError):
            await make(store_file)
        passing_by = (
            "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); "
            "print(db.execute('SELECT state FROM status').fetchone()[0]); db.close()"
        )
        command = [sys.executable, "-c", passing_by, str(store_file)]
        for state in ("live", "waiting"):
            await writer.set_state(state)
            told = await asyncio.to_thread(subprocess.check_output, command, text=True)
            assert told.strip() == state
        assert reader.status().state == "waiting"
        reader.close()


async def test_a_second_collector_is_refused_with_the_first_ones_process(store_file):
    async with StoreWriter(store_file):
        with pytest.raises(StoreBusyError, match=str(os.getpid())):
            await make(store_file)
    await make(store_file)


async def test_a_collector_starts_while_another_program_writes(store_file):
    await make(store_file)
    with closing(sqlite3.connect(store_file)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with StoreWriter(store_file):
            pass


async def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StoreError, match="give another --store"):
        await make(blocked / "store.db")


def test_a_store_that_is_not_there_is_not_made_by_reading(tmp_path):
    with pytest.raises(StoreError, match="htlctop collect"):
        service.open_analyst(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_closed_store_can_be_read_without_its_writer(store_file):
    await make(store_file)
    assert not store_file.with_name(store_file.name + "-wal").exists()
    analyst = service.open_analyst(store_file)
    assert analyst.overview(Query()).node.alias == "hub"
    analyst.close()


async def test_a_store_in_a_folder_that_takes_nothing_is_read_as_it_lies(store_file, monkeypatch):
    await make(store_file)
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)
    before = digest(store_file)
    with closing(open_reader(store_file)) as reader:
        assert reader.execute("SELECT count(*) FROM meta").fetchone() > (0,)
        assert [path.name for path in store_file.parent.iterdir() if "-" in path.suffix] == []
    assert digest(store_file) == before


def test_a_store_that_cannot_be_opened_says_what_to_do(store_file, monkeypatch):
    asyncio.run(make(store_file))

    def refuse(*args: object, **more: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)  # the tests may run as root, who may all
    with pytest.raises(StoreError, match="as the user who collects"):
        open_reader(store_file)
    assert "as the user who collects" in str(inspect(store_file).trouble)


async def test_a_full_disk_is_told_of_and_what_was_stored_stays(store_file):
    async with StoreWriter(store_file) as writer:
        await writer.save_node(HUB)
        await writer._db.fetch("PRAGMA max_page_count = 1")
        with pytest.raises(StoreError, match="no room left"):
            for start in range(10_000):
                await writer.start_interval(start)
    reader = StoreReader(store_file)
    assert reader.meta()["alias"] == "hub"
    starts = [interval.start_ns for interval in reader.intervals()]
    assert starts == list(range(len(starts)))
    reader.close()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
async def test_a_store_that_was_cut_off_is_refused_before_anything_is_read(share, store_file):
    async with StoreWriter(store_file) as writer:
        await writer.save_node(HUB)
        for start in range(2_000):
            await writer.start_interval(start)
    size = store_file.stat().st_size
    os.truncate(store_file, int(size * share))
    before = digest(store_file)
    for use in (make(store_file), make(store_file)):
        with pytest.raises(StoreError, match="damaged"):
            await use
    with pytest.raises(StoreError, match="damaged"):
        service.open_analyst(store_file)
    assert digest(store_file) == before


async def test_a_damaged_page_is_told_of_whoever_comes_upon_it(store_file):
    await make(store_file)
    async with StoreWriter(store_file) as writer:
        with store_file.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (store_file.stat().st_size - 4096))
        with pytest.raises(StoreError, match="damaged"):
            writer.restore_fold()


async def test_who_looks_for_a_store_in_vain_is_told_of_those_beside_it(store_file):
    await make(store_file)
    (store_file.parent / "other.db").write_text("not one of ours")
    with pytest.raises(StoreError, match=r"there is no store at .*beside it is store\.db: name"):
        service.open_analyst(store_file.with_name("mainnet.db"))


async def test_a_read_that_goes_on_for_ever_is_broken_off_and_says_what_to_do(
    store_file, monkeypatch
):
    await make(store_file)
    monkeypatch.setattr("htlctop.store.reader.READ_LIMIT_S", 0.0)
    reader = StoreReader(store_file)
    endless = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) SELECT max(k) FROM n"
    with pytest.raises(StoreError, match="ask for a shorter window"), reader.snapshot():
        reader._run(endless).fetchone()
    with reader.snapshot():
        assert reader.meta()["alias"] == "hub", "it can be asked again"
    reader.close()


async def test_why_an_interval_ended_is_kept_until_it_can_be_written(store_file, monkeypatch):
    monkeypatch.setattr("htlctop.store.transactions.PATIENCE_S", 0.0)
    async with StoreWriter(store_file) as writer:
        await writer.start_interval(1_000)
        with closing(sqlite3.connect(store_file)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError):
                await writer.end_interval("the node went away", 3)
            with pytest.raises(StoreError):
                await writer.start_interval(2_000)
        await writer.start_interval(3_000)
        await writer.end_interval("stopped")
    first, second = StoreReader(store_file).intervals()
    assert (first.start_ns, first.ended_by, first.shed) == (1_000, "the node went away", 3)
    assert (second.start_ns, second.ended_by, second.shed) == (3_000, "stopped", 0)


async def test_a_file_that_is_too_short_for_a_moment_grows_by_a_checkpoint(store_file):
    async with StoreWriter(store_file) as writer:
        await writer.save_node(HUB)
        await writer.checkpoint()
        await writer.set_state("live")
        whole = store_file.read_bytes()
        os.truncate(store_file, len(whole) // 2)

        def grow() -> None:
            with store_file.open("r+b") as file:
                file.seek(len(whole) // 2)
                file.write(whole[len(whole) // 2 :])

        growing = threading.Timer(0.3, grow)
        growing.start()
        open_reader(store_file).close()
        growing.join()


async def test_who_waits_for_a_store_looks_at_nothing_but_its_head(store_file):
    async with StoreWriter(store_file) as writer:
        await writer.save_node(HUB)
        await writer.checkpoint()
        os.truncate(store_file, store_file.stat().st_size // 2)
        with pytest.raises(StoreBusyError):
            await make(store_file)
