"""Advice and changes as JSON: amounts integer msat, times RFC 3339 UTC, ids text."""

import json
from collections.abc import Iterable

from htlctop.analysis.advice.models import Advice, Figure, NotAdvised, Opportunity
from htlctop.analysis.details import Change
from htlctop.domain.types import NS
from htlctop.export.advice import sentence
from htlctop.export.format import LONGEST_LINE, clean, utc

Json = dict[str, object]


def advice_file(advice: Advice) -> str:
    """The advice alone as JSON."""
    return json.dumps(advice_json(advice), indent=2, ensure_ascii=False) + "\n"


def advice_json(advice: Advice) -> Json:
    """The part of a report that is advice: the opportunities, what they rest on, and (where there
    are such peers) why nothing is advised about some."""
    others = [_not_advised(item) for item in advice.not_advised]
    return {
        "opportunities": [opportunity_json(item) for item in advice.opportunities],
        "advice": {
            "from": utc(advice.window.from_ns),
            "to": utc(advice.window.until_ns),
            "covered_s": round(advice.window.covered_ns / NS, 3),
            "hidden": advice.hidden,
            "too_early": advice.too_early,
            "why_none": advice.why_none,
            **({"not_advised": others} if others else {}),
        },
    }


def opportunity_json(item: Opportunity) -> Json:
    """One opportunity: amounts integer msat, ids text."""
    return {
        "kind": item.kind.value,
        "peer": item.pubkey,
        "alias": clean(item.alias),
        "channels": list(item.channels),
        "worth_msat": item.worth_msat,
        "per_30d_msat": None if item.per_30d_msat is None else list(item.per_30d_msat),
        "urgency": {
            "total": item.urgency.total,
            "revenue": item.urgency.revenue,
            "frequency": item.urgency.frequency,
            "rate": item.urgency.rate,
        },
        "confidence": item.confidence.value,
        "amount_msat": item.amount_msat,
        "break_even_ppm": item.break_even_ppm,
        "ceiling_ppm": item.ceiling_ppm,
        "source": item.source_pubkey,
        "source_alias": clean(item.source_alias),
        "sentence": sentence(item),
        "evidence": _evidence_json(item.evidence),
    }


def _not_advised(item: NotAdvised) -> Json:
    return {
        "peer": item.pubkey,
        "alias": clean(item.alias),
        "because": clean(item.because, LONGEST_LINE),
        "worth_msat": item.worth_msat,
        "evidence": _evidence_json(item.evidence),
    }


def change_json(change: Change) -> Json:
    """One change with what was missed per watched hour before and after it."""
    return {
        "at": utc(change.at_ns),
        "kind": change.kind.value,
        "alias": clean(change.alias),
        "scid": change.scid or None,
        "before": change.before,
        "after": change.after,
        "text": clean(change.text, LONGEST_LINE),
        "rate_before_msat": change.rate_before_msat,
        "rate_after_msat": change.rate_after_msat,
    }


def _evidence_json(figures: Iterable[Figure]) -> Json:
    """name (unit) -> value; several of one name become a list."""
    found: Json = {}
    for figure in figures:
        unit = f" ({figure.unit})" if figure.unit else ""
        key = f"{clean(figure.name)}{unit}"
        shown = clean(figure.value) if isinstance(figure.value, str) else figure.value
        known = found.get(key)
        if key in found:
            found[key] = [*known, shown] if isinstance(known, list) else [known, shown]
        else:
            found[key] = shown
    return found
