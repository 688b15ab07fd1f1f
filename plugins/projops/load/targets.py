"""Which side a leg writes to, and what may hold its rows back."""

from projops.engine import Engine, Systems
from projops.load.dataverse import DataverseTarget
from projops.load.doubts import Doubts
from projops.load.finance import FinanceTarget
from projops.load.gate import BillingGate
from projops.load.guard import delete_guard
from projops.load.job import LoadJob
from projops.load.missing import MissingRows
from projops.load.packages import await_imports, packing_of
from projops.load.references import References
from projops.load.target import Target
from projops.mapping.model import Leg, System, TableMap
from projops.poison import Quarantine
from projops.state import in_flight
from projops.state.batches import Batch
from projops.state.leases import Lease
from projops.systems.dataverse_writer import DataverseWriter
from projops.systems.imports import Imports
from projops.systems.packages import Packages


def load_job(
    engine: Engine, systems: Systems, table_map: TableMap, leg: Leg, batch: Batch, deletes: int, lease: Lease
) -> LoadJob:
    """Put together what the load of a batch works with.

    Args:
        engine: State, settings and maps.
        systems: Open sessions.
        table_map: The map.
        leg: The leg.
        batch: The batch.
        deletes: Deletes in the whole batch that nobody has approved.
        lease: The map's.
    """
    with engine.state.begin() as connection:
        marks = in_flight.of_others(connection, table_map.map, lease.token)
    imports = Imports(Packages(systems.finance.session))
    return LoadJob(
        state=engine.state,
        table_map=table_map,
        leg=leg,
        batch=batch,
        target=target_of(engine, systems, table_map, leg),
        settings=engine.settings,
        guard=delete_guard(engine.state, engine.settings, leg, batch, deletes),
        gate=_gate(engine, systems, table_map, leg),
        lease=lease,
        quarantine=Quarantine.of(engine, table_map, batch, "load"),
        doubts=Doubts.of(marks, leg.direction),
        packing=packing_of(imports, table_map, leg, engine.settings.package_rows),
    )


async def end_imports(engine: Engine, systems: Systems, table_map: TableMap, leg: Leg, lease: Lease) -> None:
    """Wait for the imports by which rows of a leg still travel though their writer fell silent.

    Raises:
        SystemUnavailableError: One does not end; nothing has been written.
    """
    with engine.state.begin() as connection:
        marks = in_flight.of_others(connection, table_map.map, lease.token)
    mine = [mark for mark in marks if mark.leg == leg.direction]
    await await_imports(Packages(systems.finance.session), mine)


def target_of(engine: Engine, systems: Systems, table_map: TableMap, leg: Leg) -> Target:
    """Give the side that a leg writes to; whoever only reads it needs no lease."""
    if leg.direction.target is System.FINANCE:
        return FinanceTarget(systems.finance, table_map, leg)
    return DataverseTarget(
        systems.dataverse,
        DataverseWriter(systems.dataverse.session),
        table_map,
        leg,
        References(systems.dataverse),
        MissingRows(engine.state, systems.dataverse, systems.finance, tuple(engine.maps.values())),
        systems.lookups(),
    )


def _gate(engine: Engine, systems: Systems, table_map: TableMap, leg: Leg) -> BillingGate | None:
    if table_map.gate is None or leg.direction.target is not System.FINANCE:
        return None
    return BillingGate(systems.dataverse, engine.state, table_map.gate)
