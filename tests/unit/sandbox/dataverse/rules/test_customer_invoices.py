"""Customer invoices that Finance posted (R806)."""

from decimal import Decimal

import pytest

from sandbox.dataverse.rules.options import InvoiceStatus
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.invoicing import Billed, eight_hours


@pytest.fixture
def billed(firm: Firm) -> Billed:
    """An invoice over 1,600 that is confirmed."""
    invoice = eight_hours(firm)
    invoice.confirm()
    return invoice


def posted(firm: Firm, billed: Billed, **values: object) -> str:
    facts = {
        "msdyn_customerinvoicenumber": "CIV-000012",
        "msdyn_customerinvoicedate": "2026-11-05",
        "msdyn_proformainvoice": billed.invoice,
        "msdyn_taxamount": Decimal("320.00"),
        "msdyn_totalamount": Decimal("1920.00"),
        "msdyn_owningcompany": firm.companies["USPM"],
    }
    return as_user(firm.desk, "msdyn_customerinvoice", None, facts | values)


def test_r806_a_posted_customer_invoice_marks_its_proforma_invoice(firm: Firm, billed: Billed) -> None:
    posted(firm, billed)
    invoice = firm.desk.get("invoice", billed.invoice)
    assert invoice["msdyn_customerinvoicenumber"] == "CIV-000012"
    assert invoice["msdyn_customerinvoicedate"] == "2026-11-05"
    assert invoice["msdyn_projectinvoicestatus"] == InvoiceStatus.POSTED
    assert (invoice["totaltax"], invoice["totalamount"]) == (320, 1920)


def test_r806_a_later_tax_corrects_the_total_and_leaves_what_is_paid(firm: Firm, billed: Billed) -> None:
    row_id = posted(firm, billed, msdyn_taxamount=None)
    assert firm.desk.get("invoice", billed.invoice)["totalamount"] == 1600
    as_user(firm.desk, "invoice", billed.invoice, {"msdyn_projectinvoicestatus": InvoiceStatus.PAID})
    as_user(firm.desk, "msdyn_customerinvoice", row_id, {"msdyn_taxamount": Decimal("80.5")})
    invoice = firm.desk.get("invoice", billed.invoice)
    assert (invoice["totaltax"], invoice["totalamount"]) == (Decimal("80.5"), Decimal("1680.5"))
    assert invoice["msdyn_projectinvoicestatus"] == InvoiceStatus.PAID


def test_a_customer_invoice_without_a_proforma_invoice_stands_alone(firm: Firm, billed: Billed) -> None:
    posted(firm, billed, msdyn_proformainvoice=None)
    status = firm.desk.get("invoice", billed.invoice)["msdyn_projectinvoicestatus"]
    assert status == InvoiceStatus.CONFIRMED
