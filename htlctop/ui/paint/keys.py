"""The footer and the help screen, painted from the registry of keys."""

from collections.abc import Sequence

from htlctop.analysis.advice.models import Kind
from htlctop.domain.codes import Category
from htlctop.export.advice import short_word
from htlctop.ui.glyphs import Glyphs
from htlctop.ui.keys import TABLES, VIEWS, Focus, key_name, key_of, of
from htlctop.ui.paint.parts import rule
from htlctop.ui.text import BLANK, Line, Piece, Role, fit, left, line, wrap
from htlctop.ui.words import MEANS, SHORT

_Words = Sequence[tuple[str, str]]


def footer(focus: Focus, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """What can be done here, as far as it fits; help, the views and the ways out stay longest."""
    shown = [
        (key_name(action.keys[0], glyphs.ascii), action.footer)
        for action in of(focus)
        if action.footer and focus in action.footer_in
    ]
    if focus in VIEWS:
        first, last = key_of("overview", glyphs.ascii), key_of("node", glyphs.ascii)
        shown.insert(1, (f"{first}-{last}", "views"))
    room, kept = width, set()
    for key, word in sorted(shown, key=lambda one: _STAY.get(one[1], len(_STAY))):
        if (cells := len(key) + len(word) + 3) > room:
            break
        kept.add(key)
        room -= cells
    pieces: list[Piece] = []
    for key, word in shown:
        if key in kept:
            pieces += [(f" {key}", Role.STRONG), (f" {word} ", Role.DIM)]
    return (fit(tuple(pieces), width, glyphs.more),)


_STAY = {word: place for place, word in enumerate(("help", "quit", "back", "views"))}


def help_page(focus: Focus, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """Every key that does something where the user came from, and the words on screen."""
    lines: list[Line] = [rule(f"Keys in {focus.value}", width, glyphs)]
    rows = [
        ("  ".join(key_name(key, glyphs.ascii) for key in action.keys), action.help)
        for action in of(focus)
    ]
    keys_width = min(max(len(keys) for keys, _ in rows) + 3, max(8, width // 2))
    for keys, text in rows:
        lines.extend(_entry(keys, text, keys_width, width))
    for title, words in _sections(focus, glyphs):
        lines.extend([BLANK, rule(title, width, glyphs)])
        for word, meaning in words:
            lines.extend(_entry(word, meaning, 12, width))
    return (*lines, BLANK, line(f" {key_of('back', glyphs.ascii)}: back", Role.DIM))


def _sections(focus: Focus, glyphs: Glyphs) -> list[tuple[str, _Words]]:
    """What is said of the words and signs on the screen, where there are any."""
    does = tuple((short_word(kind), f"{kind}: {meaning}") for kind, meaning in _DOES.items())
    found: list[tuple[str, _Words]] = [("Words", _WORDS), ("Why", _CAUSES), ("Do", does)]
    if focus in _CHARTED:
        found.insert(0, ("Signs on the charts", (*_SIGNS, (glyphs.gap, "nobody watched then"))))
    if focus in TABLES:
        found.insert(0, ("What to type into the filter; all of it must fit", _FILTER))
    return found


def _entry(word: str, meaning: str, word_width: int, width: int) -> list[Line]:
    """A word and what it means, in as many lines as that takes."""
    first, *more = wrap(meaning, max(8, width - word_width - 1), 9) or ("",)
    head: Line = ((left(f" {word}", word_width), Role.STRONG), (first, Role.TEXT))
    return [head, *(line(" " * word_width + row) for row in more)]


_CHARTED = frozenset({Focus.HISTORY, Focus.PEER, Focus.CHANNEL})
_SIGNS = (
    ("F", "what we ask changed there"),
    ("X", "max_htlc changed, the largest payment we let through"),
    ("R", "a refill: much more was on our side at once"),
    ("O  C", "a channel was opened, or closed"),
    ("M", "a note that somebody made"),
    ("+", "several of these"),
)
_ASIDES = {
    Category.ADD_FAILED: "; its fee is often unknown",
    Category.FEE: "; priced out",
    Category.MIN_HTLC: "; priced out",
}
_FILTER = (
    ("kraken", "names with that in them, or a channel's id in any form"),
    ("/ann|bob/", "the same with a regular expression"),
    ("why:liq", "only what was refused for that, or for what begins so"),
    ("in:kraken", "only what came from there; out: where it went, peer: either"),
    ("amt>1m", "in the log, amounts in sat; fee<=10 is the same for fees"),
    ("state:ref", "in the log: settled, refused, downstream, inflight or unknown"),
    ("!why:fee", "what does not fit; ! before anything of the above"),
)
_WORDS = (
    ("MISSED", "what you would have earned: net demand x the peer's settle rate"),
    ("DEMAND", "fees of payments refused here, each counted once, less what came back"),
    ("EVERY TRY", "the same with every retry counted; what other tools call missed"),
    ("REFUSED", "forwards that failed at this node, for whatever reason"),
    ("SETTLE", "how many of the payments sent on to the peer arrive (30 days)"),
    ("LOCAL", "our side of the balance at this moment"),
    (
        "PER 30 D",
        "what a month would bring, had it all been watched, before what it costs",
    ),
    ("URGENCY", "0 to 100: up to 40 for its worth, 30 for how often, 30 for how much of it fails"),
    ("CONFIDENCE", "how much was seen of it: low, medium or high"),
    ("SHORT OF", "how much too little the peer's best channel had, in sat"),
    ("CODE", "LND's numbers of a failure: what it told the sender / in detail"),
    ("knee", "so much more on our side serves 80% of what any amount would"),
    ("covered", "the part of the window in which somebody was watching"),
)
_CAUSES = tuple(
    (SHORT[category], f"{category.label}: {meaning}{_ASIDES.get(category, '')}")
    for category, meaning in MEANS.items()
)
_DOES = {
    Kind.REBALANCE_OUTBOUND: "bring sat over to our side of the peer's channels",
    Kind.RAISE_FEES: "ask more: the peer takes all that there is",
    Kind.LOWER_FEES: "ask less: enough senders would pay that",
    Kind.INCREASE_CAPACITY: "open another channel, or a larger one",
    Kind.REBALANCE_INBOUND: "make room: nearly all is on our side",
    Kind.RAISE_MAX_HTLC: "let larger payments through",
    Kind.ALIGN_CHANNELS: "give the peer's channels the same fee and limits",
    Kind.RECONNECT_PEER: "get the peer back, or keep it connected",
    Kind.INVESTIGATE: "look why it refuses; the fee is not known",
}
