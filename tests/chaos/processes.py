"""The simulated node and the collector as processes of their own, each ended by its id."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.judge import Life

_STOP_S = 15.0


class SimProcess:
    """`htlctop sim`, until `stop`. `folder` gets its files and the log of what it told."""

    def __init__(self, folder: Path, recording: Path, *options: str) -> None:
        self.truth = folder / "truth.jsonl"
        self._folder = folder
        command = [
            *(sys.executable, "-m", "htlctop", "sim", "--dir", str(folder / "node")),
            *("--recording", str(recording), "--speed", "1", "--lossy", "--exit-with-parent"),
            *("--told", str(self.truth), *options),
        ]
        with (folder / "sim.err").open("ab") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()

    @property
    def node_options(self) -> tuple[str, ...]:
        """How the collector reaches it."""
        node = self._folder / "node"
        return (
            *("--rpcserver", self.address, "--tlscertpath", str(node / "tls.cert")),
            *("--macaroonpath", str(node / "readonly.macaroon")),
        )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def suspend(self) -> None:
        """The connection stays open, and nothing answers: not even to a ping."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it."""
        self.resume()
        self._process.terminate()
        _end(self._process)


@dataclass
class Sample:
    """What a process held at a moment (s since it started)."""

    age_s: float
    rss_kb: int
    descriptors: int


@dataclass
class CollectorProcess:
    """`htlctop collect`, and how its lives ended."""

    store: Path
    options: tuple[str, ...]
    errors: Path
    lives: list[Life] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    slowest_stop_s: float = 0.0
    _process: "subprocess.Popen[bytes] | None" = None
    _started_ns: int = 0

    def start(self) -> None:
        """A new life; its samples start anew."""
        command = [
            *(sys.executable, "-m", "htlctop", "collect", "--store", str(self.store)),
            *self.options,
        ]
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
            )
        self._started_ns = time.time_ns()
        self.samples = []

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def ended_by_itself(self) -> bool:
        """Whether the process is over though nobody ended it."""
        if self._process is None or self._process.poll() is None:
            return False
        self._bury(killed=False)
        return True

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._bury(killed=True)

    def terminate(self) -> None:
        """SIGTERM, and wait for it."""
        assert self._process is not None
        started_s = time.monotonic()
        self._process.terminate()
        killed = not _end(self._process)
        self.slowest_stop_s = max(self.slowest_stop_s, time.monotonic() - started_s)
        self._bury(killed=killed)

    def sample(self) -> None:
        """Look at what the process holds."""
        age_s = (time.time_ns() - self._started_ns) / 1e9
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
            descriptors = len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208  (pathlib would make a Path of each)
        except OSError:
            return
        lines = dict(line.split(":", 1) for line in status.splitlines())
        if "VmRSS" in lines:
            self.samples.append(Sample(age_s, int(lines["VmRSS"].split()[0]), descriptors))

    def _bury(self, *, killed: bool) -> None:
        assert self._process is not None
        self._process.wait()
        if not killed:
            self.exit_codes.append(self._process.returncode)
        self.lives.append(Life(self._started_ns, time.time_ns(), killed))
        self._process = None


def _end(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> bool:
    """Wait for the end; one that does not come is forced. Returns whether it came."""
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True
