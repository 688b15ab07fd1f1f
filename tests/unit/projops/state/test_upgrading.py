"""What older state databases hold is still there, and understood, after an upgrade."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from projops.mapping.model import Direction
from projops.state import StateStore, crosswalk
from projops.state import upgrade as upgrading

_BATCH = text("""
    INSERT INTO batch (id, dag_id, run_id, map, leg, status, mode, mapping_version, fingerprint, advances,
        started_at, read, unchanged, loaded, parked, rejected, failed)
    VALUES (:id, 'a', :id, 'customers', :leg, 'committed', 'full', '1', 'f', true,
        '2026-11-01 00:00:00', 0, 0, 0, 0, 0, 0)
""")
_PAIR = text("""
    INSERT INTO crosswalk (map, key, hash_dataverse_to_finance, hash_finance_to_dataverse, batch, in_step_at)
    VALUES ('customers', :key, :forth, :back, :batch, '2026-11-01 00:00:00')
""")


def test_of_pairs_moved_before_the_last_batch_is_known_in_its_own_direction(tmp_path: Path) -> None:
    store = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    with store.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(upgrading.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for number, leg in ((1, "dataverse_to_finance"), (2, "finance_to_dataverse")):
            connection.execute(_BATCH, {"id": number, "leg": leg})
        for key, forth, back, batch in (
            ("both", "h", "h", 2),
            ("forth", "h", None, 1),
            ("doubted", "", "h", 1),
            ("forgotten", "h", None, 99),
        ):
            connection.execute(_PAIR, {"key": key, "forth": forth, "back": back, "batch": batch})
    store.prepare()
    with store.begin() as connection:
        keys = ("both", "forth", "doubted", "forgotten")
        found = {each.entry.key: each.batches for each in crosswalk.in_step(connection, "customers", keys)}
    store.close()
    forth, back = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
    assert found == {
        "both": {forth: None, back: 2},
        "forth": {forth: 1, back: None},
        "doubted": {forth: None, back: None},
        "forgotten": {forth: None, back: None},
    }
