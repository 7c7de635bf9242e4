"""What `s` and `e` save: the screen as text, the view as data, each saying of what it is."""

from pathlib import Path

from textual.screen import Screen

from htlctop.analysis.models import NodeView
from htlctop.errors import UsageError
from htlctop.export.files import write_private
from htlctop.export.format import utc
from htlctop.export.formats import Format, render
from htlctop.export.table import Head
from htlctop.export.views import document
from htlctop.ui.board import Board
from htlctop.ui.screens.base import BaseScreen


def screen_text(screen: Screen[None]) -> tuple[str, ...]:
    """The screen as lines of text, as the terminal shows them.

    Textual tells only its compositor's strips; this is the one place that asks for them.
    """
    strips = screen._compositor.render_strips()
    return tuple(strip.text.rstrip() for strip in strips)


def save_screen(page: BaseScreen, board: Board, folder: Path) -> Path:
    """Write what is on the screen; the path written."""
    head = "".join(f"# {name}: {value}\n" for name, value in _head(page, board).lines())
    text = "\n".join([head, *screen_text(page)]) + "\n"
    return write_private(folder, _stem(page, board), ".txt", text)


def save_view(page: BaseScreen, board: Board, folder: Path, form: Format) -> Path:
    """Write the view's rows in a format; the path written."""
    view = page.taken(board)
    if view is None:
        raise UsageError("nothing to save yet")
    text = render(document(view, page.focus_of.value, board.query.filter), form)
    return write_private(folder, _stem(page, board), form.suffix, text)


def _head(page: BaseScreen, board: Board) -> Head:
    name, node, now = page.focus_of.value, board.node, board.status
    if node is None or now is None:
        return Head(name, NodeView("", "", "", ""))
    return Head(name, node, board.window, board.query.filter, now.replay)


def _stem(page: BaseScreen, board: Board) -> str:
    at = utc(board.status.now_ns if board.status else 0)[:19].replace(":", "")
    return f"htlctop-{page.focus_of.value.lower()}-{at}Z"
