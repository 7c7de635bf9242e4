"""README: its example runs as it stands there, and it names what there is and no more."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from htlctop.cli import cli
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


OF_OTHERS = {
    "--user",
    "--now",
    "--cov",
    "--dist",
    "--in",
    "--amount",
    "--max-fee-rate",
    "--save_to",
}
"""Options of systemctl, pytest, bos and lncli that it names too."""


def commands(command: click.Command, name: str = "htlctop") -> Iterator[tuple[str, list[set[str]]]]:
    """Every command with the names that each of its options has."""
    context = click.Context(command)
    options = [p for p in command.get_params(context) if isinstance(p, click.Option)]
    yield name, [{*o.opts, *o.secondary_opts} for o in options if not o.hidden]
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from commands(found, f"{name} {each}")


def test_every_command_and_option_is_named_and_none_that_is_not_there() -> None:
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z_-]*", text))
    there = set().union(*(names for _, options in commands(cli) for names in options))
    for name, options in commands(cli):
        # The screen is what runs without a command; its name is never needed.
        assert name in text or name == "htlctop app"
        missing = [names for names in options if not names & named - {"-f", "-n", "-p"}]
        assert not [m for m in missing if not m & {"--help", "--version"}], name
    assert {one for one in named if one.startswith("--")} <= there | OF_OTHERS
