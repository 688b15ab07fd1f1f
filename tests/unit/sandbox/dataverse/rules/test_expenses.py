"""Expenses that Finance has posted, on their way to actuals."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import PLUGIN_REFUSED, Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.auto_approval import approve_all
from sandbox.dataverse.rules.options import (
    AmountMethod,
    BillingType,
    ExpenseStatus,
    PricingMethod,
    TransactionClass,
    TransactionType,
)
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm
from tests.unit.sandbox.dataverse.rules.invoicing import remove
from tests.unit.sandbox.dataverse.rules.purchases import amounts

EXPENSE = "msdyn_expense"


def values(firm: Firm, project: str, number: str = "EXP-1", **changed: Any) -> dict[str, Any]:
    """A hotel night: 238 with 38 tax that is recovered, so that 200 is cost."""
    category = {
        "msdyn_name": "Hotel",
        "msdyn_categorynumber": f"HOTEL-{number}",
        "msdyn_company": firm.companies["USPM"],
        "msdyn_transactioncategory": firm.category,
    }
    return {
        "msdyn_name": number,
        "msdyn_externalid": number,
        "msdyn_owningcompany": firm.companies["USPM"],
        "msdyn_project": project,
        "msdyn_expensecategory": firm.desk.create("msdyn_expensecategory", category),
        "msdyn_transactiondate": DAY,
        "msdyn_quantity": Decimal(1),
        "msdyn_totalamount": Decimal(238),
        "msdyn_amount": Decimal(200),
        "msdyn_salestaxamount": Decimal(38),
        "transactioncurrencyid": firm.currencies["USD"],
    } | changed


def sell_expenses_at_cost(firm: Firm) -> None:
    price_list = firm.desk.first("pricelevel", name="USPM SALES USD")
    assert price_list is not None
    line = {
        "msdyn_pricelist": price_list["pricelevelid"],
        "msdyn_transactioncategory": firm.category,
        "msdyn_pricingmethod": PricingMethod.AT_COST,
        "transactioncurrencyid": firm.currencies["USD"],
    }
    firm.desk.create("msdyn_transactioncategorypricelevel", line)


def test_r903_an_expense_is_approved_by_itself_and_recorded(desk: Desk, firm: Firm) -> None:
    sell_expenses_at_cost(firm)
    expense = desk.create(EXPENSE, values(firm, firm.project("P1", firm.contract("C1"))))
    assert desk.get(EXPENSE, expense)["msdyn_expensestatus"] == ExpenseStatus.SUBMITTED
    assert desk.find("msdyn_actual") == []
    assert approve_all(desk, {}) == {"expenses": 1, "vendor_invoices": 0, "errors": []}
    approved = desk.get(EXPENSE, expense)
    assert (approved["msdyn_expensestatus"], approved["statuscode"]) == (ExpenseStatus.APPROVED, 867380003)
    [cost] = desk.find("msdyn_actual", msdyn_transactiontypecode=TransactionType.COST)
    [sale] = desk.find("msdyn_actual", msdyn_transactiontypecode=TransactionType.UNBILLED_SALES)
    assert (cost["msdyn_amount"], sale["msdyn_amount"]) == (Decimal(200), Decimal(200))
    assert cost["msdyn_transactionclassification"] == TransactionClass.EXPENSE
    assert cost["msdyn_externaloriginreference"] == "EXP-1"
    assert cost["msdyn_documentdate"] == DAY
    assert cost["msdyn_transactioncategory"] == firm.category
    [origin, _] = desk.find("msdyn_transactionorigin", msdyn_originid=expense)
    assert origin["msdyn_origintype"] == EXPENSE
    assert approve_all(desk, {})["expenses"] == 0


def test_r903_an_internal_project_has_only_the_cost(desk: Desk, firm: Firm) -> None:
    desk.create(EXPENSE, values(firm, firm.project("P1")))
    approve_all(desk, {})
    assert amounts(firm, TransactionType.COST) == [Decimal(200)]
    assert amounts(firm, TransactionType.UNBILLED_SALES) == []


@pytest.mark.parametrize(
    ("currency", "quantity", "amount"), [("JPY", "3", "10000"), ("KWD", "7", "12.345"), ("USD", "3", "100")]
)
def test_r903_the_cost_is_the_amount_on_the_clearing_account(
    desk: Desk, firm: Firm, currency: str, quantity: str, amount: str
) -> None:
    """A third of it cannot be expressed as a price: the amount holds, and the method says so."""
    money: dict[str, Any] = {"msdyn_quantity": Decimal(quantity), "msdyn_amount": Decimal(amount)}
    project = firm.project("P1")
    desk.create(EXPENSE, values(firm, project, transactioncurrencyid=firm.currencies[currency], **money))
    approve_all(desk, {})
    [cost] = desk.find("msdyn_actual")
    assert cost["msdyn_amount"] == Decimal(amount)
    assert cost["transactioncurrencyid"] == firm.currencies[currency]
    if currency == "USD":
        assert (cost["msdyn_price"], cost["msdyn_amountmethod"]) == (
            Decimal("33.3333"),
            AmountMethod.QUANTITY_BY_PRICE,
        )


def test_r905_an_intercompany_expense_is_sold_at_what_it_cost(desk: Desk, firm: Firm) -> None:
    """GBPM's worker spends 160 GBP on USPM's project: no transfer price comes between."""
    sell_expenses_at_cost(firm)
    spent: dict[str, Any] = {
        "msdyn_amount": Decimal(160),
        "transactioncurrencyid": firm.currencies["GBP"],
        "msdyn_resourcingcompany": firm.companies["GBPM"],
    }
    desk.create(EXPENSE, values(firm, firm.project("P1", firm.contract("C1")), **spent))
    approve_all(desk, {})
    rows = {row["msdyn_transactiontypecode"]: row for row in desk.find("msdyn_actual")}
    told = {
        kind: (row["msdyn_amount"], row["transactioncurrencyid"], row["msdyn_skipsync"])
        for kind, row in rows.items()
    }
    pounds, dollars = firm.currencies["GBP"], firm.currencies["USD"]
    assert told == {
        TransactionType.COST: (Decimal(160), pounds, True),
        TransactionType.UNBILLED_SALES: (Decimal(200), dollars, False),
        TransactionType.RESOURCING_UNIT_COST: (Decimal(160), pounds, False),
        TransactionType.INTERORGANIZATIONAL_SALES: (Decimal(160), pounds, False),
    }
    assert rows[TransactionType.RESOURCING_UNIT_COST]["msdyn_owningcompany"] == firm.companies["GBPM"]


def test_e1_a_summary_task_is_refused_and_a_leaf_is_the_remedy(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    parent = desk.create("msdyn_projecttask", {"msdyn_subject": "Phase", "msdyn_project": project})
    leaf = {"msdyn_subject": "Trip", "msdyn_project": project, "msdyn_parenttask": parent}
    child = desk.create("msdyn_projecttask", leaf)
    expense = values(firm, project)
    with pytest.raises(ApiError, match="Could not resolve project task for export expense EXP-1") as error:
        as_user(desk, EXPENSE, None, expense | {"msdyn_projecttask": parent})
    assert (error.value.status, error.value.code) == (400, PLUGIN_REFUSED)
    row_id = as_user(desk, EXPENSE, None, expense | {"msdyn_projecttask": child})
    with pytest.raises(ApiError, match="does not uniquely identify a task"):
        as_user(desk, EXPENSE, row_id, {"msdyn_projecttask": parent})


def test_e1_a_task_of_another_project_is_refused(desk: Desk, firm: Firm) -> None:
    task = {"msdyn_subject": "Trip", "msdyn_project": firm.project("P2")}
    stranger = desk.create("msdyn_projecttask", task)
    with pytest.raises(ApiError, match="Could not resolve project task"):
        as_user(desk, EXPENSE, None, values(firm, firm.project("P1"), msdyn_projecttask=stranger))


def test_an_expense_of_people_waits_for_their_approval(desk: Desk, firm: Firm) -> None:
    submitted: dict[str, Any] = {"msdyn_externalid": None, "msdyn_expensestatus": ExpenseStatus.SUBMITTED}
    expense = desk.create(EXPENSE, values(firm, firm.project("P1"), **submitted))
    assert approve_all(desk, {})["expenses"] == 0
    as_user(desk, EXPENSE, expense, {"msdyn_expensestatus": ExpenseStatus.APPROVED})
    as_user(desk, EXPENSE, expense, {"msdyn_expensestatus": ExpenseStatus.APPROVED})
    assert amounts(firm, TransactionType.COST) == [Decimal(200)]


def test_the_billing_type_of_finance_goes_before_that_of_the_category(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1")
    free = values(firm, firm.project("P1", contract), msdyn_billingtype=BillingType.COMPLIMENTARY)
    desk.create(EXPENSE, free)
    approve_all(desk, {})
    [sale] = desk.find("msdyn_actual", msdyn_transactiontypecode=TransactionType.UNBILLED_SALES)
    assert sale["msdyn_billingtype"] == BillingType.COMPLIMENTARY


def test_one_expense_that_fails_leaves_the_others(desk: Desk, firm: Firm) -> None:
    desk.create(EXPENSE, values(firm, firm.project("P1"), "EXP-1", msdyn_project=None))
    desk.create(EXPENSE, values(firm, firm.project("P2"), "EXP-2"))
    outcome = approve_all(desk, {})
    assert outcome["expenses"] == 1
    [error] = outcome["errors"]
    assert error == "Expense EXP-1 has no project: fill it in first."
    assert amounts(firm, TransactionType.COST) == [Decimal(200)]
    [open_one] = desk.find(EXPENSE, msdyn_expensestatus=ExpenseStatus.SUBMITTED)
    assert open_one["msdyn_externalid"] == "EXP-1"


def test_r306_a_recalled_expense_is_taken_back_and_can_be_approved_again(desk: Desk, firm: Firm) -> None:
    own = values(firm, firm.project("P1", firm.contract("C1")), msdyn_externalid=None)
    expense = desk.create(EXPENSE, own)
    for status in (ExpenseStatus.APPROVED, ExpenseStatus.RECALL_REQUESTED, ExpenseStatus.APPROVED):
        as_user(desk, EXPENSE, expense, {"msdyn_expensestatus": status})
    assert amounts(firm, TransactionType.COST) == [Decimal(200)]
    as_user(desk, EXPENSE, expense, {"msdyn_expensestatus": ExpenseStatus.DRAFT})
    assert sorted(amounts(firm, TransactionType.COST)) == [Decimal(-200), Decimal(200)]
    as_user(desk, EXPENSE, expense, {"msdyn_expensestatus": ExpenseStatus.APPROVED})
    assert sum(amounts(firm, TransactionType.COST)) == Decimal(200)


def test_what_finance_has_posted_stays_approved(desk: Desk, firm: Firm) -> None:
    expense = desk.create(EXPENSE, values(firm, firm.project("P1")))
    approve_all(desk, {})
    with pytest.raises(ApiError, match="Expense EXP-1 is posted in Finance and stays approved"):
        as_user(desk, EXPENSE, expense, {"msdyn_expensestatus": ExpenseStatus.RECALL_REQUESTED})
    as_user(desk, EXPENSE, expense, {"msdyn_expensestatus": ExpenseStatus.PAID})
    assert amounts(firm, TransactionType.COST) == [Decimal(200)]


def test_r903_an_expense_is_approved_after_it_was_created_not_with_it(desk: Desk, firm: Firm) -> None:
    approved: dict[str, Any] = {"msdyn_expensestatus": ExpenseStatus.APPROVED}
    with pytest.raises(ApiError, match="Expense EXP-1 is created as Draft or Submitted"):
        as_user(desk, EXPENSE, None, values(firm, firm.project("P1"), **approved))
    as_user(desk, EXPENSE, None, values(firm, firm.project("P2"), "EXP-2", msdyn_expensestatus=None))
    assert approve_all(desk, {})["expenses"] == 1


def test_an_expense_that_is_recorded_cannot_be_deleted(desk: Desk, firm: Firm) -> None:
    expense = desk.create(EXPENSE, values(firm, firm.project("P1")))
    spare = desk.create(EXPENSE, values(firm, firm.project("P2"), "EXP-2", msdyn_project=None))
    assert approve_all(desk, {})["expenses"] == 1
    with pytest.raises(ApiError, match="Expense EXP-1 is approved and recorded"):
        remove(desk, EXPENSE, expense)
    remove(desk, EXPENSE, spare)
    assert [row["msdyn_externalid"] for row in desk.find(EXPENSE)] == ["EXP-1"]
