"""`htlctop demo`: a simulated node and the app on a store that goes away with it."""

import asyncio
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import click

from htlctop.analysis.analyst import StoreAnalyst
from htlctop.cli.options import data_folder
from htlctop.cli.sim import parse_speed
from htlctop.config import Connection
from htlctop.errors import NodeConnectionError
from htlctop.service import LocalSession, ingest

_ALREADY_STORED = 1 / 3
_PREPARED_S = 30.0


class DemoSession(LocalSession):
    """Starts the simulated node in a process of its own, stores the first part, then collects."""

    title = "demo"
    owns_collector = False

    def __init__(self, folder: Path, recording: Path, speed: str) -> None:
        node = Connection(
            "", "simnet", tls_cert_path=folder / "tls.cert",
            macaroon_path=folder / "readonly.macaroon",
        )  # fmt: skip
        super().__init__(folder / "demo.db", node)
        self._folder, self._recording, self._speed = folder, recording, speed
        self._prepared = threading.Event()

    def open_analyst(self) -> StoreAnalyst:
        """A reader of the store, once its first part is there."""
        self._prepared.wait(_PREPARED_S)
        return super().open_analyst()

    def run_collector(self, stop: threading.Event) -> None:
        """Collect from the simulated node until `stop` is set; ends that node too."""
        command = [
            sys.executable, "-m", "htlctop", "sim", "--dir", str(self._folder), "--recording",
            str(self._recording), "--speed", self._speed, "--start-at", str(_ALREADY_STORED),
            "--exit-with-parent",
        ]  # fmt: skip
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as sim:
            try:
                address, shift_ns = _announced(sim)
                self._connection = replace(self._connection, rpcserver=address)
                asyncio.run(
                    ingest(
                        [self._recording],
                        self.store,
                        shift_ns=shift_ns,
                        until_fraction=_ALREADY_STORED,
                        ended_by="the demo was starting",
                    )
                )
                self._prepared.set()
                super().run_collector(stop)
            finally:
                self._prepared.set()
                sim.terminate()


def _announced(sim: "subprocess.Popen[str]") -> tuple[str, int]:
    """What the simulated node says first: its address, and how far it moves times, ns."""
    assert sim.stdout is not None
    address, shift = sim.stdout.readline().strip(), sim.stdout.readline().strip()
    if not shift.startswith("shift_ns="):
        raise NodeConnectionError("the simulated node did not start")
    return address, int(shift.removeprefix("shift_ns="))


@click.command("demo")
@click.option(
    "--recording", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="What to play.  [default: the packaged traffic]",
)  # fmt: skip
@click.option("--speed", default="1", show_default=True, metavar="N|max", help="Times as fast.")
@click.option("--seed", type=int, hidden=True, help="For the synthetic node.")
@click.option("--theme", metavar="NAME", help="A theme by name; by default the terminal's.")
@click.option("--ascii", "ascii_only", is_flag=True, help="No box or block characters.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
def command(
    recording: Path | None,
    speed: str,
    seed: int | None,
    theme: str | None,
    ascii_only: bool,
    no_mouse: bool,
) -> None:
    """Try htlctop without a node: a real node's recorded traffic, played live.

    The first third is stored already, so that every pane has something to say.
    """
    from htlctop.sim.recordings import TRAFFIC
    from htlctop.ui import run
    from htlctop.ui.session import UiOptions

    played = recording or TRAFFIC
    parse_speed(speed)
    with tempfile.TemporaryDirectory(prefix="htlctop-demo-") as folder:
        code = run(
            DemoSession(Path(folder), played, speed),
            UiOptions(
                ascii=ascii_only,
                no_mouse=no_mouse,
                theme=theme,
                window="1h",
                snapshot_dir=data_folder() / "snapshots",
                log_path=Path(folder) / "htlctop.log",
            ),
        )
    sys.exit(code)
