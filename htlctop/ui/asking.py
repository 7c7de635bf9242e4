"""How what is looked at changes: window, time, order, grouping, filter, arrangement. Pure."""

from dataclasses import replace

from htlctop.analysis.query import By, Query, SortKey
from htlctop.analysis.windows import WINDOWS
from htlctop.ui.board import Board
from htlctop.ui.layout import Form


def window(board: Board, step: int) -> Board:
    """The next longer window, or the next shorter one; round and round."""
    query = board.query
    at = WINDOWS.index(query.window) if query.window in WINDOWS else 2
    return _of(board, replace(query, window=WINDOWS[(at + step) % len(WINDOWS)], since_ns=None))


def time(board: Board, step: int) -> Board:
    """Half a window back in time, or forward; forward over now is live again."""
    query, seen, now = board.query, board.window, board.status
    if seen is None or now is None:
        return board
    half = (seen.until_ns - seen.from_ns) // 2
    until = (now.now_ns if query.until_ns is None else query.until_ns) + step * half
    if until >= now.now_ns:
        return live(board)
    return _of(board, replace(query, until_ns=max(1, until)))


def live(board: Board) -> Board:
    """Back to now."""
    return _of(board, replace(board.query, until_ns=None))


def sort(board: Board, key: SortKey, turn: bool) -> Board:
    """Ranked by this key; `turn` where it may be the present one, which then goes the other way."""
    query = board.query
    reverse = query.reverse != turn if key is query.sort else False
    return _of(board, replace(query, sort=key, reverse=reverse))


def group(board: Board) -> Board:
    """Grouped by the next kind of row: peer, channel, pair, incoming peer; ranked as before where
    such rows have what it goes by."""
    kinds = tuple(By)
    following = kinds[(kinds.index(board.query.by) + 1) % len(kinds)]
    query = replace(board.query, by=following)
    if query.sort is SortKey.LOCAL and not following.has_balance:
        query = replace(query, sort=SortKey.MISSED, reverse=False)
    return _of(board, query)


def filtered(board: Board, text: str) -> Board:
    """Only what this filter lets through."""
    return _of(board, replace(board.query, filter=text.strip()))


def frozen(board: Board) -> Board:
    """Hold the tables, or let them go."""
    return replace(board, frozen=not board.frozen)


def arranged(board: Board, form: Form | None) -> Board:
    """The Overview in this arrangement; None goes by the terminal's size."""
    return replace(board, form=form)


def _of(board: Board, query: Query) -> Board:
    return replace(board, query=query)
