"""HTLCs as they happen, a line each: aligned text for people, and the JSON lines contract
`htlctop-monitor/1` for programs.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from htlctop.analysis.models import HtlcLine
from htlctop.analysis.status import StatusView
from htlctop.domain.codes import Category, Group, Outcome
from htlctop.export.format import LONGEST_LINE, cells, clean, clock_seconds, count, sat, span, utc
from htlctop.export.htlc import ends, note, outcome

SCHEMA = "htlctop-monitor/1"
_NAME, _AMOUNT, _FEE, _WHAT = 18, 14, 11, 12
HEADING = (
    f"{'TIME':<8}  {'FROM':<{_NAME}}   {'TO':<{_NAME}}"
    f"{'AMOUNT SAT':>{_AMOUNT}}{'FEE SAT':>{_FEE}}  WHAT"
)

Json = dict[str, object]


def is_shown(line: HtlcLine) -> bool:
    """Whether it is a forward that has settled, or one that we refused."""
    if line.category is None:
        return False
    if line.outcome is Outcome.SETTLED:
        return line.category is Category.SETTLED
    return line.outcome is Outcome.REFUSED and line.category.group is not Group.OWN


@dataclass
class Tally:
    """What the lines shown so far add up to; amounts in msat.

    `asked_msat` is what refused forwards that could have earned had offered, every try counted;
    `offered_msat` what those offered that were refused for their price; `fee_unknown` counts
    the lost ones whose amounts LND did not tell.
    """

    settled: int = 0
    earned_msat: int = 0
    refused: int = 0
    asked_msat: int = 0
    offered_msat: int = 0
    fee_unknown: int = 0
    categories: Counter[Category] = field(default_factory=Counter)

    def add(self, line: HtlcLine) -> None:
        """Count one more that `is_shown`."""
        category, fee = line.category, line.fee_msat or 0
        if category is None:
            return
        if line.outcome is Outcome.SETTLED:
            self.settled += 1
            self.earned_msat += fee
            return
        self.refused += 1
        self.categories[category] += 1
        if category.group is Group.LOST:
            self.asked_msat += fee
            self.fee_unknown += line.fee_msat is None
        elif category.group is Group.PRICED_OUT:
            self.offered_msat += fee


def line_text(line: HtlcLine) -> str:
    """One HTLC in aligned columns; the time is that of its first event."""
    amount = "" if line.amount_msat is None else sat(line.amount_msat)
    fee = "unknown" if line.fee_msat is None else sat(line.fee_msat)
    source, target = map(_cell, ends(line))
    text = (
        f"{clock_seconds(line.at_ns)}  {source} → {target}"
        f"{amount:>{_AMOUNT}}{fee:>{_FEE}}  {outcome(line):<{_WHAT}}"
    )
    return f"{text} {note(line)}".rstrip()


def line_json(line: HtlcLine) -> str:
    """One HTLC as a JSON object on one line."""
    return _json(
        {
            "type": "htlc",
            "seq": line.seq,
            "at": utc(line.at_ns),
            "ended": None if line.ended_ns is None else utc(line.ended_ns),
            "outcome": line.outcome.name.lower(),
            "category": line.category.label if line.category else None,
            "group": line.category.group.label if line.category else None,
            "in": {"alias": clean(line.in_alias), "scid": line.in_scid or None},
            "out": {"alias": clean(line.out_alias), "scid": line.out_scid or None},
            "amount_msat": line.amount_msat,
            "fee_msat": line.fee_msat,
            "wire_failure": line.wire_failure,
            "failure_detail": line.failure_detail,
            "short_msat": line.short_msat,
            "retry_of": None if line.retry_of_ns is None else utc(line.retry_of_ns),
            "repeat": line.repeat,
        }
    )


def status_text(status: StatusView) -> str:
    """What the collector is doing, for a person."""
    reason = clean(status.reason, LONGEST_LINE)
    return f"{status.state.value}: {reason}" if reason else status.state.value


def status_json(status: StatusView, at_ns: int) -> str:
    """A change of what the collector is doing."""
    reason = clean(status.reason, LONGEST_LINE)
    return _json(
        {"type": "status", "at": utc(at_ns), "state": status.state.value, "reason": reason}
    )


def start_json(store: str, at_ns: int) -> str:
    """The first line."""
    return _json({"type": "start", "schema": SCHEMA, "at": utc(at_ns), "store": store})


def totals_text(tally: Tally, from_ns: int, until_ns: int, dropped: int) -> str:
    """What was shown, added up."""
    reasons = ", ".join(f"{n:,} {category.label}" for category, n in tally.categories.most_common())
    unknown = f" ({count(tally.fee_unknown)} of unknown fee)" if tally.fee_unknown else ""
    lines = [
        f"in {span(until_ns - from_ns)}",
        f"  settled  {count(tally.settled)}, earned {sat(tally.earned_msat)} sat",
        f"  refused  {count(tally.refused)}" + (f": {reasons}" if reasons else ""),
        f"  lost     every try {sat(tally.asked_msat)} sat{unknown}; "
        f"priced out {sat(tally.offered_msat)} sat offered",
    ]
    if dropped:
        lines.append(f"  not shown: {count(dropped)} HTLCs came faster than they could be written")
    return "\n".join(lines)


def totals_json(tally: Tally, from_ns: int, until_ns: int, dropped: int) -> str:
    """The last line."""
    categories: Mapping[str, int] = {
        category.label: n for category, n in tally.categories.most_common()
    }
    return _json(
        {
            "type": "totals",
            "from": utc(from_ns),
            "to": utc(until_ns),
            "settled": tally.settled,
            "earned_msat": tally.earned_msat,
            "refused": tally.refused,
            "categories": categories,
            "asked_msat": tally.asked_msat,
            "offered_msat": tally.offered_msat,
            "fee_unknown": tally.fee_unknown,
            "dropped": dropped,
        }
    )


def _json(document: Json) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _cell(text: str) -> str:
    """A name in a column of its own, whatever its letters' width."""
    kept = ""
    for char in text:
        if cells(kept + char) > _NAME:
            break
        kept += char
    return kept + " " * (_NAME - cells(kept))
