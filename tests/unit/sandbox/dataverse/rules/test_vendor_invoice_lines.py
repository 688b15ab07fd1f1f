"""Vendor invoice lines: which are accepted, and what becomes of them."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import PLUGIN_REFUSED, Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.auto_approval import approve_all
from sandbox.dataverse.rules.options import (
    AmountMethod,
    PriceContext,
    TransactionClass,
    TransactionType,
    VendorInvoiceStatus,
)
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.purchases import amounts, invoice, invoice_line

LINE = "msdyn_projectvendorinvoiceline"
MATERIAL = {"msdyn_transactionclassification": TransactionClass.MATERIAL, "msdyn_resourcecategory": None}
EXPENSE = {"msdyn_transactionclassification": TransactionClass.EXPENSE, "msdyn_resourcecategory": None}


def product(firm: Firm) -> str:
    """A cable that USPM sells for 150."""
    cable = firm.desk.create("product", {"name": "Cable", "productnumber": "CAB"})
    price_list = firm.price_list("USPM", PriceContext.SALES, "USD")
    price = {"productid": cable, "pricelevelid": price_list, "amount": Decimal(150), "uomid": None}
    firm.desk.create("productpricelevel", price)
    return cable


def test_e3_material_needs_a_product(desk: Desk, firm: Firm) -> None:
    line = {"msdyn_externalinvoiceline": "L-1", **MATERIAL}
    with pytest.raises(ApiError, match="Product id is mandatory") as error:
        as_user(desk, LINE, None, line)
    assert (error.value.status, error.value.code) == (400, PLUGIN_REFUSED)
    row_id = as_user(desk, LINE, None, line | {"msdyn_product": product(firm)})
    with pytest.raises(ApiError, match="Product id is mandatory"):
        as_user(desk, LINE, row_id, {"msdyn_product": None})


def test_r1007_material_of_a_procurement_category_needs_none(desk: Desk, firm: Firm) -> None:
    category = {"msdyn_transactioncategory": firm.category}
    assert as_user(desk, LINE, None, {"msdyn_externalinvoiceline": "L-1", **MATERIAL, **category})


def test_e4_an_expense_needs_an_active_transaction_category(desk: Desk, firm: Firm) -> None:
    line = {"msdyn_externalinvoiceline": "L-1", **EXPENSE}
    with pytest.raises(ApiError, match="transaction category of vendor invoice line L-1 is invalid") as error:
        as_user(desk, LINE, None, line)
    assert (error.value.status, error.value.code) == (400, PLUGIN_REFUSED)
    desk.update("msdyn_transactioncategory", firm.category, {"statecode": 1})
    with pytest.raises(ApiError, match="select an active transaction category"):
        as_user(desk, LINE, None, line | {"msdyn_transactioncategory": firm.category})
    desk.update("msdyn_transactioncategory", firm.category, {"statecode": 0})
    assert as_user(desk, LINE, None, line | {"msdyn_transactioncategory": firm.category})


def test_r1003_material_sells_at_the_price_of_the_product(desk: Desk, firm: Firm) -> None:
    """Four cables cost 400 and sell for 600."""
    material: dict[str, Any] = {
        **MATERIAL,
        "msdyn_product": product(firm),
        "msdyn_quantity": Decimal(4),
        "msdyn_price": Decimal(100),
        "msdyn_amount": Decimal(400),
    }
    project = firm.project("P1", firm.contract("C1"))
    invoice_line(firm, invoice(firm), project, **material)
    approve_all(desk, {})
    assert amounts(firm, TransactionType.COST) == [Decimal(400)]
    assert amounts(firm, TransactionType.UNBILLED_SALES) == [Decimal(600)]


def test_the_cost_holds_the_tax_that_cannot_be_recovered(desk: Desk, firm: Firm) -> None:
    row_id = invoice(firm)
    line = invoice_line(firm, row_id, firm.project("P1"), msdyn_amount=Decimal("741.60"))
    approve_all(desk, {})
    [cost] = desk.find("msdyn_actual")
    assert (cost["msdyn_amount"], cost["msdyn_price"]) == (Decimal("741.60"), Decimal(90))
    assert cost["msdyn_amountmethod"] == AmountMethod.FIXED_PRICE
    assert cost["msdyn_documentdate"] == "2026-11-01T12:00:00Z"
    assert cost["msdyn_vendorinvoiceline"] == line
    assert cost["msdyn_accountvendor"] == desk.get("msdyn_projectvendorinvoice", row_id)["msdyn_vendor"]


@pytest.mark.parametrize(("currency", "price", "amount"), [("JPY", "33", "264"), ("KWD", "1.235", "9.880")])
def test_costs_have_the_coins_of_their_currency(
    desk: Desk, firm: Firm, currency: str, price: str, amount: str
) -> None:
    billed: dict[str, Any] = {"msdyn_price": Decimal(price), "msdyn_amount": None}
    money: dict[str, Any] = {"transactioncurrencyid": firm.currencies[currency]}
    invoice_line(firm, invoice(firm), firm.project("P1"), **billed, **money)
    approve_all(desk, {})
    assert amounts(firm, TransactionType.COST) == [Decimal(amount)]


def test_r1008_an_invoice_to_another_company_is_lent(desk: Desk, firm: Firm) -> None:
    """GBPM is invoiced 640 GBP for USPM's project: only the project's cost stays in Dataverse."""
    lender: dict[str, Any] = {
        "msdyn_owningcompany": firm.companies["GBPM"],
        "transactioncurrencyid": firm.currencies["GBP"],
    }
    billed: dict[str, Any] = {"msdyn_price": Decimal(80), "msdyn_amount": Decimal(640)}
    project = firm.project("P1", firm.contract("C1"))
    line = invoice_line(firm, invoice(firm, **lender), project, **lender, **billed)
    approve_all(desk, {})
    rows = {row["msdyn_transactiontypecode"]: row for row in desk.find("msdyn_actual")}
    told = {
        kind: (
            row["msdyn_amount"],
            row["transactioncurrencyid"],
            row["msdyn_owningcompany"],
            row["msdyn_skipsync"],
        )
        for kind, row in rows.items()
    }
    (pounds, dollars) = (firm.currencies["GBP"], firm.currencies["USD"])
    (lending, borrowing) = (firm.companies["GBPM"], firm.companies["USPM"])
    assert told == {
        TransactionType.COST: (Decimal(640), pounds, borrowing, True),
        TransactionType.UNBILLED_SALES: (Decimal(1600), dollars, borrowing, False),
        TransactionType.INTERORGANIZATIONAL_SALES: (Decimal(640), pounds, lending, False),
        TransactionType.RESOURCING_UNIT_COST: (Decimal(640), pounds, lending, False),
    }
    assert {row["msdyn_vendorinvoiceline"] for row in rows.values()} == {line}


def test_r1006_the_status_that_goes_back_is_confirmed(desk: Desk, firm: Firm) -> None:
    """Finance lets the payment go by the status of the header, which change tracking tells as changed."""
    row_id = invoice(firm)
    invoice_line(firm, row_id, firm.project("P1"))
    before = desk.get("msdyn_projectvendorinvoice", row_id)
    approve_all(desk, {})
    after = desk.get("msdyn_projectvendorinvoice", row_id)
    assert (before["statuscode"], after["statuscode"]) == (
        VendorInvoiceStatus.DRAFT,
        VendorInvoiceStatus.CONFIRMED,
    )
    assert after["versionnumber"] > before["versionnumber"]


def test_r1001_what_a_confirmed_invoice_has_booked_stays(desk: Desk, firm: Firm) -> None:
    row_id = invoice(firm)
    line = invoice_line(firm, row_id, firm.project("P1"))
    as_user(desk, LINE, line, {"msdyn_amount": Decimal(700)})
    approve_all(desk, {})
    as_user(desk, LINE, line, {"msdyn_amount": Decimal("700.00"), "msdyn_description": "Design, again"})
    with pytest.raises(ApiError, match="Line L-1 of vendor invoice VI-1 is confirmed and stays"):
        as_user(desk, LINE, line, {"msdyn_amount": Decimal(710)})
    tables = desk.writer.entities.by_name
    with pytest.raises(ApiError, match="is confirmed and stays"):
        desk.writer.delete(desk.unit, tables[LINE], line, Caller.USER)
    with pytest.raises(ApiError, match="VI-1 is confirmed and cannot be deleted"):
        desk.writer.delete(desk.unit, tables["msdyn_projectvendorinvoice"], row_id, Caller.USER)
    assert amounts(firm, TransactionType.COST) == [Decimal(700)]
