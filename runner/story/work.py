"""Work comes in: hours in Dataverse, travel and a vendor's invoice in Finance."""

from collections.abc import Mapping
from typing import Any

from runner.story.cast import Cast
from runner.story.engagement import Engagement, bound
from runner.wire import Row, Wire

_DRAFT, _APPROVED, _SUBMITTED = 192350000, 192350002, 192350003
_MINUTES = 60
TRAVEL_NET, TRAVEL_TAX = 120, 10
VENDOR_HOURS, VENDOR_PRICE = 3, 110


def book_hours(wire: Wire, cast: Cast, engagement: Engagement) -> None:
    """Somebody works 8 hours on the project, somebody of the lender 10, the partner 4; all is approved."""
    book = (
        (cast.resource, "Build", 8, None),
        (cast.lent, "Lead", 10, None),
        (cast.resource, "Review", 4, engagement.subcontract_line),
    )
    for resource, task, hours, subcontract_line in book:
        entry = wire.create_dataverse(
            "msdyn_timeentries", _entry(cast, engagement, (resource, task, hours), subcontract_line)
        )
        for status in (_SUBMITTED, _APPROVED):
            wire.change_dataverse("msdyn_timeentries", entry, {"msdyn_entrystatus": status})


def make_expense_category(wire: Wire, cast: Cast) -> str:
    """Let the seller's people spend money on travel (R901); return the category."""
    shared = f"{cast.categories['Travel']['msdyn_transactioncategorynumber']}-4"
    wire.change_finance(f"SharedCategories(CategoryId='{shared}')", {"UseInExpense": "Yes"})
    where = f"dataAreaId eq '{cast.area}' and CategoryId eq '{shared}'"
    if not wire.finance_rows("Categories", where):
        wire.create_finance(
            "Categories",
            {
                "dataAreaId": cast.area,
                "CategoryId": shared,
                "SharedCategoryId": shared,
                "CategoryName": "Travel",
                "UseInExpense": "Yes",
                "UseInProject": "Yes",
            },
        )
    return shared


def spend(wire: Wire, cast: Cast, engagement: Engagement, category: str) -> None:
    """Post an expense report with a trip for the project (R902)."""
    report = f"EXP-{engagement.serial}"
    company = {"dataAreaId": cast.area, "ExpenseReportNumber": report}
    wire.create_finance(
        "ExpenseReports",
        {
            **company,
            "PersonnelNumber": "000001",
            "VendorAccountNumber": cast.vendor["accountnumber"],
            "Purpose": "Workshop at the customer",
            "ExpenseReportStatus": "Approved",
            "PostingDate": noon(engagement),
        },
    )
    wire.create_finance(
        "ExpenseReportLines",
        {
            **company,
            **_on_project(engagement, "Build"),
            "ExpTransNumber": f"{report}-1",
            "CostType": category,
            "TransactionDate": noon(engagement),
            "Quantity": 1,
            "CurrencyCode": "USD",
            "Amount": TRAVEL_NET + TRAVEL_TAX,
            "TaxAmount": TRAVEL_TAX,
            "BillingType": "Chargeable",
            "AdditionalInformation": "Flight and hotel",
        },
    )
    wire.run_job("post-expense-reports")


def buy(wire: Wire, cast: Cast, engagement: Engagement) -> None:
    """Post a vendor's invoice for three hours on the project (R1001, R1002)."""
    _vendor_invoice(
        wire,
        cast,
        engagement,
        "VI",
        {
            **_on_project(engagement, "Configure"),
            "ProcurementCategoryName": "Consulting",
            "Description": "Configuration",
            "Quantity": VENDOR_HOURS,
            "UnitSymbol": "hr",
            "UnitPrice": VENDOR_PRICE,
            "RoleId": cast.role["msdyn_resourcecategorynumber"],
            "BillingType": "Chargeable",
        },
    )


def receive_and_pay_partner(wire: Wire, cast: Cast, engagement: Engagement) -> None:
    """Receive what the partner did, and post the partner's invoice for it (R1103, R1104)."""
    wire.run_job("generate-product-receipts", company=cast.seller["cdm_companycode"])
    wire.run_job("post-product-receipts", company=cast.seller["cdm_companycode"])
    order = purchase_order(wire, engagement)
    _vendor_invoice(
        wire,
        cast,
        engagement,
        "SI",
        {"PurchaseOrderLineNumber": 1, "BillingType": "Chargeable"},
        {"PurchaseOrderNumber": order["PurchaseOrderNumber"]},
    )


def purchase_order(wire: Wire, engagement: Engagement) -> Row:
    """The purchase order that Finance made of the subcontract (R1101)."""
    [order] = wire.finance_rows(
        "PurchaseOrderHeadersV2", f"ProjSubContractNumber eq 'SUB-{engagement.serial}'"
    )
    return order


def noon(engagement: Engagement) -> str:
    """The story's day as Finance writes days."""
    return f"{engagement.start}T12:00:00Z"


def _entry(
    cast: Cast, engagement: Engagement, what: tuple[Row, str, int], subcontract_line: str | None
) -> dict[str, Any]:
    resource, task, hours = what
    entry = {
        "msdyn_description": f"{task} for the rollout",
        "msdyn_date": f"{engagement.start}T05:00:00Z",
        "msdyn_duration": hours * _MINUTES,
        "msdyn_entrystatus": _DRAFT,
        **bound("msdyn_bookableresource", "bookableresources", resource["bookableresourceid"]),
        **bound("msdyn_project", "msdyn_projects", engagement.project),
        **bound("msdyn_projecttask", "msdyn_projecttasks", engagement.tasks[task]),
        **bound(
            "msdyn_resourcecategory", "bookableresourcecategories", cast.role["bookableresourcecategoryid"]
        ),
        **bound(
            "msdyn_transactioncategory",
            "msdyn_transactioncategories",
            cast.categories["Design"]["msdyn_transactioncategoryid"],
        ),
    }
    if subcontract_line is not None:
        entry |= bound("msdyn_subcontractline", "msdyn_subcontractlines", subcontract_line)
    return entry


def _on_project(engagement: Engagement, task: str) -> dict[str, str]:
    return {"ProjectId": engagement.project_number, "ActivityNumber": engagement.task_number(task)}


def _vendor_invoice(
    wire: Wire,
    cast: Cast,
    engagement: Engagement,
    prefix: str,
    line: Mapping[str, Any],
    header: Mapping[str, Any] | None = None,
) -> None:
    number = f"{prefix}-{engagement.serial}"
    key = {"dataAreaId": cast.area, "HeaderReference": number}
    wire.create_finance(
        "VendorInvoiceHeaders",
        {
            **key,
            "InvoiceNumber": number,
            "InvoiceAccount": cast.vendor["accountnumber"],
            "InvoiceDescription": "Work on the rollout",
            "InvoiceDate": noon(engagement),
            "PostingDate": noon(engagement),
            **(header or {}),
        },
    )
    wire.create_finance("VendorInvoiceLines", {**key, "InvoiceLineNumber": 1, **line})
    wire.run_job("post-vendor-invoices")
