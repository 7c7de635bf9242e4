"""The recordings that come with the package."""

from pathlib import Path

TRAFFIC = Path(__file__).parent / "data" / "traffic-0.21.2.jsonl.gz"
"""Four minutes of a real node's traffic: 2,537 forwards by known payers."""
