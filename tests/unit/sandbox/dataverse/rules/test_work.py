"""Which actuals approved work leaves behind, to the cent."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.actuals import Role, connected, of_origin
from sandbox.dataverse.rules.options import (
    AmountMethod,
    BillingMethod,
    BillingStatus,
    BillingType,
    TransactionClass,
    TransactionType,
)
from sandbox.dataverse.rules.work import Work, record_work
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm

EIGHT = Decimal(8)


def hours(firm: Firm, project: str, quantity: Decimal = EIGHT, **values: Any) -> Work:
    return Work(project, TransactionClass.TIME, quantity, DAY, role=firm.role, unit=firm.hour, **values)


def money_of(*rows: dict[str, Any] | None) -> list[tuple[Decimal, Decimal]]:
    return [(row["msdyn_quantity"], row["msdyn_amount"]) for row in rows if row is not None]


def test_r302_time_and_material_has_a_cost_and_unbilled_sales(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    done = record_work(desk, hours(firm, project))
    assert money_of(done.cost, *done.unbilled) == [(EIGHT, Decimal(800)), (EIGHT, Decimal(1600))]
    [sale] = done.unbilled
    assert done.cost["msdyn_transactiontypecode"] == TransactionType.COST
    assert sale["msdyn_transactiontypecode"] == TransactionType.UNBILLED_SALES
    assert (sale["msdyn_billingtype"], sale["msdyn_billingstatus"]) == (
        BillingType.CHARGEABLE,
        BillingStatus.UNBILLED_SALES_CREATED,
    )
    assert connected(desk, done.cost, Role.COST, Role.UNBILLED_SALES) == [sale]
    assert {row["msdyn_documentdate"] for row in done.rows} == {DAY}
    assert len({row["msdyn_actualimportid"] for row in done.rows}) == 2


def test_r303_what_the_approver_does_not_bill_is_non_chargeable(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    done = record_work(desk, hours(firm, project), billable=Decimal(6))
    assert money_of(done.cost) == [(EIGHT, Decimal(800))]
    assert [
        (row["msdyn_billingtype"], row["msdyn_quantity"], row["msdyn_amount"]) for row in done.unbilled
    ] == [
        (BillingType.CHARGEABLE, Decimal(6), Decimal(1200)),
        (BillingType.NON_CHARGEABLE, Decimal(2), Decimal(400)),
    ]
    assert len(connected(desk, done.cost, Role.COST, Role.UNBILLED_SALES)) == 2


def test_r304_more_than_was_worked_may_be_billed(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    done = record_work(desk, hours(firm, project), billable=Decimal(10))
    assert money_of(done.cost, *done.unbilled) == [(EIGHT, Decimal(800)), (Decimal(10), Decimal(2000))]


def test_nothing_billable_leaves_non_chargeable_sales_and_less_is_refused(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    [sale] = record_work(desk, hours(firm, project), billable=Decimal(0)).unbilled
    assert (sale["msdyn_billingtype"], sale["msdyn_amount"]) == (BillingType.NON_CHARGEABLE, Decimal(1600))
    with pytest.raises(ApiError, match="billable quantity -1 is negative"):
        record_work(desk, hours(firm, project), billable=Decimal(-1))


def test_r305_a_fixed_price_and_internal_work_have_only_a_cost(desk: Desk, firm: Firm) -> None:
    fixed = firm.project("P1", firm.contract("C1"), msdyn_billingmethod=BillingMethod.FIXED_PRICE)
    done = record_work(desk, hours(firm, fixed))
    assert (money_of(done.cost), done.unbilled) == ([(EIGHT, Decimal(800))], ())
    assert done.cost["msdyn_salescontract"] is not None
    internal = record_work(desk, hours(firm, firm.project("P2")))
    assert (money_of(internal.cost), internal.unbilled) == ([(EIGHT, Decimal(800))], ())
    assert internal.cost["msdyn_salescontract"] is None


def test_a_line_pays_only_for_the_classes_that_it_includes(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"), msdyn_includetime=False)
    assert record_work(desk, hours(firm, project)).unbilled == ()


def test_r308_each_contract_customer_gets_their_share_and_one_the_rest(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1", {"A": "33.34", "B": "33.33", "C": "33.33"})
    done = record_work(desk, hours(firm, firm.project("P1", contract), sales_price=Decimal("200.01")))
    assert [row["msdyn_amount"] for row in done.unbilled] == [
        Decimal("533.46"),
        Decimal("533.31"),
        Decimal("533.31"),
    ]
    assert sum(row["msdyn_amount"] for row in done.unbilled) == Decimal("1600.08")
    assert sum(row["msdyn_quantity"] for row in done.unbilled) == EIGHT
    customers = {row["msdyn_contractcustomer"] for row in done.unbilled}
    assert len(customers) == 3
    for row in done.unbilled:
        follows = row["msdyn_amountmethod"] == AmountMethod.QUANTITY_BY_PRICE
        exact = (row["msdyn_quantity"] * row["msdyn_price"]).quantize(Decimal("0.01"))
        assert follows == (exact == row["msdyn_amount"])


@pytest.mark.parametrize(
    ("currency", "price", "shares"),
    [("JPY", "33334", ["88890", "88891", "88891"]), ("KWD", "0.1235", ["0.330", "0.329", "0.329"])],
)
def test_r308_shares_are_rounded_to_the_coins_of_the_currency(
    desk: Desk, firm: Firm, currency: str, price: str, shares: list[str]
) -> None:
    thirds = {"A": "33.3334", "B": "33.3333", "C": "33.3333"}
    project = firm.project("P1", firm.contract("C1", thirds, currency))
    done = record_work(desk, hours(firm, project, sales_price=Decimal(price)))
    assert [row["msdyn_amount"] for row in done.unbilled] == [Decimal(it) for it in shares]


def test_r308_shares_that_are_not_the_whole_are_refused(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1", {"A": "60", "B": "30"}))
    with pytest.raises(ApiError, match="customers of contract C1 share 90 % of it"):
        record_work(desk, hours(firm, project))


def test_r502_another_unit_of_the_company_is_not_sent_to_finance(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    done = record_work(desk, hours(firm, project, resourcing_unit=firm.units["WEST"]))
    assert done.resourcing_cost is not None
    assert done.interorg_sales is not None
    assert money_of(done.resourcing_cost, done.interorg_sales) == [(EIGHT, Decimal(800))] * 2
    assert [row["msdyn_skipsync"] for row in done.rows] == [False, False, True, True]
    assert not any(row["msdyn_isintercompany"] for row in done.rows)


def test_r1201_another_company_lends_at_its_price_and_pays_its_own_cost(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    ten = hours(firm, project, Decimal(10), resourcing_unit=firm.units["GBPM"])
    done = record_work(desk, replace(ten, resource=firm.resources["GBPM"]))
    usd, gbp = firm.currencies["USD"], firm.currencies["GBP"]
    uspm, gbpm = firm.companies["USPM"], firm.companies["GBPM"]
    told = [
        (
            TransactionType(row["msdyn_transactiontypecode"]).name,
            row["msdyn_price"],
            row["transactioncurrencyid"],
            row["msdyn_amount"],
            row["msdyn_owningcompany"],
            row["msdyn_skipsync"],
        )
        for row in done.rows
    ]
    assert told == [
        ("COST", Decimal(120), usd, Decimal(1200), uspm, True),
        ("UNBILLED_SALES", Decimal(200), usd, Decimal(2000), uspm, False),
        ("RESOURCING_UNIT_COST", Decimal(88), gbp, Decimal(880), gbpm, False),
        ("INTERORGANIZATIONAL_SALES", Decimal(120), usd, Decimal(1200), gbpm, False),
    ]
    assert all(row["msdyn_isintercompany"] for row in done.rows)
    assert {row["msdyn_resourcingcompany"] for row in done.rows} == {gbpm}
    [lent] = connected(desk, done.cost, Role.COST, Role.RESOURCING_UNIT_COST)
    assert connected(desk, lent, Role.RESOURCING_UNIT_COST, Role.INTERORGANIZATIONAL_SALES) == [
        done.interorg_sales
    ]


def test_an_expense_of_another_company_is_lent_at_what_it_cost(desk: Desk, firm: Firm) -> None:
    trip = Work(
        firm.project("P1", firm.contract("C1")),
        TransactionClass.EXPENSE,
        Decimal(7000),
        DAY,
        category=firm.category,
        cost_amount=Decimal("1000.00"),
        cost_currency=firm.currencies["GBP"],
        resourcing_company=firm.companies["GBPM"],
    )
    done = record_work(desk, trip)
    lent = (done.cost, done.resourcing_cost, done.interorg_sales)
    assert money_of(*lent) == [(Decimal(7000), Decimal("1000.00"))] * 3
    assert {row["msdyn_resourceorganizationalunitid"] for row in done.rows} == {None}
    assert done.cost["msdyn_price"] == Decimal("0.1429")
    assert done.cost["msdyn_amountmethod"] == AmountMethod.FIXED_PRICE


def test_all_actuals_of_work_know_what_they_came_from(desk: Desk, firm: Firm) -> None:
    entry = firm.time_entry(project := firm.project("P1", firm.contract("C1")))
    done = record_work(desk, hours(firm, project, origin=("msdyn_timeentry", entry)))
    assert of_origin(desk, entry) == list(done.rows)


def test_the_billing_type_of_the_role_counts_unless_the_work_has_its_own(desk: Desk, firm: Firm) -> None:
    free = desk.create(
        "bookableresourcecategory", {"name": "Trainee", "msdyn_billingtype": BillingType.COMPLIMENTARY}
    )
    work = replace(hours(firm, firm.project("P1", firm.contract("C1"))), role=free)
    assert record_work(desk, work).unbilled[0]["msdyn_billingtype"] == BillingType.COMPLIMENTARY
    own = replace(work, billing_type=BillingType.NOT_AVAILABLE)
    assert record_work(desk, own).unbilled[0]["msdyn_billingtype"] == BillingType.NOT_AVAILABLE
