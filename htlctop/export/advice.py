"""Advice in words: one sentence for each opportunity, and a word for where there is no room.

Names are cleaned here; amounts are sat as people write them.
"""

from collections.abc import Callable, Iterable

from htlctop.analysis.advice.models import Advice, Figure, Kind, NotAdvised, Opportunity
from htlctop.export.format import (
    LONGEST_LINE,
    clean,
    count,
    name,
    percent,
    sat,
    short_sat,
    span,
    stamp,
)

_SHORT = {
    Kind.REBALANCE_OUTBOUND: "fill",
    Kind.RAISE_FEES: "fees+",
    Kind.LOWER_FEES: "fees-",
    Kind.INCREASE_CAPACITY: "grow",
    Kind.REBALANCE_INBOUND: "drain",
    Kind.RAISE_MAX_HTLC: "max",
    Kind.ALIGN_CHANNELS: "align",
    Kind.RECONNECT_PEER: "wake",
    Kind.INVESTIGATE: "look",
}


BEFORE_COSTS = " before costs"
_MOST_NOT_ADVISED = 5
"""In a report; those with which most was missed."""


def short_word(kind: Kind) -> str:
    """What to do in at most five characters, for a column."""
    return _SHORT[kind]


def sentence(item: Opportunity) -> str:
    """What to do, and what it is worth, in one line that needs no explanation."""
    return f"{_DO[item.kind](item)}{worth(item)}"


def worth(item: Opportunity) -> str:
    """What it brings in a month, to end a sentence with; "" where that cannot be said yet. What
    following it costs is not taken off."""
    if item.per_30d_msat is None:
        return ""
    costs = BEFORE_COSTS if item.costs_at_most_sat is not None else ""
    return f", worth {month_range(*item.per_30d_msat)} sat a month{costs}"


def month_range(low_msat: int, high_msat: int) -> str:
    """A range in sat, with one unit where both ends have the same."""
    low, high = (round_sat(msat) for msat in (low_msat, high_msat))
    if low == high:
        return low
    if low[-1:] == high[-1:] and not high[-1:].isdigit():
        return f"{low[:-1]}–{high}"
    return f"{low}–{high}"


def round_sat(msat: int) -> str:
    """Msat in sat, in at most five characters; a part of a sat is "<1"."""
    if 0 < msat < 500:
        return "<1"
    amount = (msat + 500) // 1000
    return short_sat(amount) if amount < 1000 else _thousands(amount)


def why(item: Opportunity) -> str:
    """The figures an opportunity came from, in one line."""
    return "; ".join(f"{figure.name} {value(figure)}" for figure in item.evidence)


def value(figure: Figure) -> str:
    """A figure's value with its unit, as people read it."""
    shown, unit = figure.value, figure.unit
    if shown is None:
        return "unknown"
    if unit == "msat" and isinstance(shown, int):
        return f"{sat(shown)} sat"
    if isinstance(shown, str):
        return clean(shown, LONGEST_LINE)
    if isinstance(shown, float) and not unit and 0 <= shown <= 1:
        return percent(shown, 1)
    text = f"{shown:,}" if isinstance(shown, int) else f"{shown:,.4g}"
    return f"{text} {unit}".rstrip()


def notes(advice: Advice) -> Iterable[tuple[str, str]]:
    """What a report says of its advice: labels and sentences, what to do ranked."""
    for each in (advice.too_early, advice.why_none):
        if each:
            yield "advice", each
    if advice.opportunities:
        window = advice.window
        yield (
            "advice",
            f"of what was seen since {stamp(window.from_ns)}, watched {span(window.covered_ns)}",
        )
    for number, item in enumerate(advice.opportunities, 1):
        said = f"urgency {item.urgency.total}, confidence {item.confidence.value}"
        yield f"{_heading(advice)} {number}", f"{sentence(item)} ({said})"
    if advice.opportunities and advice.hidden:
        yield "", _hidden(advice)
    for other in advice.not_advised[:_MOST_NOT_ADVISED]:
        yield "no advice", not_advised(other)


def not_advised(item: NotAdvised) -> str:
    """Why nothing is advised about a peer, in one sentence."""
    return f"{name(item.alias, item.pubkey, item.peer)}: {clean(item.because, LONGEST_LINE)}"


def _hidden(advice: Advice) -> str:
    more = "1 more is" if advice.hidden == 1 else f"{count(advice.hidden)} more are"
    return f"{more} worth too little to show"


def _heading(advice: Advice) -> str:
    return "so far" if advice.too_early else "do"


def advice_text(advice: Advice) -> str:
    """The advice for a terminal: each opportunity, and under it what it rests on."""
    window, node = advice.window, advice.node
    whose = name(node.alias, node.pubkey) if node.pubkey else "no node yet"
    lines = [
        f"{whose}: what to do, from {stamp(window.from_ns)} "
        f"to {stamp(window.until_ns)}, watched {span(window.covered_ns)}"
    ]
    lines += [text for text in (advice.too_early, advice.why_none) if text]
    if advice.too_early and advice.opportunities:
        lines.append("so far it looks like this; there is nothing to act on yet")
    for number, item in enumerate(advice.opportunities, 1):
        lines += [
            "",
            f"{number}. {sentence(item)}",
            "   " + "; ".join(filter(None, (most_it_costs(item), badge(item)))),
        ]
        lines += [f"   {clean(f.name)}: {value(f)}{_how(f)}" for f in item.evidence]
    if advice.hidden:
        lines += ["", _hidden(advice)]
    if advice.not_advised:
        lines += ["", "nothing is advised about", *map(not_advised, advice.not_advised)]
    return "\n".join(lines) + "\n"


def most_it_costs(item: Opportunity) -> str:
    """The most that following it once may cost in fees, in words; "" where there is no such limit.
    A month is worth many refills, and each one costs."""
    cost = item.costs_at_most_sat
    return "" if cost is None else f"costs at most {count(cost)} sat each time"


def badge(item: Opportunity, *, brief: bool = False) -> str:
    """The urgency with its parts (brief: without their names), and the confidence."""
    of = item.urgency
    parts = (
        f"{of.revenue}+{of.frequency}+{of.rate}"
        if brief
        else f"{of.revenue} revenue + {of.frequency} frequency + {of.rate} rate"
    )
    return f"urgency {of.total} = {parts}, confidence {item.confidence.value}"


def _how(figure: Figure) -> str:
    return f" = {clean(figure.formula, len(figure.formula))}" if figure.formula else ""


def _who(item: Opportunity) -> str:
    return name(item.alias, item.pubkey, item.peer)


def _amount(item: Opportunity) -> str:
    return f"{_thousands((item.amount_msat or 0) // 1000)} sat"


def _ppm(rate: int | None) -> str:
    return f"{count(rate or 0)} ppm"


def _rates(item: Opportunity) -> str:
    return f"{count(item.break_even_ppm or 0)} to {_ppm(item.ceiling_ppm)}"


def _fill(item: Opportunity) -> str:
    source = ""
    if item.source is not None:
        source = f" from {name(item.source_alias, item.source_pubkey, item.source)}"
    price = f"below {_ppm(item.ceiling_ppm)}" if item.ceiling_ppm else "if it costs nothing"
    return f"bring {_amount(item)} into {_who(item)}{source} {price}"


def _raise(item: Opportunity) -> str:
    return (
        f"raise the fee toward {_who(item)} from {_rates(item)}: it runs dry, and a price is free "
        "to change"
    )


def _lower(item: Opportunity) -> str:
    base = next((f.value for f in item.evidence if f.name == "base fee asked now"), 0)
    if base:
        return (
            f"ask {_ppm(item.ceiling_ppm)} and no base fee toward {_who(item)} (on average it is "
            f"{_ppm(item.break_even_ppm)} now): those who offered less would bring more in all"
        )
    return (
        f"lower the fee toward {_who(item)} from {_rates(item)}: "
        "those who offered less would bring more in all"
    )


def _grow(item: Opportunity) -> str:
    return (
        f"open a channel of {_amount(item)} to {_who(item)}: what it has is too small "
        "(on-chain fee and capital come on top)"
    )


def _drain(item: Opportunity) -> str:
    target = next((f.value for f in item.evidence if f.name == "refill with it"), None)
    how = (
        f"use its sat to refill {clean(str(target))}"
        if target
        else "lower our fee toward it, so that payments leave by it"
    )
    return f"make room for {_amount(item)} from {_who(item)}, which is full on our side: {how}"


def _max(item: Opportunity) -> str:
    many = "its channels" if len(item.channels) > 1 else "the channel"
    return f"raise max_htlc of {many} to {_who(item)} to {_amount(item)}"


def _align(item: Opportunity) -> str:
    if item.amount_msat:
        return f"give all channels to {_who(item)} a max_htlc of {_amount(item)}"
    fee, other = item.ceiling_ppm, item.break_even_ppm
    if fee is not None and other is not None and fee != other:
        like = "cheapest" if fee < other else "dearest"
        return f"ask the same fee on all channels to {_who(item)}: {_ppm(fee)}, like the {like}"
    return f"ask the same fee on all channels to {_who(item)}: they differ in the base fee"


def _wake(item: Opportunity) -> str:
    facts = {figure.name: figure.value for figure in item.evidence}
    hours = facts.get("watched hours away")
    away = f", away for {hours:.1f} h" if isinstance(hours, float) and hours >= 0.1 else ""
    if facts.get("away now") == "yes":
        return f"reconnect {_who(item)}{away}"
    return f"keep {_who(item)} connected{away}: look why it drops"


def _look(item: Opportunity) -> str:
    kinds = [f for f in item.evidence if f.name.startswith("refused: ")]
    seen = ", ".join(f"{value(f)} × {f.name.removeprefix('refused: ')}" for f in kinds)
    unknown = any(f.name == "of these with unknown fee" for f in item.evidence)
    return (
        f"look at the channels to {_who(item)}: they refuse for want of slots or reserve ({seen})"
        + ("; their fee is unknown" if unknown else "")
    )


_DO: dict[Kind, Callable[[Opportunity], str]] = {
    Kind.REBALANCE_OUTBOUND: _fill,
    Kind.RAISE_FEES: _raise,
    Kind.LOWER_FEES: _lower,
    Kind.INCREASE_CAPACITY: _grow,
    Kind.REBALANCE_INBOUND: _drain,
    Kind.RAISE_MAX_HTLC: _max,
    Kind.ALIGN_CHANNELS: _align,
    Kind.RECONNECT_PEER: _wake,
    Kind.INVESTIGATE: _look,
}


def _thousands(amount: int) -> str:
    """950, 4.2k, 45k, 1.2M, 120M: two or three digits."""
    for unit, letter in ((1, ""), (10**3, "k"), (10**6, "M")):
        tenths = (amount * 10 + unit // 2) // unit
        if tenths < 9_995:
            return _tenths(tenths) + letter
    return _tenths((amount * 10 + 10**9 // 2) // 10**9) + "G"


def _tenths(tenths: int) -> str:
    if tenths % 10 == 0 or tenths >= 100:
        return str((tenths + 5) // 10)
    return f"{tenths // 10}.{tenths % 10}"
