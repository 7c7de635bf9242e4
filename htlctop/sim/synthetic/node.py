"""`SyntheticNode`: a made-up node to ask and to listen to, without a server or a clock."""

from collections.abc import Iterator

from htlctop.domain.types import HtlcEvent
from htlctop.sim.synthetic.answers import SyntheticAnswers
from htlctop.sim.synthetic.simulation import HOUR_NS, Simulation
from htlctop.wire import decode
from htlctop.wire.methods import Method
from htlctop.wire.node import Answer, ReadOnlyNode
from htlctop.wire.recorded import SnapshotChanged, StreamItem


class SyntheticNode(ReadOnlyNode):
    """Plays a simulation as fast as it is read, until a moment of its own time; questions are
    answered as of what was read so far. What it says can be ingested as a recording can."""

    def __init__(
        self,
        simulation: Simulation,
        until_ns: int,
        *,
        shift_ns: int = 0,
        list_every_ns: int = HOUR_NS // 2,
    ) -> None:
        """Args:
        until_ns: where to stop, the simulation's time.
        shift_ns: added to every time that is told; 0 and it says that it is a replay.
        list_every_ns: how often whoever reads is told to list the channels anew.
        """
        super().__init__("the synthetic node")
        self.shift_ns = shift_ns
        self._simulation, self._until_ns = simulation, until_ns
        self._list_every_ns = list_every_ns
        self._answers = SyntheticAnswers(simulation, shift_ns)

    def stream(self) -> Iterator[StreamItem]:
        """What happens until then."""
        simulation = self._simulation
        changes, listed_ns = simulation.policy_changes, simulation.now_ns
        while simulation.next_ns() < self._until_ns:
            for message in simulation.step():
                event = decode.htlc_event(message, self.shift_ns)
                assert event is not None
                yield event
            if simulation.policy_changes != changes:
                changes = simulation.policy_changes
                yield self._changed(Method.FEE_REPORT)
            if simulation.now_ns - listed_ns >= self._list_every_ns:
                listed_ns = simulation.now_ns
                yield self._changed(Method.LIST_CHANNELS)
        yield self._changed(Method.GET_INFO)
        yield self._changed(Method.LIST_CHANNELS)

    def events(self) -> Iterator[HtlcEvent]:
        """The HTLC events alone."""
        return (item for item in self.stream() if isinstance(item, HtlcEvent))

    async def ask(self, method: Method, request: bytes) -> Answer:
        """One unary call, answered as of the position of `stream`."""
        return Answer(self._answers.answer(method, request), replay=self.shift_ns == 0)

    async def close(self) -> None:
        """Nothing is held open."""

    def _changed(self, method: Method) -> SnapshotChanged:
        return SnapshotChanged(self._simulation.now_ns + self.shift_ns, method)
