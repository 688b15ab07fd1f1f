"""What the load of one batch works with."""

from dataclasses import dataclass

from projops.load.decide import Policy
from projops.load.gate import BillingGate
from projops.load.target import Target
from projops.mapping.model import Leg, System, TableMap
from projops.settings import Settings
from projops.state import StateStore
from projops.state.batches import Batch
from projops.state.dead_letters import Origin


@dataclass(frozen=True, slots=True)
class LoadJob:
    """All that the load of one batch needs.

    Attributes:
        state: State database.
        table_map: The map.
        leg: The leg.
        batch: The batch.
        target: The side that is written.
        settings: For the limits of deletes.
        deletes: Deletes in the whole batch.
        gate: Holds rows back until what belongs to them is in step, or None.
    """

    state: StateStore
    table_map: TableMap
    leg: Leg
    batch: Batch
    target: Target
    settings: Settings
    deletes: int = 0
    gate: BillingGate | None = None

    @property
    def policy(self) -> Policy:
        """What the mapping allows."""
        return Policy.of(self.table_map, self.leg)

    @property
    def origin(self) -> Origin:
        """Where dead letters of this batch come from."""
        return Origin(self.table_map.map, self.leg.direction.value, self.batch.id, self.table_map.version)

    @property
    def from_dataverse(self) -> bool:
        """Whether Dataverse is the source."""
        return self.leg.direction.source is System.DATAVERSE
