"""The table of opportunities: what to do about whom, what it is worth, how sure that is."""

from htlctop.analysis.advice.models import Confidence, Kind, Opportunity
from htlctop.export.advice import round_sat, short_word
from htlctop.export.format import count
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.advice import per_month
from htlctop.ui.paint.parts import called, spelled
from htlctop.ui.table.columns import Column
from htlctop.ui.text import Piece, Role

_SURE = {Confidence.LOW: Role.DIM, Confidence.MEDIUM: Role.TEXT, Confidence.HIGH: Role.GOOD}
_URGENT_FROM = 70


def key(one: Opportunity) -> tuple[str, int]:
    """The identity of a piece of advice: its kind and its peer."""
    return one.kind.value, one.peer


def columns(glyphs: Glyphs) -> tuple[Column[Opportunity], ...]:
    """Every column of the table, in the order shown."""

    def who(one: Opportunity, width: int) -> Piece:
        return called(one.alias, one.pubkey, one.peer, glyphs), Role.TEXT

    def do(one: Opportunity, width: int) -> Piece:
        return short_word(one.kind), Role.WARN

    def worth(one: Opportunity, width: int) -> Piece:
        return round_sat(one.worth_msat), Role.STRONG

    def month(one: Opportunity, width: int) -> Piece:
        role = Role.DIM if one.per_30d_msat is None else Role.TEXT
        return spelled(per_month(one), glyphs), role

    def urgency(one: Opportunity, width: int) -> Piece:
        total = one.urgency.total
        return str(total), Role.BAD if total >= _URGENT_FROM else Role.TEXT

    def confidence(one: Opportunity, width: int) -> Piece:
        return one.confidence.value, _SURE[one.confidence]

    def amount(one: Opportunity, width: int) -> Piece:
        return (round_sat(one.amount_msat) if one.amount_msat else ""), Role.TEXT

    def ceiling(one: Opportunity, width: int) -> Piece:
        if one.ceiling_ppm is None:
            return "", Role.TEXT
        if one.kind is Kind.REBALANCE_OUTBOUND or one.break_even_ppm is None:
            return f"max {count(one.ceiling_ppm)}", Role.TEXT
        return f"{count(one.break_even_ppm)}{glyphs.arrow}{count(one.ceiling_ppm)}", Role.TEXT

    return (
        Column("name", "PEER", 16, 0, who, to_left=True),
        Column("do", "DO", 5, 1, do, to_left=True),
        Column("worth", "WORTH", 6, 2, worth),
        Column("month", "PER 30 D", 9, 3, month),
        Column("amount", "AMOUNT", 7, 5, amount),
        Column("ceiling", "PPM", 11, 6, ceiling),
        Column("urgency", "URGENCY", 7, 4, urgency),
        Column("confidence", "CONFIDENCE", 10, 7, confidence, to_left=True),
    )
