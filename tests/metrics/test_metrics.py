"""Metrics and health say what the store says, in bounded work, to whoever asks over HTTP."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from htlctop import service
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import Overview
from htlctop.analysis.query import Query
from htlctop.analysis.rows import Rows
from htlctop.domain.records import Progress
from htlctop.errors import ConfigError, UsageError
from htlctop.metrics import exposition
from htlctop.metrics.scrape import Scraper
from htlctop.metrics.server import MetricsServer, parse_listen
from htlctop.sim.recordings import TRAFFIC
from htlctop.store.writer import StoreWriter
from tests.collector.test_command import environment, wait_for
from tests.nodes import simulated

Samples = dict[tuple[str, tuple[str, ...]], float]


def parsed(text: str) -> Samples:
    """(name, values of its labels in the order of their names) -> value of every sample."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The traffic, read in."""
    path: Path = tmp_path_factory.mktemp("metrics") / "store.db"
    await service.ingest([TRAFFIC], path)
    return path


@pytest.fixture
def scraper(store: Path) -> Iterator[Scraper]:
    with closing(Scraper(lambda: service.open_analyst(store), callback_errors=lambda: 3)) as made:
        yield made


def test_counters_are_those_of_everything_stored_and_gauges_those_of_the_window(scraper, store):
    page = scraper.metrics()
    assert page.status == 200
    samples = parsed(page.body.decode())
    with closing(service.open_analyst(store)) as analyst:
        view = analyst.overview(Query(window="24h"))
    sums = view.totals.sums
    assert samples["htlctop_settled_total", ()] == sums.settled == 539
    assert samples["htlctop_earned_msat_total", ()] == sums.earned_msat == 4_470_922

    def total(name: str) -> float:
        return sum(value for (found, _), value in samples.items() if found == name)

    assert total("htlctop_refused_total") == sums.refused == 1_538
    assert total("htlctop_asked_msat_total") == sums.asked_msat == 25_874_595
    assert total("htlctop_demand_msat_total") == sums.demand_msat
    assert total("htlctop_recovered_msat_total") == sums.recovered_msat
    assert total("htlctop_offered_msat_total") == sums.offered_msat
    assert samples["htlctop_window_expected_msat", ("24h",)] == sums.expected_msat
    assert total("htlctop_peer_expected_msat") == sums.expected_msat
    assert samples["htlctop_collector_state", ("stopped",)] == 1
    assert total("htlctop_collector_state") == 1
    assert samples["htlctop_callback_errors_total", ()] == 3
    assert samples["htlctop_store_bytes", ()] > 100_000
    assert samples["htlctop_in_flight", ()] == view.status.in_flight


async def test_counters_never_go_back_while_the_store_grows(store_file):
    before: Samples = {}
    for fraction in (0.2, 0.5, 0.8, 1.0):
        await service.ingest([TRAFFIC], store_file, until_fraction=fraction)
        with closing(Scraper(lambda: service.open_analyst(store_file))) as scraper:
            samples = parsed(scraper.metrics().body.decode())
        counters = {key: value for key, value in samples.items() if key[0].endswith("_total")}
        assert len(counters) > 15
        assert [key for key in before if counters[key] < before[key]] == []
        before = counters


def test_openmetrics_is_spoken_to_those_who_ask_for_it(scraper):
    page = scraper.metrics("application/openmetrics-text; version=1.0.0")
    assert page.content_type.startswith("application/openmetrics-text")
    assert page.body.decode().endswith("# EOF\n")


def test_peers_beyond_the_first_are_one(scraper, monkeypatch):
    whole = parsed(scraper.metrics().body.decode())
    monkeypatch.setattr(exposition, "MOST_PEERS", 2)
    bounded = parsed(scraper.metrics().body.decode())
    for name in ("htlctop_peer_expected_msat", "htlctop_peer_refused"):
        first = {key: value for key, value in bounded.items() if key[0] == name}
        assert len(first) == 3
        assert sum(first.values()) == sum(v for key, v in whole.items() if key[0] == name)
        assert (name, ("other", "other", "24h")) in first


def test_a_hostile_name_stays_one_harmless_label(store):
    analyst = service.open_analyst(store)
    view = analyst.overview(Query())
    analyst.close()
    peer = replace(view.peers[0], alias='a"}\n\x1b[31m# HELP evil\\')
    hostile = replace(view, rows=Rows.of((peer, *view.rows[1:])))
    found = exposition.families(view, hostile, view.status, 0, 0)
    labels = [
        sample.labels["alias"]
        for family in found
        if family.name == "htlctop_peer_refused"
        for sample in family.samples
    ]
    assert labels[0] == 'a"} [31m# HELP evil\\'


class Counting(StoreAnalyst):
    """Counts how often it is read, and by how many at a time."""

    reads = at_once = most = 0

    def overview(self, query: Query) -> Overview:
        cls = type(self)
        cls.reads += 1
        cls.at_once += 1
        cls.most = max(cls.most, cls.at_once)
        time.sleep(0.02)
        cls.at_once -= 1
        return super().overview(query)


def test_many_who_scrape_at_once_cost_one_read(store):
    def open_analyst() -> StoreAnalyst:
        analyst = service.open_analyst(store)
        return Counting(analyst._reader)

    Counting.reads = 0
    with closing(Scraper(open_analyst, kept_s=60)) as scraper:
        threads = [threading.Thread(target=scraper.metrics) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (Counting.reads, Counting.most) == (2, 1), "all time, and the window"


async def test_figures_are_read_again_when_something_has_changed(store_file):
    await service.ingest([TRAFFIC], store_file, until_fraction=0.1)
    Counting.reads = 0

    def open_analyst() -> StoreAnalyst:
        analyst = service.open_analyst(store_file)
        return Counting(analyst._reader)

    with closing(Scraper(open_analyst, kept_s=0)) as scraper:
        first = parsed(scraper.metrics().body.decode())
        scraper.metrics()
        assert Counting.reads == 2, "nothing has changed"
        async with StoreWriter(store_file) as writer:
            await writer.alive(Progress(0, 0, 0, None, queued=7, alive_ns=time.time_ns()))
        samples = parsed(scraper.metrics().body.decode())
        assert Counting.reads == 2
        assert samples["htlctop_queued_events", ()] == 7, "the collector's state is always read"
        await service.ingest([TRAFFIC], store_file, until_fraction=0.2)
        samples = parsed(scraper.metrics().body.decode())
        assert samples["htlctop_settled_total", ()] > first["htlctop_settled_total", ()]


Fetch = Callable[..., tuple[int, str, str]]


def fetch(address: str, path: str, method: str = "GET") -> tuple[int, str, str]:
    """Status, content type and body."""
    with closing(http.client.HTTPConnection(address, timeout=10)) as client:
        client.request(method, path)
        answer = client.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


def test_it_is_served_over_http(scraper):
    with MetricsServer(scraper, "127.0.0.1:0") as server:
        assert not server.is_exposed
        status, kind, body = fetch(server.address, "/metrics")
        assert (status, kind[:10]) == (200, "text/plain")
        assert "htlctop_settled_total 539.0" in body
        assert fetch(server.address, "/metrics", "HEAD")[2] == ""
        assert fetch(server.address, "/")[0] == 200
        assert fetch(server.address, "/etc/passwd")[0] == 404
        assert fetch(server.address, "/metrics", "POST")[0] == 501
        with pytest.raises(ConfigError, match=r"cannot listen at .*Address already in use"):
            MetricsServer(Scraper(lambda: None), server.address).start()
    with pytest.raises(OSError, match=r"refused|reset"):
        fetch(server.address, "/metrics")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("127.0.0.1:9740", ("127.0.0.1", 9740)),
        ("9740", ("127.0.0.1", 9740)),
        (":9740", ("127.0.0.1", 9740)),
        ("[::1]:0", ("::1", 0)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_addresses_to_listen_at(text, wanted):
    assert parse_listen(text) == wanted


@pytest.mark.parametrize("text", ["", "here", "host:", "host:99999", "::1", "host:x", "1:2:3"])
def test_what_is_no_address_to_listen_at(text):
    with pytest.raises(UsageError, match=r"write 127\.0\.0\.1:9740"):
        parse_listen(text)


def health(scraper: Scraper) -> tuple[int, dict[str, Any]]:
    page = scraper.health()
    return page.status, json.loads(page.body)


async def test_health_is_that_of_the_collector(store_file, tmp_path):
    with closing(Scraper(lambda: service.open_analyst(store_file))) as scraper:
        assert health(scraper)[0] == 503
        assert "there is no store at" in health(scraper)[1]["reason"]
        async with StoreWriter(store_file) as writer:
            assert health(scraper) == (503, {
                "healthy": False, "state": "never started",
                "reason": "nobody collects into the store: start htlctop collect",
            })  # fmt: skip
            await writer.alive(Progress(0, 0, 0, None, alive_ns=time.time_ns()))
            await writer.set_state("live")
            assert health(scraper) == (200, {"healthy": True, "state": "live", "reason": ""})
            await writer.set_state("refused", "the macaroon is damaged")
            assert health(scraper)[1]["reason"] == "the macaroon is damaged"
            assert health(scraper)[0] == 503
            await writer.alive(Progress(0, 0, 0, None, alive_ns=time.time_ns() - 90 * 10**9))
            await writer.set_state("live")
            status, said = health(scraper)
            assert (status, said["state"]) == (503, "silent")
            assert said["reason"] == "the collector was last heard of 1m ago"


def test_the_command_prints_them_once(store):
    run = [sys.executable, "-m", "htlctop", "metrics", "--once", "--store"]
    printed = subprocess.run(
        [*run, str(store)], capture_output=True, text=True, env=environment(), check=True
    )
    assert parsed(printed.stdout)["htlctop_settled_total", ()] == 539
    refused = subprocess.run(
        [*run, str(store) + ".none"], capture_output=True, text=True, env=environment(), check=False
    )
    assert refused.returncode == 6
    assert refused.stderr.startswith("htlctop: there is no store at")


def test_a_collector_serves_its_own_health_and_stops_cleanly(tmp_path, store_file):
    with simulated(tmp_path / "made") as made:
        pass
    log = tmp_path / "log"
    with (
        log.open("w") as out,
        subprocess.Popen(
            [
                sys.executable, "-m", "htlctop", "collect", "--metrics", "0", "--store",
                str(store_file), "--rpcserver", "127.0.0.1:1", "--tlscertpath",
                str(made.tls_cert_path), "--macaroonpath", str(made.macaroon_path),
            ],
            stderr=out, env=environment(),
        ) as running,
    ):  # fmt: skip
        said = wait_for(log, "nothing listens")
        address = said.partition("http://")[2].partition("/")[0]
        status, _, body = fetch(address, "/healthz")
        assert status == 503
        assert json.loads(body)["state"] == "waiting"
        assert "nothing listens at 127.0.0.1:1" in json.loads(body)["reason"]
        assert 'htlctop_collector_state{state="waiting"} 1.0' in fetch(address, "/metrics")[2]
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
    assert "Traceback" not in log.read_text()
