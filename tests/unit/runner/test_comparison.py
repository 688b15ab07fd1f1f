"""The second pair of eyes sees what differs and overlooks what both systems only write differently."""

import copy
from collections.abc import Callable
from typing import Any, cast

import pytest

from runner.comparison import compare
from runner.layout import ROOT
from runner.wire import Wire

MAPPINGS = ROOT / "include" / "mappings"
AREAS = ("reference_data", "setup_and_configuration")
Rows = dict[str, list[dict[str, Any]]]

COMPANY, CONTRACT, PROJECT, CUSTOMER = (f"{digit}0000000-0000-0000-0000-000000000000" for digit in "1234")
DATAVERSE: Rows = {
    "cdm_companies": [
        {"cdm_companyid": COMPANY, "cdm_companycode": "DEMF", "cdm_name": "Söhne", "name": "Söhne"}
    ],
    "msdyn_projects": [
        {
            "msdyn_projectid": PROJECT,
            "msdyn_projectnumber": "P-1",
            "msdyn_subject": "O'Brien  ",
            "msdyn_description": None,
            "_msdyn_owningcompany_value": COMPANY,
            "msdyn_istemplate": False,
            "msdyn_scheduledstart": "2026-10-31T23:00:00Z",
            "statecode": 0,
        },
        {"msdyn_projectid": CONTRACT, "msdyn_projectnumber": "T-1", "msdyn_istemplate": True},
    ],
}
FINANCE: Rows = {
    "LegalEntities": [{"LegalEntityId": "demf", "Name": "Söhne"}],
    "ProjectsV2": [
        {
            "dataAreaId": "demf",
            "ProjectId": "P-1",
            "ProjectName": "O'Brien  ",
            "Description": "",
            "ProjectedStartDate": "2026-11-01T12:00:00Z",
            "ProjectedEndDate": "1900-01-01T12:00:00Z",
            "ProjectStage": "InProcess",
            "IntegrationSourceDataId": "ProjectOperations",
        }
    ],
}
Plant = Callable[[Rows, Rows], object]


class InMemory:
    """A wire that answers from dictionaries."""

    def __init__(self, dataverse: Rows, finance: Rows) -> None:
        self._dataverse, self._finance = dataverse, finance

    def dataverse_rows(self, entity_set: str) -> list[dict[str, Any]]:
        return self._dataverse.get(entity_set, [])

    def finance_rows(self, entity_set: str) -> list[dict[str, Any]]:
        return self._finance.get(entity_set, [])


def differences(plant: Plant = lambda dataverse, finance: None) -> list[tuple[str, str]]:
    dataverse, finance = copy.deepcopy(DATAVERSE), copy.deepcopy(FINANCE)
    plant(dataverse, finance)
    found = compare(MAPPINGS, AREAS, cast(Wire, InMemory(dataverse, finance)))
    return [(each.map, each.field) for each in found]


def test_equal_rows_are_equal_however_each_system_writes_them() -> None:
    assert differences() == []


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (lambda d, f: f["ProjectsV2"].clear(), ("projects", "")),
        (lambda d, f: d["msdyn_projects"].pop(0), ("projects", "")),
        (lambda d, f: f["ProjectsV2"][0].update(ProjectName="O'Brien"), ("projects", "ProjectName")),
        (lambda d, f: f["ProjectsV2"][0].update(ProjectName="o'brien  "), ("projects", "ProjectName")),
        (lambda d, f: f["ProjectsV2"][0].update(Description="x"), ("projects", "Description")),
        (
            lambda d, f: f["ProjectsV2"][0].update(ProjectedStartDate="2026-10-31T12:00:00Z"),
            ("projects", "ProjectedStartDate"),
        ),
        (lambda d, f: f["ProjectsV2"][0].update(ProjectStage="Completed"), ("projects", "ProjectStage")),
        (lambda d, f: d["cdm_companies"][0].update(cdm_name="So\u0308hne"), ("companies", "cdm_name")),
    ],
    ids=[
        "missing",
        "too many",
        "trailing blanks",
        "case",
        "not empty",
        "a day off",
        "an enum",
        "Unicode form",
    ],
)
def test_a_planted_difference_is_found_and_named(plant: Plant, found: tuple[str, str]) -> None:
    assert differences(plant) == [found]


def test_a_row_that_the_filter_leaves_out_is_not_missed() -> None:
    assert differences(lambda d, f: d["msdyn_projects"].pop(1)) == []
