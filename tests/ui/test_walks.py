"""Wherever keys lead, nothing breaks. More walks by hand: python tests/ui/walk.py 100."""

from pathlib import Path

import pytest
from walk import walk

from htlctop.ui import keys


@pytest.mark.parametrize("seed", range(10))
async def test_a_random_walk_of_two_hundred_keys_breaks_nothing(seed: int, tmp_path: Path) -> None:
    pressed = await walk(seed, tmp_path)
    assert len(pressed) >= 200
    assert len(set(pressed)) > len(keys.ACTIONS) // 3, "it gets about"
