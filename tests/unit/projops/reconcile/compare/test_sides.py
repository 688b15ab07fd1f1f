"""What a row should be comes from the mapping alone; what it is comes in the same form."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from projops.extract.frames import with_identity
from projops.mapping.catalog import arrow_type
from projops.mapping.keys import key_column
from projops.mapping.model import Direction
from projops.mapping.paths import key_paths, source_column, source_columns, target_column
from projops.reconcile.compare.sides import LEFT_FILTER, Terms, expected_frame, found_frame, found_paths
from projops.transform.rows import transform_table
from tests.unit.projops.reconcile.compare.pairs import LOADED

FORTH, BACK = Direction


def _terms(map_id: str, direction: Direction) -> Terms:
    table_map = LOADED.maps[map_id]
    return Terms.of(table_map, table_map.legs[direction])


def _source(terms: Terms, *rows: dict[str, Any]) -> pa.Table:
    """A source frame; what a row does not name is null."""
    table_map, leg = terms.table_map, terms.leg
    columns = {
        path: pa.array([row.get(path) for row in rows], arrow_type(source_column(table_map, leg, path)))
        for path in source_columns(table_map, leg)
    }
    facts = {
        "_id": pa.array([row.get("_id") for row in rows], pa.string()),
        "_key": key_column([columns[path] for path in key_paths(table_map, leg.direction.source)]),
        "_version": pa.nulls(len(rows), pa.string()),
        "_deleted": pa.array([False] * len(rows), pa.bool_()),
    }
    return with_identity(table_map, leg, pa.table(facts | columns))


def _expected(terms: Terms, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    source = _source(terms, *rows)
    frame = expected_frame(terms, LOADED, source, pa.nulls(len(rows), pa.date32()))
    return list(frame.to_pylist())


def _found(terms: Terms, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    columns = {"_id": pa.array([row.get("_id") for row in rows], pa.string())} | {
        path: pa.array(
            [row.get(path) for row in rows], arrow_type(target_column(terms.table_map, terms.leg, path))
        )
        for path in dict.fromkeys(found_paths(terms))
    }
    frame = found_frame(terms, pa.table(columns), pa.nulls(len(rows), pa.date32()))
    return list(frame.to_pylist())


PROJECT = {
    "_id": "guid",
    "msdyn_projectnumber": "P-1",
    "msdyn_owningcompany.cdm_companycode": "DEMF",
    "msdyn_istemplate": False,
}


def test_a_row_that_the_load_would_leave_alone_is_equal() -> None:
    """Days of the company's zone, an option as its symbol, null as Finance means it."""
    terms = _terms("projects", FORTH)
    start = datetime(2026, 10, 31, 23, tzinfo=UTC)
    ours = PROJECT | {"msdyn_subject": "Söhne ", "msdyn_scheduledstart": start, "statecode": 0}
    theirs = {
        "ProjectId": "p-1",
        "dataAreaId": "demf",
        "ProjectName": "Söhne ",
        "ProjectedStartDate": date(2026, 11, 1),
        "ProjectStage": "InProcess",
        "IntegrationSourceDataId": "ProjectOperations",
    }
    [expected], [found] = _expected(terms, ours), _found(terms, theirs)
    assert {name: expected[name] for name in terms.columns} == {name: found[name] for name in terms.columns}
    assert (
        (expected["_key"], expected["_company"])
        == (found["_key"], found["_company"])
        == ('["p-1","demf"]', "demf")
    )
    assert (expected["_id"], found["_id"]) == ("guid", '["p-1","demf"]')
    assert expected["_hash"] and expected["_counts"] and found["_counts"]


def test_rows_that_nothing_is_expected_of_say_why() -> None:
    terms = _terms("projects", FORTH)
    rows = _expected(
        terms,
        PROJECT | {"_id": "template", "msdyn_istemplate": True},
        PROJECT | {"_id": "nameless"},
        PROJECT | {"_id": "keyless", "msdyn_projectnumber": None, "msdyn_subject": "x", "statecode": 0},
    )
    reasons = {row["_id"]: row["_reason"] for row in rows}
    assert reasons["template"] == LEFT_FILTER
    assert "ProjectName must have a value" in reasons["nameless"]
    assert "ProjectId must have a value" in reasons["keyless"]
    assert not any(row["_counts"] for row in rows)


def test_a_row_that_crashes_the_mapping_is_told_of_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    terms, whole = _terms("projects", FORTH), transform_table

    def crash(*given: Any) -> Any:
        if "poison" in given[2]["_id"].to_pylist():
            raise ValueError("of our own")
        return whole(*given)

    monkeypatch.setattr("projops.reconcile.compare.sides.transform_table", crash)
    good = PROJECT | {"msdyn_subject": "x", "statecode": 0}
    rows = _expected(
        terms, good, good | {"_id": "poison"}, good | {"_id": "third", "msdyn_projectnumber": "P-3"}
    )
    assert {row["_id"]: row["_counts"] for row in rows} == {"guid": True, "poison": False, "third": True}
    assert [row["_reason"] for row in rows if row["_id"] == "poison"] == [
        "The mapping cannot be applied to the row (ValueError); correct it at the source."
    ]


def test_rows_of_the_target_without_a_whole_key_concern_no_run() -> None:
    terms = _terms("products", BACK)
    assert _found(terms, {"_id": "guid", "msdyn_productnumber": None, "name": "a bundle"}) == []


@pytest.mark.parametrize(
    ("map_id", "direction", "column", "ours", "others"),
    [
        pytest.param("customers", BACK, "customertypecode", 3, 11, id="by the filter of the other leg"),
        pytest.param(
            "customers", FORTH, "PartyType", "Organization", "Person", id="by that towards Dataverse"
        ),
        pytest.param(
            "projects", FORTH, "IntegrationSourceDataId", "ProjectOperations", "", id="by a constant"
        ),
        pytest.param("vendor_invoices", BACK, "msdyn_hasexternalorigin", True, False, id="by a truth value"),
        pytest.param("customer_invoices", BACK, "msdyn_invoicestatus", 192350004, 0, id="by an option"),
    ],
)
def test_rows_of_another_map_are_told_apart(
    map_id: str, direction: Direction, column: str, ours: Any, others: Any
) -> None:
    terms = _terms(map_id, direction)
    key = {path: "1" for path in key_paths(terms.table_map, direction.target)}
    found = _found(terms, *({**key, "_id": str(value), column: value} for value in (ours, others, None)))
    assert [row["_counts"] for row in found] == [True, False, False]


def test_only_a_leg_whose_rows_no_other_leg_makes_claims_all_rows_of_the_target() -> None:
    assert _terms("projects", FORTH).claims_all
    assert _terms("actuals", FORTH).claims_all  # the way back only updates
    assert not _terms("actuals", BACK).claims_all
    assert not _terms("customers", FORTH).claims_all
    assert not _terms("customers", BACK).claims_all


def test_columns_that_are_the_targets_own_once_the_row_is_there_are_not_compared() -> None:
    assert "exchangerate" not in _terms("currencies", BACK).columns
    assert _terms("currencies", BACK).columns == ("currencyname", "currencysymbol")


def test_what_stands_for_a_lookup_compares_folded_and_nothing_else_does() -> None:
    terms = _terms("expenses", BACK)
    texts = pa.array(["P-1 ", "İ", None])
    assert terms.comparable("msdyn_project.msdyn_projectnumber", texts).to_pylist() == ["p-1", "i̇", None]
    assert terms.comparable("msdyn_name", texts).to_pylist() == texts.to_pylist()


def test_money_is_exact() -> None:
    terms = _terms("expenses", BACK)
    row: dict[str, Any] = {
        "ExpTransNumber": "1",
        "ReferenceDataAreaId": "uspm",
        "ProjId": "P",
        "CostType": "C",
        "ExchangeCode": "USD",
    }
    row |= {"TransDate": date(2026, 10, 31), "Amount": Decimal("0.12345")}
    [expected] = _expected(terms, row)
    assert expected["msdyn_totalamount"] == Decimal("0.1235")
