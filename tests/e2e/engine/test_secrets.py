"""What a whole run leaves behind holds no secret: state, staged files, and what tasks hand on."""

import json
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.e2e.engine.world import TOKEN, World

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")


def test_a_run_leaves_no_token_behind(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with world.batch("currencies", "finance_to_dataverse", mode="full") as stages:
        extracted = stages.extract()
        validated = stages.validate(extracted)
        transformed = stages.transform(validated)
        handed_on = [extracted, validated, transformed, stages.load(transformed)]
    world.sync("resource_roles", mode="full")
    written = [path for path in Path(world.settings.staging).rglob("*") if path.is_file()]
    state = Path(str(make_url(world.settings.state_url).database))
    written += state.parent.glob(f"{state.name}*")  # its journal too
    assert len(written) > 5
    assert [path for path in written if TOKEN.encode() in path.read_bytes()] == []
    assert TOKEN not in json.dumps([value.as_json() for value in handed_on])
    assert TOKEN not in caplog.text
