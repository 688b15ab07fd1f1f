"""What a fingerprint stands for is kept, in digests and in words."""

from sqlalchemy import insert

from projops.state import StateStore, meanings
from projops.state.tables import meaning


def test_words_are_kept_once_and_found_by_fingerprint(store: StateStore) -> None:
    with store.begin() as connection:
        meanings.remember(connection, "f1", {"Name": "d1"}, {"column Name": "from name"})
        meanings.remember(connection, "f1", {"Name": "d1"}, {"column Name": "told otherwise"})
        meanings.remember(connection, "f2", {"Name": "d2"}, {"column Name": "from title"})
        found = meanings.words_of(connection, ["f1", "f2", "f3"])
    assert found == {"f1": {"column Name": "from name"}, "f2": {"column Name": "from title"}}


def test_a_meaning_from_before_there_were_words_gets_them_with_its_next_batch(store: StateStore) -> None:
    with store.begin() as connection:
        connection.execute(insert(meaning).values(fingerprint="old", columns='{"Name": "d"}'))
        assert meanings.words_of(connection, ["old"]) == {}
        meanings.remember(connection, "old", {"Name": "d"}, {"column Name": "from name"})
        assert meanings.words_of(connection, ["old"]) == {"old": {"column Name": "from name"}}
        difference = meanings.difference(connection, "old", {"Name": "d", "Age": "e"})
    assert difference is not None
    assert (difference.added, difference.changed) == (("Age",), ())
