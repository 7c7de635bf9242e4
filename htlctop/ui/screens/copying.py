"""What pages give to be copied: only hex and digits, and commands made of them."""

import re

from htlctop.analysis.advice.models import Opportunity
from htlctop.analysis.models import ChannelRow, HtlcLine, PairRow, PeerRow, SourceRow
from htlctop.export.advice import most_it_costs
from htlctop.export.handoff import best_command
from htlctop.ui.board import Board
from htlctop.ui.screens.base import Copied

_SAFE = re.compile(r"[0-9a-f][0-9a-fx ]{0,140}", re.ASCII)


def copied_id(text: str, what: str) -> Copied | None:
    """An id, where it is made of hex and digits as it should be."""
    return Copied(text, what) if _SAFE.fullmatch(text) else None


def copied_key(pubkey: str | None) -> Copied | None:
    """A public key."""
    return copied_id(pubkey or "", "public key")


def copied_row(row: object) -> Copied | None:
    """Of a row of a ranked table what other programs know it by."""
    match row:
        case PeerRow() | SourceRow():
            return copied_key(row.pubkey)
        case ChannelRow():
            return copied_id(row.channel_id, "channel id")
        case PairRow():
            return copied_pair(row)
        case HtlcLine(out_scid="", in_scid=scid):
            return copied_id(scid, "incoming channel")
        case HtlcLine(out_scid=scid):
            return copied_id(scid, "outgoing channel")
    return None


def copied_pair(pair: PairRow) -> Copied | None:
    """The public keys of both ends."""
    return copied_id(f"{pair.in_pubkey or ''} {pair.out_pubkey or ''}".strip(), "public keys")


def command_for(one: Opportunity, board: Board) -> str:
    """The command that does it; "" where there is none, while it is too early, and for a past time,
    whose balances and fees are not today's."""
    return best_command(one, board.advice, board.templates)


def copied_advice(one: Opportunity, board: Board) -> Copied | None:
    """The command that does it, with the most it can cost; the peer's key where there is none."""
    command = command_for(one, board)
    if not command:
        return copied_key(one.pubkey)
    cost = most_it_costs(one)
    most = f", which {cost}" if cost else ""
    return Copied(command, f"command{most}; htlctop never runs one itself")
