"""What a store holds, all of it, as viewers see it."""

from contextlib import closing
from pathlib import Path

from htlctop import service
from htlctop.analysis.models import Overview, Report
from htlctop.analysis.query import Query
from htlctop.errors import StoreError

_ALL = Query(window="all")


def overview(store: Path) -> Overview:
    """Its Overview."""
    with closing(service.open_analyst(store)) as analyst:
        return analyst.overview(_ALL)


def look(store: Path) -> Overview | None:
    """The same, None before the store is there."""
    try:
        return overview(store)
    except StoreError:
        return None


def whole_report(store: Path) -> Report:
    """Its report."""
    with closing(service.open_analyst(store)) as analyst:
        return analyst.report(_ALL)
