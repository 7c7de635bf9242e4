"""The played node."""

from tests.played import play

__all__ = ["play"]
