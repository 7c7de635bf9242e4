"""One HTLC in words, the same in a log on screen, in a pipe and in a file."""

from htlctop.analysis.models import HtlcLine
from htlctop.domain.codes import Category, EventType, Outcome
from htlctop.export.format import clock_seconds, name, sat, short_sat


def ends(line: HtlcLine) -> tuple[str, str]:
    """Whom an HTLC came from and where it was to go; our own ends are "us"."""
    source = "us" if line.event_type == EventType.SEND else _end(line.in_alias, line.in_scid)
    target = "us" if line.event_type == EventType.RECEIVE else _end(line.out_alias, line.out_scid)
    return source, target


def outcome(line: HtlcLine) -> str:
    """What became of an HTLC, in a word."""
    if line.outcome is Outcome.UNSEEN:
        return "unknown"
    if line.outcome in (Outcome.SETTLED, Outcome.DOWNSTREAM):
        return line.outcome.name.lower()
    if line.outcome is Outcome.NONE or line.category is None:
        return "in flight"
    if line.category is Category.OTHER:
        return f"other {line.wire_failure}/{line.failure_detail}"
    return line.category.label


def note(line: HtlcLine, most: int = 80) -> str:
    """How much it lacked, and whether it is a payment's later try; "" for neither. In `most`
    signs: the amount is shortened first, then one of the two is left out."""
    exact, rough, again = "", "", ""
    if line.short_msat is not None and line.short_msat > 0:
        exact = f"short {sat(line.short_msat)}"
        rough = f"short {short_sat(line.short_msat // 1000)}"
    if line.repeat:
        again = "repeat"
    elif line.retry_of_ns is not None:
        again = f"retry of {clock_seconds(line.retry_of_ns)}"
    both = ("  ".join(filter(None, (short, again))) for short in (exact, rough))
    return next((text for text in (*both, exact, again) if len(text) <= most), "")


def _end(alias: str, scid: str) -> str:
    return name(alias, None) if alias.strip() else scid or "?"
