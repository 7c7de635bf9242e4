"""What `s` and `e` save: the screen as text, the view as CSV, each saying of what it is."""

from pathlib import Path

from textual.screen import Screen

from htlctop.analysis.models import NodeView, Window
from htlctop.errors import UsageError
from htlctop.export.csv import head, log_csv, overview_csv, peer_csv, utc
from htlctop.export.files import write_private
from htlctop.ui.board import Board
from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.screens.peer import PeerScreen


def screen_text(screen: Screen[None]) -> tuple[str, ...]:
    """The screen as lines of text, as the terminal shows them.

    Textual tells only its compositor's strips; this is the one place that asks for them.
    """
    strips = screen._compositor.render_strips()
    return tuple(strip.text.rstrip() for strip in strips)


def save_screen(page: BaseScreen, board: Board, folder: Path) -> Path:
    """Write what is on the screen; the path written."""
    lines = [f"# {row}" for row in _head(page, board)]
    text = "\n".join([*lines, "", *screen_text(page)]) + "\n"
    return write_private(folder, _stem(page, board), ".txt", text)


def save_csv(page: BaseScreen, board: Board, folder: Path) -> Path:
    """Write the view's rows; the path written."""
    if isinstance(page, PeerScreen):
        if board.detail is None:
            raise UsageError("nothing to save yet")
        text = peer_csv(board.detail)
        if board.peer_log:
            text += "\n" + log_csv(board.peer_log, ("events of this peer, newest first",))
    else:
        if board.overview is None:
            raise UsageError("nothing to save yet")
        text = overview_csv(board.overview)
    return write_private(folder, _stem(page, board), ".csv", text)


def _head(page: BaseScreen, board: Board) -> tuple[str, ...]:
    view = board.detail or board.overview
    if view is None:
        return head(page.focus_of.value.lower(), NodeView("", "", "", ""), Window("", 0, 0, 0, ()))
    return head(page.focus_of.value.lower(), view.node, view.window)


def _stem(page: BaseScreen, board: Board) -> str:
    at = utc(board.status.now_ns if board.status else 0)[:19].replace(":", "")
    return f"htlctop-{page.focus_of.value.lower()}-{at}Z"
