from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from projops.errors import ConfigurationError, EnvironmentMismatchError, StopError, SystemUnavailableError
from projops.state import StateStore
from projops.state.audit import actions, record_action
from projops.state.environments import bind_environment, bound_at, mark_of
from projops.state.store import HEAD
from projops.state.tables import metadata


def test_migrations_give_the_tables_that_the_code_knows(store: StateStore) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    assert store.revision() == HEAD


def test_preparing_twice_changes_nothing(store: StateStore) -> None:
    store.prepare()
    assert store.revision() == HEAD


def test_a_schema_of_a_newer_version_is_refused(store: StateStore) -> None:
    with store.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StopError, match="newer version"):
        store.prepare()


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(ConfigurationError, match="projops_state"):
        StateStore(f"sqlite:///{tmp_path / 'folder.db'}").prepare()


def test_a_database_that_is_away_for_now_is_tried_again(store: StateStore) -> None:
    """One sentence, and an error that a retry may mend; no statement and no value in it."""
    with pytest.raises(SystemUnavailableError, match="does not answer well.*Retried") as raised:
        with store.begin() as connection:
            connection.execute(text("SELECT 'secret' FROM nowhere"))
    assert "secret" not in str(raised.value)


def test_the_state_belongs_to_one_environment(store: StateStore) -> None:
    with store.begin() as connection:
        bind_environment(connection, "dataverse", "org-1")
        bind_environment(connection, "dataverse", "org-1")
        with pytest.raises(EnvironmentMismatchError, match="org-1.*org-2"):
            bind_environment(connection, "dataverse", "org-2")


def test_states_that_begin_within_one_second_bear_different_marks(store: StateStore) -> None:
    """Finance keeps its mark of exports by a name that ends with it: what shares one misses rows."""
    systems = [f"system {number}" for number in range(5)]
    for system in systems:
        with store.begin() as connection:
            bind_environment(connection, system, "environment")
    with store.reading() as connection:
        moments = [bound_at(connection, system) for system in systems]
    assert len({mark_of(moment) for moment in moments}) == len(systems)
    assert len({f"{moment:%H%M%S}" for moment in moments}) < len(systems)  # else it has shown nothing


def test_a_commit_outlives_a_power_cut(store: StateStore) -> None:
    full = 2
    with store.begin() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == full


def names(connection: Connection) -> list[object]:
    return [each["actor"] for each in actions(connection)]


def test_a_reader_waits_for_no_writer_and_sees_one_state(store: StateStore) -> None:
    """Neither waits: a page that took the writer's lock would hang here."""
    with store.reading() as reader:
        assert names(reader) == []
        with store.begin() as writer:
            record_action(writer, "ann", "pause", "roles")
            with store.reading() as another:
                assert names(another) == []
        assert names(reader) == [], "its own state to the end"
    with store.reading() as reader:
        assert names(reader) == ["ann"]


def test_what_only_reads_cannot_write_and_leaves_a_connection_that_can(store: StateStore) -> None:
    with pytest.raises(SystemUnavailableError, match="does not answer well"), store.reading() as reader:
        record_action(reader, "ann", "pause", "roles")
    with pytest.raises(KeyError), store.reading():
        raise KeyError
    with store.begin() as writer:
        record_action(writer, "bob", "pause", "roles")
    with store.reading() as reader:
        assert names(reader) == ["bob"]
