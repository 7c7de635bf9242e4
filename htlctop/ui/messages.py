"""What pages tell the app."""

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from htlctop.ui.board import Board
from htlctop.ui.subject import Subject


@dataclass
class Ask(Message):
    """Look at something else: the board as it is to be, from the one that is."""

    change: Callable[[Board], Board]


@dataclass
class Open(Message):
    """Open the drill-down of something."""

    about: Subject


class NeedsChanged(Message):
    """The page shows other parts than before; what is missing is to be read now."""
