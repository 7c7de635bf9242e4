"""Which page is which: the seven views by name, the drill-downs by what they are about."""

from collections.abc import Mapping

from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.screens.overview import OverviewScreen
from htlctop.ui.screens.peer import PeerScreen
from htlctop.ui.screens.sheets import DrillDown
from htlctop.ui.subject import Of

FIRST = "overview"
VIEWS: Mapping[str, type[BaseScreen]] = {
    FIRST: OverviewScreen,
}
"""By the name of the action that opens them, see keys.ACTIONS."""

DRILL_DOWNS: Mapping[Of, type[DrillDown]] = {
    Of.PEER: PeerScreen,
}
