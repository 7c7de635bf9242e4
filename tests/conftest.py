"""Fixtures that every room's tests share."""

import os
import signal
from pathlib import Path

import pytest

# Nobody's own config file has a say in the tests.
os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = "/nonexistent"

# What a background job or nohup has us ignore, the processes under test would ignore too.
for number, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)


@pytest.fixture
def store_file(tmp_path: Path) -> Path:
    """Where a new store may be made."""
    return tmp_path / "data" / "store.db"
