"""Starts the simulated node as a process of its own, as any client would meet it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from htlctop.config import Connection


@contextmanager
def simulated(folder: Path, *options: str) -> Iterator[Connection]:
    """`htlctop sim` with these options, and how to reach it; ended on leaving."""
    command = [sys.executable, "-m", "htlctop", "sim", "--dir", str(folder), *options]
    with subprocess.Popen(
        [*command, "--exit-with-parent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as sim:
        assert sim.stdout is not None
        try:
            yield Connection(
                sim.stdout.readline().strip(),
                "simnet",
                tls_cert_path=folder / "tls.cert",
                macaroon_path=folder / "readonly.macaroon",
            )
        finally:
            sim.terminate()
