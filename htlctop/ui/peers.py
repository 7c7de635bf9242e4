"""The Overview's table: peers with their channels under them, column by column."""

from collections.abc import Sequence

from htlctop.analysis.models import ChannelRow, PeerRow, SortKey
from htlctop.export.format import ascii_only, count, name, percent, sat, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.why import short
from htlctop.ui.subject import Subject, channel, peer
from htlctop.ui.table.columns import Column
from htlctop.ui.text import Piece, Role

Row = PeerRow | ChannelRow
DRY = 10
"""Less than this part (1/10) on our side is dry."""


def key(row: Row) -> Subject:
    """The identity of a row through every refresh: what it is about."""
    return peer(row.peer) if isinstance(row, PeerRow) else channel(row.channel)


def children(row: Row) -> Sequence[Row]:
    """A peer's channels; a channel has none."""
    return row.channels if isinstance(row, PeerRow) else ()


def money(msat: int, width: int) -> str:
    """An amount in `width` cells, shortened where it is too large."""
    text = sat(msat)
    return text if len(text) <= width else short_sat((msat + 500) // 1000)


def columns(glyphs: Glyphs) -> tuple[Column[Row], ...]:
    """Every column of the table, in the order shown."""

    def amount(title: str, wide: int, rank: int, sort: SortKey, of: str) -> Column[Row]:
        def paint(row: Row, width: int) -> Piece:
            value: int = getattr(row.sums, of)
            strong = sort is SortKey.MISSED and isinstance(row, PeerRow)
            return money(value, width) if value else glyphs.dot, _weight(value, strong)

        return Column(of, title, wide, rank, paint, sort)

    def number(title: str, wide: int, rank: int, sort: SortKey, of: str) -> Column[Row]:
        def paint(row: Row, width: int) -> Piece:
            value: int = getattr(row.sums, of)
            return count(value) if value else glyphs.dot, _weight(value, False)

        return Column(of, title, wide, rank, paint, sort)

    def title(row: Row, width: int) -> Piece:
        if isinstance(row, ChannelRow):
            return f" {glyphs.child} {row.scid}", Role.TEXT
        text = name(row.alias, row.pubkey, row.peer)
        return (ascii_only(text) if glyphs.ascii else text), Role.TEXT

    def scid(row: Row, width: int) -> Piece:
        if isinstance(row, ChannelRow):
            state = "" if row.is_active else "inactive"
            return (state if row.is_open else "closed"), Role.DIM
        if len(row.channels) > 1:
            return f"{glyphs.several}{len(row.channels)}", Role.TEXT
        return (row.channels[0].scid if row.channels else ""), Role.TEXT

    def local(row: Row, width: int) -> Piece:
        if not row.capacity_sat or row.local_sat is None:
            return "", Role.DIM
        role = Role.WARN if row.local_sat * DRY < row.capacity_sat else Role.TEXT
        return percent(row.local_sat, row.capacity_sat), role

    def balance(row: Row, width: int) -> Piece:
        if not row.capacity_sat or row.local_sat is None:
            return "", Role.DIM
        bar = glyphs.bar(row.local_sat / row.capacity_sat, width - 2)
        return f"{glyphs.bar_left}{bar}{glyphs.bar_right}", Role.BAR

    def why(row: Row, width: int) -> Piece:
        return short(row.why), Role.WARN

    def settle(row: Row, width: int) -> Piece:
        return (percent(row.settle_rate, 1) if isinstance(row, PeerRow) else ""), Role.TEXT

    bar_title = glyphs.bar_left + glyphs.rule * 6 + glyphs.bar_right
    return (
        Column("name", "PEER", 16, 0, title, SortKey.NAME, to_left=True),
        Column("channel", "CHANNEL", 14, 6, scid, to_left=True),
        amount("MISSED", 9, 0, SortKey.MISSED, "expected_msat"),
        amount("DEMAND", 9, 2, SortKey.DEMAND, "net_demand_msat"),
        number("REFUSED", 8, 3, SortKey.REFUSED, "refused"),
        Column("local", "LOCAL", 6, 4, local, SortKey.LOCAL),
        Column("balance", bar_title, 8, 7, balance, to_left=True),
        Column("why", "WHY", 4, 1, why, to_left=True),
        amount("EVERY TRY", 10, 8, SortKey.ASKED, "asked_msat"),
        Column("settle", "SETTLE", 6, 9, settle),
        amount("EARNED", 9, 10, SortKey.EARNED, "earned_msat"),
        number("SETTLED", 8, 11, SortKey.SETTLED, "settled"),
    )


def _weight(value: int, strong: bool) -> Role:
    return Role.DIM if not value else Role.STRONG if strong else Role.TEXT
