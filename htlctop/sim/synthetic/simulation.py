"""`Simulation`: a seed's node from its first moment on, for as long as it is asked.

simulation = Simulation(7, actions=[Refill(at_ns, peer.pubkey, 2_000_000)])
simulation.run(START_NS + 7 * DAY_NS)
simulation.payments     # what the senders did
"""

from collections.abc import Callable, Iterable

from htlctop.domain.types import NS
from htlctop.sim.synthetic.channels import SimChannel
from htlctop.sim.synthetic.house import Action, House
from htlctop.sim.synthetic.hub import Hub
from htlctop.sim.synthetic.payers import Payers
from htlctop.sim.synthetic.people import make_people
from htlctop.sim.synthetic.timeline import Timeline
from htlctop.sim.synthetic.truth import PaymentRecord
from htlctop.sim.synthetic.wants import Tempo

START_NS = 1_798_761_600 * NS
"""When every simulated node begins: 2027-01-01 00:00 UTC."""
HOUR_NS = 3600 * NS
DAY_NS = 24 * HOUR_NS
CHANNELS = 60


class Simulation:
    """Runs on its own time alone; two of the same arguments say the same bytes.

    Attributes:
        people: the node, its peers and their channels, as they are at the moment.
        hub: what the node remembers.
        dirty: channels that changed since somebody last emptied it, by id.
        policy_changes: how often a policy has changed.
    """

    def __init__(
        self,
        seed: int,
        *,
        channels: int = CHANNELS,
        actions: Iterable[Action] = (),
        tempo: Tempo | None = None,
        over: Callable[[PaymentRecord], None] | None = None,
    ) -> None:
        """Args:
        channels: how many, at least 16.
        actions: what the operator does, and when.
        tempo: how much is paid; by default that of a node with some 1,700 HTLCs a day.
        over: called with each payment once it is over; by default they are kept in `payments`.
        """
        self.seed = seed
        self.timeline = Timeline(START_NS)
        self.people = make_people(seed, channels)
        self.payments: list[PaymentRecord] = []
        self.dirty: dict[int, SimChannel] = {}
        self.policy_changes = 0
        self._said: list[bytes] = []
        self.hub = Hub(self.timeline, self._said.append, self._touched)
        self._payers = Payers(
            seed, self.people, self.hub, self.timeline,
            tempo or Tempo(peak_ns=START_NS + 23 * HOUR_NS), over or self.payments.append,
        )  # fmt: skip
        self._house = House(
            seed, self.people, self.hub, self._payers, self.timeline,
            changed=self._touched, policies=self._repriced,
        )  # fmt: skip
        for action in actions:
            self._house.plan(action)

    @property
    def now_ns(self) -> int:
        """How far it has come."""
        return self.timeline.now_ns

    @property
    def open_payments(self) -> list[PaymentRecord]:
        """The payments that go on at this moment."""
        return self._payers.open

    def next_ns(self) -> int:
        """When the next thing happens; something always does."""
        next_ns = self.timeline.next_ns()
        assert next_ns is not None
        return next_ns

    def step(self) -> list[bytes]:
        """Let the next thing happen. Returns the HTLC events that the node says, often none."""
        self.timeline.step()
        said = self._said.copy()
        self._said.clear()
        return said

    def run(self, until_ns: int) -> list[bytes]:
        """Let everything before that moment happen. Returns what the node said."""
        said: list[bytes] = []
        while self.next_ns() < until_ns:
            said += self.step()
        return said

    def earned_msat(self, pubkey: str) -> int:
        """The fees of what was forwarded to a peer, of the last 50,000 forwards that settled."""
        scids = {channel.scid for peer, channel in self.people.channels if peer.pubkey == pubkey}
        return sum(
            forward.in_msat - forward.out_msat
            for forward in self.hub.settled
            if forward.circuit.out_scid in scids
        )

    def _touched(self, channel: SimChannel) -> None:
        self.dirty[channel.scid] = channel

    def _repriced(self) -> None:
        self.policy_changes += 1
