"""How Finance is set up for projects in the demo's legal entities: what accountants enter beforehand.

Roles of the legal entities and shared categories are not among it: they arise when roles and
transaction categories come from Dataverse (R109, R110).
"""

import calendar
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from sandbox.data import intercompany
from sandbox.data.firm import COMPANIES, Company, Row, finance_day
from sandbox.data.resources import transaction_categories

YEARS = range(2025, 2028)
CLOSED = (2026, 8)
"""The one closed month, August 2026: what falls into it is booked on September 1 (R604)."""

PROFILE = "STANDARD"
FORECAST_MODEL = "PROJOPS"
ITEM_TAX_GROUP = "FULL"
TAX_GROUPS: Mapping[str, tuple[str, str, Decimal]] = {
    "USPM": ("US-STATE", "SALES", Decimal("8.875")),
    "GBPM": ("GB-VAT", "VAT20", Decimal(20)),
    "DEMF": ("DE-UST", "UST19", Decimal(19)),
}
"""Sales tax group, sales tax code and percentage by company."""

_MAIN_ACCOUNTS = {
    "ProjectCost": "540100",
    "PayrollAllocation": "600900",
    "ExpenseIntegration": "210810",
    "ProcurementIntegration": "210820",
    "CostItem": "540300",
    "ExpenseOffset": "540400",
    "WipSalesValue": "140210",
    "AccruedRevenue": "401310",
    "InvoicedRevenue": "401100",
    "InvoicedRevenueOnAccount": "401200",
    "WipInvoicedOnAccount": "140310",
    "CustomerBalance": "130100",
    "VendorBalance": "200100",
    "SalesTax": "202100",
    "PurchaseAccrual": "200150",
    "PurchaseReceipt": "200140",
    "IntercompanyCost": "540600",
    "IntercompanyRevenue": "401500",
    "PennyDifference": "618900",
    "PurchaseExpenditure": "600150",
}
_LINE_PROPERTIES = {"BILL": "Billable", "NONBILL": "Not billable", "COMPL": "Complimentary"}
_BILLING_TYPES = {
    "NotSpecified": "NONBILL",
    "Chargeable": "BILL",
    "NonChargeable": "NONBILL",
    "Complimentary": "COMPL",
    "NotAvailable": "NONBILL",
}
_DEFAULTS = {"HOURS": "Hour", "FEES": "Fee", "ITEMS": "Item", "EXPENSES": "Expense", "ONACCOUNT": "OnAccount"}
_TYPES = ("Hour", "Fee", "Item", "Expense")
_PERIOD_UNITS = {"USPM": "Days", "GBPM": "Months", "DEMF": "Years"}
_BALANCING = frozenset({"DEMF"})
_PROCUREMENT = {"Consulting": ("Hour", "HOURS"), "Travel services": ("Expense", "EXPENSES")}
_PARTLY_RECOVERABLE = "ENTERTAIN"


def finance_rows() -> dict[str, list[Row]]:
    """Return the rows by entity set; no set that other modules of the demo fill is among them."""
    return {
        "LedgerFiscalPeriods": [row for it in COMPANIES for row in _periods(it)],
        "ProjectPostingAccounts": [row for it in COMPANIES for row in _accounts(it)],
        "ProjectLineProperties": [row for it in COMPANIES for row in _line_properties(it)],
        "ProjectBillingTypeLineProperties": [row for it in COMPANIES for row in _billing_types(it)],
        "SharedCategories": _shared_categories(),
        "ProjectCategoryEntities": [row for it in COMPANIES for row in _project_categories(it)],
        "ProjectParametersV2": [_parameters(it) for it in COMPANIES],
        "ProjectIntegrationParameters": [_integration(it) for it in COMPANIES],
        "ProjectRevenueProfileRules": [row for it in COMPANIES for row in _profile_rules(it)],
        "SalesTaxRates": [row for it in COMPANIES for row in _tax_rates(it)],
        "ProjectSubcontractCategories": [row for it in COMPANIES for row in _subcontract_categories(it)],
        "ProcurementCategoryProjectCategories": [row for it in COMPANIES for row in _procurement(it)],
        "IntercompanyProjectRelations": intercompany.relations(),
    }


def _periods(company: Company) -> list[Row]:
    return [
        {
            "dataAreaId": company.area,
            "FiscalYear": str(year),
            "PeriodName": f"Period {month}",
            "StartDate": finance_day(date(year, month, 1)),
            "EndDate": finance_day(date(year, month, calendar.monthrange(year, month)[1])),
            "PeriodStatus": "Closed" if (year, month) == CLOSED else "Open",
        }
        for year in YEARS
        for month in range(1, 13)
    ]


def _accounts(company: Company) -> list[Row]:
    return [
        {"dataAreaId": company.area, "PostingType": posting, "MainAccountId": account}
        for posting, account in _MAIN_ACCOUNTS.items()
    ]


def _line_properties(company: Company) -> list[Row]:
    return [
        {
            "dataAreaId": company.area,
            "LinePropertyId": name,
            "Name": text,
            "IsChargeable": "Yes" if name == "BILL" else "No",
            "EnableAccrueRevenue": name == "BILL",
            "CostPercentage": Decimal(100),
            "SalesPercentage": Decimal(100 if name == "BILL" else 0),
        }
        for name, text in _LINE_PROPERTIES.items()
    ]


def _billing_types(company: Company) -> list[Row]:
    return [
        {"dataAreaId": company.area, "BillingType": billing_type, "LinePropertyId": name}
        for billing_type, name in _BILLING_TYPES.items()
    ]


def _shared_categories() -> list[Row]:
    """The accountants' own, for what has no transaction category."""
    return [
        {"CategoryId": name, "CategoryName": name.capitalize(), "UseInProject": "Yes"} for name in _DEFAULTS
    ]


def _project_categories(company: Company) -> list[Row]:
    own = [(name, name.capitalize(), kind) for name, kind in _DEFAULTS.items()]
    synced = [
        (f"{row['msdyn_transactioncategorynumber']}-{place}", f"{row['msdyn_name']} {kind}", kind)
        for row in transaction_categories()
        for place, kind in enumerate(_TYPES, start=1)
    ]
    return [
        {
            "dataAreaId": company.area,
            "Category": category,
            "CategoryName": name,
            "CategoryGroup": kind.upper(),
            "TransactionType": kind,
            "ItemSalesTaxGroup": ITEM_TAX_GROUP,
            "ActiveInJournals": "Yes",
        }
        for category, name, kind in (*own, *synced)
    ]


def _parameters(company: Company) -> Row:
    return {
        "dataAreaId": company.area,
        "Key": 0,
        "ProjectOperationsIntegrationFeatureStatus": "Yes",
        "EmplCategory": "HOURS",
        "CostCategory": "EXPENSES",
        "ItemCategory": "ITEMS",
        "RevenueCategory": "FEES",
        "OnAccountCategory": "ONACCOUNT",
        "ProjectOperationsForecastModelId": FORECAST_MODEL,
        "IsAccountingDateUpdateAllowed": "Yes",
        "TaxGroupMethod": "Search",
        "TaxItemGroupMethod": "Category",
        "TaxItemGroupOnAcc": ITEM_TAX_GROUP,
    }


def _integration(company: Company) -> Row:
    return {
        "dataAreaId": company.area,
        "PeriodUnit": _PERIOD_UNITS[company.code],
        "LinesPerJournal": 200,
        "FeeCategory": "FEES",
        "CostRevenueProfileId": PROFILE,
    }


def _profile_rules(company: Company) -> list[Row]:
    """Time and material accrues revenue; Germany books fixed prices to the balance sheet."""
    return [
        {
            "dataAreaId": company.area,
            "ProfileId": PROFILE,
            "BillingMethod": method,
            "AccrueRevenue": "Yes" if method == "TimeAndMaterial" else "No",
            "OnAccountInvoicingToBalance": "Yes" if company.code in _BALANCING else "No",
        }
        for method in ("TimeAndMaterial", "FixedPrice")
    ]


def _tax_rates(company: Company) -> list[Row]:
    """The full rate; on entertainment half of it cannot be recovered."""
    group, code, percent = TAX_GROUPS[company.code]
    return [
        {
            "dataAreaId": company.area,
            "TaxGroup": group,
            "TaxItemGroup": item_group,
            "SalesTaxCode": code,
            "Percent": percent,
            "NonRecoverablePercent": non_recoverable,
        }
        for item_group, non_recoverable in ((ITEM_TAX_GROUP, Decimal(0)), (_PARTLY_RECOVERABLE, Decimal(50)))
    ]


def _subcontract_categories(company: Company) -> list[Row]:
    return [
        {
            "dataAreaId": company.area,
            "LineNumber": number,
            "TransactionType": kind,
            "ProcurementCategoryName": procurement,
            "ProjectCategoryId": category,
        }
        for number, (procurement, (kind, category)) in enumerate(_PROCUREMENT.items(), start=1)
    ]


def _procurement(company: Company) -> list[Row]:
    return [
        {"dataAreaId": company.area, "ProcurementCategoryName": name, "ProjectCategoryId": category}
        for name, (_, category) in _PROCUREMENT.items()
    ]
