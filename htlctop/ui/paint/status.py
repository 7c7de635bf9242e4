"""The status line and its reason: what is live, what is not, and what can be done."""

from htlctop.analysis.models import Window
from htlctop.analysis.status import NodeView, State, StatusView
from htlctop.domain.types import NS
from htlctop.export.format import (
    ascii_only,
    clean,
    clock,
    clock_seconds,
    count,
    moment,
    name,
    percent,
)
from htlctop.export.format import span as length
from htlctop.export.summary import BEHIND, NO_SIGN
from htlctop.ui.board import Board
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.keys import key_of
from htlctop.ui.paint.records import EXPIRY_ALARM_BLOCKS
from htlctop.ui.parts import Part as Read
from htlctop.ui.text import Line, Part, Role, indent, line, wrap
from htlctop.ui.watched import share as watched_share
from htlctop.ui.watched import watched_ns

LAG_FROM_NS = 5 * NS
UNPROVEN_NS = 60 * NS
"""A gap that ends so shortly before now is taken to be open still."""
_QUIET = (State.LIVE, State.ENDED)


def is_stale(board: Board) -> bool:
    """Whether what is shown may be older than it looks, and is dimmed for it."""
    if board.status is None or board.failure(Read.STORE):
        return True
    return board.status.state not in _QUIET


def status(board: Board, width: int, glyphs: Glyphs, badge: str = "") -> Line:
    """Node, state, badges (one of the page's own among them), window, coverage and clock."""
    narrow = width < 60
    window = board.window
    lefts = [*_node(board, narrow), *_state(board, glyphs, narrow), *_as_of(board), *_badges(board)]
    if badge:
        lefts.append(Part(badge, Role.BADGE, 1))
    if narrow:
        lefts.sort(key=lambda part: part.role is not Role.GOOD)
    rights = []
    if window:
        watched = watched_share(window)
        share = percent(watched, 1)
        bar = glyphs.bar_left + glyphs.bar(watched, 8) + glyphs.bar_right
        lefts.append(Part(window.label, rank=3))
        if not narrow:
            lefts.append(Part(f"covered {_covered(window)}", Role.DIM, 6))
        full = share if narrow else bar + share
        lefts.append(Part(full, Role.DIM if watched >= 0.95 else Role.WARN, 4, share))
    if board.status:
        rights.append(Part(clock(board.status.now_ns), rank=5))
    return indent(width, lefts, rights, gap=1 if narrow else 2)


def _node(board: Board, narrow: bool) -> list[Part]:
    node = board.node or NodeView("", "", "", "")
    alias = clean(node.alias) or clean(node.pubkey)[:12] or clean(board.title)
    parts = [] if narrow else [Part("htlctop", Role.STRONG, 7)]
    if alias:
        parts.append(Part(alias[:24], Role.STRONG, 2, alias[:10]))
    if not narrow and node.network:
        parts.append(Part(clean(node.network), Role.DIM, 8))
    if not narrow and node.version:
        parts.append(Part(f"lnd {clean(node.version).split(' ')[0]}", Role.DIM, 9))
    return parts


def _state(board: Board, glyphs: Glyphs, narrow: bool) -> list[Part]:
    if board.failure(Read.STORE):
        return [Part(f"{glyphs.alarm} store unreadable", Role.BAD)]
    if board.collector:
        return [Part(f"{glyphs.alarm} collector failed", Role.BAD)]
    now = board.status
    if now is None:
        return [Part(f"{glyphs.waiting} opening", Role.DIM)]
    if now.state is State.LIVE:
        text = glyphs.live if narrow else f"{glyphs.live} live"
        parts = [Part(text, Role.GOOD)]
        if is_behind(board):
            parts.append(Part("syncing", Role.WARN))
        if board.attached and not narrow:
            parts.append(Part("attached", Role.DIM, 8))
        if now.lag_ns >= LAG_FROM_NS:
            parts.append(Part(f"lag {length(now.lag_ns)}", Role.WARN))
        return parts
    return [_unwell(now, glyphs)]


def _unwell(now: StatusView, glyphs: Glyphs) -> Part:
    tries = f", try {now.attempt}" if now.attempt > 1 else ""
    if now.state is State.CONNECTING:
        return Part(f"{glyphs.waiting} connecting{tries}", Role.WARN, 0, f"{glyphs.waiting} conn")
    if now.state is State.WAITING:
        for_what = _waiting_for(now.reason)
        return Part(
            f"{glyphs.waiting} {for_what}{tries}", Role.WARN, 0, f"{glyphs.waiting} {for_what}"
        )
    if now.state is State.REFUSED:
        return Part(f"{glyphs.alarm} refused", Role.BAD)
    if now.state is State.SILENT:
        since = moment(now.alive_ns, now.now_ns) if not now.replay else clock(now.alive_ns)
        short = f"{glyphs.alarm} silent"
        return Part(f"{glyphs.alarm} collector silent since {since}", Role.BAD, 0, short)
    if now.state is State.ENDED:
        return Part(f"{glyphs.stopped} recording over", Role.TEXT, 0, f"{glyphs.stopped} over")
    if now.state is State.STOPPED:
        return Part(
            f"{glyphs.stopped} collector stopped", Role.WARN, 0, f"{glyphs.stopped} stopped"
        )
    return Part(f"{glyphs.waiting} nothing collected yet", Role.WARN, 0, f"{glyphs.waiting} empty")


_WAITING = (
    ("no wallet", "no wallet"),
    ("locked", "locked"),
    ("not synced", "syncing"),
    ("is starting", "starting"),
)


def _waiting_for(reason: str) -> str:
    """What the node is, in a word, where its reason tells; the whole reason stands below."""
    return next((word for sign, word in _WAITING if sign in reason), "waiting")


def _as_of(board: Board) -> list[Part]:
    """Until when was watched, while nobody watches: how old what is shown is."""
    window, now = board.window, board.status
    if window is None or now is None or now.state in (*_QUIET, State.SILENT) or not window.gaps:
        return []
    last = window.gaps[-1]
    if not window.is_live or last.until_ns < window.until_ns - UNPROVEN_NS:
        return []
    if last.from_ns <= window.from_ns:
        return []  # nothing in this window was watched: there is no time that it is of
    return [Part(f"data of {moment(last.from_ns, now.now_ns)}", Role.WARN, 3)]


def _badges(board: Board) -> list[Part]:
    parts = []
    if board.is_past and board.window and board.status:
        parts.append(Part(f"at {moment(board.window.until_ns, board.status.now_ns)}", Role.BADGE))
    if board.status and board.status.replay:
        parts.append(Part("REPLAY", Role.BADGE))
    if board.frozen:
        parts.append(Part("FROZEN", Role.BADGE))
    return parts


def reason(board: Board) -> str:
    """One sentence on why it is not live and what mends it; "" while there is nothing to say."""
    if why := board.failure(Read.STORE) or board.failure(Read.STATUS):
        return clean_line(why)
    if board.collector:
        return clean_line(board.collector)
    now = board.status
    if now is None or now.state in _QUIET:
        return _expiry(board) or _behind(board)
    text = clean_line(now.reason)
    if now.state is State.SILENT and not text:
        text = NO_SIGN.format(clock_seconds(now.alive_ns))
    if now.next_try_ns and now.state in (State.WAITING, State.CONNECTING):
        again = f"next try {clock_seconds(now.next_try_ns)}"
        text = f"{text.rstrip('.')}; {again}" if text else again
    return text


def is_behind(board: Board) -> bool:
    """Whether the node, which answers, is not in step with its chain."""
    return board.status is not None and board.status.synced is False and not board.is_past


def _behind(board: Board) -> str:
    """What that means, and what mends it; "" while it is in step."""
    if not is_behind(board):
        return ""
    node = board.node_detail
    height = node.block_height if node else None
    by = "an old block" if height is None else f"block {count(height)}"
    return f"{BEHIND}; blocks left are told by {by}"


def nearest_expiry(board: Board) -> int | None:
    """Blocks until the next HTLC that is pending expires, None where there is none or unknown."""
    node = board.node_detail
    known = [one.blocks_left for one in node.pending if one.blocks_left is not None] if node else []
    return min(known, default=None)


def _expiry(board: Board) -> str:
    """That an HTLC is about to expire; "" while none is."""
    node, nearest = board.node_detail, nearest_expiry(board)
    if node is None or nearest is None or nearest >= EXPIRY_ALARM_BLOCKS or board.is_past:
        return ""
    first = next(one for one in node.pending if one.blocks_left == nearest)
    blocks = f"{max(0, nearest)} block" + ("" if nearest == 1 else "s")
    with_whom = name(first.alias, None)
    where = f"{key_of('node')} lists what is pending"
    return f"an HTLC with {with_whom} on {first.scid} expires in {blocks}; {where}"


def clean_line(text: str) -> str:
    """A message on one line without control characters, of any length a message may have."""
    return " ".join(clean(word) for word in text.split())


def banner(board: Board, width: int, height: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """The reason, wrapped into at most `height` lines; none while all is well."""
    text = reason(board)
    if glyphs.ascii:
        text = ascii_only(text)
    return tuple(line(f" {row}", Role.WARN) for row in wrap(text, max(1, width - 2), height))


def shed(now: StatusView | None) -> list[Part]:
    """That events were dropped, where some were."""
    if now is None or not now.shed:
        return []
    return [Part(f"{count(now.shed)} events dropped", Role.BAD, 1)]


def _covered(window: Window) -> str:
    """How long was watched; seconds would tick."""
    watched = watched_ns(window)
    if not watched:
        return "0s"
    return length(watched) if watched >= 60 * NS else "<1m"
