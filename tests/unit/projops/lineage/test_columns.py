"""Column lineage by example; for all maps it is compared in orchestration/test_leg_lineage.py."""

from dataclasses import replace
from pathlib import Path

import pytest

from projops.lineage.columns import Input, extracted, passed, transformed
from projops.lineage.end_to_end import end_to_end
from projops.mapping.model import Direction, Extract, FieldRule, Leg, Strategy, TableMap
from projops.mapping.reader import load_maps

MAP = """\
map: tasks
title: Tasks
version: 1.0.0.0
area: made_up
dataverse: msdyn_projecttask
finance: ProjectTasks
key:
  ProjectId: msdyn_project.msdyn_projectnumber
  TaskId: msdyn_projecttasknumber
  dataAreaId: msdyn_project.msdyn_owningcompany.cdm_companycode
legs:
  dataverse_to_finance:
    extract: {strategy: change_tracking, where: "msdyn_project.msdyn_istemplate eq false"}
    write: upsert
    deletes: ignore
    fields:
      TaskName: %s
"""


def leg_of(tmp_path: Path, rule: str) -> tuple[TableMap, Leg]:
    folder = tmp_path / "mappings" / "made_up"
    folder.mkdir(parents=True)
    (folder / "tasks.yaml").write_text(MAP % rule)
    loaded_maps = load_maps(folder.parent)
    assert loaded_maps.broken == ()
    table_map = loaded_maps.maps["tasks"]
    return table_map, table_map.legs[Direction.DATAVERSE_TO_FINANCE]


def told(inputs: tuple[Input, ...]) -> list[tuple[str, str, str]]:
    return [(each.column, each.how.subtype.value, each.how.description) for each in inputs]


@pytest.mark.parametrize(
    ("rule", "inputs"),
    [
        ("{from: msdyn_subject}", [("msdyn_subject", "IDENTITY", "")]),
        (
            "{from: msdyn_subject, truncate: 20, default: none}",
            [("msdyn_subject", "TRANSFORMATION", "truncate 20; default none")],
        ),
        ("{constant: Task}", []),
        (
            '{from: msdyn_subject, when: "msdyn_wbsid ne null", default: {from: msdyn_description}}',
            [
                ("msdyn_subject", "TRANSFORMATION", "default from msdyn_description"),
                ("msdyn_description", "TRANSFORMATION", "default from msdyn_description"),
                ("msdyn_wbsid", "CONDITIONAL", "when msdyn_wbsid ne null"),
            ],
        ),
        (
            "{concat: [msdyn_wbsid, \"' '\", msdyn_subject]}",
            [("msdyn_wbsid", "TRANSFORMATION", "concat"), ("msdyn_subject", "TRANSFORMATION", "concat")],
        ),
    ],
    ids=["copied", "operators in their order", "constant", "when and default", "concat"],
)
def test_a_field_is_made_of_the_paths_that_its_rule_names(
    tmp_path: Path, rule: str, inputs: list[tuple[str, str, str]]
) -> None:
    assert told(transformed(*leg_of(tmp_path, rule)).fields["TaskName"]) == inputs


def test_a_path_comes_from_its_end_and_by_joins_from_the_lookups_before_it(tmp_path: Path) -> None:
    lineage = extracted(*leg_of(tmp_path, "{from: msdyn_subject}"))
    company = lineage.fields["msdyn_project.msdyn_owningcompany.cdm_companycode"]
    assert [(each.table.name if each.table else None, *told((each,))[0]) for each in company] == [
        ("msdyn_projecttask", "msdyn_project", "JOIN", "lookup msdyn_project"),
        ("msdyn_project", "msdyn_owningcompany", "JOIN", "lookup msdyn_owningcompany"),
        ("cdm_company", "cdm_companycode", "IDENTITY", "lookup msdyn_project; lookup msdyn_owningcompany"),
    ]


def test_the_filter_concerns_every_row(tmp_path: Path) -> None:
    lineage = end_to_end(*leg_of(tmp_path, "{from: msdyn_subject}"))
    assert told(lineage.dataset) == [
        ("msdyn_project", "JOIN", "lookup msdyn_project"),
        ("msdyn_istemplate", "FILTER", "where msdyn_project.msdyn_istemplate eq false"),
    ]


def test_a_lookup_leads_to_every_table_that_it_may(tmp_path: Path) -> None:
    """An actual stems from a time entry, an expense, ...: whichever has the column may give the value."""
    table_map, leg = leg_of(tmp_path, "{from: msdyn_subject}")
    rule = FieldRule("TaskName", "msdyn_originid.msdyn_project", False, (), "", 1)
    origins = replace(table_map, dataverse="msdyn_transactionorigin", key=())
    lineage = extracted(origins, replace(leg, extract=Extract(Strategy.CHANGE_TRACKING), fields=(rule,)))
    found = lineage.fields["msdyn_originid.msdyn_project"]
    assert [(each.table.name if each.table else None, each.column) for each in found] == [
        ("msdyn_transactionorigin", "msdyn_originid"),
        ("msdyn_timeentry", "msdyn_project"),
        ("msdyn_expense", "msdyn_project"),
        ("msdyn_materialusagelog", "msdyn_project"),
        ("msdyn_projectvendorinvoiceline", "msdyn_project"),
        ("msdyn_journalline", "msdyn_project"),
    ]


def test_what_validation_passes_on_is_what_it_was() -> None:
    assert {column: told(inputs) for column, inputs in passed(["a", "b.c"]).fields.items()} == {
        "a": [("a", "IDENTITY", "")],
        "b.c": [("b.c", "IDENTITY", "")],
    }
