"""Contracts that come to work that is recorded already."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import ACTUAL, Role, Row, connect, connected, of_origin, record, reverse
from sandbox.dataverse.rules.contracts import confirm_contract, link_project
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    BillingStatus,
    BillingType,
    PsaState,
    PsaStatusReason,
    TransactionClass,
    TransactionType,
)
from sandbox.dataverse.rules.time_jobs import approve_time, cancel_approval, submit_time
from sandbox.rules.jobs import JobRefusedError
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm


def approved(desk: Desk, firm: Firm, project: str, billable: int | None = None, **entry: Any) -> str:
    row_id = firm.time_entry(project, **entry)
    submit_time(desk, {"entries": [row_id]})
    hours = {} if billable is None else {"billable_quantity": billable}
    assert approve_time(desk, {"entries": [row_id], **hours})["errors"] == []
    return row_id


def current(desk: Desk) -> list[Row]:
    return [it for it in desk.find(ACTUAL) if it["msdyn_adjustmentstatus"] is None]


def told(rows: list[Row]) -> Counter[tuple[str, Decimal]]:
    return Counter((TransactionType(it["msdyn_transactiontypecode"]).name, it["msdyn_amount"]) for it in rows)


def test_r305_a_quote_that_is_won_bills_what_was_done_before_the_sale(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    entry = approved(desk, firm, project)
    assert told(current(desk)) == {("COST", Decimal(800)): 1}
    firm.line(firm.contract("C1"), project)
    assert told(current(desk)) == {("COST", Decimal(800)): 1, ("UNBILLED_SALES", Decimal(1600)): 1}
    by_status = Counter(it["msdyn_adjustmentstatus"] for it in desk.find(ACTUAL))
    assert by_status == {None: 2, AdjustmentStatus.ADJUSTED: 1, AdjustmentStatus.UNADJUSTABLE: 1}
    cancel_approval(desk, {"entries": [entry]})
    assert current(desk) == []


def test_r115_linking_an_internal_project_reverses_all_and_records_it_anew(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    entry = approved(desk, firm, project)
    line = firm.line(firm.contract("C1"), None)
    assert link_project(desk, {"project": project, "contract_line": line}) == {"recorded": 1}
    cost, sale = current(desk)
    assert (cost["msdyn_salescontractlineid"], sale["msdyn_salescontractlineid"]) == (line, line)
    assert connected(desk, sale, Role.UNBILLED_SALES, Role.COST) == [cost]
    [original] = connected(desk, cost, Role.REPLACING, Role.ORIGINAL)
    [reversing] = connected(desk, original, Role.ORIGINAL, Role.REVERSING)
    assert (original["msdyn_billingstatus"], reversing["msdyn_amount"]) == (
        BillingStatus.CANCELED,
        Decimal(-800),
    )
    assert {it["msdyn_actualid"] for it in (cost, sale, original)} == {
        it["msdyn_actualid"] for it in of_origin(desk, entry)
    }


def test_r115_a_line_of_another_project_or_company_is_refused(desk: Desk, firm: Firm) -> None:
    project, contract = firm.project("P1"), firm.contract("C1")
    taken = firm.line(contract, firm.project("P2"))
    with pytest.raises(JobRefusedError, match="pays for another project"):
        link_project(desk, {"project": project, "contract_line": taken})
    free = firm.line(contract, None, number=2)
    desk.update("salesorder", contract, {"msdyn_company": firm.companies["GBPM"]})
    with pytest.raises(JobRefusedError, match="belongs to another company than project P1"):
        link_project(desk, {"project": project, "contract_line": free})


def test_r307_confirmation_reverses_and_recreates_cost_and_unbilled_sales(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1", {"A": "60", "B": "40"})
    approved(desk, firm, firm.project("P1", contract), billable=6)
    before = told(current(desk))
    assert confirm_contract(desk, {"contract": contract}) == {"recorded": 1}
    assert (
        told(current(desk))
        == before
        == {
            ("COST", Decimal(800)): 1,
            ("UNBILLED_SALES", Decimal(720)): 1,
            ("UNBILLED_SALES", Decimal(480)): 1,
            ("UNBILLED_SALES", Decimal(240)): 1,
            ("UNBILLED_SALES", Decimal(160)): 1,
        }
    )
    assert len(desk.find(ACTUAL)) == 15
    assert sum(it["msdyn_amount"] for it in desk.find(ACTUAL)) == Decimal(2400)
    with pytest.raises(JobRefusedError, match="C1 is confirmed already"):
        confirm_contract(desk, {"contract": contract})
    desk.update("salesorder", contract, {"msdyn_psastate": PsaState.CLOSED})
    with pytest.raises(JobRefusedError, match="C1 is closed: it cannot be confirmed"):
        confirm_contract(desk, {"contract": contract})


def test_r307_a_person_confirms_by_the_status_reason(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1")
    approved(desk, firm, firm.project("P1", contract))
    as_user(desk, "salesorder", contract, {"msdyn_psastatusreason": PsaStatusReason.CONFIRMED})
    assert len(desk.find(ACTUAL)) == 6
    as_user(desk, "salesorder", contract, {"msdyn_psastatusreason": PsaStatusReason.CONFIRMED})
    assert len(desk.find(ACTUAL)) == 6


def test_r307_what_another_company_lent_is_recorded_anew_too(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1")
    lent: dict[str, Any] = {"msdyn_bookableresource": firm.resources["GBPM"], "msdyn_duration": 600}
    approved(desk, firm, firm.project("P1", contract), **lent)
    expected = {
        ("COST", Decimal(1200)): 1,
        ("UNBILLED_SALES", Decimal(2000)): 1,
        ("RESOURCING_UNIT_COST", Decimal(880)): 1,
        ("INTERORGANIZATIONAL_SALES", Decimal(1200)): 1,
    }
    assert told(current(desk)) == expected
    confirm_contract(desk, {"contract": contract})
    assert told(current(desk)) == expected
    reversals = [
        it for it in desk.find(ACTUAL) if it["msdyn_adjustmentstatus"] == AdjustmentStatus.UNADJUSTABLE
    ]
    kept = {it["msdyn_transactiontypecode"]: it["msdyn_skipsync"] for it in reversals}
    assert kept == {
        TransactionType.COST: True,
        TransactionType.UNBILLED_SALES: False,
        TransactionType.RESOURCING_UNIT_COST: False,
        TransactionType.INTERORGANIZATIONAL_SALES: False,
    }


def test_r307_what_is_invoiced_stays(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1")
    entry = approved(desk, firm, firm.project("P1", contract))
    _, sale = of_origin(desk, entry)
    posted = {"msdyn_billingstatus": BillingStatus.CUSTOMER_INVOICE_POSTED}
    desk.update(ACTUAL, sale["msdyn_actualid"], posted)
    assert confirm_contract(desk, {"contract": contract}) == {"recorded": 0}
    assert len(desk.find(ACTUAL)) == 2


def test_r307_sales_of_a_cost_that_a_vendor_invoice_replaced_are_not_doubled(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1")
    entry = approved(desk, firm, firm.project("P1", contract))
    cost, _ = of_origin(desk, entry)
    reverse(desk, cost)
    invoiced = {**cost, "msdyn_actualid": None, "msdyn_actualimportid": None, "msdyn_amount": Decimal(840)}
    connect(desk, record(desk, invoiced), Role.REPLACING, cost, Role.ORIGINAL)
    confirm_contract(desk, {"contract": contract})
    assert told(current(desk)) == {("COST", Decimal(840)): 1, ("UNBILLED_SALES", Decimal(1600)): 1}


def test_r307_a_billing_type_that_was_chosen_stays(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1")
    project = firm.project("P1", contract)
    approved(desk, firm, project, billable=0)
    confirm_contract(desk, {"contract": contract})
    [sale] = [it for it in current(desk) if it["msdyn_transactiontypecode"] == TransactionType.UNBILLED_SALES]
    assert (sale["msdyn_billingtype"], sale["msdyn_amount"]) == (BillingType.NON_CHARGEABLE, Decimal(1600))


def test_fees_and_milestones_are_not_recorded_anew(desk: Desk, firm: Firm) -> None:
    contract = firm.contract("C1")
    fee = {"msdyn_transactiontypecode": TransactionType.COST, "msdyn_amount": Decimal(1)}
    record(
        desk, fee | {"msdyn_salescontract": contract, "msdyn_transactionclassification": TransactionClass.FEE}
    )
    assert confirm_contract(desk, {"contract": contract}) == {"recorded": 0}


def test_r115_an_imported_actual_that_says_little_is_recorded_anew_too(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    imported = {
        "msdyn_transactiontypecode": TransactionType.COST,
        "msdyn_transactionclassification": TransactionClass.TIME,
        "msdyn_project": project,
        "msdyn_amount": Decimal(800),
        "transactioncurrencyid": firm.currencies["USD"],
    }
    desk.create(ACTUAL, imported)
    contract = firm.contract("C1")
    firm.line(contract, project)
    [anew] = desk.find(ACTUAL, msdyn_salescontract=contract, msdyn_transactiontypecode=TransactionType.COST)
    assert (anew["msdyn_amount"], anew["msdyn_documentdate"]) == (Decimal(800), "2026-11-02T09:00:00Z")
    assert sum(it["msdyn_amount"] for it in desk.find(ACTUAL)) == Decimal(800)
