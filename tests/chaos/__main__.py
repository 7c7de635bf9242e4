"""`python -m tests.chaos [--seed N] [--minutes 9] [--rate 500] [--keep DIR]`"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.judge import Verdict
from tests.chaos.run import Plan, run


def show(verdict: Verdict) -> int:
    """Print the table; returns the exit code."""
    width = max(map(len, verdict.facts))
    for name, value in verdict.facts.items():
        print(f"{name:<{width}}  {value}")
    for kind, count in verdict.counts.items():
        print(f"VIOLATION  {kind}: {count}")
    for example in verdict.violations:
        print(f"  {example}")
    if not verdict.counts:
        print("no violation")
    return 1 if verdict.counts else 0


def main() -> int:
    """Run and judge; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--faults", type=float, default=12.0, help="the node's, a minute")
    parser.add_argument("--keep", type=Path, help="where to keep the store and the log")
    given = parser.parse_args()
    plan = Plan(given.seed, given.minutes * 60, given.rate, given.faults)
    if given.keep:
        given.keep.mkdir(parents=True)
        return show(run(plan, given.keep))
    with tempfile.TemporaryDirectory(prefix="htlctop-chaos-") as folder:
        return show(run(plan, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
