"""Dead letters for tests of pages."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from projops.mapping.keys import key_text
from projops.state import StateStore, dead_letters
from projops.state.dead_letters import Letter, Origin
from projops.state.tables import batch, dead_letter

FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"


def put(store: StateStore, source_id: str, *, map_id: str = "actuals", leg: str = FORTH, **facts: Any) -> int:
    """Set a row aside; give the number of its entry."""
    values = {
        "key": key_text([source_id, "uspm"]),
        "status": "open",
        "stage": "load",
        "rule": "E6",
        "message": "No.",
    } | facts
    with store.begin() as connection:
        letters = [Letter(source_id=source_id, **values)]
        dead_letters.record(connection, Origin(map_id, leg, 1, "1.0.0.0"), letters)
        latest = select(dead_letter.c.id).order_by(dead_letter.c.id.desc()).limit(1)
        return int(connection.execute(latest).scalar_one())


def put_batch(store: StateStore, dag_id: str = "estimates_and_actuals") -> None:
    """Open the batch that the letters are of."""
    facts: dict[str, Any] = {"map": "actuals", "leg": FORTH, "status": "committed", "mode": "incremental"}
    rest = {"mapping_version": "1", "fingerprint": "f", "advances": True}
    with store.begin() as connection:
        at = datetime.now(UTC)
        values = {"id": 1, "dag_id": dag_id, "run_id": "manual__1", "started_at": at} | facts | rest
        connection.execute(insert(batch).values(**values))


def statuses(store: StateStore) -> dict[int, str]:
    """Give the status of each entry, by number."""
    with store.begin() as connection:
        rows = connection.execute(select(dead_letter.c.id, dead_letter.c.status))
        return {row.id: row.status for row in rows}
