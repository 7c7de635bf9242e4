"""A simulation as something to play, with a log of what its payers did."""

from collections.abc import Sequence
from pathlib import Path

from htlctop.sim.source import Answers, End
from htlctop.sim.synthetic.answers import SyntheticAnswers
from htlctop.sim.synthetic.simulation import CHANNELS, HOUR_NS, START_NS, Simulation
from htlctop.sim.synthetic.truth import SendersLog
from htlctop.sim.synthetic.wants import Tempo

BUSIEST_NS = START_NS + 23 * HOUR_NS


class SyntheticSource:
    """A seed's node, from the end of its `history_ns` on; implements `sim.source.Source`."""

    def __init__(
        self,
        seed: int,
        *,
        channels: int = CHANNELS,
        lively: bool = False,
        history_ns: int = 0,
        until_ns: int | None = None,
        senders_log: Path | None = None,
    ) -> None:
        """Args:
        lively: from the history's end on so much is paid that there is something to watch.
        history_ns: how much of its time is over before it is played.
        until_ns: after how much of its time it falls silent, None: never.
        senders_log: where to write what the payers did.

        Raises:
            UsageError: that file cannot be made.
        """
        self._log = SendersLog(senders_log)
        self.simulation = live_simulation(seed, channels, history_ns if lively else None, self._log)
        self.skipped = len(self.simulation.run(START_NS + history_ns))
        self.simulation.dirty.clear()
        self._until_ns = None if until_ns is None else START_NS + until_ns
        self._answers = SyntheticAnswers(self.simulation)
        self.answers: Answers = self._answers

    def next_ns(self) -> int | None:
        """When something happens in it next."""
        next_ns = self.simulation.next_ns()
        return None if self._until_ns is not None and next_ns >= self._until_ns else next_ns

    def take(self) -> Sequence[bytes | End]:
        """Let it happen."""
        return self.simulation.step()

    def changes(self, *, wanted: bool) -> Sequence[bytes]:
        """The channels that changed by it, as SubscribeChannelEvents tells them."""
        if not wanted:
            self.simulation.dirty.clear()
            return ()
        return list(self._answers.changes())

    def close(self) -> None:
        """Write down the payments that still go on, and end the log."""
        for payment in self.simulation.open_payments:
            self._log.add(payment)
        self._log.close()


def live_simulation(
    seed: int,
    channels: int = CHANNELS,
    rush_after_ns: int | None = None,
    log: SendersLog | None = None,
) -> Simulation:
    """A simulation to be watched: busiest around the end of its history, and from there on
    with traffic enough to look at. None: the traffic of any day."""
    rush_ns = None if rush_after_ns is None else START_NS + rush_after_ns
    tempo = Tempo(rush_ns=rush_ns, peak_ns=BUSIEST_NS)
    return Simulation(seed, channels=channels, tempo=tempo, over=(log or SendersLog(None)).add)
