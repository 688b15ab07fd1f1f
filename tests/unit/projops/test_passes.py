"""What a map says of itself, on its way through the validate stage."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import pytest

from projops.engine import Engine
from projops.errors import BreakerOpenError
from projops.mapping.model import System
from projops.passes import Validation
from projops.settings import Settings
from projops.state import quality
from projops.systems.connection import Connection
from projops.validate.suites import Verdict, judge
from tests.unit.projops.validate.test_docs import roles, validated

FILE = """\
map: resource_roles
breaker: {rules: {value_map: {share: 0, rows: 1}, short: {share: 0.5, rows: 2}}}
expectations:
  - rule: short
    leg: dataverse_to_finance
    expectation: expect_column_value_lengths_to_be_between
    columns: {column: name}
    options: {max_value: 3}
    severity: warning
    message: The name is too long; shorten it.
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    folder = tmp_path / "include" / "expectations"
    folder.mkdir(parents=True)
    (folder / "resource_roles.yaml").write_text(FILE)
    settings = Settings(
        state_url=f"sqlite:///{tmp_path / 'state.db'}", staging=str(tmp_path / "staging"), expectations=folder
    )
    with Engine.open(settings, _no_connection) as opened:
        yield opened


def _no_connection(system: System) -> Connection:
    raise AssertionError(f"{system} is asked for nothing here")


def test_a_rule_stops_the_leg_where_the_settings_would_not(engine: Engine) -> None:
    validated(engine, roles(0, 9, name="ok"), roles(9, 1, name="ok", statecode=9))
    with pytest.raises(BreakerOpenError, match="2 of 11 rows of resource_roles break the rule value_map"):
        validated(engine, roles(0, 9, name="ok"), roles(9, 2, name="ok", statecode=9))


def test_warnings_are_tolerated_up_to_the_limit_of_their_rule(engine: Engine) -> None:
    batch = validated(engine, roles(0, 5, name="ok"), roles(5, 5, name="longer"))
    with engine.state.begin() as connection:
        (found,) = quality.of_batch(connection, batch.id)
    assert (found.breach.rule, found.breach.severity, found.breach.rows) == ("short", "warning", 5)
    with pytest.raises(BreakerOpenError, match="6 of 10 rows of resource_roles break the rule short"):
        validated(engine, roles(0, 4, name="ok"), roles(4, 6, name="longer"))


def test_the_settings_hold_for_what_a_map_leaves_open(engine: Engine) -> None:
    strict = replace(engine, settings=replace(engine.settings, breaker_share=0.0, breaker_rows=0))
    with pytest.raises(BreakerOpenError, match="1 of 10 rows of resource_roles are bad, more than 0%"):
        validated(strict, roles(0, 9, name="ok"), roles(9, 1, name="ok", statecode=9))


def test_chunks_are_judged_together_and_go_on_in_their_size(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[int] = []

    def counting(frame: pd.DataFrame, *others: Any) -> Verdict:
        judged.append(len(frame))
        return judge(frame, *others)

    monkeypatch.setattr("projops.validate.suites.judge", counting)
    monkeypatch.setattr(Validation, "most_together", 25)
    chunks = [roles(start, 10, name="ok") for start in range(0, 30, 10)]
    batch = validated(engine, *chunks, roles(30, 40, name="ok"))
    assert judged == [20, 10, 40]
    folder = Path(engine.staging.root) / batch.map / batch.leg / str(batch.id) / "validate"
    manifest = engine.staging.open((folder / "manifest.json").as_uri(), batch.id)
    parts = [table["_id"].to_pylist() for table in engine.staging.tables(manifest)]
    assert [len(part) for part in parts] == [10, 10, 10, 40]
    assert sum(parts, []) == [f"r{number}" for number in range(70)]
