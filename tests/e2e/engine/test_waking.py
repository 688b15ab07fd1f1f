"""Areas that feed each other come to rest: a load that wrote nothing wakes nobody.

The worst that can be: what one area writes the other one reads, and the other way round, each by a map of its
own. Neither knows the other's crosswalk, so that a change is written back once, where it already stands; that
write is an echo of what is in step, and the end.
"""

import shutil
from collections import deque
from collections.abc import Iterator

import pytest

from projops.lineage.feeds import feeding_tables
from projops.mapping.paths import table_of
from projops.pipeline import detect, extract, load, transform, validate
from projops.settings import PROJECT_ROOT
from tests.e2e.engine import rows
from tests.e2e.engine.world import World

MAPPINGS = PROJECT_ROOT / "include" / "mappings"
EAST, WEST = "east", "west"
MOST_RUNS = 12
MAP = """\
map: {name}
title: Customers, one way
version: 1.0.0.0
area: {area}
dataverse: account
finance: CustomersV3
key:
  CustomerAccount: accountnumber
  dataAreaId: msdyn_company.cdm_companycode
legs:
  {leg}:
    extract: {extract}
    write: upsert
    deletes: ignore
    fields: {fields}
"""
FORTH = {
    "name": "customers_forth",
    "area": EAST,
    "leg": "dataverse_to_finance",
    "extract": '{strategy: change_tracking, where: "customertypecode eq 3"}',
    "fields": "{OrganizationName: {from: name, required: true}}",
}
BACK = {
    "name": "customers_back",
    "area": WEST,
    "leg": "finance_to_dataverse",
    "extract": "{strategy: incremental_export, where: \"PartyType eq 'Organization'\"}",
    "fields": "{name: {from: OrganizationName, required: true}}",
}


@pytest.fixture(scope="module")
def apart(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same systems, with two areas that move customers, one each way; both have looked at all of them."""
    folder = tmp_path_factory.mktemp("apart") / "mappings"
    shutil.copytree(MAPPINGS / "_shared", folder / "_shared")
    for each in (FORTH, BACK):
        (folder / each["area"]).mkdir()
        (folder / each["area"] / f"{each['name']}.yaml").write_text(MAP.format(**each))
    apart = shared_world.with_settings(mappings=folder)
    wake(apart, EAST, WEST)
    yield apart
    apart.close()


def wake(world: World, *first: str) -> list[tuple[str, int]]:
    """Run areas as Airflow would: one after another, each again when another has told a table that feeds it.

    Gives each run with the rows that it wrote, in their order.
    """
    awake, runs = deque(first), []
    with world.engine() as engine:
        while awake:
            assert len(runs) < MOST_RUNS, f"The areas wake each other for ever: {runs}"
            area = awake.popleft()
            request = world.request()
            written = 0
            for ref in detect(engine, area, request):
                staged = transform(engine, validate(engine, extract(engine, ref, request)))
                outcome = load(engine, staged)
                written += outcome.loaded
                told = table_of(engine.maps[ref.map], ref.direction.target)
                fed = [each for each in (EAST, WEST) if told in feeding_tables(each, engine.maps)]
                awake.extend(each for each in fed if outcome.loaded and each not in awake)
            runs.append((area, written))
    return runs


def test_both_areas_are_fed_by_each_other(apart: World) -> None:
    with apart.engine() as engine:
        fed = {area: [table.name for table in feeding_tables(area, engine.maps)] for area in (EAST, WEST)}
    assert fed == {EAST: ["account"], WEST: ["CustomersV3"]}


def test_a_change_in_dataverse_comes_to_rest(apart: World) -> None:
    number = rows.fresh("W")
    guid = rows.account(apart, number, name="Before")
    rows.customer(apart, number, OrganizationName="Before")
    wake(apart, EAST, WEST)
    apart.change("accounts", guid, name="After")
    assert wake(apart, EAST) == [(EAST, 1), (WEST, 1), (EAST, 0)]
    found = rows.at_finance(apart, number)
    assert found is not None
    assert found["OrganizationName"] == "After"


def test_a_change_in_finance_comes_to_rest(apart: World) -> None:
    number = rows.fresh("W")
    rows.account(apart, number, name="Before")
    rows.customer(apart, number, OrganizationName="Before")
    wake(apart, EAST, WEST)
    apart.patch("CustomersV3", rows.customer_key(number), OrganizationName="After")
    assert wake(apart, WEST) == [(WEST, 1), (EAST, 1), (WEST, 0)]
    found = rows.at_dataverse(apart, number)
    assert found is not None
    assert found["name"] == "After"


def test_where_nothing_has_changed_nobody_wakes(apart: World) -> None:
    wake(apart, EAST, WEST)
    assert wake(apart, EAST) == [(EAST, 0)]
    assert wake(apart, WEST) == [(WEST, 0)]
