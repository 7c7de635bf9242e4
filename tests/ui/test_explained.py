"""Every figure on a page is one that `explain` tells, or plainly what LND said."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from drive import ANSI, Driver
from fake import FakeSession

from htlctop import service
from htlctop.analysis.advice.models import Explanation, Figure
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import PairRow
from htlctop.analysis.query import By, LogQuery, Query
from htlctop.cli import cli
from htlctop.domain.types import NS
from htlctop.export.advice import month_range, round_sat
from htlctop.export.advice import value as read
from htlctop.export.format import age, clean, count, percent, sat, short_sat, span
from htlctop.ui import subject
from htlctop.ui.app import HtlctopApp
from htlctop.ui.messages import Open
from htlctop.ui.session import UiOptions
from htlctop.ui.subject import Subject

ALL = Query(window="all")
VIEWS = {
    "overview": "1",
    "channels": "2",
    "flows": "3",
    "opportunities": "5",
    "history": "6",
    "node": "7",
}
OF_THE_NODE = ("overview", "history", "node")
"""What these show is the node's, but for the rows of tables; the others show nothing else."""

_NO_FIGURES = (
    r"^[▸\s]*\d\d:\d\d:\d\d .*",  # a line of the log: one HTLC, as LND told of it
    r"^\s*\d+ blocks .*",  # one HTLC on a channel
    r".* max \S+  \d+ blocks.*",  # a policy of ours, as LND told it
    r"LND's codes .*|HTLC [\d,]+|\(\d+\)",
    r"\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}",
    r"(?:block|size|HTLCs|events) {5,}[\d,.]+",  # what the node and the store say of themselves
    r"[\d.]+ MB",
    r"/\S+",
    r"--time_lock_delta \d+",
    r"\(30 d\)|PER 30 D",
    r"(?:under \d+|\d+-\d+|\d+ and over) +·$",  # blocks within which nothing expires
    r"\d+ ppm(?:, inbound \S+ ppm)? → .*",  # from what to what a policy of ours changed
    r"too early: .*",  # what was watched, and what would be enough
    r"(?:lnd|LND) .*",  # a version
    r"\d+ more +\S+ +\S+",  # those of a list that a page has no room for, added up
    r"\d{4}-\d\d-\d\dT[\d:.]+Z",
    r"\d+x\d+x\d+",
    r"\d{1,2} [A-Z][a-z]{2} ",
    r"\d\d:\d\d",
    r"\d{4}-\d\d-\d\d|[-+]\d{4}\b",
    r"\b[0-9a-f]{6,}…?[0-9a-f]*",
    r"inbound -?[\d,]+ ppm",
)
_FIGURE = r"(?<![\w.])[-+<]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:[kMG%]|h(?:\d+m)?|m|d)?(?!\w)"


class StoreSession(FakeSession):
    """A session at a store that nobody collects into."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def open_analyst(self) -> StoreAnalyst:  # type: ignore[override]
        return service.open_analyst(self.path)


@asynccontextmanager
async def shown(path: Path) -> AsyncIterator[Driver]:
    """The app on a store, on a screen as high as any page."""
    session = StoreSession(path)
    app = HtlctopApp(session, UiOptions(window="all", snapshot_dir=path.parent), ANSI)
    async with app.run_test(size=(200, 160)) as pilot:
        driver = Driver(app, pilot, session)
        await driver.until(lambda: app.board.overview is not None)
        await driver.settled()
        try:
            yield driver
        finally:
            app._stop.set()


async def opened(driver: Driver, about: Subject) -> None:
    """Open the drill-down of something, and let all of it be read."""
    driver.app.post_message(Open(about))
    await driver.until(lambda: getattr(driver.app.pages.top, "about", None) == about)
    await whole_page(driver)


async def whole_page(driver: Driver) -> None:
    """Let everything that the page shows be read."""
    app = driver.app
    for _ in range(50):
        missing = [need.key for need in app.pages.needs if not app.board.has(*need.key)]
        if not missing:
            break
        app.ask()
        await driver.settled()
    assert not missing, missing


def told(explanations: Iterable[Explanation]) -> set[str]:
    """Every figure of some explanations, in every way that pages write one."""
    found: set[str] = set()
    for explanation in explanations:
        figures = {f.name: f for section in explanation.sections for f in section.figures}
        for section in explanation.sections:
            for figure in section.figures:
                found |= {text for way in _written(figure) for text in re.findall(_FIGURE, way)}
        ends = figures.get("per 30 days, low"), figures.get("per 30 days, high")
        if ends[0] and ends[1]:
            found |= set(re.findall(_FIGURE, month_range(ends[0].value, ends[1].value)))
    return found


def _written(figure: Figure) -> Iterator[str]:
    value, unit = figure.value, figure.unit
    yield f"{figure.name} {figure.formula} {read(figure)}"
    for more in re.findall(r"with ([\d,]+) sat more", figure.name):
        yield f"+{short_sat(int(more.replace(',', '')))}"
    if unit == "msat" and isinstance(value, int):
        # A page may have rounded it for a channel at once, not for each incoming peer.
        yield from (
            text for d in range(-6, 7) for text in (sat(abs(value + d)), round_sat(value + d))
        )
        yield short_sat((value + 500) // 1000)
    elif unit in ("h", "s") and isinstance(value, int | float):
        length_ns = round(value * NS * (3600 if unit == "h" else 1))
        milliseconds = f"{count(length_ns // 1_000_000)} ms"
        yield from (span(length_ns), f"{value:.1f}", str(int(value)), milliseconds)
        # How long ago it was may be told as of the minute's beginning.
        yield from (age(length_ns), age(length_ns - 59 * NS))
    elif isinstance(value, int):
        yield from (count(value), str(value), short_sat(value))
    elif unit == "ppm" and isinstance(value, float):
        yield count(round(value))
    elif isinstance(value, float):
        yield from (percent(value, 1), f"{value:.1%}", f"{value:.4f}")
        yield from (f"{round(100 * value)}%", f"+{round(100 * value)}%")


def unexplained(
    lines: Iterable[str], where: str, names: Iterable[str], known: set[str]
) -> list[str]:
    """The lines with figures that are not known, and those figures."""
    found = []
    for line in lines:
        text = line
        for name in names:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text)
        for pattern in _NO_FIGURES:
            text = re.sub(pattern, " ", text)
        missing = [figure for figure in re.findall(_FIGURE, text) if figure not in known]
        if missing:
            found.append(f"{where}: {missing} in {line.strip()}")
    return found


def unexplained_of_all(
    lines: Iterable[str], where: str, names: Sequence[str], node: set[str], whole: set[str]
) -> list[str]:
    """The same of a view of the whole node: what stands beside a name or a channel may be told of
    that; everything else is told of the node itself, or a number of anybody's would do for it."""
    about = re.compile("|".join([*map(re.escape, names), r"\d+x\d+x\d+", r"\(unknown peer\)"]))
    found = []
    for line in lines:
        for part in line.split("│"):
            known = whole if about.search(part) else node
            found += unexplained([part], where, names, known)
    return found


def names_in(analyst: StoreAnalyst) -> list[str]:
    """What peers are called, the longest first."""
    aliases = (clean(peer.alias) for peer in analyst.overview(ALL).peers if peer.alias)
    return sorted(aliases, key=len, reverse=True)


def of_all(analyst: StoreAnalyst) -> set[str]:
    """What the explanations of the node, of each peer and of each channel tell."""
    found = [analyst.explain(ALL)]
    for peer in analyst.overview(ALL).peers:
        if peer.peer:
            found.append(analyst.explain(ALL, peer.peer))
            found += [analyst.explain(ALL, channel=c.channel) for c in peer.channels]
    return told(found)


@pytest.mark.parametrize("made_up", [False, True])
async def test_every_figure_of_a_page_is_explained(
    made_up: bool, traffic_store: Path, made_up_store: Path
) -> None:
    path = made_up_store if made_up else traffic_store
    with closing(service.open_analyst(path)) as analyst:
        names, whole, node = names_in(analyst), of_all(analyst), told([analyst.explain(ALL)])
        pages: dict[Subject, set[str]] = {}
        for peer in analyst.overview(ALL).peers[:6]:
            if not peer.peer:
                continue
            its = [analyst.explain(ALL, channel=c.channel) for c in peer.channels]
            pages[subject.peer(peer.peer)] = told([analyst.explain(ALL, peer.peer), *its])
            for channel, one in zip(peer.channels, its, strict=True):
                pages[subject.channel(channel.channel)] = told([one])
        for pair in analyst.overview(replace(ALL, by=By.PAIR)).rows[:4]:
            assert isinstance(pair, PairRow)
            one = analyst.explain(ALL, pair.out_peer, source=pair.in_peer)
            pages[subject.pair(*pair.id)] = told([one])
        for line in analyst.log(LogQuery(400)).lines[::40]:
            pages[subject.htlc(line.seq)] = told([analyst.explain_htlc(line.seq)])
    async with shown(path) as driver:
        found = []
        for view, key in VIEWS.items():
            await driver.press(key)
            await whole_page(driver)
            of_node = node if view in OF_THE_NODE else whole
            found += unexplained_of_all(driver.lines, view, names, of_node, whole)
        for about, known in pages.items():
            await opened(driver, about)
            found += unexplained(driver.lines, about.of.value, names, known)
            await driver.press("u")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("made_up", [False, True])
def test_every_figure_of_a_report_is_explained(
    made_up: bool, traffic_store: Path, made_up_store: Path
) -> None:
    path, found = made_up_store if made_up else traffic_store, []
    with closing(service.open_analyst(path)) as analyst:
        names, whole = names_in(analyst), of_all(analyst)
    by = ("peer", "channel", "pair", "source")
    for command in ("report", "advise", *(f"analyze --by {each}" for each in by)):
        asked = [*command.split(), "--window", "all", "--store", str(path)]
        done = CliRunner().invoke(cli, asked)
        assert done.exit_code == 0
        found += unexplained(done.output.splitlines(), command, names, whole)
    assert not found, "\n".join(found)
