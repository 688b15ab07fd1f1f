"""From rows that validate or transform refused to dead letters."""

import pyarrow as pa

from projops.mapping.model import Leg, TableMap
from projops.state import StateStore, dead_letters
from projops.state.batches import Batch
from projops.state.dead_letters import Letter, Origin


def record_rejects(state: StateStore, table_map: TableMap, leg: Leg, batch: Batch, rejects: pa.Table) -> int:
    """Set rejected rows aside.

    A row that breaks several rules has one dead letter, with the first of them.

    Args:
        state: State database.
        table_map: The map.
        leg: The leg.
        batch: The batch.
        rejects: Columns `_id`, `_key`, `stage`, `rule`, `field`, `message`, `value`.

    Returns:
        The number of rows set aside.
    """
    letters: dict[str, Letter] = {}
    for row in rejects.to_pylist():
        letter = Letter(
            source_id=row["_id"] or row["_key"] or "",
            key=row["_key"],
            status="open",
            stage=row["stage"],
            rule=row["rule"],
            message=row["message"],
            field=row["field"],
            value=row["value"],
        )
        letters.setdefault(letter.source_id, letter)
    if letters:
        origin = Origin(table_map.map, leg.direction.value, batch.id, table_map.version)
        with state.begin() as connection:
            dead_letters.record(connection, origin, list(letters.values()))
    return len(letters)
