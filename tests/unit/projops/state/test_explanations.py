"""What the state tells of rows that differ: which of their dead letters explain anything."""

from sqlalchemy import update

from projops.reconcile.model import Kind, RowDifference
from projops.run import LegRef
from projops.state import StateStore, crosswalk, dead_letters, explanations
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Letter, Origin
from projops.state.tables import dead_letter

FORTH = LegRef("roles", "dataverse_to_finance")
ORIGIN = Origin(FORTH.map, FORTH.leg, 7, "1.0")
KEY = '["a"]'
ROW = RowDifference(FORTH, KEY, Kind.CHANGED, "guid", KEY, "h")


def statuses(store: StateStore) -> list[str]:
    with store.begin() as connection:
        return [each.status for each in explanations.set_aside(connection, FORTH, [ROW]).about(ROW)]


def dismissed(store: StateStore) -> None:
    letter = Letter(source_id="guid", key=KEY, status="open", stage="load", rule="refused", message="No.")
    with store.begin() as connection:
        dead_letters.record(connection, ORIGIN, [letter])
        connection.execute(update(dead_letter).values(status="dismissed"))


def test_what_was_dismissed_is_over_once_the_leg_has_brought_the_row_in_step(store: StateStore) -> None:
    dismissed(store)
    with store.begin() as connection:
        crosswalk.put(connection, FORTH.map, 5, [Entry(KEY, "guid", hash_dataverse_to_finance="h")])
        crosswalk.put(connection, FORTH.map, 9, [Entry(KEY, hash_finance_to_dataverse="h")])
    assert statuses(store) == ["dismissed"]  # it was in step before, and the other leg tells nothing of it
    with store.begin() as connection:
        crosswalk.put(connection, FORTH.map, 8, [Entry(KEY, hash_dataverse_to_finance="new")])
    assert statuses(store) == []


def test_what_is_live_explains_whatever_was_in_step_later(store: StateStore) -> None:
    letter = Letter(source_id="guid", key=KEY, status="parked", stage="load", rule="parent", message="No.")
    with store.begin() as connection:
        dead_letters.record(connection, ORIGIN, [letter])
        crosswalk.put(connection, FORTH.map, 8, [Entry(KEY, "guid", hash_dataverse_to_finance="h")])
    assert statuses(store) == ["parked"]
