"""The view Flows: a matrix of in-peers and out-peers by net demand, or a ranked list of pairs."""

from collections.abc import Sequence

from htlctop.analysis.models import End, PairRow
from htlctop.domain.records import Pair
from htlctop.export.format import count, sat, short_sat
from htlctop.ui.flows import Flows
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.paint.parts import called, rule
from htlctop.ui.text import BLANK, Line, Part, Piece, Role, cut, fit, indent, left, line, right

MATRIX_FROM, MATRIX_LINES = 60, 7
"""From this width and height on there is room for a matrix."""
_CELL = 9
_TOTAL = 9


class View:
    """Which rows and columns of the matrix are in view; follows the cursor.

    `is_list` tells which form was painted last.
    """

    def __init__(self) -> None:
        self.top = self.left = 0
        self.is_list = False
        self._first = 0, 0
        self._cells: tuple[tuple[Pair, ...], ...] = ()

    def painted(self, x: int, y: int, cells: Sequence[Sequence[Pair]]) -> None:
        """Remember where the cells are, the first at x, y; a list has one in each line."""
        self._first = x, y
        self._cells = tuple(map(tuple, cells))

    def hit(self, x: int, y: int) -> Pair | None:
        """The pair painted there."""
        row, column = y - self._first[1], (x - self._first[0]) // _CELL
        if not 0 <= row < len(self._cells):
            return None
        cells = self._cells[row]
        if self.is_list:
            return cells[0]
        return cells[column] if 0 <= column < len(cells) else None

    def follow(self, flows: Flows, rows: int, columns: int) -> None:
        """Bring the cursor's cell into view, moving as little as may be."""
        self.top = _follow(self.top, flows.row, rows, len(flows.sources))
        self.left = _follow(self.left, flows.column, columns, len(flows.targets))

    def follow_rank(self, flows: Flows, rows: int) -> None:
        """Bring the cursor's line of the list into view."""
        self.top = _follow(self.top, flows.rank, rows, len(flows.pairs))


def _follow(first: int, at: int, room: int, length: int) -> int:
    first = max(min(first, at), at - room + 1)
    return max(0, min(first, length - room))


def has_room(width: int, height: int) -> bool:
    """Whether a pane is large enough for a matrix."""
    return width >= MATRIX_FROM and height >= MATRIX_LINES


def page(
    flows: Flows,
    view: View,
    empty: Sequence[str],
    width: int,
    height: int,
    glyphs: Glyphs,
    as_list: bool = False,
) -> tuple[Line, ...]:
    """The matrix, or the ranked list where that is wanted, or all there is room or cause for."""
    view.is_list = as_list or not has_room(width, height) or not flows.sources
    view.painted(0, 0, ())
    if not flows.pairs:
        title = rule("Flows: who wanted to reach whom", width, glyphs)
        return title, BLANK, *(line(f"  {text}", Role.DIM) for text in empty)
    if view.is_list:
        return _list(flows, view, width, height, glyphs)
    return _matrix(flows, view, width, height, glyphs)


def _matrix(flows: Flows, view: View, width: int, height: int, glyphs: Glyphs) -> tuple[Line, ...]:
    names = min(24, max(12, width // 6))
    columns = max(1, (width - names - 2 - _TOTAL) // _CELL)
    if flows.matrix.target_count > columns:
        columns = max(1, (width - names - 2 - 2 * _TOTAL) // _CELL)
    rows = max(1, height - 5)
    if flows.matrix.source_count > rows:
        rows = max(1, rows - 1)
    view.follow(flows, rows, columns)
    targets = flows.targets[view.left : view.left + columns]
    sources = flows.sources[view.top : view.top + rows]
    more = flows.matrix.target_count > len(targets)
    cells = [[(source.peer, target.peer) for target in targets] for source in sources]
    view.painted(names + 2, 2, cells)
    total = flows.matrix.net_msat
    title = rule(_title(flows, targets, sources), width, glyphs)
    lines: list[Line] = [title, _heads(flows, targets, names, more, glyphs)]
    for source in sources:
        nets = [flows.net_msat(source.peer, target.peer) for target in targets]
        rest = source.net_msat - sum(net or 0 for net in nets)
        lines.append(_row(flows, source, targets, names, rest if more else None, glyphs))
    if flows.matrix.source_count > len(sources):
        others = [end.net_msat - _shown(flows, sources, end) for end in targets]
        all_ = total - sum(end.net_msat for end in sources)
        rest = all_ - sum(others)
        lines.append(_sum_row("others", others, names, rest if more else None, all_, glyphs))
    sums = [end.net_msat for end in targets]
    rest = total - sum(sums)
    lines.append(_sum_row("all", sums, names, rest if more else None, total, glyphs))
    return *lines[: height - 1], _told(flows, width, glyphs)


def _title(flows: Flows, targets: Sequence[End], sources: Sequence[End]) -> str:
    text = "Flows: net demand in sat, from rows to columns"
    rows, columns = flows.matrix.source_count, flows.matrix.target_count
    if len(targets) < columns or len(sources) < rows:
        text += f"; {len(sources)}/{count(rows)} rows, {len(targets)}/{count(columns)} columns"
    return text


def _heads(flows: Flows, targets: Sequence[End], names: int, more: bool, glyphs: Glyphs) -> Line:
    pieces: list[Piece] = [(" " * (names + 2), Role.TEXT)]
    for end in targets:
        title = cut(called(end.alias, end.pubkey, end.peer, glyphs), _CELL - 2, glyphs.more)
        is_at = flows.at is not None and flows.at[1] == end.peer
        pieces.append((right(title, _CELL - 1) + " ", Role.STRONG if is_at else Role.DIM))
    if more:
        pieces.append((right("others", _TOTAL), Role.DIM))
    pieces.append((right("all", _TOTAL), Role.DIM))
    return tuple(pieces)


def _row(
    flows: Flows,
    source: End,
    targets: Sequence[End],
    names: int,
    rest_msat: int | None,
    glyphs: Glyphs,
) -> Line:
    title = left(called(source.alias, source.pubkey, source.peer, glyphs), names, glyphs.more)
    is_at = flows.at is not None and flows.at[0] == source.peer
    mark = glyphs.cursor if is_at else " "
    pieces: list[Piece] = [(f"{mark} {title}", Role.STRONG if is_at else Role.TEXT)]
    pieces.extend(_cell(flows, (source.peer, end.peer), glyphs) for end in targets)
    if rest_msat is not None:
        pieces.append((right(_total(rest_msat, glyphs), _TOTAL), Role.DIM))
    pieces.append((right(_total(source.net_msat, glyphs), _TOTAL), Role.TEXT))
    return tuple(pieces)


def _cell(flows: Flows, at: Pair, glyphs: Glyphs) -> Piece:
    """A pair: how dark, and how much; the cursor stands around it."""
    net = flows.net_msat(*at)
    text = "" if net is None else _amount(net, glyphs)
    shade = glyphs.shade((net or 0) / flows.peak_msat) if flows.peak_msat else " "
    shown = f"{shade} {right(text, _CELL - 4)}"
    if flows.at == at:
        return f"[{shown}]", Role.CURSOR
    return f" {shown} ", Role.BAR if net else Role.DIM


def _amount(net_msat: int, glyphs: Glyphs) -> str:
    """Whole sat in at most five cells; a dot for refusals that cost nothing known."""
    if not net_msat:
        return glyphs.dot
    sats = (net_msat + 500) // 1000
    return "<1" if not sats else count(sats) if sats < 10_000 else short_sat(sats)


def _total(net_msat: int, glyphs: Glyphs) -> str:
    """The same in at most seven cells, which sums have."""
    sats = (net_msat + 500) // 1000
    return count(sats) if 10_000 <= sats < 1_000_000 else _amount(net_msat, glyphs)


def _shown(flows: Flows, sources: Sequence[End], target: End) -> int:
    return sum(flows.net_msat(source.peer, target.peer) or 0 for source in sources)


def _sum_row(
    label: str,
    nets: Sequence[int],
    names: int,
    rest_msat: int | None,
    all_msat: int,
    glyphs: Glyphs,
) -> Line:
    text = f"  {left(label, names)}"
    text += "".join(right(_total(net, glyphs), _CELL - 1) + " " for net in nets)
    if rest_msat is not None:
        text += right(_total(rest_msat, glyphs), _TOTAL)
    return line(text + right(_total(all_msat, glyphs), _TOTAL), Role.DIM)


def _told(flows: Flows, width: int, glyphs: Glyphs) -> Line:
    """The pair under the cursor, in full."""
    if flows.at is None:
        return BLANK
    pair = flows.current
    if pair is None:
        source = next(end for end in flows.sources if end.peer == flows.at[0])
        target = next(end for end in flows.targets if end.peer == flows.at[1])
        way = f"{_end(source, glyphs)} {glyphs.arrow} {_end(target, glyphs)}"
        return indent(width, [Part(way, Role.STRONG), Part("nothing refused this way", Role.DIM)])
    sums = pair.sums
    return indent(
        width,
        [
            Part(way_of(pair, 48, glyphs), Role.STRONG),
            Part(f"net demand {sat(sums.net_demand_msat)} sat", Role.TEXT, 1),
            Part(f"missed {sat(sums.expected_msat)}", Role.TEXT, 2),
            Part(f"refused {count(sums.refused)}, settled {count(sums.settled)}", Role.TEXT, 3),
            Part(f"earned {sat(sums.earned_msat)}", Role.TEXT, 4),
        ],
    )


def _end(end: End, glyphs: Glyphs) -> str:
    return cut(called(end.alias, end.pubkey, end.peer, glyphs), 24, glyphs.more)


def way_of(pair: PairRow, width: int, glyphs: Glyphs) -> str:
    """A pair as an arrow between two names, in at most `width` cells."""
    join = f" {glyphs.arrow} "
    room = max(2, width - len(join)) // 2
    source = cut(called(pair.in_alias, pair.in_pubkey, pair.in_peer, glyphs), room, glyphs.more)
    target = cut(called(pair.out_alias, pair.out_pubkey, pair.out_peer, glyphs), room, glyphs.more)
    return f"{source}{join}{target}"


def _list_title(flows: Flows, width: int, counted: bool, glyphs: Glyphs) -> Line:
    shown, every = len(flows.pairs), flows.count
    is_part = shown < every
    text = f"Flows: {count(shown)} of {count(every)}" if is_part else "Flows by net demand"
    if not counted:
        return rule(text, width, glyphs)
    heads = right("sat", _SAT) + right("refused", _REFUSED)
    return (*rule(text, width - len(heads), glyphs), (heads, Role.TITLE))


_SAT, _REFUSED = 8, 8
"""Cells of a pair's net demand with its shade, and of how often it was refused."""
_COUNTED_FROM = 36


def _list(flows: Flows, view: View, width: int, height: int, glyphs: Glyphs) -> tuple[Line, ...]:
    counted = width >= _COUNTED_FROM
    lines = [_list_title(flows, width, counted, glyphs)] if height > 3 else []
    room = max(1, height - len(lines))
    view.follow_rank(flows, room)
    names = max(6, width - _SAT - (_REFUSED if counted else 0) - 1)
    cursor = flows.rank
    shown = flows.pairs[view.top : view.top + room]
    view.painted(0, len(lines), [[pair.id] for pair in shown])
    for index, pair in enumerate(shown, view.top):
        is_at = index == cursor
        net = pair.sums.net_demand_msat
        shade = glyphs.shade(net / flows.peak_msat) if flows.peak_msat else " "
        text = (
            f"{glyphs.cursor if is_at else ' '}{left(way_of(pair, names, glyphs), names)} "
            f"{shade}{right(_amount(net, glyphs), _SAT - 2)}"
        )
        text += right(count(pair.sums.refused), _REFUSED) if counted else ""
        lines.append(fit(line(text, Role.CURSOR if is_at else Role.TEXT), width, glyphs.more))
    return tuple(lines)
