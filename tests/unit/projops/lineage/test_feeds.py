"""Which areas wake which, from the mapping files themselves."""

from collections.abc import Iterator
from dataclasses import replace
from graphlib import TopologicalSorter

import pytest

from projops.lineage.feeds import feeding_tables
from projops.mapping.model import TableMap
from projops.mapping.reader import load_maps
from tests.unit.projops.lineage import truth

MAPS = load_maps(truth.ROOT / "include" / "mappings").maps
ENABLED = {name: each for name, each in truth.maps().items() if each.get("enabled") != "false"}
AREAS = sorted({each["area"] for each in ENABLED.values()})


def fed_by(area: str) -> set[str]:
    return {table.name for table in feeding_tables(area, MAPS)}


def written_by(name: str, *, rows_appear: bool = False) -> Iterator[str]:
    for leg, facts in ENABLED.get(name, {"legs": {}})["legs"].items():
        if not rows_appear or facts["write"] != "update_only":
            yield truth.target_of(name, leg)


@pytest.mark.parametrize("area", AREAS)
def test_an_area_is_fed_by_what_its_maps_need_or_read_of_others(area: str) -> None:
    own = {name for name, each in ENABLED.items() if each["area"] == area}
    foreign = {table for name in ENABLED if name not in own for table in written_by(name)}
    gates = {
        need for name in own if "gate" in ENABLED[name] for need in ("actuals", "transaction_connections")
    }
    needs = {need for name in own for need in ENABLED[name].get("needs", ())} | gates
    wanted = {table for need in needs for table in written_by(need, rows_appear=True)}
    wanted |= {truth.source_of(name, leg) for name in own for leg in ENABLED[name]["legs"]}
    assert fed_by(area) == wanted & foreign


def test_an_invoice_wakes_when_its_actuals_have_come() -> None:
    assert {"ProjActualsImports", "ProjCDSTransactionRelationshipImports"} <= fed_by("project_invoices")


def test_all_areas_are_connected_and_none_feeds_itself_by_way_of_others() -> None:
    writers = {
        area: {t for n, each in ENABLED.items() if each["area"] == area for t in written_by(n)}
        for area in AREAS
    }
    feeding = {
        area: {other for other in AREAS if other != area and writers[other] & fed_by(area)} for area in AREAS
    }
    order = list(TopologicalSorter(feeding).static_order())  # which a ring would refuse
    assert order[0] == "reference_data"
    assert all(feeding[area] for area in order[1:])


def test_a_map_that_is_off_feeds_nobody() -> None:
    def off(table_map: TableMap) -> TableMap:
        return replace(table_map, enabled=False)

    without = {name: off(each) if each.area == "reference_data" else each for name, each in MAPS.items()}
    assert feeding_tables("setup_and_configuration", without) == ()
