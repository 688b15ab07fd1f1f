"""Material usage, logged by people and by packing slips of Finance."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.material_usage import UsageStatus, approve_usage
from sandbox.dataverse.rules.options import PriceContext, TransactionClass, TransactionType
from sandbox.rules.jobs import JobRefusedError
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.invoicing import remove
from tests.unit.sandbox.dataverse.rules.purchases import amounts

USAGE = "msdyn_materialusagelog"


def product(firm: Firm) -> str:
    """A cable that costs USPM 60 and sells for 100."""
    cable = firm.desk.create("product", {"name": "Cable", "productnumber": "CAB"})
    for context, amount in {PriceContext.COST: 60, PriceContext.SALES: 100}.items():
        price_list = firm.price_list("USPM", context, "USD")
        price = {"productid": cable, "pricelevelid": price_list, "amount": Decimal(amount)}
        firm.desk.create("productpricelevel", price)
    return cable


def usage(firm: Firm, **values: Any) -> str:
    log = {
        "msdyn_project": firm.project("P1", firm.contract("C1")),
        "msdyn_product": product(firm),
        "msdyn_quantity": Decimal(3),
        "msdyn_transactiondate": "2026-11-01",
        "msdyn_owningcompany": firm.companies["USPM"],
    }
    return firm.desk.create(USAGE, log | values)


def test_usage_of_people_is_submitted_approved_and_priced_by_the_lists(desk: Desk, firm: Firm) -> None:
    row_id = usage(firm)
    assert approve_usage(desk, {}) == {"approved": 0, "errors": []}
    as_user(desk, USAGE, row_id, {"msdyn_usagestatus": UsageStatus.SUBMITTED})
    assert approve_usage(desk, {"usages": [row_id]}) == {"approved": 1, "errors": []}
    assert amounts(firm, TransactionType.COST) == [Decimal(180)]
    assert amounts(firm, TransactionType.UNBILLED_SALES) == [Decimal(300)]
    with pytest.raises(JobRefusedError, match="is not submitted"):
        approve_usage(desk, {"usages": [row_id]})


def test_r505_the_cost_of_a_packing_slip_names_it_as_its_origin(desk: Desk, firm: Firm) -> None:
    slip = {
        "msdyn_externalid": "USPM-000007",
        "msdyn_price": Decimal("55.5"),
        "transactioncurrencyid": firm.currencies["USD"],
    }
    row_id = usage(firm, **slip)
    assert desk.get(USAGE, row_id)["msdyn_usagestatus"] == UsageStatus.SUBMITTED
    assert approve_usage(desk, {})["approved"] == 1
    [cost] = desk.find("msdyn_actual", msdyn_transactiontypecode=TransactionType.COST)
    assert (cost["msdyn_amount"], cost["msdyn_externaloriginreference"]) == (Decimal("166.5"), "USPM-000007")
    assert cost["msdyn_transactionclassification"] == TransactionClass.MATERIAL
    assert cost["msdyn_documentdate"] == "2026-11-01T12:00:00Z"
    assert amounts(firm, TransactionType.UNBILLED_SALES) == [Decimal(300)]
    assert approve_usage(desk, {})["approved"] == 0


def test_one_log_that_fails_leaves_the_others(desk: Desk, firm: Firm) -> None:
    submitted = {"msdyn_usagestatus": UsageStatus.SUBMITTED}
    good = usage(firm, **submitted)
    bad = desk.create(USAGE, {"msdyn_quantity": Decimal(1), **submitted})
    outcome = approve_usage(desk, {"usages": [bad, good]})
    assert outcome["approved"] == 1
    assert outcome["errors"] == [f"Material usage {bad} has no project: fill it in first."]


def test_r306_usage_that_is_rejected_after_approval_is_taken_back(desk: Desk, firm: Firm) -> None:
    row_id = usage(firm)
    for status in (UsageStatus.APPROVED, UsageStatus.REJECTED, UsageStatus.APPROVED):
        as_user(desk, USAGE, row_id, {"msdyn_usagestatus": status})
    assert sorted(amounts(firm, TransactionType.COST)) == [Decimal(-180), Decimal(180), Decimal(180)]


def test_usage_of_a_packing_slip_stays_approved(desk: Desk, firm: Firm) -> None:
    row_id = usage(firm, msdyn_externalid="USPM-000007")
    approve_usage(desk, {})
    with pytest.raises(ApiError, match="Material usage USPM-000007 is posted in Finance"):
        as_user(desk, USAGE, row_id, {"msdyn_usagestatus": UsageStatus.DRAFT})


def test_r505_usage_is_recorded_by_its_approval_and_stays_once_it_is(desk: Desk, firm: Firm) -> None:
    with pytest.raises(ApiError, match="created as Draft or Submitted"):
        as_user(desk, USAGE, None, {"msdyn_usagestatus": UsageStatus.APPROVED})
    row_id = usage(firm, msdyn_usagestatus=UsageStatus.SUBMITTED)
    assert approve_usage(desk, {})["approved"] == 1
    with pytest.raises(ApiError, match="is approved and recorded"):
        remove(desk, USAGE, row_id)
    as_user(desk, USAGE, row_id, {"msdyn_usagestatus": UsageStatus.DRAFT})
    remove(desk, USAGE, row_id)
    assert desk.find(USAGE) == []
