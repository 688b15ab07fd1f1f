"""Parameters of a legal entity: the switch to Project Operations and what it brings."""

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.line_properties import MAP, line_property
from sandbox.finance.rules.parameters import Parameters, read_parameters, uses_project_operations
from sandbox.rules.hooks import Caller

SWITCHED = {"dataAreaId": "uspm", "Key": 0, "ProjectOperationsIntegrationFeatureStatus": "Yes"}


def test_r114_a_company_with_projects_cannot_be_switched_to_project_operations(books: Books) -> None:
    books.insert("ProjectsV2", {"dataAreaId": "uspm", "ProjectId": "OLD"})
    with pytest.raises(FinanceError, match="USPM has projects"):
        books.insert("ProjectParametersV2", SWITCHED, Caller.USER)
    row = books.insert("ProjectParametersV2", SWITCHED | {"ProjectOperationsIntegrationFeatureStatus": "No"})
    with pytest.raises(FinanceError, match="Only a legal entity without projects"):
        books.update("ProjectParametersV2", row, SWITCHED, Caller.USER)


def test_r114_projects_of_another_company_do_not_matter_and_a_switched_one_stays_editable(
    books: Books,
) -> None:
    books.insert("ProjectsV2", {"dataAreaId": "gbpm", "ProjectId": "OLD"})
    row = books.insert("ProjectParametersV2", SWITCHED, Caller.USER)
    assert uses_project_operations(books, "USPM")
    assert not uses_project_operations(books, "GBPM")
    books.insert("ProjectsV2", {"dataAreaId": "uspm", "ProjectId": "NEW"})
    assert books.update("ProjectParametersV2", row, SWITCHED | {"EmplCategory": "HOURS"}, Caller.USER)


def test_r114_the_switch_lists_the_five_billing_types_for_their_line_properties(books: Books) -> None:
    books.insert("ProjectParametersV2", SWITCHED, Caller.USER)
    rows = books.find(MAP, dataAreaId="uspm")
    assert {row["BillingType"] for row in rows} == {
        "NotSpecified",
        "Chargeable",
        "NonChargeable",
        "Complimentary",
        "NotAvailable",
    }
    assert line_property(books, "USPM", "Chargeable") is None


def test_r114_a_line_property_must_exist_before_it_is_chosen(books: Books) -> None:
    row = books.insert(MAP, {"dataAreaId": "uspm", "BillingType": "Chargeable"})
    with pytest.raises(FinanceError, match="'BILL' does not exist"):
        books.update(MAP, row, {"LinePropertyId": "BILL"}, Caller.USER)
    books.insert("ProjectLineProperties", {"dataAreaId": "uspm", "LinePropertyId": "BILL"})
    books.update(MAP, row, {"LinePropertyId": "BILL"}, Caller.USER)
    assert line_property(books, "USPM", "Chargeable") == "BILL"


def test_r114_a_company_without_parameters_has_the_defaults(books: Books) -> None:
    assert read_parameters(books, "USPM") == Parameters(period_unit="Days", lines_per_journal=200)


def test_r114_parameters_of_both_forms_are_read(books: Books) -> None:
    project = {"ProjectOperationsForecastModelId": "PROJOPS", "RevenueCategory": "FEES"}
    books.insert("ProjectParametersV2", SWITCHED | project)
    integration = {"PeriodUnit": "Months", "LinesPerJournal": 50, "PrevalidateActuals": "Yes"}
    categories = {"LineDiscountCategory": "DISC", "CostRevenueProfileId": "STANDARD"}
    books.insert("ProjectIntegrationParameters", {"dataAreaId": "uspm", **integration, **categories})
    assert read_parameters(books, "USPM") == Parameters(
        period_unit="Months",
        lines_per_journal=50,
        prevalidates=True,
        discount_category="DISC",
        fee_category="FEES",
        forecast_model="PROJOPS",
        revenue_profile="STANDARD",
    )
