"""Which page is which: the seven views by name, the drill-downs by what they are about."""

from collections.abc import Mapping

from htlctop.ui.screens.base import BaseScreen
from htlctop.ui.screens.channel import ChannelScreen
from htlctop.ui.screens.channels import ChannelsScreen
from htlctop.ui.screens.events import EventsScreen
from htlctop.ui.screens.flows import FlowsScreen
from htlctop.ui.screens.history import HistoryScreen
from htlctop.ui.screens.htlc import HtlcScreen
from htlctop.ui.screens.node import NodeScreen
from htlctop.ui.screens.opportunities import OpportunitiesScreen
from htlctop.ui.screens.overview import OverviewScreen
from htlctop.ui.screens.pair import PairScreen
from htlctop.ui.screens.peer import PeerScreen
from htlctop.ui.screens.sheets import DrillDown
from htlctop.ui.subject import Of

FIRST = "overview"
VIEWS: Mapping[str, type[BaseScreen]] = {
    FIRST: OverviewScreen,
    "channels": ChannelsScreen,
    "flows": FlowsScreen,
    "events": EventsScreen,
    "opportunities": OpportunitiesScreen,
    "history": HistoryScreen,
    "node": NodeScreen,
}
"""By the name of the action that opens them, see keys.ACTIONS."""

DRILL_DOWNS: Mapping[Of, type[DrillDown]] = {
    Of.PEER: PeerScreen,
    Of.CHANNEL: ChannelScreen,
    Of.PAIR: PairScreen,
    Of.HTLC: HtlcScreen,
}
