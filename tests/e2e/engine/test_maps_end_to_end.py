"""What maps of the later areas promise beyond a row that moves, on the real sandbox."""

from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.engine import rows
from tests.e2e.engine.world import Row, World

ASSIGNMENTS, ESTIMATES = "msdyn_resourceassignments", "msdyn_estimatelines"
HOURS, EXPENSES, MATERIAL = (
    "ProjEstimateHoursImport",
    "ProjEstimateExpensesImports",
    "ProjForecastSalesImport",
)
LOOKUPS = {
    "msdyn_projectid": "msdyn_projects",
    "msdyn_taskid": "msdyn_projecttasks",
    "msdyn_bookableresourceid": "bookableresources",
    "msdyn_owningcompany": "cdm_companies",
    "transactioncurrencyid": "transactioncurrencies",
}


@pytest.fixture(scope="module")
def project(shared_world: World) -> Row:
    """An active project of USPM that both sides have, as Dataverse holds it."""
    company = shared_world.dataverse_row("cdm_companies", "cdm_companycode eq 'USPM'")["cdm_companyid"]
    where = f"_msdyn_owningcompany_value eq {company} and msdyn_istemplate eq false and statecode eq 0"
    return shared_world.dataverse_rows("msdyn_projects", where)[0]


def again(world: World, assignment: Row) -> str:
    """The same assignment once more, as planning makes it; gives its GUID."""
    binds = {
        f"{column}@odata.bind": rows.bound(entity_set, assignment[f"_{column}_value"])
        for column, entity_set in LOOKUPS.items()
    }
    number, hours = rows.fresh("RA"), float(assignment["msdyn_hours"])
    return world.create(ASSIGNMENTS, msdyn_resourceassignmentnumber=number, msdyn_hours=hours, **binds)


def forecast_hours(world: World, project_number: str) -> Decimal:
    found = world.finance_rows("ProjectEmplForecasts", f"ProjectID eq '{project_number}'")
    return sum((Decimal(row["Hours"]) for row in found), Decimal(0))


def test_r204_an_assignment_removed_and_added_again_doubles_no_forecast(world: World) -> None:
    assignment = world.dataverse_rows(ASSIGNMENTS)[0]
    number = world.dataverse_row(
        "msdyn_projects", f"msdyn_projectid eq {assignment['_msdyn_projectid_value']}"
    )["msdyn_projectnumber"]
    staged, planned = len(world.finance_rows(HOURS)), forecast_hours(world, number)
    assert planned > 0

    world.delete(ASSIGNMENTS, assignment["msdyn_resourceassignmentid"])
    new_id = again(world, assignment)
    assert world.forth("hour_estimates")["hour_estimates__dataverse_to_finance"].loaded == 2

    ids = {row["EstimateHoursImportId"] for row in world.finance_rows(HOURS)}
    assert len(ids) == staged
    assert new_id in ids
    assert forecast_hours(world, number) == planned


def test_an_estimate_of_another_class_moves_to_the_other_table(world: World) -> None:
    line = world.dataverse_rows(ESTIMATES, "msdyn_transactionclassification eq 192350001")[0]
    row_id = line["msdyn_estimatelineid"]
    assert row_id in {row["EstimateLineId"] for row in world.finance_rows(EXPENSES)}

    world.change(ESTIMATES, row_id, msdyn_transactionclassification=192350002)
    world.forth("expense_estimates", "material_estimates")
    assert row_id not in {row["EstimateLineId"] for row in world.finance_rows(EXPENSES)}
    assert row_id in {row["ForecastLineId"] for row in world.finance_rows(MATERIAL)}


def vendor_invoice(world: World, company: str, currency: str) -> dict[str, str]:
    """A vendor invoice in Finance; gives the columns by which its lines name it."""
    vendor = world.finance_rows("VendorsV2", f"dataAreaId eq '{company}'")[0]["VendorAccountNumber"]
    number = rows.fresh("VI")
    key = {"InvoiceAccount": vendor, "VendorInvoiceNum": number}
    facts = {"TransDate": "2026-10-31T12:00:00Z", "CurrencyCode": currency, "SubcontractInvoice": "No"}
    world.post("VendInvoiceExportsV2", dataAreaId=company, **key, **facts)
    return {**key, "DAreaId": company}


def line_of(project: Row, currency: str) -> dict[str, Any]:
    return {
        "ProjTransId": rows.fresh("PT"),
        "ProjDataAreaId": "uspm",
        "ProjId": project["msdyn_projectnumber"],
        "TransDate": "2026-10-31T12:00:00Z",
        "CategoryType": "Item",
        "PurchUnit": "ea",
        "QtyReceiveNow": 2,
        "PurchPrice": 10,
        "LineAmount": 20,
        "currencyCode": currency,
        "BillingType": "Chargeable",
    }


def test_a_line_between_companies_finds_its_invoice_and_product_in_the_company_that_was_invoiced(
    world: World, project: Row
) -> None:
    """R1008: GBPM is invoiced for work on a project of USPM; both have products of their own."""
    header = vendor_invoice(world, "gbpm", "GBP")
    item = world.finance_rows("ReleasedProductsV2", "dataAreaId eq 'gbpm'")[0]["ItemNumber"]
    line = line_of(project, "GBP")
    world.post("ProjVendInvoiceLinesExportEntity", **line, **header, DisplayProductNumber=item)
    world.sync("vendor_invoices", "vendor_invoice_lines")

    number = line["ProjTransId"]
    found = world.dataverse_row("msdyn_projectvendorinvoicelines", f"msdyn_externalinvoiceline eq '{number}'")
    lender = world.dataverse_row("cdm_companies", "cdm_companycode eq 'GBPM'")["cdm_companyid"]
    invoice = world.dataverse_row(
        "msdyn_projectvendorinvoices", f"msdyn_vendorinvoicenumber eq '{header['VendorInvoiceNum']}'"
    )
    product = world.dataverse_row("products", f"productid eq {found['_msdyn_product_value']}")
    assert found["_msdyn_vendorinvoice_value"] == invoice["msdyn_projectvendorinvoiceid"]
    assert found["_msdyn_project_value"] == project["msdyn_projectid"]
    assert found["_msdyn_owningcompany_value"] == product["_msdyn_companyid_value"] == lender
    assert invoice["_msdyn_owningcompany_value"] == lender


def test_the_status_of_a_vendor_invoice_goes_back_and_nothing_else(world: World) -> None:
    """R1006: Finance pays once the project manager has confirmed."""
    header = vendor_invoice(world, "uspm", "USD")
    number = header["VendorInvoiceNum"]
    world.sync("vendor_invoices")
    world.forth("vendor_invoices")
    before = world.finance_row("VendInvoiceExportsV2", f"VendorInvoiceNum eq '{number}'")
    assert before["ProjVendInvoiceStatus"] == "Draft"

    invoice = world.dataverse_row("msdyn_projectvendorinvoices", f"msdyn_vendorinvoicenumber eq '{number}'")
    world.change("msdyn_projectvendorinvoices", invoice["msdyn_projectvendorinvoiceid"], statuscode=192350003)
    world.forth("vendor_invoices")
    after = world.finance_row("VendInvoiceExportsV2", f"VendorInvoiceNum eq '{number}'")
    changed = {name for name, value in after.items() if value != before[name]} - {"@odata.etag"}
    assert (after["ProjVendInvoiceStatus"], changed) == ("OnHold", {"ProjVendInvoiceStatus"})


def test_maps_that_are_off_run_when_they_are_named(world: World, project: Row) -> None:
    assert world.finance_rows("ProjCDSBookableResources") == []
    moved = world.sync("bookable_resources")["bookable_resources__dataverse_to_finance"]
    resources = {row["bookableresourceid"] for row in world.dataverse_rows("bookableresources")}
    assert moved.loaded == len(resources) > 0
    found = world.finance_rows("ProjCDSBookableResources")
    assert {row["BookableResourceId"] for row in found} == resources

    item = world.finance_rows("ReleasedProductsV2", "dataAreaId eq 'uspm'")[0]["ItemNumber"]
    world.post(
        "ProjMaterialUsageExports",
        dataAreaId="uspm",
        MaterialUsageId=rows.fresh("PS"),
        ProjectId=project["msdyn_projectnumber"],
        ItemNumber=item,
        Quantity=2.5,
        UnitSymbol="ea",
        CostPrice=3.5,
        CurrencyCode="USD",
        PackingSlipDate="2026-10-31T12:00:00Z",
    )
    assert "material_usage__finance_to_dataverse" not in world.sync("units")
    assert world.sync("material_usage")["material_usage__finance_to_dataverse"].loaded == 1
    [usage] = world.dataverse_rows("msdyn_materialusagelogs", "msdyn_quantity eq 2.5")
    assert usage["_msdyn_project_value"] == project["msdyn_projectid"]
