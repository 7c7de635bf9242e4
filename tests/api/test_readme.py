"""The example in README, exactly as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

from htlctop.sim.recordings import TRAFFIC
from tests.collector.test_command import environment
from tests.nodes import simulated

README = Path(__file__).parents[2] / "README.md"


def test_the_example_runs_against_a_node(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "example.py").write_text(example, encoding="utf-8")
    options = ("--recording", str(TRAFFIC), "--speed", "5")
    with simulated(tmp_path / "node", *options) as node:
        ran = subprocess.run(
            [sys.executable, "example.py"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            env=environment(
                HTLCTOP_RPCSERVER=node.rpcserver, HTLCTOP_TLSCERTPATH=str(node.tls_cert_path),
                HTLCTOP_MACAROONPATH=str(node.macaroon_path), HTLCTOP_NETWORK="simnet",
                PYTHONPATH=str(README.parent),
            ),
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    said = ran.stdout.splitlines()
    assert any(re.fullmatch(r"\w+ → \w+: SETTLED \d+ msat", line) for line in said)
    assert any(re.fullmatch(r"hub missed \d+ and earned \d+ msat", line) for line in said)
    assert any(re.fullmatch(r"\d+x\d+x\d+ to \w+: \d+ refused", line) for line in said)
    assert said[-1] == "0 callback errors, 0 events dropped"
