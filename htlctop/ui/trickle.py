"""What the live pane shows: at most a few new lines at a time, so that a flood stays readable and
cheap to send; what is passed over is counted. Pure."""

from collections.abc import Hashable, Sequence

from htlctop.analysis.models import HtlcLine
from htlctop.domain.codes import Outcome

MOST_NEW = 5
LOOK_BACK = 60
"""How many lines beyond those shown are asked for, to count what is passed over."""

Entry = HtlcLine | str


class Trickle:
    """The lines in the pane, newest first; a text in place of those passed over."""

    def __init__(self) -> None:
        self._shown: tuple[Entry, ...] = ()
        self._newest: Sequence[HtlcLine] | None = None
        self._question: Hashable = None

    def take(self, lines: Sequence[HtlcLine], question: Hashable, room: int) -> tuple[Entry, ...]:
        """Take over the newest lines; another question begins anew."""
        if lines is self._newest and question == self._question:
            return self._shown[:room]
        known = {entry.seq for entry in self._shown if isinstance(entry, HtlcLine)}
        if question != self._question or not known:
            self._shown = tuple(lines)
        else:
            self._shown = self._followed(lines, max(known))
        self._newest, self._question = lines, question
        self._shown = self._shown[: max(room, MOST_NEW) + LOOK_BACK]
        return self._shown[:room]

    def _followed(self, lines: Sequence[HtlcLine], newest: int) -> tuple[Entry, ...]:
        fresh = [line for line in lines if line.seq > newest]
        now = {line.seq: line for line in lines}
        told = (now.get(e.seq, e) if isinstance(e, HtlcLine) else e for e in self._shown)
        old = tuple(e for e in told if not _is_lost(e, lines[-1].seq if lines else 0))
        passed_over = len(fresh) - MOST_NEW
        if passed_over <= 0:
            return (*fresh, *old)
        more = "more" if len(fresh) < len(lines) else "or more"
        return (*fresh[:MOST_NEW], f"+{passed_over} {more}", *old)


def _is_lost(entry: Entry, oldest: int) -> bool:
    """Whether an HTLC was in flight and is too old to be told how it went on."""
    return isinstance(entry, HtlcLine) and entry.seq < oldest and entry.outcome is Outcome.NONE
