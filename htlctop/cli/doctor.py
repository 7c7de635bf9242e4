"""`htlctop doctor`: is everything in order, and if not, what mends it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from htlctop import __version__
from htlctop.cli.options import connection, node_options, store_option, store_path
from htlctop.errors import ConfigError

if TYPE_CHECKING:
    from htlctop.doctor.check import Check

SCHEMA = "htlctop-doctor/1"
_LOOKS = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


@click.command("doctor")
@node_options
@store_option
@click.option("--json", "as_json", is_flag=True, help="All checks as one JSON object.")
def command(store: Path | None, as_json: bool, **flags: str | None) -> None:
    """Check credentials, connection, permissions, the node, the store and the terminal.

    Reads only. Exits with 0 when nothing failed, else with the exit code of the first failure.
    """
    checks: list[Check] = []

    async def run() -> None:
        async for check in _checks(store, flags):
            checks.append(check)
            if not as_json:
                _show(check)

    asyncio.run(run())
    code = next((check.exit_code for check in checks if check.exit_code), 0)
    if as_json:
        found = {
            "schema": SCHEMA,
            "htlctop": __version__,
            "exit_code": code,
            "checks": [asdict(check) for check in checks],
        }
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    sys.exit(code)


async def _checks(store: Path | None, flags: dict[str, str | None]) -> "AsyncIterator[Check]":
    from htlctop.doctor.check import fail
    from htlctop.doctor.examine import examine
    from htlctop.doctor.local import check_store, check_terminal

    try:
        node = connection(**flags)
    except ConfigError as error:
        yield fail("options", error)
        for check in check_store(store_path(store, None)):
            yield check
        yield check_terminal(os.environ)
        return
    async for check in examine(node, store_path(store, node.network), os.environ):
        yield check


def _show(check: "Check") -> None:
    word, colour = _LOOKS.get(check.verdict, ("-", "white"))
    click.echo(f"{click.style(f'{word:<5}', fg=colour)} {check.name:<12} {check.text}")
    if check.mend:
        click.echo(f"{'':18} → {check.mend}")
