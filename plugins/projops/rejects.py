"""From rows that validate or transform refused to dead letters."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.model import Leg, TableMap
from projops.payload import payload_text
from projops.state import StateStore, dead_letters
from projops.state.batches import Batch, superseded_by
from projops.state.dead_letters import Letter, Origin


def record_rejects(
    state: StateStore, table_map: TableMap, leg: Leg, batch: Batch, rejects: pa.Table, source: pa.Table
) -> int:
    """Set rejected rows aside, each with the source row as its payload.

    A row that breaks several rules has one dead letter, with the first of them.

    Args:
        state: State database.
        table_map: The map.
        leg: The leg.
        batch: The batch.
        rejects: Columns `_id`, `_key`, `stage`, `rule`, `field`, `message`, `value`.
        source: The source frame that they come from.

    Returns:
        The number of rows set aside.
    """
    if rejects.num_rows == 0:
        return 0
    payloads = _payloads(rejects, source)
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
            payload=payloads.get(row["_id"]),
        )
        letters.setdefault(letter.source_id, letter)
    origin = Origin(table_map.map, leg.direction.value, batch.id, table_map.version)
    record_letters(state, batch, origin, list(letters.values()))
    return len(letters)


def record_letters(state: StateStore, batch: Batch, origin: Origin, letters: Sequence[Letter]) -> None:
    """Set rows aside unless the batch is superseded by now: a later one has judged newer versions of them.

    Validate and transform hold no lease, so that this is made sure of in the very transaction.
    """
    if letters:
        with state.begin() as connection:
            if superseded_by(connection, batch) is None:
                dead_letters.record(connection, origin, letters)


def _payloads(rejects: pa.Table, source: pa.Table) -> dict[str, str]:
    """Write the rejected rows as payloads, by identity: by source column, without the engine's own facts."""
    rows = source.filter(pc.is_in(source["_id"], value_set=rejects["_id"].combine_chunks()))
    columns = [name for name in rows.column_names if not name.startswith("_")]
    payloads = map(payload_text, rows.select(columns).to_pylist())
    return dict(zip(rows["_id"].to_pylist(), payloads, strict=True))
