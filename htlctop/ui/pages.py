"""The pages that lie on each other: a view, the drill-downs opened from it, how the figures of the
one on top come about, the help over it."""

from collections.abc import Iterator
from typing import Protocol

from textual.screen import Screen

from htlctop.ui.board import Board
from htlctop.ui.parts import Key, Need, Part
from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.screens.help import HelpScreen
from htlctop.ui.screens.how import HowScreen
from htlctop.ui.screens.sheets import DrillDown
from htlctop.ui.subject import Subject
from htlctop.ui.views import DRILL_DOWNS, FIRST, VIEWS
from htlctop.ui.widgets.lines import Look

DEEPEST = 12
"""Drill-downs on each other; a deeper one takes the place of the one on top."""


_ALWAYS = (Need(Part.STATUS), Need(Part.NODE))
"""The status line, and what is pending: an expiry that is near is an alarm on every page."""


class Stage(Protocol):
    """Where screens are put on each other: Textual's app."""

    @property
    def screen_stack(self) -> list[Screen[object]]: ...

    def push_screen(self, screen: Screen[None] | str) -> object: ...

    def pop_screen(self) -> object: ...

    def switch_screen(self, screen: Screen[None] | str) -> object: ...

    def install_screen(self, screen: Screen[None], name: str) -> None: ...


class Pages:
    """Turns them. Views stay as they were left; drill-downs are made anew."""

    def __init__(self, stage: Stage, look: Look) -> None:
        self._stage = stage
        self._look = look
        self._made: dict[str, BaseScreen] = {}

    def __iter__(self) -> Iterator[BaseScreen]:
        """From the view at the bottom to the page on top."""
        return (page for page in self._stage.screen_stack if isinstance(page, BaseScreen))

    @property
    def top(self) -> BaseScreen | None:
        """The page on top, None before the first."""
        return next(reversed(list(self)), None)

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the page that shows data needs, and what every page does."""
        page = next((p for p in reversed(list(self)) if not isinstance(p, HelpScreen)), None)
        return tuple(dict.fromkeys((*_ALWAYS, *page.needs))) if page else ()

    @property
    def keys(self) -> frozenset[Key]:
        """Where the parts are kept that any page in the pile shows."""
        return frozenset(need.key for page in self for need in page.needs)

    def begin(self, name: str = "") -> None:
        """The view to start with, the first one where there is none of that name."""
        self._stage.push_screen(self._view(name if name in VIEWS else FIRST))

    def forget(self) -> None:
        """Let go, on every page there is, what a freeze holds."""
        for page in {*self, *self._made.values()}:
            page.forget()

    @property
    def view(self) -> str:
        """The name of the view at the bottom, "" before the first."""
        pile = list(self)
        return next((name for name, page in self._made.items() if pile and page is pile[0]), "")

    def show(self, board: Board) -> None:
        """Show a board on every page, so that one underneath is right when it comes up."""
        for page in self:
            page.show(board)

    def go(self, name: str) -> bool:
        """To another view, off every drill-down; whether there is such a view."""
        if name not in VIEWS:
            return False
        pile = list(self)
        for _ in pile[1:]:
            self._stage.pop_screen()
        if pile[0] is not self._view(name):
            self._stage.switch_screen(self._view(name))
        return True

    def _view(self, name: str) -> BaseScreen:
        if name not in self._made:
            self._made[name] = VIEWS[name](self._look)
            self._stage.install_screen(self._made[name], name)
        return self._made[name]

    def open(self, about: Subject) -> bool:
        """The drill-down of something, on top of what is there; whether there is one."""
        kind = DRILL_DOWNS.get(about.of)
        top = self.top
        if kind is None or (isinstance(top, DrillDown) and top.about == about):
            return False
        if len(list(self)) > DEEPEST:
            self._stage.pop_screen()
        self._stage.push_screen(kind(self._look, about))
        return True

    def help(self) -> None:
        """The keys of the page on top; once more puts them away."""
        page = self.top
        if isinstance(page, HelpScreen):
            self._stage.pop_screen()
        elif page is not None:
            self._stage.push_screen(HelpScreen(self._look, page.focus_now))

    def how(self) -> None:
        """How the figures of what is under the cursor come about; once more puts that away."""
        page = self.top
        if isinstance(page, HowScreen):
            self._stage.pop_screen()
        elif page is not None:
            self._stage.push_screen(HowScreen(self._look, page))

    def back(self) -> bool:
        """Take the page on top away where there is one underneath; else return to the first view.
        Whether it did."""
        pile = list(self)
        if len(pile) > 1:
            self._stage.pop_screen()
        elif not pile or pile[0] is self._view(FIRST):
            return False
        else:
            self._stage.switch_screen(self._view(FIRST))
        return True
