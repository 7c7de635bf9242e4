"""`htlctop demo`: a simulated node and the app on a store that goes away with it."""

import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import click

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.cli.looks import look_options, ui_options
from htlctop.cli.sim import parse_speed
from htlctop.config import Connection
from htlctop.domain.types import NS
from htlctop.errors import NodeConnectionError
from htlctop.service import LocalSession, ingest, ingest_played

_ALREADY_STORED = 1 / 3
DAY_S = 24 * 3600
_HISTORY_S = DAY_S + 2 * 3600
"""A whole window, and enough for advice: a day, on two dates whatever the hour."""
_PREPARED_S = 30.0
_ENDED_BY = "the demo was starting"


class Play(Protocol):
    """What the demo shows: how it is simulated, and what of it is stored beforehand."""

    window: str
    """Which window shows it best."""

    def sim_options(self) -> list[str]:
        """For `htlctop sim`."""

    async def store(self, store: Path, shift_ns: Callable[[], int]) -> None:
        """Store the part that is over. `shift_ns` waits until the simulated node has said how
        far it moves times."""


class RecordedPlay:
    """A recording, of which a third is over."""

    window = "1h"

    def __init__(self, recording: Path, speed: str) -> None:
        self._recording, self._speed = recording, speed

    def sim_options(self) -> list[str]:
        """For `htlctop sim`."""
        return [
            "--recording", str(self._recording), "--speed", self._speed,
            "--start-at", str(_ALREADY_STORED),
        ]  # fmt: skip

    async def store(self, store: Path, shift_ns: Callable[[], int]) -> None:
        """Its first third, moved as the simulated node moves the rest."""
        await ingest(
            [self._recording],
            store,
            shift_ns=shift_ns(),
            until_fraction=_ALREADY_STORED,
            ended_by=_ENDED_BY,
        )


class SyntheticPlay:
    """A made-up node, of whose life a day or so is over. It is simulated twice, alike: here to be
    stored, and there to go on."""

    window = "24h"

    def __init__(self, seed: int, channels: int, speed: str, history_s: int = _HISTORY_S) -> None:
        from htlctop.sim.synthetic.simulation import START_NS

        self._seed, self._channels, self._speed = seed, channels, speed
        self._history_s = history_s
        self._is_live = parse_speed(speed) == 1.0
        self._until_ns = START_NS + history_s * NS
        self._shift_ns = time.time_ns() - self._until_ns if self._is_live else 0

    def sim_options(self) -> list[str]:
        """For `htlctop sim`."""
        options = [
            "--seed", str(self._seed), "--channels", str(self._channels),
            "--speed", self._speed, "--history", str(self._history_s),
        ]  # fmt: skip
        return [*options, "--shift-ns", str(self._shift_ns)] if self._is_live else options

    async def store(self, store: Path, shift_ns: Callable[[], int]) -> None:
        """What of its life is over."""
        from htlctop.sim.synthetic.node import SyntheticNode
        from htlctop.sim.synthetic.source import live_simulation

        simulation = live_simulation(
            self._seed, self._channels, self._history_s * NS if self._is_live else None
        )
        node = SyntheticNode(simulation, self._until_ns, shift_ns=self._shift_ns)
        await ingest_played(node, store, ended_by=_ENDED_BY)


class DemoSession(LocalSession):
    """Starts the simulated node in a process of its own, stores the first part, then collects."""

    title = "demo"
    owns_collector = False
    is_attached = False

    def __init__(self, folder: Path, play: Play) -> None:
        node = Connection(
            "", "simnet", tls_cert_path=folder / "tls.cert",
            macaroon_path=folder / "readonly.macaroon",
        )  # fmt: skip
        super().__init__(folder / "demo.db", node)
        self._folder, self._play = folder, play
        self._prepared = threading.Event()

    def open_analyst(self) -> StoreAnalyst:
        """A reader of the store, once its first part is there."""
        self._prepared.wait(_PREPARED_S)
        return super().open_analyst()

    def run_collector(self, stop: threading.Event) -> None:
        """Collect from the simulated node until `stop` is set; ends that node too."""
        command = [
            sys.executable, "-m", "htlctop", "sim", "--dir", str(self._folder),
            "--exit-with-parent", *self._play.sim_options(),
        ]  # fmt: skip
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as sim:
            said = _Announcement(sim)
            try:
                asyncio.run(self._play.store(self.store, said.shift_ns))
                self._prepared.set()
                self._connection = replace(self._connection, rpcserver=said.address())
                super().run_collector(stop)
            finally:
                self._prepared.set()
                sim.terminate()


class _Announcement:
    """What the simulated node says first: its address, and how far it moves a recording's times.
    Each waits until that has been said."""

    def __init__(self, sim: "subprocess.Popen[str]") -> None:
        self._sim = sim
        self._address = ""

    def address(self) -> str:
        """host:port. Raises: NodeConnectionError: it did not start."""
        self._address = self._address or self._line()
        return self._address

    def shift_ns(self) -> int:
        """ns. Raises: NodeConnectionError: it did not start."""
        self.address()
        return int(self._line().removeprefix("shift_ns="))

    def _line(self) -> str:
        assert self._sim.stdout is not None
        line = self._sim.stdout.readline().strip()
        if not line:
            raise NodeConnectionError("the simulated node did not start")
        return line


@click.command("demo")
@click.option(
    "--recording", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Show what a real node said, instead of a made-up one.",
)  # fmt: skip
@click.option("--speed", default="1", show_default=True, metavar="N|max", help="Times as fast.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which node.")
@click.option(
    "--channels", type=click.IntRange(16, 20_000), default=60, show_default=True, metavar="N",
    help="How many channels the made-up node has.",
)  # fmt: skip
@look_options
def command(
    recording: Path | None,
    speed: str,
    seed: int,
    channels: int,
    theme: str | None,
    ascii_only: bool | None,
    mouse: bool | None,
) -> None:
    """Try htlctop without a node: a made-up one, or a real one's recorded traffic, played live.

    A day of the made-up node's life, or a third of the recording, is stored already. The store goes
    when the demo ends; until then view 7 names its file, for `htlctop report --store FILE` and the
    like in another terminal.
    """
    from htlctop.ui import run

    parse_speed(speed)
    play: Play = (
        SyntheticPlay(seed, channels, speed)
        if recording is None
        else RecordedPlay(recording, speed)
    )
    with tempfile.TemporaryDirectory(prefix="htlctop-demo-") as folder:
        log_path = Path(folder) / "htlctop.log"
        options = ui_options(theme, ascii_only, mouse, play.window, log_path)
        code = run(DemoSession(Path(folder), play), replace(options, state_path=None))
    sys.exit(code)
