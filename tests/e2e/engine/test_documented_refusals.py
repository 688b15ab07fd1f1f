"""E1 to E6: each provoked, set aside under its id, and gone after the documented remedy and a replay."""

from typing import Any

import pytest

from tests.e2e.engine import invoices, rows
from tests.e2e.engine.world import World

LINES, LINE_LEG = "ProjVendInvoiceLinesExportEntity", "vendor_invoice_lines__finance_to_dataverse"
INVOICES, INVOICE_LEG = "VendInvoiceExportsV2", "vendor_invoices__finance_to_dataverse"
EXPENSES, EXPENSE_LEG = "ProjExpensesExport", "expenses__finance_to_dataverse"
INACTIVE, ACTIVE = {"statecode": 1, "statuscode": 2}, {"statecode": 0, "statuscode": 1}


@pytest.fixture(scope="module")
def project(shared_world: World) -> str:
    """A project of USPM that both sides have, by its number."""
    world = shared_world
    uspm = world.dataverse_row("cdm_companies", "cdm_companycode eq 'USPM'")["cdm_companyid"]
    where = f"_msdyn_owningcompany_value eq {uspm} and msdyn_istemplate eq false and statecode eq 0"
    return str(world.dataverse_rows("msdyn_projects", where)[0]["msdyn_projectnumber"])


def vendor(world: World) -> str:
    """A vendor of USPM that only Finance has yet."""
    number = rows.fresh("V")
    world.post(
        "VendorsV2",
        dataAreaId="uspm",
        VendorAccountNumber=number,
        VendorOrganizationName=f"Vendor {number}",
        VendorGroupId="10",
        CurrencyCode="USD",
        LanguageId="en-us",
    )
    return number


def invoice(world: World, vendor_number: str) -> str:
    number = rows.fresh("VI")
    world.post(
        INVOICES,
        dataAreaId="uspm",
        InvoiceAccount=vendor_number,
        VendorInvoiceNum=number,
        TransDate="2026-10-31T12:00:00Z",
        CurrencyCode="USD",
        SubcontractInvoice="No",
    )
    return number


@pytest.fixture(scope="module")
def invoiced(shared_world: World) -> dict[str, str]:
    """A vendor invoice that is in step; gives the columns by which its lines name it."""
    number = vendor(shared_world)
    shared_world.sync("vendors")
    header = invoice(shared_world, number)
    assert shared_world.sync("vendor_invoices")[INVOICE_LEG].loaded == 1
    return {"InvoiceAccount": number, "VendorInvoiceNum": header, "DAreaId": "uspm"}


def line(world: World, header: dict[str, str], project_number: str, **values: Any) -> dict[str, str]:
    """A line of a vendor invoice; gives its key."""
    key = {"ProjTransId": rows.fresh("PT"), "ProjDataAreaId": "uspm"}
    facts = {
        "ProjId": project_number,
        "TransDate": "2026-10-31T12:00:00Z",
        "CategoryType": "Hour",
        "QtyReceiveNow": 2,
        "PurchPrice": 50,
        "LineAmount": 100,
        "currencyCode": "USD",
        "BillingType": "Chargeable",
    }
    world.post(LINES, **(key | header | facts | values))
    return key


def only_letter(world: World, map_id: str) -> dict[str, Any]:
    [letter] = world.letters(map_id)
    return letter


def test_e1_an_expense_on_a_summary_task(world: World, project: str) -> None:
    category = rows.fresh("HOTEL")
    world.post("ProjExpenseCategoriesExport", dataAreaId="uspm", CostType=category, CostTxt="Hotel")
    world.sync("expense_categories")
    owner = world.dataverse_row("msdyn_projects", f"msdyn_projectnumber eq '{project}'")["msdyn_projectid"]
    summary, leaf = (_task(world, owner), _task(world, owner))
    parent = rows.bound("msdyn_projecttasks", summary[0])
    world.change("msdyn_projecttasks", leaf[0], **{"msdyn_parenttask@odata.bind": parent})
    key = {"ExpTransNumber": rows.fresh("EXP"), "ReferenceDataAreaId": "uspm"}
    facts = {
        "ProjId": project,
        "ProjActivityNumber": summary[1],
        "CostType": category,
        "TransDate": "2026-10-31T12:00:00Z",
        "Quantity": 1,
        "Amount": 119,
        "NetAmount": 100,
        "TaxAmount": 19,
        "ExchangeCode": "USD",
        "BillingType": "Chargeable",
    }
    world.post(EXPENSES, **(key | facts))
    assert world.sync("expenses")[EXPENSE_LEG].failed == 1
    letter = only_letter(world, "expenses")
    assert (letter["rule"], letter["status"], letter["stage"]) == ("E1", "open", "load")
    assert letter["message"].startswith("0x80040265: Could not resolve project task")

    world.patch(EXPENSES, key, ProjActivityNumber=leaf[1])
    assert world.sync("expenses")[EXPENSE_LEG].loaded == 1
    assert world.letters("expenses") == []


def test_e2_a_unit_that_dataverse_lacks(world: World, project: str, invoiced: dict[str, str]) -> None:
    symbol = rows.fresh("U").lower()
    world.post("UnitsOfMeasure", UnitSymbol=symbol)
    line(world, invoiced, project, PurchUnit=symbol)
    assert world.sync("vendor_invoice_lines")[LINE_LEG].parked == 1
    letter = only_letter(world, "vendor_invoice_lines")
    assert (letter["rule"], letter["status"], letter["waits_for_map"]) == ("E2", "parked", "units")
    assert letter["message"].startswith(f"Unable to look up uoms with values {{msdyn_symbol {symbol}}}")

    world.sync("units")
    assert world.sync("vendor_invoice_lines")[LINE_LEG].loaded == 1
    assert world.letters("vendor_invoice_lines") == []


def test_e2_a_unit_that_nobody_has_is_a_dead_letter_until_it_is_made(
    world: World, project: str, invoiced: dict[str, str]
) -> None:
    symbol = rows.fresh("U").lower()
    line(world, invoiced, project, PurchUnit=symbol)
    assert world.sync("vendor_invoice_lines")[LINE_LEG].failed == 1
    letter = only_letter(world, "vendor_invoice_lines")
    assert (letter["rule"], letter["status"], letter["retriable"]) == ("E2", "open", 1)
    assert "no map brings it from Finance: make it where its master is" in letter["message"]
    world.post("UnitsOfMeasure", UnitSymbol=symbol)
    world.sync("units")
    world.sync("vendor_invoice_lines")
    assert world.letters("vendor_invoice_lines") == []


def test_e3_material_without_a_product(world: World, project: str, invoiced: dict[str, str]) -> None:
    key = line(world, invoiced, project, CategoryType="Item")
    assert world.sync("vendor_invoice_lines")[LINE_LEG].failed == 1
    letter = only_letter(world, "vendor_invoice_lines")
    assert (letter["rule"], letter["status"]) == ("E3", "open")
    assert letter["message"].startswith("0x80040265: Product id is mandatory")

    category = world.dataverse_rows("msdyn_transactioncategories", "statecode eq 0")[0]
    world.patch(LINES, key, TransactionCategoryId=category["msdyn_transactioncategorynumber"])
    assert world.sync("vendor_invoice_lines")[LINE_LEG].loaded == 1
    assert world.letters("vendor_invoice_lines") == []


def test_e4_a_category_that_is_not_active(world: World, project: str, invoiced: dict[str, str]) -> None:
    number = rows.fresh("TCN")
    values = {"msdyn_transactioncategorynumber": number, "msdyn_name": number}
    category = world.create("msdyn_transactioncategories", **values)
    world.change("msdyn_transactioncategories", category, **INACTIVE)
    line(world, invoiced, project, CategoryType="Expense", TransactionCategoryId=number)
    assert world.sync("vendor_invoice_lines")[LINE_LEG].failed == 1
    letter = only_letter(world, "vendor_invoice_lines")
    assert (letter["rule"], letter["status"], letter["retriable"]) == ("E4", "open", 0)

    world.change("msdyn_transactioncategories", category, **ACTIVE)
    assert world.sync("vendor_invoice_lines")[LINE_LEG].read == 0  # nothing tells of the remedy
    assert world.replay("vendor_invoice_lines").marked == (letter["id"],)
    assert world.sync("vendor_invoice_lines")[LINE_LEG].loaded == 1
    assert world.letters("vendor_invoice_lines") == []


def test_e5_a_vendor_without_an_account(world: World) -> None:
    number = vendor(world)
    invoice(world, number)
    assert world.sync("vendor_invoices")[INVOICE_LEG].failed == 1
    letter = only_letter(world, "vendor_invoices")
    assert (letter["rule"], letter["status"]) == ("E5", "open")
    assert letter["message"].startswith(f"Unable to look up accounts with values {{accountnumber {number}")

    world.sync("vendors")
    world.sync("vendor_invoices")
    assert world.letters("vendor_invoices") == []


def test_e6_a_billing_type_without_a_line_property(world: World) -> None:
    contract, _ = invoices.contract_in_step(world)
    enum = "Microsoft.Dynamics.DataEntities.ProjBillingType'Complimentary'"
    bare = f"dataAreaId='uspm',BillingType={enum}"
    where = bare.replace("=", " eq ").replace(",", " and ")
    [held] = world.finance_rows("ProjectBillingTypeLineProperties", where)
    world.patch_at("ProjectBillingTypeLineProperties", bare, LinePropertyId="")
    complimentary = 192350002
    invoices.actuals(world, contract, 1, invoices.UNBILLED, {"msdyn_billingtype": complimentary})
    outcome = world.forth("actuals")["actuals__dataverse_to_finance"]
    assert outcome.failed == 1
    letter = only_letter(world, "actuals")
    assert (letter["rule"], letter["status"], letter["stage"]) == ("E6", "open", "load")
    assert "Line property Complimentary" in letter["message"]

    world.patch_at("ProjectBillingTypeLineProperties", bare, LinePropertyId=held["LinePropertyId"])
    assert world.replay("actuals").marked == (letter["id"],)
    assert world.forth("actuals")["actuals__dataverse_to_finance"].loaded == 1
    assert world.letters("actuals") == []


def _task(world: World, project_id: str) -> tuple[str, str]:
    """A task of a project; gives GUID and number."""
    number = rows.fresh("T")
    return rows.project_task(world, number, project_id), number
