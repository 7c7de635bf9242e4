"""Taking things away: what `s`, `S`, `e` and `y` do. Each file says of what it is."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

from textual.app import App
from textual.screen import Screen

from htlctop.analysis.advice.models import Explanation
from htlctop.analysis.status import NodeView
from htlctop.errors import HtlctopError, UsageError
from htlctop.export.explain import document as explained
from htlctop.export.files import write_private
from htlctop.export.format import utc
from htlctop.export.formats import Format, render
from htlctop.export.table import Head
from htlctop.export.views import document
from htlctop.ui.board import Board
from htlctop.ui.clipboard import copy
from htlctop.ui.mask import Mask
from htlctop.ui.screens.base import BaseScreen


def screen_text(screen: Screen[None]) -> tuple[str, ...]:
    """The screen as lines of text, as the terminal shows them.

    Textual tells only its compositor's strips; this is the one place that asks for them.
    """
    strips = screen._compositor.render_strips()
    return tuple(strip.text.rstrip() for strip in strips)


_FONTS = re.compile(r"@font-face \{[^}]*\}\s*")


def screen_picture(app: App[None]) -> str:
    """The screen as SVG. Whoever looks at it has a font; it asks no server for one."""
    return _FONTS.sub("", app.export_screenshot(title="htlctop"))


class Taking:
    """Saves and copies what a page shows, as it shows it; answers with what to tell the user.

    `write` sends to the terminal.
    """

    def __init__(self, folder: Path, mask: Mask, write: Callable[[str], object]) -> None:
        self._folder = folder
        self._mask = mask
        self._write = write

    def snapshot(self, page: BaseScreen, board: Board) -> str:
        """The screen as text."""
        head = "".join(f"# {name}: {value}\n" for name, value in self._head(page, board).lines())
        text = "\n".join([head, *screen_text(page)]) + "\n"
        return self._saved(page, board, ".txt", lambda: text)

    def picture(self, page: BaseScreen, board: Board) -> str:
        """The screen as SVG, what it is of in its description."""
        head = "\n".join(f"{name}: {value}" for name, value in self._head(page, board).lines())
        picture = screen_picture(page.app)
        tag, bracket, rest = picture.partition(">")
        text = f"{tag}{bracket}\n<desc>{escape(head)}</desc>{rest}"
        return self._saved(page, board, ".svg", lambda: text)

    def view(self, page: BaseScreen, board: Board, form: Format) -> str:
        """The view's rows in a format."""
        return self._saved(page, board, form.suffix, partial(self._rendered, page, board, form))

    def copy(self, page: BaseScreen, board: Board) -> str:
        """The key or id of the row, or the command of the advice, into the clipboard."""
        found = page.copied(self._mask.board(board))
        if found is None or not found.text:
            return "nothing to copy here"
        way = copy(found.text, os.environ, self._write)
        return f"copied {way}: {found.what}: {found.text}"

    def _rendered(self, page: BaseScreen, board: Board, form: Format) -> str:
        shown = self._mask.board(board)
        view = page.taken(shown)
        if view is None:
            raise UsageError("nothing to save yet")
        name, masked = page.focus_of.value, shown.is_masked
        if isinstance(view, Explanation):
            found = explained(view)
            return render(replace(found, head=replace(found.head, is_redacted=masked)), form)
        return render(document(view, name, _filter(page, shown), is_redacted=masked), form)

    def _saved(self, page: BaseScreen, board: Board, suffix: str, text: Callable[[], str]) -> str:
        at = utc(board.status.now_ns if board.status else 0)[:19].replace(":", "")
        stem = f"htlctop-{page.focus_of.value.lower()}-{at}Z"
        try:
            return f"saved {write_private(self._folder, stem, suffix, text())}"
        except HtlctopError as error:
            return str(error)

    def _head(self, page: BaseScreen, board: Board) -> Head:
        name, shown = page.focus_of.value, self._mask.board(board)
        node, now = shown.node, shown.status
        if node is None or now is None:
            return Head(name, NodeView("", "", "", ""))
        return Head(name, node, shown.window, _filter(page, shown), now.replay, shown.is_masked)


def _filter(page: BaseScreen, shown: Board) -> str:
    """What a page was chosen by; "" for one that does not go by the filter."""
    return shown.filter if page.is_filtered else ""
