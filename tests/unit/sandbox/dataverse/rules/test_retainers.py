"""Retainers: invoiced, used up in parts, credited (R405, R406)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.confirmation import confirm_invoices
from sandbox.dataverse.rules.correction import correct_invoice
from sandbox.dataverse.rules.invoices import create_invoice
from sandbox.dataverse.rules.options import MilestoneStatus, TransactionClass, TransactionType
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.invoicing import (
    ADJUSTED,
    BILLED,
    CHARGED,
    DETAIL,
    UNADJUSTABLE,
    UNBILLED,
    Billed,
    confirm,
    hours,
    remove,
)


def retained(firm: Firm, amount: str) -> Billed:
    """A contract whose retainer is invoiced."""
    contract = firm.contract("C-1")
    project = firm.project("P-1", contract)
    line = firm.desk.first("salesorderdetail", salesorderid=contract)
    assert line is not None
    values = {
        "msdyn_name": "Advance",
        "msdyn_contract": contract,
        "msdyn_contractlineid": line["salesorderdetailid"],
        "msdyn_amount": Decimal(amount),
        "msdyn_invoicedate": "2026-10-01",
        "msdyn_invoicestatus": MilestoneStatus.READY,
    }
    firm.desk.create("msdyn_retainer", values)
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    confirm(firm.desk, invoice)
    return Billed(firm.desk, contract, project, invoice, "")


def retainers_only(billed: Billed, kind: TransactionType) -> dict[tuple[Any, ...], int]:
    """As `Billed.sales`, but not the hours: a retainer has the quantity 1."""
    return {key: count for key, count in billed.sales(kind).items() if key[0] in {"1", "-1"}}


def test_r405_an_invoiced_retainer_stands_ready_to_be_used(firm: Firm) -> None:
    billed = retained(firm, "5000")
    assert billed.sales(BILLED) == {("1", "5000", CHARGED, None, True): 1}
    assert billed.sales(UNBILLED) == {("-1", "-5000", CHARGED, None, False): 1}
    sales = firm.desk.find("msdyn_actual")
    assert {it["msdyn_transactionclassification"] for it in sales} == {TransactionClass.RETAINER}
    [retainer] = firm.desk.find("msdyn_retainer")
    assert retainer["msdyn_invoicestatus"] == MilestoneStatus.INVOICE_POSTED
    assert create_invoice(firm.desk, {"contract": billed.contract})["created"] == 0


def test_r405_a_retainer_that_is_used_up(firm: Firm) -> None:
    billed = retained(firm, "1000")
    hours(firm, billed.project)
    [invoice] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
    assert firm.desk.get("invoice", invoice)["totalamount"] == 600
    confirm(firm.desk, invoice)
    assert retainers_only(billed, BILLED) == {
        ("1", "1000", CHARGED, None, True): 1,
        ("-1", "-1000", CHARGED, None, True): 1,
    }
    assert retainers_only(billed, UNBILLED) == {
        ("-1", "-1000", CHARGED, None, False): 1,
        ("1", "1000", CHARGED, UNADJUSTABLE, False): 1,
    }


def test_r405_a_retainer_that_is_used_in_part_leaves_the_rest(firm: Firm) -> None:
    billed = retained(firm, "5000")
    hours(firm, billed.project)
    [invoice] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
    assert firm.desk.get("invoice", invoice)["totalamount"] == 0
    confirm(firm.desk, invoice)
    assert retainers_only(billed, BILLED) == {
        ("1", "5000", CHARGED, None, True): 1,
        ("-1", "-1600", CHARGED, None, True): 1,
    }
    assert retainers_only(billed, UNBILLED) == {
        ("-1", "-5000", CHARGED, None, False): 1,
        ("1", "5000", CHARGED, UNADJUSTABLE, False): 1,
        ("-1", "-3400", CHARGED, None, False): 1,
    }
    hours(firm, billed.project, quantity="20")
    [last] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
    assert firm.desk.get("invoice", last)["totalamount"] == 600


def test_less_of_a_retainer_can_be_used_but_not_more_than_is_left(firm: Firm) -> None:
    billed = retained(firm, "500")
    hours(firm, billed.project)
    [invoice] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
    used = firm.desk.first(DETAIL, msdyn_invoice=invoice, msdyn_quantity=Decimal(-1))
    assert used is not None
    as_user(firm.desk, DETAIL, used["msdyn_invoicelinetransactionid"], {"msdyn_price": Decimal(501)})
    [error] = confirm_invoices(firm.desk, {"invoices": [invoice]})["errors"]
    assert "uses 501.00 of a retainer of which 500 is left" in error
    as_user(firm.desk, DETAIL, used["msdyn_invoicelinetransactionid"], {"msdyn_price": Decimal(300)})
    assert firm.desk.get("invoice", invoice)["totalamount"] == 1300
    confirm(firm.desk, invoice)
    assert retainers_only(billed, UNBILLED)["-1", "-200", CHARGED, None, False] == 1


def test_r406_a_retainer_is_credited_while_nobody_used_it(firm: Firm) -> None:
    billed = retained(firm, "5000")
    confirm(firm.desk, correct_invoice(firm.desk, {"invoice": billed.invoice})["invoice"])
    assert billed.sales(BILLED) == {
        ("1", "5000", CHARGED, ADJUSTED, True): 1,
        ("-1", "-5000", CHARGED, UNADJUSTABLE, True): 1,
    }
    assert billed.sales(UNBILLED) == {
        ("-1", "-5000", CHARGED, ADJUSTED, False): 1,
        ("1", "5000", CHARGED, UNADJUSTABLE, False): 1,
    }
    [retainer] = firm.desk.find("msdyn_retainer")
    assert retainer["msdyn_invoicestatus"] == MilestoneStatus.READY


def test_r406_a_retainer_in_use_is_given_back_first(firm: Firm) -> None:
    billed = retained(firm, "1000")
    hours(firm, billed.project)
    [invoice] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
    confirm(firm.desk, invoice)
    draft = correct_invoice(firm.desk, {"invoice": billed.invoice})["invoice"]
    [error] = confirm_invoices(firm.desk, {"invoices": [draft]})["errors"]
    assert "used on another invoice: correct that one first" in error
    confirm(firm.desk, correct_invoice(firm.desk, {"invoice": invoice})["invoice"])
    assert retainers_only(billed, UNBILLED)["-1", "-1000", CHARGED, None, False] == 2
    [again] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
    assert firm.desk.get("invoice", again)["totalamount"] == 600


def test_a_retainer_without_an_amount_comes_on_no_invoice(firm: Firm) -> None:
    contract = firm.contract("C-1")
    retainer = {
        "msdyn_name": "Advance",
        "msdyn_contract": contract,
        "msdyn_invoicestatus": MilestoneStatus.READY,
    }
    firm.desk.create("msdyn_retainer", retainer)
    with pytest.raises(ApiError, match="Retainer Advance has no amount"):
        create_invoice(firm.desk, {"contract": contract})


@pytest.mark.parametrize("table", ["invoice", DETAIL])
def test_r405_a_retainer_that_is_taken_off_a_draft_can_be_used_or_credited(firm: Firm, table: str) -> None:
    billed = retained(firm, "1000")
    hours(firm, billed.project)
    [draft] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
    used = firm.desk.first(DETAIL, msdyn_invoice=draft, msdyn_quantity=Decimal(-1))
    assert used is not None
    remove(firm.desk, table, draft if table == "invoice" else used["msdyn_invoicelinetransactionid"])
    if table == "invoice":
        [again] = create_invoice(firm.desk, {"contract": billed.contract})["invoices"]
        assert firm.desk.get("invoice", again)["totalamount"] == 600
    else:
        confirm(firm.desk, correct_invoice(firm.desk, {"invoice": billed.invoice})["invoice"])
        assert retainers_only(billed, UNBILLED)["1", "1000", CHARGED, UNADJUSTABLE, False] == 1
