"""What breaks a rule, from real rows: counted, shown, and what could be expected of them proposed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from projops.mapping.model import Direction
from projops.state import quality
from projops.state.quality import Breach
from projops.validate.implied import implied_expectations
from projops.validate.profile.document import as_yaml
from projops.validate.profile.proposals import proposals
from projops.validate.profile.reading import profile
from tests.e2e.engine.world import World

FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE


def test_a_row_that_breaks_a_rule_is_counted_and_stands_in_the_docs_of_its_batch(world: World) -> None:
    project = world.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")[0]
    where = ("msdyn_projects", project["msdyn_projectid"])
    world.change(*where, msdyn_scheduledend="2001-01-01T00:00:00Z")
    try:
        batch = world.sync("projects")["projects__dataverse_to_finance"].batch
    finally:
        world.change(*where, msdyn_scheduledend=project["msdyn_scheduledend"])
    with world.engine() as engine, engine.state.begin() as connection:
        (found,) = quality.of_batch(connection, batch)
        days = quality.trend(connection, "projects", datetime.now(UTC) - timedelta(days=1))
    columns = "msdyn_scheduledend, msdyn_scheduledstart"
    assert (found.stage, found.breach) == ("validate", Breach("project_dates", columns, "error", 1))
    assert sum(each.rows for each in days if each.rule == "project_dates") == 1
    folder = Path(world.settings.staging) / "docs" / "projects" / "dataverse_to_finance"
    page = (folder / str(batch) / "index.html").read_text(encoding="utf-8")
    assert "1 row was set aside" in page
    assert project["msdyn_projectnumber"] not in page
    assert f'href="{batch}/index.html"' in (folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("map_id", "direction"), [("projects", FORTH), ("customers", BACK)])
def test_what_is_proposed_of_real_rows_holds_of_them(
    world: World, map_id: str, direction: Direction, tmp_path: Path
) -> None:
    with world.engine() as engine:
        table_map = engine.map(map_id)
        leg = table_map.legs[direction]
        facts = profile(engine, table_map, leg, 0)
        first = profile(engine, table_map, leg, 7)
        implied = implied_expectations(table_map, leg, engine.loaded.value_maps)
        found = proposals(table_map, leg, facts, implied)
    assert {each.rows for each in first.values()} == {7}
    assert len(found) > 3
    folder = tmp_path / "include" / "expectations"
    folder.mkdir(parents=True)
    text = as_yaml(map_id, {direction: found}).replace("severity: warning", "severity: error")
    (folder / f"{map_id}.yaml").write_text(text, encoding="utf-8")
    outcomes = world.with_settings(expectations=folder).sync(map_id, mode="full")
    outcome = outcomes[f"{map_id}__{direction.value}"]
    assert (outcome.read >= max(each.rows for each in facts.values()), outcome.rejected) == (True, 0)
