"""What the Channels view shows beyond the ranked tables: state, balances, policy, every count."""

from dataclasses import replace

from htlctop.analysis.models import ChannelRow, Row
from htlctop.analysis.query import SortKey
from htlctop.export.format import count, sat, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.layout import NARROW
from htlctop.ui.ranking import Context, columns, money
from htlctop.ui.table.columns import Column
from htlctop.ui.text import Piece, Role
from htlctop.ui.words import gone


def every_column(glyphs: Glyphs, context: Context) -> tuple[Column[Row], ...]:
    """Every column of a channel, in the order shown: what matters first, then to the right."""
    ranked = [column for column in columns(glyphs, context) if column.key != "settle"]
    if context.width < NARROW:
        ranked = [_narrow(column) for column in ranked]

    def amount(of: str, title: str, rank: int) -> Column[Row]:
        def paint(row: Row, width: int) -> Piece:
            value: int = getattr(row.sums, of)
            return (money(value, width) if value else glyphs.dot), _weight(value)

        return Column(of, title, 9, rank, paint)

    def number(of: str, title: str, rank: int) -> Column[Row]:
        def paint(row: Row, width: int) -> Piece:
            value: int = getattr(row.sums, of)
            return (count(value) if value else glyphs.dot), _weight(value)

        return Column(of, title, max(6, len(title)), rank, paint)

    return (
        *ranked,
        Column("state", "STATE", 8, 11, _state, to_left=True),
        Column("capacity", "CAPACITY", 8, 15, _capacity),
        Column("ours", "OURS", 6, 16, _ours, SortKey.LOCAL),
        Column("theirs", "THEIRS", 6, 17, _theirs),
        Column("base", "BASE", 6, 19, _base),
        Column("rate", "PPM", 6, 18, _rate),
        number("lost", "LOST", 20),
        number("downstream", "DOWNSTREAM", 21),
        amount("recovered_msat", "RECOVERED", 22),
        number("claims", "PAYMENTS", 23),
        number("repeats", "REPEATS", 24),
        number("fee_unknown", "FEE UNKNOWN", 25),
        amount("offered_msat", "BID", 26),
    )


def _narrow(column: Column[Row]) -> Column[Row]:
    """A peer's channels can be told apart in a side-pane too: by id, at the name's expense."""
    if column.key == "name":
        return replace(column, width=10)
    return replace(column, rank=0) if column.key == "channel" else column


def _state(row: Row, width: int) -> Piece:
    if not isinstance(row, ChannelRow) or not row.scid:
        return "", Role.DIM
    if not row.is_open:
        return gone(row.peer), Role.DIM
    if row.is_active is None:
        return "", Role.DIM
    return ("active", Role.DIM) if row.is_active else ("inactive", Role.BAD)


def _sat(amount: int | None) -> Piece:
    return ("" if amount is None else short_sat(amount)), Role.TEXT


def _capacity(row: Row, width: int) -> Piece:
    return _sat(row.capacity_sat if isinstance(row, ChannelRow) else None)


def _ours(row: Row, width: int) -> Piece:
    return _sat(row.local_sat if isinstance(row, ChannelRow) else None)


def _theirs(row: Row, width: int) -> Piece:
    return _sat(row.remote_sat if isinstance(row, ChannelRow) else None)


def _base(row: Row, width: int) -> Piece:
    known = isinstance(row, ChannelRow) and row.fee_base_msat is not None
    return (sat(row.fee_base_msat or 0) if known and isinstance(row, ChannelRow) else ""), Role.TEXT


def _rate(row: Row, width: int) -> Piece:
    if not isinstance(row, ChannelRow) or row.fee_rate_ppm is None:
        return "", Role.DIM
    return count(row.fee_rate_ppm), Role.TEXT


def _weight(value: int) -> Role:
    return Role.TEXT if value else Role.DIM
