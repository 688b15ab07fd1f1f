"""What the load of one batch works with."""

from dataclasses import dataclass, field

from projops.load.decide import Policy
from projops.load.doubts import Doubts
from projops.load.gate import BillingGate
from projops.load.guard import DeleteGuard
from projops.load.packages import Packing
from projops.load.target import Target
from projops.mapping.model import Leg, System, TableMap
from projops.poison import Quarantine
from projops.settings import Settings
from projops.state import StateStore
from projops.state.batches import Batch
from projops.state.dead_letters import Origin
from projops.state.in_flight import Writing
from projops.state.leases import Lease


@dataclass(frozen=True, slots=True)
class LoadJob:
    """All that the load of one batch needs.

    Attributes:
        state: State database.
        table_map: The map.
        leg: The leg.
        batch: The batch.
        target: The side that is written.
        settings: Settings of the engine.
        guard: Says when deletes wait for a person.
        gate: Holds rows back until what belongs to them is in step, or None.
        lease: The map's; nothing is written, here or there, once it is lost.
        quarantine: Takes rows that crash the load.
        doubts: What writers that fell silent may have written.
        packing: Sends many rows as data packages, or None where the leg has none.
    """

    state: StateStore
    table_map: TableMap
    leg: Leg
    batch: Batch
    target: Target
    settings: Settings
    guard: DeleteGuard
    gate: BillingGate | None = None
    lease: Lease = field(kw_only=True)
    quarantine: Quarantine = field(kw_only=True)
    doubts: Doubts = field(default_factory=Doubts)
    packing: Packing | None = None

    @property
    def policy(self) -> Policy:
        """What the mapping allows."""
        return Policy.of(self.table_map, self.leg)

    @property
    def origin(self) -> Origin:
        """Where dead letters of this batch come from."""
        return Origin(self.table_map.map, self.leg.direction.value, self.batch.id, self.table_map.version)

    @property
    def writing(self) -> Writing:
        """Who marks what is on its way."""
        origin = self.origin
        return Writing(origin.map, origin.leg, origin.batch, self.lease.token)

    @property
    def from_dataverse(self) -> bool:
        """Whether Dataverse is the source."""
        return self.leg.direction.source is System.DATAVERSE
