"""Fixtures that every room's tests share."""

from pathlib import Path

import pytest


@pytest.fixture
def store_file(tmp_path: Path) -> Path:
    """Where a new store may be made."""
    return tmp_path / "data" / "store.db"
