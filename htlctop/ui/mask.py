"""Redaction of all that the screens show: boards in, boards out; nothing behind it knows a name."""

from dataclasses import replace
from typing import TypeVar, cast

from htlctop.export.redaction import Redaction
from htlctop.ui.board import Board

T = TypeVar("T")


class Mask:
    """Off or on. Put between the app's board and its pages; what did not change is kept."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._kept: dict[object, tuple[object, object]] = {}
        self.is_on = False

    def board(self, board: Board) -> Board:
        """The board as it may be seen; its query stays what it is."""
        if not self.is_on:
            return board
        for part in board.found.values():
            self._redaction.learn(part.value)
        self._redaction.learn(board.node)
        return replace(
            board,
            title=self._redaction.text(board.title),
            found={
                key: replace(part, value=self._of(key, part.value))
                for key, part in board.found.items()
            },
            node=self._of("node", board.node),
            window=self._of("window", board.window),
            failures={key: self._redaction.text(why) for key, why in board.failures.items()},
            collector=self._redaction.text(board.collector),
            is_masked=True,
        )

    def _of(self, key: object, value: T) -> T:
        before, after = self._kept.get(key, (None, None))
        if before is not value or value is None:
            after = self._redaction.view(value)
            self._kept[key] = value, after
        return cast(T, after)
