"""`htlctop sim`: a made-up node, or a recorded one, that any LND client can be pointed at."""

import asyncio
from pathlib import Path

import click

from htlctop.errors import UsageError


@click.command("sim")
@click.option(
    "--dir", "directory", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Where tls.cert and readonly.macaroon are written.",
)  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option(
    "--recording", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Play what a real node said, instead of a made-up one.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which node.")
@click.option(
    "--channels", type=click.IntRange(16, 20_000), default=60, show_default=True, metavar="N",
    help="How many channels the made-up node has.",
)  # fmt: skip
@click.option(
    "--hours", type=click.FloatRange(min=0, min_open=True), metavar="H",
    help="After H hours of its time the made-up node falls silent.  [default: never]",
)  # fmt: skip
@click.option(
    "--truth", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Log what the made-up node's payers did: each payment with every attempt.",
)  # fmt: skip
@click.option("--speed", default="1", show_default=True, metavar="N|max", help="Times as fast.")
@click.option("--verbatim", is_flag=True, help="Leave times as recorded at speed 1 too.")
@click.option("--lossy", is_flag=True, help="Time runs on while nobody is subscribed, as in LND.")
@click.option(
    "--break", "break_after", type=click.IntRange(min=1), metavar="N",
    help="Break the stream after message N, once.",
)  # fmt: skip
@click.option(
    "--faults", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="What goes wrong when, JSON lines; see htlctop/sim/faults.py.",
)  # fmt: skip
@click.option("--faults-seed", type=int, metavar="N", help="Faults at random, the same for one N.")
@click.option(
    "--faults-rate", type=click.FloatRange(min=0, min_open=True), default=6.0, show_default=True,
    metavar="N", help="How many of those a minute.",
)  # fmt: skip
@click.option(
    "--told", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Log what was told to whom and when, and what went wrong.",
)  # fmt: skip
@click.option("--start-at", type=click.FloatRange(0, 1), default=0.0, hidden=True)
@click.option("--history", type=click.FloatRange(min=0), default=0.0, hidden=True)
@click.option("--shift-ns", type=int, hidden=True)
@click.option("--exit-with-parent", is_flag=True, hidden=True)
def command(
    directory: Path,
    port: int,
    recording: Path | None,
    seed: int,
    channels: int,
    hours: float | None,
    truth: Path | None,
    speed: str,
    verbatim: bool,
    lossy: bool,
    break_after: int | None,
    faults: Path | None,
    faults_seed: int | None,
    faults_rate: float,
    told: Path | None,
    start_at: float,
    history: float,
    shift_ns: int | None,
    exit_with_parent: bool,
) -> None:
    """Simulate a read-only LND on the loopback: TLS, a macaroon, real gRPC.

    Prints its address. It begins with the first subscription and waits while nobody is subscribed.
    At speed 1 it plays as if it happened now, and a made-up node is busy enough to watch; at any
    other it is a replay and says so, of some 1,700 HTLCs a day.
    """
    from htlctop.sim.server import SimOptions, SyntheticOptions, serve

    if faults is not None and faults_seed is not None:
        raise UsageError("use one of --faults and --faults-seed")
    if recording is not None and (truth is not None or hours is not None):
        raise UsageError("--truth and --hours are for a made-up node, not for a recording")
    synthetic = SyntheticOptions(seed, channels, history, hours, shift_ns, truth)

    asyncio.run(
        serve(
            SimOptions(
                plays=recording or synthetic,
                directory=directory,
                port=port,
                speed=parse_speed(speed),
                verbatim=verbatim,
                lossy=lossy,
                break_after=break_after,
                start_at=start_at,
                exit_with_parent=exit_with_parent,
                faults=faults,
                faults_seed=faults_seed,
                faults_per_minute=faults_rate,
                told=told,
            )
        )
    )


def parse_speed(text: str) -> float | None:
    """ "max" is None, else a factor above 0. Raises UsageError."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e6:
        raise UsageError(f"--speed {text}: give a number above 0, or max")
    return speed
