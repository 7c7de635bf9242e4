"""What a version of LND cannot tell, and what htlctop does instead."""

import re


def parse(version: str) -> tuple[int, int, int] | None:
    """ "0.21.2-beta commit=…" as (0, 21, 2); None for what is no version."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def shortcomings(version: tuple[int, int, int]) -> tuple[str, ...]:
    """One sentence each, none for a version that tells all there is."""
    found = []
    if version < (0, 20, 0):
        found.append(
            "its history has no HTLC ids (from 0.20), so after a gap settled forwards are matched "
            "by channels, amounts and time"
        )
    if version < (0, 21, 0):
        found.append("it sends no live balances (from 0.21), so they are up to 30 s old")
    if version < (0, 20, 3) or (0, 21, 0) <= version < (0, 21, 2):
        found.append(
            "it does not say which channel had no free HTLC slot (from 0.20.3 and 0.21.2), so "
            "those refusals are counted without a peer"
        )
    return tuple(found)
