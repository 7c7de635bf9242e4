"""How long until something is there: `--version`, and the app's first painted frame."""

import json
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench import children
from tests.bench.children import median
from tests.bench.console import console
from tests.bench.table import Measure, at_most, known

GOAL = 2
_PAINTED = b"htlctop"
_MODULES = "import sys, json; sys.argv = ['htlctop', '--version']\ntry:\n import htlctop.__main__\n"
_MODULES += "except SystemExit:\n print(json.dumps([m for m in sys.modules if '.' not in m]))"
_HEAVY = ("textual", "rich", "grpc", "google", "sqlite3", "asyncio")


def start(quick: bool) -> Iterable[Measure]:
    """In turns with what it is compared to: what disturbs the machine then disturbs both."""
    turns = 3 if quick else 15
    version, click, paint, textual = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        _wall("-m", "htlctop", "--version")
        _first_paint(Path(folder))  # compiled files and the disk's cache are warm from here on
        for _ in range(turns):
            click.append(_wall("-c", "import click"))
            version.append(_wall("-m", "htlctop", "--version"))
            textual.append(_wall("-c", "import textual.app"))
            paint.append(_first_paint(Path(folder)))
    ratios = [v / c for v, c in zip(version, click, strict=True)]
    yield at_most("start", "--version / import click", median(ratios), GOAL, "x")
    yield known("start", "--version", median(version) * 1000, "ms")
    yield known("start", "import click", median(click) * 1000, "ms")
    heavy = _heavy_modules()
    yield Measure("start", "--version imports", ", ".join(heavy) or "-", "none heavy", not heavy)
    ratios = [p / t for p, t in zip(paint, textual, strict=True)]
    yield at_most("start", "first paint / import textual.app", median(ratios), GOAL, "x")
    yield known("start", "first paint", median(paint) * 1000, "ms")
    yield known("start", "import textual.app", median(textual) * 1000, "ms")


def _wall(*arguments: object) -> float:
    began = time.monotonic()
    children.run(*arguments)
    return time.monotonic() - began


def _first_paint(home: Path) -> float:
    """From exec to the first frame, on a store that is not there and a node that is not either."""
    for name in ("tls.cert", "readonly.macaroon"):
        (home / name).write_text("-----BEGIN CERTIFICATE-----\n")
    with console(
        "-m", "htlctop", "--store", home / "start.db", "--rpcserver", "127.0.0.1:1",
        "--tlscertpath", home / "tls.cert", "--macaroonpath", home / "readonly.macaroon",
        home=home,
    ) as app:  # fmt: skip
        got = app.read(30, _PAINTED)
        took = time.monotonic() - app.began_s
    if _PAINTED not in got:
        raise RuntimeError("the app painted nothing in 30 s")
    return took


def _heavy_modules() -> list[str]:
    output = children.run("-c", _MODULES).output
    loaded = set(json.loads(output.splitlines()[-1]))
    return [name for name in _HEAVY if name in loaded]
