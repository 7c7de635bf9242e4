"""The ranked tables: what a row is called, its identity, and every column that can be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from htlctop.analysis.advice.models import Advice, Opportunity
from htlctop.analysis.models import ChannelRow, PairRow, PeerRow, Row, Window
from htlctop.analysis.query import By, SortKey
from htlctop.analysis.rows import Rows
from htlctop.domain.types import NS
from htlctop.export.advice import short_word
from htlctop.export.format import ascii_only, count, name, percent, sat, short_sat
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.advice import is_fresh
from htlctop.ui.paint.live import route
from htlctop.ui.paint.why import short
from htlctop.ui.subject import Of, Subject, channel, pair, peer
from htlctop.ui.table.columns import Column
from htlctop.ui.text import Piece, Role
from htlctop.ui.words import channel_id, gone

DRY = 10
"""Less than this part (1/10) on our side is dry."""
ROOMY = 140
"""From this width of the terminal on, what a month brings is worth more than a bar."""
HOUR_NS = 3600 * NS
MONTH_NS = 720 * HOUR_NS
ENOUGH_NS = 24 * HOUR_NS * 99 // 100
"""Less watched time says nothing about a month. Of a day a hundredth may be missing, or a short gap
would have the column come and go with the seconds that the window begins before its minute."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a row's cells are painted from besides the row."""

    by: By = By.PEER
    window: Window | None = None
    advice: Mapping[int, Opportunity] = field(default_factory=dict)
    width: int = 0


def first_of_each(advice: Advice | None) -> dict[int, Opportunity]:
    """The best opportunity of each peer; none while too little was watched to urge anything."""
    found: dict[int, Opportunity] = {}
    for item in advice.opportunities if advice and not is_fresh(advice) else ():
        found.setdefault(item.peer, item)
    return found


def key(row: Row) -> Subject:
    """The identity of a row through every refresh: what it is about."""
    if isinstance(row, PairRow):
        return pair(row.in_peer, row.out_peer)
    return channel(row.channel) if isinstance(row, ChannelRow) else peer(row.peer)


def keys(rows: Rows[Row], by: By) -> Sequence[Subject]:
    """The identities of all rows, without making any."""
    of = {By.CHANNEL: Of.CHANNEL, By.PAIR: Of.PAIR}.get(by, Of.PEER)
    return [Subject(of, id_ if isinstance(id_, tuple) else (id_,)) for id_ in rows.ids]


def kin(row: Row) -> int:
    """The peer that a row belongs to, by which the cursor finds its place in another grouping."""
    return row.out_peer if isinstance(row, PairRow) else row.peer


def children(row: Row) -> Sequence[Row]:
    """A peer's channels; nothing else has any."""
    return row.channels if isinstance(row, PeerRow) else ()


def money(msat: int, width: int) -> str:
    """An amount in `width` cells, shortened where it is too large."""
    text = sat(msat)
    return text if len(text) <= width else short_sat((msat + 500) // 1000)


def per_30d(row: Row, window: Window | None) -> int | None:
    """What the row would have earned in 30 days at this rate, msat; None where it is too early."""
    if window is None or window.covered_ns < ENOUGH_NS:
        return None
    return row.sums.expected_msat * MONTH_NS // window.covered_ns


def columns(glyphs: Glyphs, context: Context) -> tuple[Column[Row], ...]:
    """The columns that rows grouped like this have, in the order shown."""
    made = {column.key: column for column in _Columns(glyphs, context).all()}
    if context.by is By.PAIR:
        left_out = {"channel", "local", "balance", "why", "settle"}
    elif context.by is By.SOURCE:
        left_out = {"channel", "local", "balance", "do", "settle"}
    else:
        left_out = set()
    return tuple(column for name, column in made.items() if name not in left_out)


class _Columns:
    """Makes each column with its painter."""

    def __init__(self, glyphs: Glyphs, context: Context) -> None:
        self._glyphs = glyphs
        self._context = context

    def all(self) -> tuple[Column[Row], ...]:
        """Every one."""
        glyphs = self._glyphs
        bar = glyphs.bar_left + glyphs.rule * 5 + glyphs.bar_right
        bar_rank = 12 if self._context.width >= ROOMY else 7
        title = {By.PAIR: f"FROM {glyphs.arrow} TO", By.SOURCE: "FROM"}
        return (
            Column(
                "name",
                title.get(self._context.by, "PEER"),
                30 if self._context.by is By.PAIR else 15,
                0,
                self._name,
                SortKey.NAME,
                to_left=True,
            ),
            Column("channel", "CHANNEL", 14, 6, self._channel, to_left=True),
            self._amount("expected_msat", "MISSED", 8, 0, SortKey.MISSED),
            self._amount("net_demand_msat", "DEMAND", 8, 3, SortKey.DEMAND),
            self._number("refused", "REFUSED", 8, 4, SortKey.REFUSED),
            Column("local", "LOCAL", 6, 5, self._local, SortKey.LOCAL),
            Column("balance", bar, 7, bar_rank, self._balance, to_left=True),
            Column("why", "WHY", 4, 1, self._why, to_left=True),
            Column("do", "DO", 5, 2, self._do, to_left=True),
            self._amount("asked_msat", "EVERY TRY", 10, 8, SortKey.ASKED),
            Column("settle", "SETTLE", 6, 9, self._settle),
            Column("per_30d", "PER 30 D", 8, 10, self._per_30d),
            self._amount("earned_msat", "EARNED", 8, 13, SortKey.EARNED),
            self._number("settled", "SETTLED", 8, 14, SortKey.SETTLED),
        )

    def _amount(self, of: str, title: str, wide: int, rank: int, sort: SortKey) -> Column[Row]:
        def paint(row: Row, width: int) -> Piece:
            value: int = getattr(row.sums, of)
            strong = sort is SortKey.MISSED and not self._is_child(row)
            return money(value, width) if value else self._glyphs.dot, _weight(value, strong)

        return Column(of, title, wide, rank, paint, sort)

    def _number(self, of: str, title: str, wide: int, rank: int, sort: SortKey) -> Column[Row]:
        def paint(row: Row, width: int) -> Piece:
            value: int = getattr(row.sums, of)
            return count(value) if value else self._glyphs.dot, _weight(value, False)

        return Column(of, title, wide, rank, paint, sort)

    def _is_child(self, row: Row) -> bool:
        return isinstance(row, ChannelRow) and self._context.by is By.PEER

    def _plain(self, text: str) -> str:
        return ascii_only(text) if self._glyphs.ascii else text

    def _name(self, row: Row, width: int) -> Piece:
        if isinstance(row, PairRow):
            source = self._plain(name(row.in_alias, row.in_pubkey, row.in_peer))
            target = self._plain(name(row.out_alias, row.out_pubkey, row.out_peer))
            return route(source, target, width, self._glyphs), Role.TEXT
        if isinstance(row, ChannelRow) and self._context.by is By.PEER:
            return f"{self._glyphs.child} {channel_id(row)}", Role.TEXT
        return self._plain(name(row.alias, row.pubkey, row.peer)), Role.TEXT

    def _channel(self, row: Row, width: int) -> Piece:
        if isinstance(row, ChannelRow):
            if not self._is_child(row):
                return channel_id(row), Role.TEXT
            state = "inactive" if row.is_active is False else ""
            return (state if row.is_open else gone(row.peer)), Role.DIM
        if not isinstance(row, PeerRow) or not row.channels:
            return "", Role.DIM
        if len(row.channels) > 1:
            return f"{self._glyphs.several}{len(row.channels)}", Role.TEXT
        return channel_id(row.channels[0]), Role.TEXT

    def _local(self, row: Row, width: int) -> Piece:
        capacity, local = _balance(row)
        if not capacity or local is None:
            return "", Role.DIM
        return percent(local, capacity), Role.WARN if local * DRY < capacity else Role.TEXT

    def _balance(self, row: Row, width: int) -> Piece:
        capacity, local = _balance(row)
        if not capacity or local is None:
            return "", Role.DIM
        bar = self._glyphs.bar(local / capacity, width - 2)
        return f"{self._glyphs.bar_left}{bar}{self._glyphs.bar_right}", Role.BAR

    def _why(self, row: Row, width: int) -> Piece:
        return ("" if isinstance(row, PairRow) else short(row.why)), Role.WARN

    def _do(self, row: Row, width: int) -> Piece:
        if self._is_child(row):
            return "", Role.DIM
        found = self._context.advice.get(kin(row))
        return (short_word(found.kind) if found else ""), Role.GOOD

    def _settle(self, row: Row, width: int) -> Piece:
        return (percent(row.settle_rate, 1) if isinstance(row, PeerRow) else ""), Role.TEXT

    def _per_30d(self, row: Row, width: int) -> Piece:
        value = per_30d(row, self._context.window)
        if value is None:
            return self._glyphs.dot, Role.DIM
        return money(value, width) if value else self._glyphs.dot, _weight(value, False)


def _balance(row: Row) -> tuple[int | None, int | None]:
    if isinstance(row, PeerRow | ChannelRow):
        return row.capacity_sat, row.local_sat
    return None, None


def _weight(value: int, strong: bool) -> Role:
    return Role.DIM if not value else Role.STRONG if strong else Role.TEXT
