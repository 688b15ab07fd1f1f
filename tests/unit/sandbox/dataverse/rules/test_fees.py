"""Fees: from a journal to an invoice (R405)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.invoices import create_invoice
from sandbox.dataverse.rules.options import BillingMethod, TransactionClass
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.invoicing import (
    BILLED,
    CHARGED,
    UNADJUSTABLE,
    UNBILLED,
    Billed,
    confirm,
)


def charge(firm: Firm, project: str, price: str, **values: Any) -> None:
    """A fee that a person enters in a journal and posts."""
    journal = as_user(firm.desk, "msdyn_journal", None, {"msdyn_description": "Fees"})
    fee = {
        "msdyn_description": "Licence",
        "msdyn_journal": journal,
        "msdyn_project": project,
        "msdyn_transactionclassification": TransactionClass.FEE,
        "msdyn_price": Decimal(price),
    }
    as_user(firm.desk, "msdyn_journalline", None, fee | values)
    as_user(firm.desk, "msdyn_journal", journal, {"msdyn_isposted": True})


@pytest.mark.parametrize("method", BillingMethod)
def test_r405_a_fee_is_billed_whatever_the_billing_method_of_its_line(
    firm: Firm, method: BillingMethod
) -> None:
    contract = firm.contract("C-1")
    charge(firm, firm.project("P-1", contract, msdyn_billingmethod=method), "75.5")
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    confirm(firm.desk, invoice)
    billed = Billed(firm.desk, contract, "", invoice, "")
    assert billed.sales(BILLED) == {("1", "75.5", CHARGED, None, True): 1}
    assert billed.sales(UNBILLED) == {
        ("1", "75.5", CHARGED, None, True): 1,
        ("-1", "-75.5", CHARGED, UNADJUSTABLE, False): 1,
    }
    [sale] = firm.desk.find("msdyn_actual", msdyn_invoice=invoice)
    assert sale["msdyn_transactionclassification"] == TransactionClass.FEE
    assert sale["msdyn_owningcompany"] == firm.companies["USPM"]


def test_a_fee_has_as_many_digits_as_the_currency_of_the_contract(firm: Firm) -> None:
    contract = firm.contract("C-1", currency="JPY")
    charge(firm, firm.project("P-1", contract), "1000.5", msdyn_quantity=Decimal(3))
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    assert firm.desk.get("invoice", invoice)["totalamount"] == 3002


def test_a_project_whose_lines_include_no_fees_is_charged_none(firm: Firm) -> None:
    project = firm.project("P-1", firm.contract("C-1"), msdyn_includefee=False)
    with pytest.raises(ApiError, match="No contract line of project P-1 includes fees"):
        charge(firm, project, "75.5")
