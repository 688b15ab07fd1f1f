"""Whatever stands in a bad row, its dead letter can be written: Postgres takes no NUL and no long key."""

import pytest
from sqlalchemy import select

from projops.mapping.keys import LONGEST_KEY, key_text
from projops.state import StateStore
from projops.state.dead_letters import Letter, Origin, record
from projops.state.tables import dead_letter

ORIGIN = Origin("units", "finance_to_dataverse", 1, "1.0.0.0")
ODD = ("a\0b", "\0" * 10, "x" * 100_000, "\u202eabc", "e\u0301", "\U0001f469\u200d\U0001f4bb" * 300, "'; --")


def test_odd_values_stay_apart_and_fit_their_columns(store: StateStore) -> None:
    letters = [
        Letter(key_text([text]), key_text([text]), "open", "validate", "length", f"Bad: {text}", value=text)
        for text in (*ODD, "x" * 100_001)
    ]
    with store.begin() as connection:
        record(connection, ORIGIN, letters)
        record(connection, ORIGIN, letters)  # again: the same entries
        rows = connection.execute(select(dead_letter)).mappings().all()
    assert len(rows) == len(letters)
    for row in rows:
        assert len(row["source_id"]) <= LONGEST_KEY
        assert "\0" not in f"{row['source_id']}{row['message']}{row['value']}{row['key']}"
        assert row["attempts"] == 1


@pytest.mark.parametrize("length", [LONGEST_KEY, LONGEST_KEY + 1])
def test_a_key_that_does_not_fit_is_none_so_that_nobody_replays_it(store: StateStore, length: int) -> None:
    with store.begin() as connection:
        record(connection, ORIGIN, [Letter("g", "k" * length, "open", "validate", "key_length", "Too long.")])
        key = connection.execute(select(dead_letter.c.key)).scalar()
    assert (key is None) is (length > LONGEST_KEY)
