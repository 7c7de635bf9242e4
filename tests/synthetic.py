"""Made-up nodes for any room's tests: so many hours of a seed's life, stored as if collected."""

from collections.abc import Iterable
from pathlib import Path

from htlctop import service
from htlctop.sim.synthetic.house import Action
from htlctop.sim.synthetic.node import SyntheticNode
from htlctop.sim.synthetic.simulation import HOUR_NS, START_NS, Simulation


async def lived(
    seed: int, hours: float, store: Path, *, actions: Iterable[Action] = (), channels: int = 60
) -> Simulation:
    """Let a seed's node live so long and store what it said; returns it, with what its payers did.

    A week takes about four seconds. `Simulation(seed).run(...)` alone, without a store, takes one.
    """
    simulation = Simulation(seed, channels=channels, actions=actions)
    node = SyntheticNode(simulation, START_NS + int(hours * HOUR_NS))
    await service.ingest_played(node, store)
    return simulation
